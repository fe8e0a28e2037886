"""What makes a cost a sound one."""

from datetime import date

from chassis.rejection import Fault


def faults_of(nature: str, useful_life_months: int | None, period_start: date, period_end: date) -> list[Fault]:
    """Return what is wrong: an investment is written off over its useful life, and no period ends before it starts."""
    faults = []
    if nature == "capex" and useful_life_months is None:
        message = "An investment (capex) is written off over its useful life."
        faults.append(Fault("/useful_life_months", "missing", message))
    if nature == "opex" and useful_life_months is not None:
        message = "Only an investment (capex) has a useful life."
        faults.append(Fault("/useful_life_months", "not-allowed", message))
    if period_end < period_start:
        faults.append(Fault("/period_end", "before-start", "A period does not end before it starts."))
    return faults
