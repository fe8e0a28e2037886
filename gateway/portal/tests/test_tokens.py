import asyncio
import base64
import os
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from portal import clients as clients_module
from portal.clients import HASHER, Clients
from portal.keys import SIGNING_KEY, SigningKeys, WrongKeyError, create_signing_key
from portal.settings import PortalSettings

ISSUER = "https://tandem.test"
SECRET = "correct horse battery staple"
FORM = {"grant_type": "client_credentials", "client_id": "kpi-engine", "client_secret": SECRET}


async def verified(portal: httpx.AsyncClient, token: str) -> dict[str, Any]:
    keys = (await portal.get("/.well-known/jwks.json")).json()
    key_id = jwt.get_unverified_header(token)["kid"]
    key = next(jwt.PyJWK(key) for key in keys["keys"] if key["kid"] == key_id)
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["ES256"], audience="project-tracker", issuer=ISSUER)
    return claims


async def test_a_client_gets_a_token_that_the_published_key_verifies(portal: httpx.AsyncClient) -> None:
    answer = await portal.post("/oauth/token", data=FORM)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 3600
    assert body["scope"] == "events:read events:deliver"
    claims = await verified(portal, body["access_token"])
    assert claims["sub"] == "kpi-engine"
    assert claims["org"] == "*"
    assert claims["aud"] == ["service-catalog", "project-tracker"]
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["nbf"] == claims["iat"]
    assert claims["jti"]


async def test_http_basic_and_fewer_scopes(portal: httpx.AsyncClient) -> None:
    form = {"grant_type": "client_credentials", "scope": "events:read events:read"}
    answer = await portal.post("/oauth/token", data=form, auth=("kpi-engine", SECRET.replace(" ", "+")))
    assert answer.json()["scope"] == "events:read"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({**FORM, "client_secret": "wrong"}, 401, "invalid_client"),
        ({**FORM, "client_id": "nobody"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({**FORM, "scope": "events:read catalog:write"}, 400, "invalid_scope"),
        ({**FORM, "scope": " "}, 400, "invalid_scope"),
        ({**FORM, "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"client_id": "kpi-engine"}, 400, "invalid_request"),
        ({**FORM, "scope": ["events:read", "events:deliver"]}, 400, "invalid_request"),
        ({**FORM, "padding": "x" * 20_000}, 400, "invalid_request"),
    ],
)
async def test_refusals_are_those_of_the_standard(
    portal: httpx.AsyncClient, form: dict[str, Any], status: int, error: str
) -> None:
    answer = await portal.post("/oauth/token", data=form)
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_a_client_names_itself_in_one_way_only(portal: httpx.AsyncClient) -> None:
    answer = await portal.post("/oauth/token", data=FORM, auth=("kpi-engine", SECRET))
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("header", ["Basic ???", "Basic " + base64.b64encode(b"no colon").decode(), "Bearer x"])
async def test_a_broken_authorization_header_is_refused(portal: httpx.AsyncClient, header: str) -> None:
    form = {"grant_type": "client_credentials"}
    answer = await portal.post("/oauth/token", data=form, headers={"authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_body_that_is_no_form_is_refused(portal: httpx.AsyncClient) -> None:
    answer = await portal.post("/oauth/token", json=FORM)
    assert answer.json()["error"] == "invalid_request"


def change_secret(file: Path) -> None:
    text = file.read_text().splitlines()
    text[1] = f'secret_hashes = ["{HASHER.hash("a new one")}"]'
    file.write_text("\n".join(text))
    os.utime(file, (1, 1))


def test_a_changed_client_file_takes_effect_at_once(settings: PortalSettings) -> None:
    assert settings.clients_file is not None
    clients = Clients(settings.clients_file)
    assert clients.authenticate("kpi-engine", SECRET)
    change_secret(settings.clients_file)
    assert clients.authenticate("kpi-engine", SECRET) is None
    assert clients.authenticate("kpi-engine", "a new one")


async def test_a_file_that_goes_wrong_leaves_the_former_clients_and_is_told_of_once(
    portal: httpx.AsyncClient, settings: PortalSettings, caplog: pytest.LogCaptureFixture
) -> None:
    file = settings.clients_file
    assert file is not None
    right = file.read_text()
    wrong = [right + "[clients.x", right.replace('org = "*"', 'org = "A B"'), right + "[clients.x]\n"]
    for age, text in enumerate(wrong, start=1):
        file.write_text(text)
        os.utime(file, (age, age))
        for _ in range(2):
            assert (await portal.post("/oauth/token", data=FORM)).status_code == 200
        assert len(caplog.records) == age
    file.rename(file.with_name("away"))
    for _ in range(2):
        assert (await portal.post("/oauth/token", data=FORM)).status_code == 200
    assert [record.getMessage() for record in caplog.records] == ["clients not read"] * 4
    reasons = [record.__dict__["reason"] for record in caplog.records]
    assert "end of document" in reasons[0]
    assert "clients.kpi-engine.org" in reasons[1]
    assert "No such file" in reasons[3]
    assert "argon2" not in " ".join(reasons)
    file.write_text(right.replace("kpi-engine", "reports"))
    assert (await portal.post("/oauth/token", data=FORM)).status_code == 401


def test_a_secret_changed_while_it_is_verified_is_not_remembered(
    settings: PortalSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = settings.clients_file
    assert file is not None
    clients = Clients(file)
    verifies = clients_module._verifies

    def slowly(stored: str, secret: str) -> bool:
        verdict = verifies(stored, secret)
        change_secret(file)
        assert clients.proven("kpi-engine", "anything") is None  # another request has the file read anew
        return verdict

    monkeypatch.setattr(clients_module, "_verifies", slowly)
    assert clients.authenticate("kpi-engine", SECRET)
    assert clients.proven("kpi-engine", SECRET) is None


def test_further_keys_are_published_but_do_not_sign(tmp_path: Path) -> None:
    create_signing_key(tmp_path)
    alone = SigningKeys.load(tmp_path).key_set()["keys"]
    coming, gone = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    (tmp_path / "coming.pem").write_bytes(coming.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = gone.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "gone.pem").write_bytes(public)
    keys = SigningKeys.load(tmp_path).key_set()["keys"]
    assert keys[0] == alone[0]
    assert len({key["kid"] for key in keys}) == 3
    assert all("d" not in key for key in keys)


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    (tmp_path / SIGNING_KEY).write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(WrongKeyError, match=r"signing\.pem .* P-256"):
        SigningKeys.load(tmp_path)


def test_the_signing_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    create_signing_key(tmp_path / "keys")
    made = (tmp_path / "keys" / SIGNING_KEY).read_bytes()
    create_signing_key(tmp_path / "keys")
    assert (tmp_path / "keys" / SIGNING_KEY).read_bytes() == made
    assert (tmp_path / "keys" / SIGNING_KEY).stat().st_mode & 0o777 == 0o600


async def test_guesses_do_not_pile_up_and_hold_up_nobody_who_is_known(portal: httpx.AsyncClient) -> None:
    assert (await portal.post("/oauth/token", data=FORM)).status_code == 200
    guess = FORM | {"client_id": "nobody"}
    guesses = [asyncio.ensure_future(portal.post("/oauth/token", data=guess)) for _ in range(80)]
    await asyncio.sleep(0.1)
    assert (await portal.post("/oauth/token", data=FORM)).status_code == 200
    assert not all(one.done() for one in guesses)
    answers = await asyncio.gather(*guesses)
    assert {answer.status_code for answer in answers} == {401, 503}
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert (refused.json()["error"], refused.headers["retry-after"]) == ("temporarily_unavailable", "1")
