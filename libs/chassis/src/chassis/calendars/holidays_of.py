"""Public holidays of a country, from the `holidays` library."""

FIRST_YEAR = 2000
LAST_YEAR = 2050


def country_holidays(country: str, subdivision: str | None) -> list[dict[str, str]]:
    """Return a country's public holidays of the years 2000 to 2050, in order; ValueError where it is not known."""
    import holidays  # large, and needed by those who name a country only

    try:
        days = holidays.country_holidays(country, subdiv=subdivision, years=range(FIRST_YEAR, LAST_YEAR + 1))
    except NotImplementedError as error:
        raise ValueError("There are no holidays known for this country or subdivision.") from error
    return [{"date": day.isoformat(), "name": name} for day, name in sorted(days.items())]
