"""The command line: serve · hash."""

import argparse
import sys
from collections.abc import Sequence

from chassis.cli import WRONG_SETTINGS, add_serve, run_as_told
from chassis.http.draining import Drain
from chassis.serving import serve
from portal.clients import HASHER
from portal.main import create_app
from portal.settings import PortalSettings


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen command."""
    parser = argparse.ArgumentParser(prog="portal", description="The gateway's own answers.")
    commands = parser.add_subparsers(dest="command", required=True)
    add_serve(commands)
    commands.add_parser("hash", help="print the hash of a secret of standard input, as the file of clients has it")
    asked = parser.parse_args(arguments)
    if asked.command == "hash":
        sys.exit(_hash())

    def run(settings: PortalSettings) -> int:
        drain = Drain()
        return serve(create_app(settings, drain), settings, drain=drain, host=asked.host, port=asked.port)

    sys.exit(run_as_told(PortalSettings, run))


def _hash() -> int:
    """Print the hash of the one line that is read: as an argument, lists of processes would show it."""
    lines = sys.stdin.read().splitlines()
    if len(lines) != 1 or not lines[0]:
        sys.stderr.write("One line is needed on standard input: the secret.\n")
        return WRONG_SETTINGS
    sys.stdout.write(f"{HASHER.hash(lines[0])}\n")
    return 0
