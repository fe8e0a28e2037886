"""The keys access tokens are signed with (ES256), and the tokens themselves.

A folder holds them: `signing.pem` signs; any other `*.pem`, private or public, is only published, so that a key is
known before it signs and stays known until its last token has ended.
"""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from chassis import clock
from chassis.ids import new_id

ALGORITHM = "ES256"
SIGNING_KEY = "signing.pem"
CURVE = ec.SECP256R1()


class WrongKeyError(Exception):
    """A key cannot be read, or is of another kind; its words name the file."""


class SigningKeys:
    """One key that signs and all that are published."""

    def __init__(self, signing: ec.EllipticCurvePrivateKey, published: Sequence[ec.EllipticCurvePublicKey]) -> None:
        self._signing = signing
        self._key_id = key_id(signing.public_key())
        self._published = [signing.public_key(), *published]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the folder; a key of another kind is refused."""
        signing = _key(folder / SIGNING_KEY)
        if not isinstance(signing, ec.EllipticCurvePrivateKey):
            raise WrongKeyError(f"{SIGNING_KEY} is a public key, which cannot sign")
        others = [_key(path) for path in sorted(folder.glob("*.pem")) if path.name != SIGNING_KEY]
        return cls(
            signing, [key.public_key() if isinstance(key, ec.EllipticCurvePrivateKey) else key for key in others]
        )

    def sign(
        self,
        *,
        issuer: str,
        subject: str,
        org: str,
        scopes: Sequence[str],
        audiences: Sequence[str],
        lifetime: timedelta,
        **claims: str,
    ) -> str:
        """Return an access token that is valid from now on."""
        issued = clock.now()
        payload = {
            "iss": issuer,
            "sub": subject,
            "aud": list(audiences),
            "org": org,
            "scope": " ".join(scopes),
            "iat": issued,
            "nbf": issued,
            "exp": issued + lifetime,
            "jti": str(new_id()),
            **claims,
        }
        return jwt.encode(payload, self._signing, algorithm=ALGORITHM, headers={"kid": self._key_id})

    def key_set(self) -> dict[str, Any]:
        """Return the public keys as a JSON Web Key Set (RFC 7517)."""
        return {
            "keys": [
                {**_public_members(key), "kid": key_id(key), "alg": ALGORITHM, "use": "sig"} for key in self._published
            ]
        }


def create_signing_key(folder: Path) -> None:
    """Make the folder's signing key unless it has one; only the owner may read it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / SIGNING_KEY
    if path.exists():
        return
    key = ec.generate_private_key(CURVE)
    unfinished = folder / f".{SIGNING_KEY}.{os.getpid()}"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    unfinished.replace(path)


def key_id(key: ec.EllipticCurvePublicKey) -> str:
    """Return the key's thumbprint (RFC 7638), so the same key has the same id everywhere."""
    members = json.dumps(_public_members(key), sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()


def _public_members(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    known = jwt.get_algorithm_by_name(ALGORITHM).to_jwk(key, as_dict=True)
    return {name: known[name] for name in ("crv", "kty", "x", "y")}


def _key(path: Path) -> ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey:
    try:
        content = path.read_bytes()
        is_private = b"PRIVATE KEY" in content
        key = load_pem_private_key(content, password=None) if is_private else load_pem_public_key(content)
    except OSError as error:
        raise WrongKeyError(f"{path.name} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: it has a password
        raise WrongKeyError(f"{path.name} is no key in PEM that can be read without a password") from error
    if not isinstance(key, (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey)) or key.curve.name != CURVE.name:
        raise WrongKeyError(f"{path.name} is not a key on the curve P-256")
    return key
