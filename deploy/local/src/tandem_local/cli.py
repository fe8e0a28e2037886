"""The command line: `tandem run`, `tandem token`, `tandem reset`."""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence

from tandem_local.home import ISSUER, OWN_FILES, OWN_FOLDERS, Home, InUseError

PORT = 8080
TOKEN_HOURS = 12
SUBJECT = "local-administrator"
AUDIENCES = ("service-catalog", "project-tracker", "kpi-engine", "portal")
SCOPES = (
    *(f"catalog:{right}" for right in ("read", "write", "approve", "import")),
    *(f"projects:{right}" for right in ("read", "write", "approve", "import")),
    *(f"kpi:{right}" for right in ("read", "write")),
    *(f"events:{right}" for right in ("read", "subscribe", "deliver")),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen command."""
    chosen = _parser().parse_args(arguments)
    home = Home.from_environment()
    try:
        if chosen.command == "run":
            run(home, chosen.port, with_parent=chosen.with_parent)
        elif chosen.command == "token":
            print(token(home, chosen.scope, chosen.org, chosen.sub))  # noqa: T201
        else:
            reset(home)
    except (InUseError, RuntimeError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(1)


def run(home: Home, port: int, *, with_parent: bool) -> None:
    """Run the platform in the foreground."""
    from tandem_local.run import StartError
    from tandem_local.run import run as run_platform
    from tandem_local.supervision import end_with_parent

    if with_parent:
        end_with_parent()
    try:
        run_platform(home, port)
    except StartError as error:
        raise RuntimeError(str(error)) from None


def token(home: Home, scope: str = "", org: str = "", subject: str = "") -> str:
    """Return an access token of this platform, made on the spot: its key lies in the folder."""
    from datetime import timedelta

    from portal.keys import SigningKeys, create_signing_key

    create_signing_key(home.keys)
    return SigningKeys.load(home.keys).sign(
        issuer=ISSUER,
        subject=subject or SUBJECT,
        org=org or "default",
        scopes=scope.split() or SCOPES,
        audiences=AUDIENCES,
        lifetime=timedelta(hours=TOKEN_HOURS),
    )


def reset(home: Home) -> None:
    """Delete what the platform keeps in its folder, and nothing else that may lie there."""
    from tandem_local.postgres import PostgresServer
    from tandem_local.supervision import end_leftovers

    with home.locked():
        if home.postgres.exists():
            server = PostgresServer(home.postgres)
            end_leftovers(home, server)
            server.remove()
        for name in OWN_FOLDERS:
            shutil.rmtree(home.root / name, ignore_errors=True)
        for name in OWN_FILES:
            (home.root / name).unlink(missing_ok=True)
    if not any(home.root.iterdir()):
        home.root.rmdir()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tandem", description="The whole platform on one machine, in the folder TANDEM_HOME (.tandem)."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run_command = commands.add_parser("run", help="run the platform until Ctrl-C")
    run_command.add_argument("--port", type=int, default=int(os.environ.get("PORT") or PORT))
    run_command.add_argument("--with-parent", action="store_true", help="end when the process that started it dies")
    token_command = commands.add_parser("token", help=f"print an access token of {TOKEN_HOURS} hours")
    token_command.add_argument("--scope", default=os.environ.get("SCOPE", ""), help="scopes; all if none is named")
    token_command.add_argument("--org", default=os.environ.get("ORG", ""), help="the organisation (default)")
    token_command.add_argument("--sub", default=os.environ.get("SUB", ""), help=f"who asks ({SUBJECT})")
    commands.add_parser("reset", help="delete the platform's local data")
    return parser
