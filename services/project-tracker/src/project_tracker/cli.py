"""The command line: serve, work, migrate, restored, openapi."""

import sys

from chassis import working
from chassis.cli import service_command
from chassis.standing import Standing
from project_tracker.main import create_app
from project_tracker.settings import Settings
from project_tracker.wiring import PACKAGE


def main() -> None:
    """Do what the command line says."""
    sys.exit(service_command(Settings, package=PACKAGE, create_app=create_app, work=_work))


def _work(settings: Settings) -> int:
    standing = Standing(settings, PACKAGE)
    return working.work(standing, working.shared_loops(standing), metrics_port=settings.metrics_port)
