"""The command line of service-catalog: serve · work · migrate · openapi."""

import asyncio

from chassis import working
from chassis.cli import service_command
from chassis.migrating import migrate
from chassis.standing import Standing
from service_catalog.main import create_app
from service_catalog.settings import Settings
from service_catalog.wiring import PACKAGE, loops


def main() -> int:
    """Do what the command line says."""
    return service_command(Settings, create_app=create_app, work=_work, migrate=_migrate)


def _work(settings: Settings) -> int:
    standing = Standing(settings, PACKAGE)
    return working.work(standing, loops(standing), metrics_port=settings.metrics_port)


def _migrate(settings: Settings) -> None:
    asyncio.run(migrate(settings.address("owner"), PACKAGE))
