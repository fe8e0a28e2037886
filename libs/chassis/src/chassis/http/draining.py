"""The end of a server's life: it still answers, but tells everyone to go elsewhere."""

import asyncio


class Drain:
    """Whether the server is about to stop; long answers wait for it and end by themselves."""

    def __init__(self) -> None:
        self.is_begun = False
        self._begun = asyncio.Event()

    def begin(self) -> None:
        """Say that the server is about to stop; to be called on the event loop."""
        self.is_begun = True
        self._begun.set()

    async def wait(self) -> None:
        """Return when the server is about to stop."""
        await self._begun.wait()
