import pytest

from chassis.settings import ServiceSettings, SettingsError

ENOUGH = {
    "TANDEM_SERVICE_NAME": "thing-service",
    "TANDEM_DATABASE_HOST": "/run/postgres",
    "TANDEM_DATABASE_NAME": "thing_service",
    "TANDEM_JWKS_URL": "file:///keys/jwks.json",
    "TANDEM_ISSUER": "https://tandem.test",
    "TANDEM_CURSOR_SECRET": "hush",
    "TANDEM_RUNTIME_PASSWORD": "one",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in ENOUGH.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_what_is_enough(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TANDEM_FEEDS", '{"service-catalog": "http://catalog:8000/"}')
    settings = ServiceSettings.load()
    assert settings.feeds == {"service-catalog": "http://catalog:8000"}
    assert (settings.drain_seconds, settings.requests_per_second, settings.metrics_port) == (8, 200, 0)
    assert (settings.body_bytes_max, settings.bulk_body_bytes_max) == (1_048_576, 16_777_216)


@pytest.mark.usefixtures("environment")
def test_each_role_has_its_address() -> None:
    settings = ServiceSettings.load()
    address = settings.address("runtime")
    assert (address.host, address.port, address.name) == ("/run/postgres", 5432, "thing_service")
    assert (address.role, address.password) == ("thing_service_runtime", "one")
    with pytest.raises(SettingsError, match="TANDEM_OWNER_PASSWORD"):
        settings.address("owner")


def test_every_fault_is_listed_and_no_value_is_told(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TANDEM_DATABASE_NAME")
    environment.setenv("TANDEM_ISSUER", "")
    environment.setenv("TANDEM_JWKS_URL", "ftp://hidden/jwks.json")
    environment.setenv("TANDEM_METRICS_PORT", "70000")
    environment.setenv("TANDEM_LOG_LEVEL", "hidden")
    environment.setenv("TANDEM_FEEDS", '{"a": "hidden"}')
    with pytest.raises(SettingsError) as refused:
        ServiceSettings.load()
    named = {fault.partition(":")[0] for fault in refused.value.faults}
    assert named == {
        "TANDEM_DATABASE_NAME",
        "TANDEM_ISSUER",
        "TANDEM_JWKS_URL",
        "TANDEM_METRICS_PORT",
        "TANDEM_LOG_LEVEL",
        "TANDEM_FEEDS.A",
    }
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize("broken", ["{", "[]", "5"])
def test_feeds_that_are_no_json_object(environment: pytest.MonkeyPatch, broken: str) -> None:
    environment.setenv("TANDEM_FEEDS", broken)
    with pytest.raises(SettingsError, match="TANDEM_FEEDS"):
        ServiceSettings.load()


@pytest.mark.parametrize("port", ["abc", "hidden", "99999", "-1", "0", "80:80"])
@pytest.mark.parametrize(("name", "told"), [("JWKS_URL", "{}"), ("TOKEN_URL", "{}"), ("FEEDS", '{{"a": "{}"}}')])
def test_ports_that_are_none(environment: pytest.MonkeyPatch, name: str, told: str, port: str) -> None:
    environment.setenv(f"TANDEM_{name}", told.format(f"http://portal:{port}/x"))
    with pytest.raises(SettingsError, match=f"TANDEM_{name}") as refused:
        ServiceSettings.load()
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["file://host/jwks.json", "file:relative", "https://", "https://:80/x", "jwks.json", "http://[hidden"]
)
def test_addresses_that_are_none(environment: pytest.MonkeyPatch, url: str) -> None:
    environment.setenv("TANDEM_JWKS_URL", url)
    with pytest.raises(SettingsError, match="TANDEM_JWKS_URL: Value error, an http://"):
        ServiceSettings.load()


@pytest.mark.parametrize("name", ["DRAIN_SECONDS", "GRACEFUL_SECONDS"])
@pytest.mark.parametrize("endless", ["inf", "nan", "-1", "86400"])
def test_a_stop_has_an_end(environment: pytest.MonkeyPatch, name: str, endless: str) -> None:
    environment.setenv(f"TANDEM_{name}", endless)
    with pytest.raises(SettingsError, match=f"TANDEM_{name}"):
        ServiceSettings.load()


@pytest.mark.usefixtures("environment")
def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(ServiceSettings.load())
