"""Log lines: one JSON object each, with the trace they belong to; the standard library's go the same way."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, Literal, TextIO

import structlog
from pydantic_core import to_json

from chassis.tracing import CURRENT

GATHER_SECONDS = 0.1
_QUIET = ("uvicorn.access", "httpx", "httpcore")


class Lines:
    """The lines of a process on their way to a file: what merely informs is gathered, the rest leaves at once.

    To write a line and wake its reader takes longer than to make it; under load hundreds leave together so. What was
    gathered leaves before anything else does, when `GATHER_SECONDS` are over, and at the end of the process.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._gathered: list[str] = []
        self._lock = threading.RLock()

    def info(self, line: str) -> None:
        """Write a line soon; at once where no loop runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.msg(line)
            return
        with self._lock:
            self._gathered.append(f"{line}\n")
            is_first = len(self._gathered) == 1
        if is_first:
            loop.call_later(GATHER_SECONDS, self.flush)

    def msg(self, line: str) -> None:
        """Write a line at once."""
        self.write(f"{line}\n")
        self.flush()

    debug = info
    warning = warn = error = critical = fatal = failure = exception = log = msg

    def write(self, text: str) -> None:
        """Write text with the next flush."""
        with self._lock:
            self._gathered.append(text)

    def flush(self) -> None:
        """Write all that was gathered."""
        with self._lock:
            gathered, self._gathered = self._gathered, []
            if gathered:
                self._file.write("".join(gathered))
                self._file.flush()


def _with_trace(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    trace = CURRENT.get()
    if trace is not None:
        event["trace_id"] = trace.trace_id
        event["span_id"] = trace.span_id
        if trace.request_id is not None:
            event["request_id"] = trace.request_id
        if trace.org is not None:
            event.setdefault("org", trace.org)
    return event


def _as_json(event: structlog.typing.EventDict, *, default: Callable[[Any], Any]) -> str:
    return to_json(event, fallback=default, inf_nan_mode="constants").decode()


def _without_repetition(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    event.pop("color_message", None)  # uvicorn's, the message once more
    return event


def configure(service: str, level: str = "INFO", style: Literal["json", "console"] = "json") -> Lines:
    """Send all log lines of the process to standard output in one manner; returns them, to be flushed at its end."""

    def with_service(_: Any, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        event["service"] = service
        return event

    number = logging.getLevelNamesMapping()[level]
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace,
        with_service,
    ]
    if style == "json":
        shared.append(structlog.processors.format_exc_info)
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(_as_json)
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=False,
            exception_formatter=structlog.dev.plain_traceback,  # a richer one tells variables, and secrets with them
        )
    lines = Lines(sys.stdout)
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                _without_repetition,
                *shared,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    return lines
