"""What the gateway and the services let nobody do."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from whole_platform import Platform

PATHS = ("/service-catalog/v1/services", "/project-tracker/v1/projects", "/kpi-engine/v1/kpis")
ClientOf = Callable[..., httpx.Client]


def claims_of(token: str) -> dict[str, object]:
    claims: dict[str, object] = jwt.decode(token, options={"verify_signature": False})
    return claims


def signed_here(platform: Platform, **changed: object) -> str:
    """Sign with the platform's own key what it would not sign itself."""
    token = platform.token()
    header = jwt.get_unverified_header(token)
    (key,) = (path for path in Path(platform.environment["TANDEM_HOME"]).rglob("*.pem"))
    claims = claims_of(token) | changed
    return jwt.encode(claims, key.read_bytes(), algorithm=header["alg"], headers={"kid": header["kid"]})


def unsigned(platform: Platform) -> str:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims_of(platform.token()))}."


def foreign(platform: Platform) -> str:
    header = jwt.get_unverified_header(platform.token())
    key = ec.generate_private_key(ec.SECP256R1())
    return jwt.encode(claims_of(platform.token()), key, algorithm="ES256", headers={"kid": header["kid"]})


def expired(platform: Platform) -> str:
    return signed_here(platform, iat=int(time.time()) - 7200, nbf=int(time.time()) - 7200, exp=int(time.time()) - 3600)


def wrong_audience(platform: Platform) -> str:
    return signed_here(platform, aud=["somebody-else"])


def wrong_issuer(platform: Platform) -> str:
    return signed_here(platform, iss="https://elsewhere.test")


@pytest.mark.parametrize("forged", [unsigned, foreign, expired, wrong_audience, wrong_issuer])
@pytest.mark.parametrize("path", PATHS)
def test_a_bad_token_is_refused_with_401(platform: Platform, path: str, forged: Callable[[Platform], str]) -> None:
    response = httpx.get(platform.address + path, headers={"Authorization": f"Bearer {forged(platform)}"})
    assert response.status_code == httpx.codes.UNAUTHORIZED
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith('Bearer realm="tandem", error="invalid_token"')


@pytest.mark.parametrize("path", PATHS)
def test_no_token_is_refused_with_401(platform: Platform, path: str) -> None:
    response = httpx.get(f"{platform.address}{path}?q=secret")
    assert response.status_code == httpx.codes.UNAUTHORIZED
    assert response.headers["www-authenticate"] == 'Bearer realm="tandem"'


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(platform: Platform, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {platform.token()}"}
    assert httpx.get(platform.address + PATHS[0], headers=headers).status_code == httpx.codes.OK


@pytest.mark.parametrize(
    ("path", "scope", "missing"),
    [
        ("/service-catalog/v1/services", "kpi:read", "catalog:read"),
        ("/project-tracker/v1/projects", "kpi:read", "projects:read"),
        ("/kpi-engine/v1/kpis", "catalog:read", "kpi:read"),
    ],
)
def test_a_token_without_the_scope_is_refused_with_403_that_names_it(
    client_of: ClientOf, path: str, scope: str, missing: str
) -> None:
    response = client_of(scope=scope).get(path)
    assert response.status_code == httpx.codes.FORBIDDEN
    assert response.json()["scope"] == missing


def test_one_organisation_never_sees_the_other(client_of: ClientOf) -> None:
    ours, theirs = client_of(org="org-a"), client_of(org="org-b")
    service = ours.post(
        "/service-catalog/v1/services", json={"key": "secret", "name": "Secret", "type": "business", "owner": "ada"}
    )
    assert service.status_code == httpx.codes.CREATED, service.text
    project = ours.post(
        "/project-tracker/v1/projects",
        json={
            "key": "secret",
            "name": "Secret",
            "goal": "g",
            "kind": "other",
            "currency": "EUR",
            "start_at": "2026-01-05T08:00:00Z",
        },
    )
    assert project.status_code == httpx.codes.CREATED, project.text
    for path in (
        f"/service-catalog/v1/services/{service.json()['id']}",
        f"/project-tracker/v1/projects/{project.json()['id']}",
        f"/project-tracker/v1/projects/{project.json()['id']}/tasks",
    ):
        assert ours.get(path).status_code == httpx.codes.OK
        assert theirs.get(path).status_code == httpx.codes.NOT_FOUND, path
    assert theirs.get("/service-catalog/v1/services").json()["items"] == []
    assert theirs.get("/project-tracker/v1/projects").json()["items"] == []
    events = theirs.get("/service-catalog/v1/events", params={"after": "1.0"})
    assert events.json() == []


def test_internal_headers_from_outside_are_not_believed(client_of: ClientOf) -> None:
    response = client_of().get(
        "/service-catalog/v1/services", params={"limit": "1"}, headers={"X-Forwarded-Prefix": "/elsewhere"}
    )
    assert "elsewhere" not in response.text + str(response.headers)
