"""Buckets of object storage, opened with what the environment says (extra ``cloud``).

Credentials come from where the tools of each provider look for them, and from nowhere else; they
are never part of a name, a message or a file that emotool writes. What obstore adds to an error
(URLs, answers of servers) is not shown: `reason_of` says in a few words what it means.
"""

import configparser
import contextlib
import functools
import os
import re
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue, SimpleQueue
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from emotool.errors import InputError, MissingExtraError
from emotool.files.remote import LOOPBACK

if TYPE_CHECKING:
    from obstore.store import ObjectStore

__all__ = ["NO_OBJECT", "call", "open_store", "reason_of", "store_errors", "wait_for"]

_UNKNOWN: Final = "the connection broke"

NO_OBJECT: Final = "there is no such object"
"""The reason for a key that a bucket does not have."""

Answer = TypeVar("Answer")

_CLIENT: Final[Mapping[str, Any]] = {"connect_timeout": "5s", "read_timeout": "30s"}
_TIMEOUT: Final = "300s"  # of a request: 8 MiB by a line of 200 kbit/s
_RETRIES: Final[Mapping[str, Any]] = {
    "max_retries": 6,
    "retry_timeout": timedelta(seconds=90),
    "backoff": {
        "init_backoff": timedelta(milliseconds=100),
        "max_backoff": timedelta(seconds=8),
        "base": 2,
    },
}
_GIVEN: Final[Mapping[str, tuple[str, ...]]] = {
    "s3": (
        "AWS_ACCESS_KEY_ID",
        "AWS_SKIP_SIGNATURE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ),
    "gs": (
        "GOOGLE_SERVICE_ACCOUNT",
        "GOOGLE_SERVICE_ACCOUNT_PATH",
        "GOOGLE_SERVICE_ACCOUNT_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_SKIP_SIGNATURE",
    ),
    "az": (
        "AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_STORAGE_ACCESS_KEY",
        "AZURE_STORAGE_SAS_TOKEN",
        "AZURE_STORAGE_SAS_KEY",
        "AZURE_STORAGE_CLIENT_ID",
        "AZURE_CLIENT_ID",
        "AZURE_FEDERATED_TOKEN_FILE",
        "AZURE_USE_AZURE_CLI",
        "AZURE_SKIP_SIGNATURE",
    ),
}
"""Variables of the environment that give credentials, or say that none are wanted."""

_ENDPOINTS: Final[Mapping[str, tuple[str, ...]]] = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": (),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}

_PLACES: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws/credentials (AWS_PROFILE)",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or `gcloud auth application-default login`",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN",
}
_ADC: Final = "gcloud/application_default_credentials.json"  # of Google, below the settings folder
_METADATA: Final = ("169.254.169.254", 80)  # where a machine in a cloud asks for credentials
_METADATA_SECONDS: Final = 1.0
_PATIENCE_SECONDS: Final = 0.2
_STATUS: Final = re.compile(r"status code: (\d{3} [A-Za-z -]{1,40})")
_REASONS: Final = (
    ("without LOCATION", "the bucket is in another region: set AWS_REGION"),
    ("BadScheme", "http:// is not encrypted (AWS_ALLOW_HTTP=true allows it)"),
    ("Account must be specified", "set AZURE_STORAGE_ACCOUNT_NAME"),
    ("NoSuchBucket", "there is no such bucket"),
    ("ContainerNotFound", "there is no such container"),
    ("invalid path", "a key there has an empty part, '..' or a control character"),
    ("status code: 404", "there is no such bucket"),
    ("dns error", "the host's name is unknown"),
    ("Connect", "no connection"),
    ("TimedOut", "no answer in time"),
)
"""What parts of obstore's messages mean, the more telling ones first."""


def store_errors() -> tuple[type[Exception], ...]:
    """Return what obstore raises; where it is not installed, it raises nothing of its own."""
    try:
        from obstore.exceptions import BaseError
    except ImportError:
        return (OSError, ValueError)
    return (BaseError, OSError, ValueError)


def reason_of(error: Exception) -> str:
    """Say in a few words why a store refused a request, without names and secrets."""
    if isinstance(error, FileNotFoundError):
        return NO_OBJECT
    kind, text = type(error).__name__, str(error)
    known = {
        "PreconditionError": "it changed after it was listed",
        "AlreadyExistsError": "it was made by another program meanwhile",
        "PermissionDeniedError": "access denied",
        "UnauthenticatedError": "access denied: the credentials are not accepted",
    }
    if kind in known:
        return known[kind]
    for sign, reason in _REASONS:
        if sign in text:
            return reason
    status = _STATUS.search(text)
    return f"the store answered {status[1].strip()}" if status else _UNKNOWN


