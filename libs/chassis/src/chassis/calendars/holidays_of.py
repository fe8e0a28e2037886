"""Public holidays of a country, from the `holidays` library."""

import json
from itertools import groupby

from chassis.rejection import Fault, invalid

FIRST_YEAR = 2000
LAST_YEAR = 2050
MIDDLE_YEAR = (FIRST_YEAR + LAST_YEAR) // 2
LANGUAGE = "en_US"
BYTES_MAX = 44 * 1024
"""A calendar is told as one event, and its own days are to have room in it beside these."""


def country_holidays(country: str, subdivision: str | None) -> list[dict[str, str]]:
    """Return a country's public holidays of the years 2000 to 2050, in order; refuse what is not known.

    Of a country with very many they are those of as many years around 2025 as there is room for. Their names are
    English where the library has them so, else in the country's own language, whatever the process's locale is.
    """
    import holidays  # large, and needed by those who name a country only

    if not _is_known(country, None):
        raise invalid(Fault("/holiday_country", "country-unknown", "There are no holidays known for this country."))
    if subdivision is not None and not _is_known(country, subdivision):
        message = "There are no holidays known for this subdivision."
        raise invalid(Fault("/holiday_subdivision", "subdivision-unknown", message))
    years = range(FIRST_YEAR, LAST_YEAR + 1)
    days = holidays.country_holidays(country, subdiv=subdivision, years=years, language=_language_of(country))
    return _with_room([{"date": day.isoformat(), "name": name} for day, name in sorted(days.items())])


def _with_room(days: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return days without the years furthest from the middle, as far as they are too many."""
    years = [(int(year), list(own)) for year, own in groupby(days, lambda day: day["date"][:4])]
    sizes = [sum(len(json.dumps(day, ensure_ascii=False).encode()) + 2 for day in own) for _, own in years]
    first, last = 0, len(years)
    while sum(sizes[first:last]) > BYTES_MAX:
        if MIDDLE_YEAR - years[first][0] > years[last - 1][0] - MIDDLE_YEAR:
            first += 1
        else:
            last -= 1
    return [day for _, own in years[first:last] for day in own]


def _language_of(country: str) -> str | None:
    import holidays

    known = holidays.country_holidays(country)
    return LANGUAGE if LANGUAGE in known.supported_languages else known.default_language


def _is_known(country: str, subdivision: str | None) -> bool:
    import holidays

    try:
        holidays.country_holidays(country, subdiv=subdivision)
    except NotImplementedError:
        return False
    return True
