import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from chassis import clock
from chassis.http.app import Api
from chassis.http.authentication import TokenVerifier
from chassis.http.keys import KeySource, usable_keys
from chassis.rejection import Rejection
from chassis.testkit.clients import client_of
from chassis.testkit.tokens import KEY_ID, Signer

SERVICE = "thing-service"


def encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def claims(**other: Any) -> dict[str, Any]:
    return {
        "iss": "https://tandem.test",
        "aud": SERVICE,
        "sub": "ada",
        "org": "default",
        "scope": "things:read",
        "exp": int(time.time()) + 600,
        **other,
    }


@pytest.fixture
def ask(api: Api) -> Callable[..., Any]:
    async def answered(token: str | None, path: str = "/v1/things", **headers: str) -> httpx.Response:
        async with client_of(api, token) as client:
            return await client.get(path, headers=headers)

    return answered


async def test_a_good_token(ask: Any, token: Any) -> None:
    assert (await ask(token("things:read"))).status_code == 200
    assert (await ask(token("things:read", aud=["other", SERVICE]))).status_code == 200
    assert (await ask(token("other:read things:read"))).status_code == 200


async def test_no_token(ask: Any) -> None:
    response = await ask(None)
    assert response.status_code == 401
    assert response.json()["code"] == "token-missing"
    assert response.headers["www-authenticate"] == 'Bearer realm="tandem"'
    for strange in ("Basic YTpi", "Bearer", "Bearer ", "things"):
        assert (await ask(None, Authorization=strange)).json()["code"] == "token-missing"


async def test_open_paths_need_no_token(ask: Any) -> None:
    for path in ("/healthz", "/readyz", "/openapi.json", "/v1/answers/abc"):
        assert (await ask(None, path)).status_code == 200
    assert (await ask(None, "/v1/unknown")).status_code == 401


@pytest.mark.parametrize(
    ("changed", "detail"),
    [
        ({"expires_in": timedelta(seconds=-6)}, "expired"),
        ({"nbf": int(time.time()) + 600}, "not valid yet"),
        ({"aud": "kpi-engine"}, "another audience"),
        ({"iss": "https://elsewhere"}, "another issuer"),
        ({"org": "*"}, "every organisation"),
        ({"org": "Not A Slug"}, "org"),
        ({"org": "x" * 65}, "org"),
        ({"org": ""}, "org"),
        ({"org": 7}, "org"),
        ({"sub": ""}, "sub"),
        ({"sub": "\ud800"}, "sub"),
        ({"scope": ["things:read"]}, "scope"),
    ],
)
async def test_claims_that_are_not_for_us(ask: Any, token: Any, changed: Any, detail: str) -> None:
    response = await ask(token("things:read", **changed))
    assert response.status_code == 401
    assert response.json()["code"] == "token-invalid"
    assert detail in response.json()["detail"]
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


@pytest.mark.parametrize("missing", ["sub", "org", "scope", "aud", "iss", "exp"])
async def test_a_claim_is_missing(ask: Any, signer: Signer, missing: str) -> None:
    kept = {name: value for name, value in claims().items() if name != missing}
    response = await ask(jwt.encode(kept, signer.key, "ES256", headers={"kid": KEY_ID}))
    assert response.status_code == 401


async def test_clocks_may_differ_a_little(ask: Any, token: Any) -> None:
    assert (await ask(token("things:read", expires_in=timedelta(seconds=-2)))).status_code == 200


async def test_a_token_of_every_organisation_only_reads_events(ask: Any, token: Any) -> None:
    assert (await ask(token("events:read", org="*"))).status_code == 403
    assert (await ask(token("events:deliver", org="*"))).status_code == 403
    assert (await ask(token("events:read", "things:read", org="*"))).status_code == 401


async def test_the_missing_scope_is_named(ask: Any, token: Any) -> None:
    response = await ask(token("things:write"))
    assert response.status_code == 403
    assert response.json()["code"] == "missing-scope"
    assert response.json()["scope"] == "things:read"
    assert 'error="insufficient_scope", scope="things:read"' in response.headers["www-authenticate"]


async def test_forged_tokens(ask: Any, signer: Signer, token: Any) -> None:
    public = signer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed_by_hand = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': KEY_ID})}.{encoded(claims())}"
    mac = hmac.digest(public, signed_by_hand.encode(), hashlib.sha256)
    head, body, signature = token("things:read").split(".")
    stranger = Signer()
    forged = {
        "unsigned": f"{encoded({'alg': 'none', 'kid': KEY_ID})}.{encoded(claims())}.",
        "none in capitals": f"{encoded({'alg': 'NONE', 'kid': KEY_ID})}.{encoded(claims())}.",
        "no signature": f"{head}.{body}.",
        "another body": f"{head}.{encoded(claims(org='other'))}.{signature}",
        "the public key as a secret": f"{signed_by_hand}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        "another key under our id": stranger.token("things:read", aud=SERVICE),
        "an unknown key": jwt.encode(claims(), stranger.key, "ES256", headers={"kid": "other"}),
        "another algorithm": jwt.encode(
            claims(), ec.generate_private_key(ec.SECP384R1()), "ES384", headers={"kid": KEY_ID}
        ),
        "its own key": jwt.encode(
            claims(), stranger.key, "ES256", headers={"kid": "x", "jwk": stranger.jwks["keys"][0]}
        ),
        "no token at all": "a.b.c",
        "too long": "x" * 9000,
        "a strange key id": jwt.encode(claims(), stranger.key, "ES256", headers={"kid": "../../etc"}),
    }
    for name, text in forged.items():
        assert (await ask(text)).status_code == 401, name


