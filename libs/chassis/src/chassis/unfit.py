"""What a process cannot start on: said in one line, for whoever runs it."""

from collections.abc import Awaitable, Callable

StartCheck = Callable[[], Awaitable[None]]
"""Raises `UnfitError` where the process must not start."""


class UnfitError(Exception):
    """Something that a process needs is not there, or not as it has to be; its words say what."""


async def always_fit() -> None:
    """Let a process start that needs nothing."""
