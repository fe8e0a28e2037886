"""The priority of an incident, from its impact and urgency."""

from typing import Literal

Level = Literal["high", "medium", "low"]
Priority = Literal["P1", "P2", "P3", "P4", "P5"]

_MATRIX: dict[tuple[str, str], Priority] = {
    ("high", "high"): "P1",
    ("high", "medium"): "P2",
    ("medium", "high"): "P2",
    ("high", "low"): "P3",
    ("medium", "medium"): "P3",
    ("low", "high"): "P3",
    ("medium", "low"): "P4",
    ("low", "medium"): "P4",
    ("low", "low"): "P5",
}


def priority_of(impact: str, urgency: str) -> Priority:
    """Return the priority; impact and urgency weigh the same."""
    return _MATRIX[impact, urgency]
