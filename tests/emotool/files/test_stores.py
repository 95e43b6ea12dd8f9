"""Credentials, encryption and reasons of object stores."""

import socket
import sys
from pathlib import Path

import pytest

from emotool.errors import InputError, MissingExtraError
from emotool.files import stores
from emotool.files.stores import open_store, reason_of
from emotool.inputs.listing import list_objects

pytest.importorskip("obstore", reason="needs the extra cloud")

_VARIABLES = [name for names in stores._GIVEN.values() for name in names]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take all credentials and endpoints away."""
    for name in (*_VARIABLES, "AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    open_store.cache_clear()


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_without_credentials_nothing_is_asked(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a store nor, where that is switched off, a metadata service."""
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("a connection"))
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    with pytest.raises(InputError, match=f"no credentials for {scheme}://bucket") as caught:
        open_store(scheme, "bucket")
    assert "--anonymous" in caught.value.hint


def test_the_metadata_service_is_tried_once_and_briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """One connection, of a second at most; where there is none, the error comes at once."""
    tried = []

    def refuse(address: tuple[str, int], seconds: float) -> None:
        tried.append((address, seconds))
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with pytest.raises(InputError, match="no credentials"):
        open_store("s3", "bucket")
    assert tried == [(("169.254.169.254", 80), 1.0)]


@pytest.mark.parametrize("name", _VARIABLES)
def test_each_usual_variable_gives_access(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it is valid, the store says."""
    scheme = {"AWS": "s3", "GOO": "gs", "AZU": "az"}[name[:3]]
    monkeypatch.setenv(name, "true")
    assert stores._has_credentials(scheme)


def test_a_profile_of_the_aws_tools_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Keys, token and region of the profile that AWS_PROFILE names; the environment comes first."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = A\naws_secret_access_key = B\n"
        "[work]\naws_access_key_id=C\naws_secret_access_key=D\naws_session_token=E%F\n"
    )
    (tmp_path / ".aws" / "config").write_text("[profile work]\nregion = eu-central-1\n")
    assert stores._profile() == {"access_key_id": "A", "secret_access_key": "B"}
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert stores._profile() == {
        "region": "eu-central-1",
        "access_key_id": "C",
        "secret_access_key": "D",
        "session_token": "E%F",
    }
    open_store("s3", "bucket")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "G")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert stores._profile() == {}


def test_damaged_profiles_are_none(tmp_path: Path) -> None:
    """The error then is that there are no credentials."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_bytes(b"\xff[default\n=")
    assert stores._profile() == {}


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("http://127.0.0.1:9000", True),
        ("http://localhost:9000", True),
        ("http://store.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("", False),
    ],
)
def test_only_this_machine_is_reached_without_encryption(
    endpoint: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the user has said so; an endpoint of S3 says nothing about others."""
    monkeypatch.setenv("AWS_ENDPOINT", endpoint)
    assert stores._allows_http("s3") is allowed
    assert not stores._allows_http("gs")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    assert stores._allows_http("s3")


def test_a_request_that_would_go_unencrypted_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says how to allow it."""
    import obstore

    monkeypatch.setenv("AWS_ENDPOINT", "http://store.example.org")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    with pytest.raises(stores.store_errors()) as caught:
        obstore.get(open_store("s3", "bucket"), "a.wav")
    assert "AWS_ALLOW_HTTP" in reason_of(caught.value)


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It passes the clauses that catch what the package raises, whose names need the package."""
    for name in [*sys.modules]:
        if name.partition(".")[0] == "obstore":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingExtraError, match="s3://"):
        list(list_objects("s3://bucket/prefix"))


def test_reasons_hold_nothing_of_what_a_server_answered() -> None:
    """Known ones have words of their own; others have the status, or none."""
    told = "https://h/?sig=SECRET - Server returned non-2xx status code: 418 I'm a teapot: SECRET"
    assert reason_of(ValueError(told)) == "the store answered 418 I"
    assert reason_of(ValueError("SECRET")) == "the connection broke"
    assert reason_of(FileNotFoundError("SECRET")) == "there is no such object"


@pytest.mark.parametrize(
    ("scheme", "variables", "reason"),
    [
        ("az", {"AZURE_SKIP_SIGNATURE": "true"}, "set AZURE_STORAGE_ACCOUNT_NAME"),
        ("gs", {"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere"}, "settings cannot be used"),
        ("s3", {"AWS_ACCESS_KEY_ID": "hidden"}, "settings cannot be used"),
    ],
)
def test_settings_that_cannot_be_used_are_errors(
    monkeypatch: pytest.MonkeyPatch, scheme: str, variables: dict[str, str], reason: str
) -> None:
    """Of the bucket, in one line, which shows none of them."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"cannot open {scheme}://bucket: .*{reason}") as caught:
        open_store(scheme, "bucket")
    assert "hidden" not in f"{caught.value.message} {caught.value.hint}"


def test_buckets_of_each_provider_are_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a request."""
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    for name in ("AWS", "GOOGLE", "AZURE"):
        monkeypatch.setenv(f"{name}_SKIP_SIGNATURE", "true")
    kinds = [type(open_store(scheme, "bucket")).__name__ for scheme in ("s3", "gs", "az")]
    assert kinds == ["S3Store", "GCSStore", "AzureStore"]
