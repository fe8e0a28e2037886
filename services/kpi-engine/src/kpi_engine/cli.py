"""The command line: serve, work, migrate, restored, openapi, rebuild."""

import sys

from chassis import working
from chassis.cli import service_command
from kpi_engine.main import create_app
from kpi_engine.settings import Settings
from kpi_engine.wiring import PACKAGE, Engine


def main() -> None:
    """Do what the command line says."""
    sys.exit(
        service_command(
            Settings,
            package=PACKAGE,
            create_app=create_app,
            work=_work,
            further={"rebuild": ("fill the facts anew from the siblings' logs, then let them answer", _rebuild)},
        )
    )


def _work(settings: Settings) -> int:
    engine = Engine(settings)
    return working.work(
        engine.standing, engine.loops(), reads=engine.siblings.by_name.keys(), metrics_port=settings.metrics_port
    )


def _rebuild(settings: Settings) -> None:
    async def rebuild() -> None:
        engine = Engine(settings)
        try:
            await engine.standing.check_schema()
            await engine.reading.rebuild()
        finally:
            await engine.siblings.close()
            await engine.standing.close()

    working.run(rebuild())
