"""What is made once per folder: the signing key, the services' own secrets, and who may ask for tokens.

It runs as a process of its own (`python -m tandem_local.credentials FOLDER`), so that what it needs of libraries does
not stay in the memory of the process that watches over the platform.
"""

import json
import secrets
import subprocess
import sys
from pathlib import Path

from tandem_local.databases import DATABASE_OF_SERVICE
from tandem_local.home import Home
from tandem_local.postgres import write_secret

PRODUCERS = {
    "service-catalog": ("project-tracker",),
    "project-tracker": ("service-catalog",),
    "kpi-engine": ("service-catalog", "project-tracker"),
}


def ensure_credentials(home: Home) -> dict[str, dict[str, str]]:
    """Return each service's secrets, made if they are missing, after everything that follows from them."""
    newest_key = max((path.stat().st_mtime for path in home.keys.glob("*.pem")), default=None)
    complete = (
        newest_key is not None
        and all(path.exists() for path in (home.secrets, home.clients, home.key_set))
        and home.key_set.stat().st_mtime >= newest_key
    )
    if not complete:
        command = [sys.executable, "-m", "tandem_local.credentials", str(home.root)]
        subprocess.run(command, check=True)  # noqa: S603 - ourselves
    known: dict[str, dict[str, str]] = json.loads(home.secrets.read_text(encoding="utf-8"))
    return known


def make_credentials(home: Home) -> None:
    """Make what is missing of keys, secrets and the file of clients."""
    from portal.clients import HASHER
    from portal.keys import SigningKeys, create_signing_key

    create_signing_key(home.keys)
    write_secret(home.key_set, json.dumps(SigningKeys.load(home.keys).key_set(), indent=2))
    known = json.loads(home.secrets.read_text(encoding="utf-8")) if home.secrets.exists() else {}
    for service in DATABASE_OF_SERVICE:
        if service not in known:
            known[service] = {"client_secret": secrets.token_urlsafe(32), "cursor_secret": secrets.token_urlsafe(32)}
    write_secret(home.secrets, json.dumps(known, indent=2))
    sections = [
        f"[clients.{service}]\n"
        f"secret_hashes = {json.dumps([HASHER.hash(known[service]['client_secret'])])}\n"
        'org = "*"\n'
        'scopes = ["events:read"]\n'
        f"audiences = {json.dumps(producers)}\n"
        for service, producers in PRODUCERS.items()
    ]
    write_secret(home.clients, "\n".join(sections))


if __name__ == "__main__":
    make_credentials(Home(Path(sys.argv[1])))
