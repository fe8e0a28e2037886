"""Tokens for tests, signed with a key that exists for one test run."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from chassis import clock

ISSUER = "https://tandem.test"
AUDIENCE = "tandem"
KEY_ID = "test"
ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs tokens and publishes its public key."""

    issuer: str = ISSUER
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def token(
        self,
        *scopes: str,
        org: str = "default",
        sub: str = "tester",
        aud: str = AUDIENCE,
        expires_in: timedelta = timedelta(hours=1),
        now: datetime | None = None,
        **claims: object,
    ) -> str:
        """Return a token with these scopes; further claims go over the usual ones."""
        issued = now or clock.now()
        payload = {
            "iss": self.issuer,
            "aud": aud,
            "sub": sub,
            "org": org,
            "scope": " ".join(scopes),
            "iat": issued,
            "exp": issued + expires_in,
            **claims,
        }
        return jwt.encode(payload, self.key, algorithm=ALGORITHM, headers={"kid": KEY_ID})

    @property
    def jwks(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set."""
        algorithm = jwt.get_algorithm_by_name(ALGORITHM)
        key = algorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": KEY_ID, "alg": ALGORITHM, "use": "sig"}]}

    def write_jwks(self, folder: Path) -> Path:
        """Write the key set into a folder and return the file."""
        path = folder / "jwks.json"
        path.write_text(json.dumps(self.jwks), encoding="utf-8")
        return path
