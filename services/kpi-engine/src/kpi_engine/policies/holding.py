"""Which policy holds when: the newest that had come into force by then."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, TypeVar


class Dated(Protocol):
    """What holds from an instant on; None means from the beginning of time."""

    @property
    def valid_from(self) -> datetime | None:
        """The instant."""


DatedT = TypeVar("DatedT", bound=Dated)


def holding(policies: Sequence[DatedT], at: datetime) -> DatedT:
    """Choose the policy that holds at an instant; they come in their order, the first from the beginning of time."""
    return [one for one in policies if one.valid_from is None or one.valid_from <= at][-1]
