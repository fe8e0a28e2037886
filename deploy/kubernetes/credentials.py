#!/usr/bin/env python3
"""The Secrets a new installation needs, made now, as one list for `kubectl create --filename -`.

They are made once: whoever runs this again makes other passwords, and `create` refuses what is there already.
"""

import argparse
import json
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tandem_local.credentials import make_credentials
from tandem_local.databases import DATABASE_OF_SERVICE, TIMEOUTS
from tandem_local.home import Home


def secret(name: str, values: Mapping[str, str], kind: str = "Opaque") -> dict[str, Any]:
    """Return a Secret; the operator of the databases takes over a password that is changed in it."""
    labels = {"app.kubernetes.io/part-of": "tandem", "cnpg.io/reload": "true"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": labels},
        "type": kind,
        "stringData": dict(values),
    }


def new_secrets() -> Iterator[dict[str, Any]]:
    """Make the signing key, who may ask for tokens, and each service's own secrets and database passwords."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        make_credentials(home)
        own = json.loads(home.secrets.read_text(encoding="utf-8"))
        yield secret("portal-keys", {"signing.pem": (home.keys / "signing.pem").read_text(encoding="utf-8")})
        yield secret("portal-clients", {"clients.toml": home.clients.read_text(encoding="utf-8")})
    for service, database in DATABASE_OF_SERVICE.items():
        yield secret(f"{service}-secrets", {key.replace("_", "-"): value for key, value in own[service].items()})
        for duty in TIMEOUTS:
            entry = {"username": f"{database}_{duty}", "password": secrets.token_urlsafe(24)}
            yield secret(f"{service}-database-{duty}", entry, "kubernetes.io/basic-auth")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--namespace", default="tandem")
    asked = parser.parse_args(arguments)
    made = list(new_secrets())
    for each in made:
        each["metadata"]["namespace"] = asked.namespace
    json.dump({"apiVersion": "v1", "kind": "List", "items": made}, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
