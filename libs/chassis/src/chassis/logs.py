"""Log lines: one JSON object each, with the trace they belong to; the standard library's go the same way."""

import logging
import sys
from collections.abc import Callable
from typing import Any, Literal

import structlog
from pydantic_core import to_json

from chassis.tracing import CURRENT

_QUIET = ("uvicorn.access", "httpx", "httpcore")


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


def configure(service: str, level: str = "INFO", style: Literal["json", "console"] = "json") -> None:
    """Send all log lines of the process to standard output in one manner."""

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
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
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
