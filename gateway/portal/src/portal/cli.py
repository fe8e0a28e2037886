"""The command line: `portal serve`."""

import argparse
import sys
from collections.abc import Sequence

from chassis.cli import add_serve, run_as_told
from chassis.http.draining import Drain
from chassis.serving import serve
from portal.main import create_app
from portal.settings import PortalSettings


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen command."""
    parser = argparse.ArgumentParser(prog="portal", description="The gateway's own answers.")
    add_serve(parser.add_subparsers(dest="command", required=True))
    asked = parser.parse_args(arguments)

    def run(settings: PortalSettings) -> int:
        drain = Drain()
        return serve(create_app(settings, drain), settings, drain=drain, host=asked.host, port=asked.port)

    sys.exit(run_as_told(PortalSettings, run))
