"""The command line every service has: serve · work · migrate · restored · openapi."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from chassis import logs, tracing
from chassis.database import entered
from chassis.http.app import Api
from chassis.http.openapi import dump
from chassis.serving import serve
from chassis.settings import ServerSettings, ServiceSettings, SettingsError
from chassis.unfit import UnfitError

log = logging.getLogger(__name__)
_Settings = TypeVar("_Settings", bound=ServiceSettings)
_Told = TypeVar("_Told", bound=ServerSettings)
FAILED, WRONG_SETTINGS = 1, 2
PORT_MAX = 65_535
# What the OpenAPI document is made from does not depend on where a service runs.
_NOWHERE = {
    "database_host": "localhost",
    "database_name": "none",
    "jwks_url": "https://localhost/jwks.json",
    "issuer": "https://localhost",
    "cursor_secret": "none",
    "runtime_password": "none",
    "worker_password": "none",
}


def service_command(
    settings_class: type[_Settings],
    *,
    package: str,
    create_app: Callable[[_Settings], Api],
    work: Callable[[_Settings], int | None],
    further: Mapping[str, tuple[str, Callable[[_Settings], int | None]]] | None = None,
    arguments: Sequence[str] | None = None,
) -> int:
    """Do what the command line says and return the exit code; wrong settings are listed, and the code is 2.

    `package` is where the migrations are; `further` are commands that only this service has: what each does, in words
    and in code.
    """
    own = further or {}
    asked = _parser(settings_class, {name: does for name, (does, _) in own.items()}).parse_args(arguments)
    if asked.command == "openapi":
        sys.stdout.write(dump(create_app(settings_class.model_validate(_NOWHERE)).openapi()))
        return 0

    def run(settings: _Settings) -> int:
        match asked.command:
            case "serve":
                api = create_app(settings)
                return serve(api, settings, drain=api.drain, check=api.check_start, host=asked.host, port=asked.port)
            case "work":
                return work(settings) or 0
            case "restored":
                asyncio.run(_raise_epoch(settings))
                return 0
            case name if name in own:
                return own[name][1](settings) or 0
            case _:
                _migrate(settings, package)
                return 0

    return run_as_told(settings_class, run)


def run_as_told(settings_class: type[_Told], run: Callable[[_Told], int]) -> int:
    """Run with what the environment tells, logs and traces included, and return the exit code.

    Wrong settings are listed, and the code is 2; what else it fails by is a line of the log, and the code is 1. Where
    that is a database or a port it does not get, the line says so, else it has the traceback.
    """
    try:
        settings = settings_class.load()
        lines = logs.configure(settings.service_name, settings.log_level, settings.log_format)
        try:
            with _traced(settings.service_name):
                return run(settings)
        except SettingsError:
            raise
        except UnfitError as error:
            log.error("cannot start", extra={"reason": str(error)})  # noqa: TRY400 - its words say it all
            return FAILED
        except Exception:
            log.exception("failed")
            return FAILED
        finally:
            lines.flush()
    except SettingsError as error:
        for fault in error.faults:
            sys.stderr.write(f"{fault}\n")
        return WRONG_SETTINGS


@contextmanager
def _traced(service: str) -> Iterator[None]:
    faults = tracing.switch_on(service, os.environ)
    if faults:
        raise SettingsError(faults)
    try:
        yield
    finally:
        tracing.switch_off()


def _migrate(settings: ServiceSettings, package: str) -> None:
    from chassis.migrating import migrate  # the other commands need nothing of it

    async def migrated() -> None:
        await (await entered(settings.address("owner"))).close()
        await migrate(settings.address("owner"), package)

    asyncio.run(migrated())


async def _raise_epoch(settings: ServiceSettings) -> None:
    """Begin a new epoch of the event log, as its positions after the moment restored were handed out before."""
    connection = await entered(settings.address("owner"))
    try:
        log.info("epoch raised", extra={"epoch": await connection.fetchval("SELECT raise_event_epoch()")})
    finally:
        await connection.close()


def add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command `serve`, with where to listen."""
    serving = commands.add_parser("serve", help="answer requests")
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=_port, default=8000, help="0 to 65535; 0 is any free one")


def _port(told: str) -> int:
    port = int(told)
    if not 0 <= port <= PORT_MAX:
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {PORT_MAX}")
    return port


def _parser(settings_class: type[ServiceSettings], further: Mapping[str, str]) -> argparse.ArgumentParser:
    name = str(settings_class.model_fields["service_name"].get_default() or "service")
    parser = argparse.ArgumentParser(prog=name)
    commands = parser.add_subparsers(dest="command", required=True)
    add_serve(commands)
    commands.add_parser("work", help="run the loops: events, consumers, timers")
    commands.add_parser("migrate", help="bring the database's schema up to date")
    commands.add_parser("restored", help="begin a new epoch of events, after the database was restored to a moment")
    commands.add_parser("openapi", help="print the OpenAPI document")
    for command, does in further.items():
        commands.add_parser(command, help=does)
    return parser
