"""The command line: serve, work, migrate, restored, openapi."""

import sys

from chassis import working
from chassis.cli import service_command
from chassis.events.siblings import Siblings
from chassis.standing import Standing
from service_catalog.main import create_app
from service_catalog.settings import Settings
from service_catalog.wiring import CLOCKS, PACKAGE, loops


def main() -> None:
    """Do what the command line says."""
    sys.exit(service_command(Settings, package=PACKAGE, create_app=create_app, work=_work))


def _work(settings: Settings) -> int:
    standing, siblings = Standing(settings, PACKAGE), Siblings(settings)
    return working.work(
        standing,
        loops(standing, siblings),
        clocks=CLOCKS,
        reads=siblings.by_name.keys(),
        metrics_port=settings.metrics_port,
    )
