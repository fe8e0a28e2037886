"""Where an event stands in a log."""

import re
from typing import NamedTuple, Self

EPOCH_DIGITS = 10
POSITION_DIGITS = 19
POSITION_MAX = 2**63 - 1
EPOCH_MAX = 2**31 - 1
_WRITTEN = re.compile(r"(\d{1,10})\.(\d{1,19})", re.ASCII)


class Position(NamedTuple):
    """A place in a log: the number within an epoch. Only within one epoch does the order of two mean anything."""

    epoch: int
    number: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `<epoch>.<position>`, padded or not; raise ValueError for anything else."""
        match = _WRITTEN.fullmatch(text)
        if match is None:
            raise ValueError("a position is written <epoch>.<position>")
        epoch, number = int(match[1]), int(match[2])
        if epoch > EPOCH_MAX or number > POSITION_MAX:
            raise ValueError("there is no such position")
        return cls(epoch, number)

    def __str__(self) -> str:
        """Write it so that texts of one epoch sort as the positions do."""
        return f"{self.epoch:0{EPOCH_DIGITS}d}.{self.number:0{POSITION_DIGITS}d}"
