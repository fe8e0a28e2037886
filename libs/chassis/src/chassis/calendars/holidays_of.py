"""Public holidays of a country, from the `holidays` library."""

from chassis.rejection import Fault, invalid

FIRST_YEAR = 2000
LAST_YEAR = 2050


def country_holidays(country: str, subdivision: str | None) -> list[dict[str, str]]:
    """Return a country's public holidays of the years 2000 to 2050, in order; refuse what is not known."""
    import holidays  # large, and needed by those who name a country only

    if not _is_known(country, None):
        raise invalid(Fault("/holiday_country", "country-unknown", "There are no holidays known for this country."))
    if subdivision is not None and not _is_known(country, subdivision):
        message = "There are no holidays known for this subdivision."
        raise invalid(Fault("/holiday_subdivision", "subdivision-unknown", message))
    days = holidays.country_holidays(country, subdiv=subdivision, years=range(FIRST_YEAR, LAST_YEAR + 1))
    return [{"date": day.isoformat(), "name": name} for day, name in sorted(days.items())]


def _is_known(country: str, subdivision: str | None) -> bool:
    import holidays

    try:
        holidays.country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        return False
    return True