def call(function: Callable[..., Answer], *arguments: Any, **options: Any) -> Answer:
    """Call what waits for a store, so that Ctrl-C need not wait for it, too.

    Python acts on signals in its main thread only, and not while that is within a library.
    """
    if threading.current_thread() is not threading.main_thread():
        return function(*arguments, **options)
    answers: SimpleQueue[tuple[Answer | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put((function(*arguments, **options), None))
        except BaseException as error:  # raised where it was called
            answers.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    answer, error = wait_for(answers)
    if error is not None:
        raise error
    return cast("Answer", answer)


def wait_for(queue: "Queue[Answer] | SimpleQueue[Answer]") -> Answer:
    """Take from a queue; a signal that comes just before the waiting is acted on soon."""
    while True:
        with contextlib.suppress(Empty):
            return queue.get(timeout=_PATIENCE_SECONDS)


@functools.lru_cache(maxsize=16)
def open_store(scheme: str, bucket: str) -> "ObjectStore":
    """Return a bucket, if there are credentials for it, or a service that gives them.

    Nothing is sent to the store. Without any credentials obstore would ask the metadata service of
    a cloud for minutes; here one attempt at a connection decides, and
    AWS_EC2_METADATA_DISABLED=true saves that.

    Parameters
    ----------
    scheme : str
        ``s3``, ``gs`` or ``az``.
    bucket : str
        Name of the bucket or container.

    Raises
    ------
    MissingExtraError
        Without the extra ``cloud``.
    InputError
        If there are no credentials, or the environment's settings cannot be used.
    """
    if find_spec("obstore") is None:
        raise MissingExtraError("cloud", f"{scheme}://")
    if not _has_credentials(scheme) and not _has_metadata_service():
        raise InputError(
            f"no credentials for {scheme}://{bucket}",
            hint=f"set {_PLACES[scheme]}; or give --anonymous for a public bucket",
        )
    from obstore.store import AzureStore, GCSStore, S3Store

    client: Any = {**_CLIENT, "timeout": _TIMEOUT, "allow_http": _allows_http(scheme)}
    options: Any = {"client_options": client, "retry_config": _RETRIES}
    try:
        if scheme == "s3":
            return S3Store(bucket, **options | _profile())
        if scheme == "gs":
            return GCSStore(bucket, **options)
        return AzureStore(bucket, **options)
    except store_errors() as error:
        reason = reason_of(error)
        if reason == _UNKNOWN:  # nothing has been sent
            reason = "the credentials or settings cannot be used"
        raise InputError(
            f"cannot open {scheme}://{bucket}: {reason}",
            hint=f"credentials and settings: {_PLACES[scheme]}",
        ) from None


def _has_credentials(scheme: str) -> bool:
    if any(os.environ.get(name) for name in _GIVEN[scheme]):
        return True
    if scheme == "s3":
        return "access_key_id" in _profile()
    settings = os.environ.get("APPDATA") if os.name == "nt" else Path.home() / ".config"
    return scheme == "gs" and settings is not None and Path(settings, _ADC).is_file()


def _has_metadata_service() -> bool:
    if os.environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return False
    try:
        socket.create_connection(_METADATA, _METADATA_SECONDS).close()
    except OSError:
        return False
    return True


def _allows_http(scheme: str) -> bool:
    """Whether requests may go unencrypted: to this machine, or where the user has said so."""
    if os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true":
        return True
    from urllib.parse import urlsplit

    named = [os.environ[name] for name in _ENDPOINTS[scheme] if os.environ.get(name)]
    return bool(named) and all(urlsplit(url).hostname in LOOPBACK for url in named)


def _profile() -> dict[str, str]:
    """Read what obstore does not: keys and region of a profile in the files of the AWS tools."""
    name = os.environ.get("AWS_PROFILE") or "default"
    found = _section("AWS_CONFIG_FILE", "config", name, f"profile {name}")
    found |= _section("AWS_SHARED_CREDENTIALS_FILE", "credentials", name)
    wanted: dict[str, str] = {}
    if found.get("region") and not (
        os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    ):
        wanted["region"] = found["region"]
    keys = {"aws_access_key_id": "access_key_id", "aws_secret_access_key": "secret_access_key"}
    if all(found.get(key) for key in keys) and not any(os.environ.get(n) for n in _GIVEN["s3"]):
        keys["aws_session_token"] = "session_token"
        wanted |= {ours: found[key] for key, ours in keys.items() if found.get(key)}
    return wanted


def _section(variable: str, name: str, *sections: str) -> dict[str, str]:
    """Return a section of a settings file of the AWS tools; empty where there is none."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(os.environ.get(variable) or Path.home() / ".aws" / name, encoding="utf-8")
        return {
            key: value for each in sections if each in parser for key, value in parser[each].items()
        }
    except (OSError, RuntimeError, ValueError, configparser.Error):
        return {}
