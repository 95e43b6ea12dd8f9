"""URLs: what they name, and that nothing shows their secrets."""

import pytest

from emotool.errors import InputError
from emotool.files.remote import (
    checked_remote,
    is_remote,
    listed_path,
    shown_url,
    split_remote,
    url_problem,
)
from emotool.text import redacted, redacted_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.org/a.wav", "https://example.org/a.wav"),
        ("https://ann:word@example.org:8443/a.wav", "https://example.org:8443/a.wav"),
        ("https://example.org/a.wav?X-Amz-Signature=5e", "https://example.org/a.wav?..."),
        ("https://example.org?sig=5e", "https://example.org?..."),
        ("https://example.org/a.wav#token", "https://example.org/a.wav"),
        ("https://example.org/a.wav?x=5e y z", "https://example.org/a.wav?..."),
        ("https://[::1]:80/a.wav?x", "https://[::1]:80/a.wav?..."),
        ("HTTPS://ann:word@example.org/a", "HTTPS://example.org/a"),
        ("https://ann:w/ord@example.org/a.wav", "https://..."),
        ("https://ann:w?ord@example.org/a.wav", "https://..."),
        ("https://example.org?a=b@c/d", "https://..."),
        ("s3://key:secret@bucket/why?.wav", "s3://bucket/why?.wav"),
        ("s3://bucket/a b?.wav", "s3://bucket/a b?.wav"),
        ("clips/a?.wav", "clips/a?.wav"),
    ],
)
def test_urls_are_shown_without_secrets(url: str, shown: str) -> None:
    """Neither user information nor a query; where it is unclear what is which, nothing."""
    assert redacted_url(url) == shown
    assert redacted_url(shown) == shown
    assert shown_url(url) == shown


def test_messages_are_shown_without_the_secrets_of_urls_in_them() -> None:
    """Any number of them, anywhere, and a second time nothing changes."""
    text = "cannot read 'https://u:p@h/a?k=5e': see https://h/b?k=6f, (https://h/c?q) s3://b/k?: no"
    shown = "cannot read 'https://h/a?...': see https://h/b?..., (https://h/c?...) s3://b/k?: no"
    assert redacted(text) == shown
    assert redacted(shown) == shown


def test_a_listed_path_holds_what_the_listing_said() -> None:
    """A key may have any letter but NUL."""
    path = listed_path("s3://bucket/a b?#%20é.wav", 7, '"e-2"')
    remote = split_remote(path)
    assert remote is not None
    assert (remote.bucket, remote.key, remote.size, remote.etag) == (
        "bucket",
        "a b?#%20é.wav",
        7,
        '"e-2"',
    )
    assert shown_url(path) == "s3://bucket/a b?#%20é.wav"


@pytest.mark.parametrize("path", ["clips/a.wav", "s3:/bucket", "file:///a.wav", "ftp://h/a.wav"])
def test_other_paths_are_files(path: str) -> None:
    """What is no URL of these schemes is left to the system."""
    assert not is_remote(path)
    assert split_remote(path) is None


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("s3:///key", "not a URL of the form s3://bucket/key"),
        ("s3://a@b/key", "not a URL of the form s3://bucket/key"),
        ("az://-/key", "not a URL of the form az://bucket/key"),
        ("s3://bucket/" + "k" * 1025, "a key of more than 1,024 bytes"),
        ("http://example.org/a.wav", "http:// is not encrypted: use https://"),
        ("http://127.0.0.1.example.org/a.wav", "http:// is not encrypted: use https://"),
        ("https://", "not a URL with a host"),
        ("https://[::1/a.wav", "not a URL with a host"),
        ("s3://bucket/key", None),
        ("http://127.0.0.1:80/a.wav", None),
        ("https://example.org/a.wav", None),
    ],
)
def test_urls_that_cannot_be_used_are_refused(url: str, problem: str | None) -> None:
    """Before any request."""
    remote = split_remote(url)
    assert remote is not None
    assert url_problem(remote) == problem


def test_only_object_storage_can_be_listed() -> None:
    """The error says what to name instead, and shows no secret."""
    with pytest.raises(InputError, match=r"https://h/\?\.\.\. is not in object storage") as caught:
        checked_remote("https://h/?key=SECRET")
    assert "s3://bucket/prefix/" in caught.value.hint
    with pytest.raises(InputError, match="not a URL of the form"):
        checked_remote("s3://")


@pytest.mark.parametrize("size", ["", "²", "٣", "9" * 5_000, "-1", "1e3"])
def test_a_size_that_is_none_is_unknown(size: str) -> None:
    """A list or a manifest may hold anything."""
    remote = split_remote(f"s3://bucket/a.wav\0{size}\0e")
    assert remote is not None
    assert remote.size is None