def key_pairs() -> dict[str, tuple[Any, str]]:
    return {
        "ec": (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        "rsa": (rsa.generate_private_key(65537, 2048), "RS256"),
        "ed": (ed25519.Ed25519PrivateKey.generate(), "EdDSA"),
    }


def key_set(pairs: dict[str, tuple[Any, str]]) -> dict[str, Any]:
    keys = [
        {**jwt.get_algorithm_by_name(name).to_jwk(key.public_key(), as_dict=True), "kid": kid}
        for kid, (key, name) in pairs.items()
    ]
    return {"keys": keys}


class Source:
    """A key server that counts, and that can go away."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.status = 200
        self.asked = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.status, json=self.document)

    def verifier(self) -> TokenVerifier:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        keys = KeySource("https://keys.test/jwks.json", client)
        return TokenVerifier(keys, issuer="https://tandem.test", audience=SERVICE)


async def test_the_three_algorithms() -> None:
    pairs = key_pairs()
    source = Source(key_set(pairs))
    verifier = source.verifier()
    for kid, (key, name) in pairs.items():
        caller = await verifier.caller(jwt.encode(claims(sub=kid), key, name, headers={"kid": kid}).encode())
        assert (caller.subject, caller.org, caller.scopes) == (kid, "default", frozenset({"things:read"}))
    assert source.asked == 1


async def test_a_key_of_another_kind_cannot_be_used() -> None:
    pairs = key_pairs()
    verifier = Source(key_set(pairs)).verifier()
    mixed = jwt.encode(claims(), pairs["ec"][0], "ES256", headers={"kid": "rsa"})
    with pytest.raises(Rejection):
        await verifier.caller(mixed.encode())


def test_only_public_keys_of_known_algorithms_are_used() -> None:
    good = key_set(key_pairs())["keys"]
    secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "oct"}
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  (weak on purpose)
    small = {**jwt.get_algorithm_by_name("RS256").to_jwk(weak.public_key(), as_dict=True), "kid": "small"}
    other_use = {**good[0], "kid": "enc", "use": "enc"}
    wide = ec.generate_private_key(ec.SECP384R1()).public_key()
    wide_key = {**jwt.get_algorithm_by_name("ES384").to_jwk(wide, as_dict=True), "kid": "wide"}
    symmetric = {**good[1], "kid": "alg", "alg": "HS256"}
    listed = [*good, secret, small, other_use, wide_key, symmetric, "nonsense", {"kty": "EC"}]
    assert usable_keys({"keys": listed}).keys() == {"ec", "rsa", "ed"}
    strange: list[Any] = [{}, [], {"keys": {}}, None]
    for nonsense in strange:
        with pytest.raises(ValueError, match="JSON Web Key Set"):
            usable_keys(nonsense)


async def test_a_new_key_is_found_but_the_source_is_not_pestered(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = key_pairs()
    source = Source(key_set({"ec": pairs["ec"]}))
    verifier = source.verifier()
    await verifier.caller(jwt.encode(claims(), *pairs["ec"], headers={"kid": "ec"}).encode())
    source.document = key_set(pairs)
    renewed = jwt.encode(claims(), *pairs["ed"], headers={"kid": "ed"}).encode()
    for _ in range(3):
        with pytest.raises(Rejection, match="unknown key"):
            await verifier.caller(renewed)
    assert source.asked == 1
    later = time.monotonic() + 6
    monkeypatch.setattr("chassis.http.keys.time.monotonic", lambda: later)
    assert (await verifier.caller(renewed)).subject == "ada"
    assert source.asked == 2


async def test_old_keys_stay_good_while_their_source_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = key_pairs()
    source = Source(key_set(pairs))
    verifier = source.verifier()
    assert await verifier.keys.key("ec")
    source.status = 500
    later = time.monotonic() + 301
    monkeypatch.setattr("chassis.http.keys.time.monotonic", lambda: later)
    assert await verifier.keys.key("ec")
    assert verifier.keys._renewal is not None
    await verifier.keys._renewal
    assert source.asked == 2
    assert await verifier.keys.key("ed")


async def test_without_any_key_nobody_can_be_judged() -> None:
    source = Source({"keys": []})
    source.status = 503
    token = jwt.encode(claims(), *key_pairs()["ec"], headers={"kid": "ec"}).encode()
    with pytest.raises(Rejection) as refused:
        await source.verifier().caller(token)
    assert (refused.value.kind, refused.value.code) == ("unavailable", "keys-unavailable")


async def test_a_token_is_verified_once_and_forgotten_when_it_expires() -> None:
    pairs = key_pairs()
    now = clock.now()
    source = Source(key_set(pairs))
    verifier = source.verifier()
    verifier._now = lambda: now
    token = jwt.encode(claims(exp=int(now.timestamp()) + 60), *pairs["ec"], headers={"kid": "ec"}).encode()
    await verifier.caller(token)
    source.document, source.status = None, 500
    verifier.keys._keys.clear()
    assert (await verifier.caller(token)).subject == "ada"
    now += timedelta(seconds=70)
    with pytest.raises(Rejection, match="expired"):
        await verifier.caller(token)
    assert not verifier._known


async def test_only_so_many_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chassis.http.authentication.TOKENS_KEPT", 2)
    pairs = key_pairs()
    verifier = Source(key_set(pairs)).verifier()
    for number in range(5):
        await verifier.caller(jwt.encode(claims(sub=f"s{number}"), *pairs["ec"], headers={"kid": "ec"}).encode())
    assert [known.subject for known in verifier._known.values()] == ["s3", "s4"]
