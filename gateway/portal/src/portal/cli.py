"""The command line: `portal serve`."""

import argparse
import logging
import sys
from collections.abc import Sequence

from pydantic import ValidationError

KEEP_ALIVE_SECONDS = 75  # longer than the gateway keeps an idle connection, so that the gateway closes it
GRACEFUL_SECONDS = 10


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen command."""
    parser = argparse.ArgumentParser(prog="portal", description="The gateway's own answers.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="answer requests")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args(arguments)
    try:
        run_server(chosen.host, chosen.port)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            print(f"TANDEM_{'.'.join(map(str, fault['loc'])).upper()}: {fault['msg']}", file=sys.stderr)  # noqa: T201
        sys.exit(2)


def run_server(host: str, port: int) -> None:
    """Serve until SIGTERM."""
    import uvicorn

    from portal.main import create_app
    from portal.settings import PortalSettings

    settings = PortalSettings.load()
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    uvicorn.run(
        create_app(settings),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
