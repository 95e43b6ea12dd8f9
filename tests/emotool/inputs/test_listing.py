"""Listings of buckets: complete, in order, in flat memory, side by side where that helps."""

import threading
import time

import pytest

from emotool.errors import InputError
from emotool.inputs import listing
from emotool.inputs.clips import find_clips
from emotool.inputs.listing import list_objects
from tests.object_store import Proxy, Store


def listed(url: str) -> list[str]:
    """Return the keys below a prefix."""
    return [each.key for page in list_objects(url) for each in page]


def listing_threads() -> int:
    """Return how many threads list now."""
    return sum(thread.name == "listing" for thread in threading.enumerate())


def fill(store: Store, *folders: tuple[str, int]) -> list[str]:
    """Store that many small objects in each folder; return all keys, sorted."""
    keys = [f"{folder}{number:05}.wav" for folder, count in folders for number in range(count)]
    for key in keys:
        store.put("calls", key, b"sound")
    return sorted(keys)


def test_ten_thousand_objects_are_listed_in_pages(cloud: Store, proxy: Proxy) -> None:
    """With size and ETag, by eleven requests at most and none for an object."""
    keys = fill(cloud, ("2024/", 10_000), ("2024-b/", 3), ("2", 2))
    pages = list(list_objects("s3://calls/2024/"))
    assert [each.key for page in pages for each in page] == [
        key for key in keys if key.startswith("2024/")
    ]
    assert {len(page) for page in pages} == {1_000}
    assert (pages[0][0].size, pages[0][0].etag) == (5, cloud.etag("calls", "2024/00000.wav"))
    assert len(proxy.faults.requests) <= 11
    assert proxy.faults.of_objects() == []


@pytest.mark.parametrize(
    "folders",
    [
        [("a/", 40), ("b/", 40), ("c/", 40), ("d/", 3)],
        [("x/y/a/", 40), ("x/y/b/", 40), ("x/y/c/", 40), ("x/z/", 12)],
        [("", 120)],
        [("", 30), ("a/", 50), ("a/b/", 50), ("b/", 1), ("z", 50)],
        [(f"{number:02}/", 7) for number in range(30)],
        [(f"{number:02}/{inner}/", 30) for number in range(12) for inner in range(2)],
    ],
)
def test_folders_side_by_side_lose_and_repeat_nothing(
    cloud: Store, monkeypatch: pytest.MonkeyPatch, folders: list[tuple[str, int]]
) -> None:
    """Whatever lies where; pages are small here, so that listings are long."""
    monkeypatch.setattr(listing, "_PAGE", 10)
    monkeypatch.setattr(listing, "_PAGES_ALONE", 2)
    keys = fill(cloud, *folders)
    assert listed("s3://calls") == keys
    assert listed("s3://calls/x/") == [key for key in keys if key.startswith("x/")]


def test_large_folders_are_listed_at_the_same_time(
    cloud: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by a thread of its own, which ends when nobody takes its pages."""
    monkeypatch.setattr(listing, "_PAGE", 10)
    monkeypatch.setattr(listing, "_PAGES_ALONE", 2)
    fill(cloud, *[(f"{letter}/", 150) for letter in "abcdef"])
    pages = list_objects("s3://calls")
    for _ in range(3):
        next(pages)
    assert listing_threads() >= 4
    pages.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 10
    while listing_threads() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert listing_threads() == 0


def test_a_listing_that_fails_on_the_way_is_an_error(cloud: Store, proxy: Proxy) -> None:
    """Of the bucket, the key and the credentials; not an empty list."""
    with pytest.raises(InputError, match="cannot list s3://other/a: there is no such bucket"):
        listed("s3://other/a")
    cloud.put("calls", "a//b.wav", b"sound")
    with pytest.raises(InputError, match="a key there has an empty part"):
        listed("s3://calls/")


def test_prefixes_end_where_parts_end(cloud: Store) -> None:
    """As folders do; overlapping arguments give each object once, and named ones have a row."""
    fill(cloud, ("a/", 2), ("ab/", 2), ("a/x/", 1))
    found = find_clips(
        ["s3://calls/a", "s3://calls/a/x/", "s3://calls/a/00000.wav", "s3://calls/a/no.wav"]
    )
    assert [clip.shown for clip in found.clips] == [
        "s3://calls/a/00000.wav",
        "s3://calls/a/00001.wav",
        "s3://calls/a/no.wav",
        "s3://calls/a/x/00000.wav",
    ]


def test_an_empty_prefix_is_said(cloud: Store) -> None:
    """Beside other clips it is noted; alone it is an error."""
    fill(cloud, ("a/", 1))
    assert find_clips(["s3://calls/a", "s3://calls/b"]).empty == ("s3://calls/b",)
    with pytest.raises(InputError, match="no audio files in s3://calls/b"):
        find_clips(["s3://calls/b"])


def test_links_that_differ_in_secrets_alone_have_rows_of_their_own() -> None:
    """Numbered in the order of the list; the same link twice is one clip."""
    links = [f"https://example.org/get?id={number}" for number in (7, 3, 7)]
    found = find_clips(links)
    assert [(clip.shown, clip.path) for clip in found.clips] == [
        ("https://example.org/get?...", links[0]),
        ("https://example.org/get?... (2)", links[1]),
    ]
