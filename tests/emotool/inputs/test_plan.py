"""Plans: complete, in flat memory, and refused where they are not what `emotool plan` writes."""

import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("obstore", reason="needs the extra cloud")

import pyarrow as pa
from pyarrow import parquet

from emotool.errors import InputError
from emotool.files.remote import split_remote
from emotool.inputs.clips import Clip
from emotool.inputs.listing import Object, list_objects
from emotool.inputs.plan import open_plan, write_plan
from tests.object_store import Store

URL = "s3://calls/2024"


def objects(count: int) -> list[Object]:
    """Return objects in their order."""
    return [Object(f"2024/{number:05}.wav", number + 1, f'"{number}"') for number in range(count)]


def read(path: str, number: int) -> list[Clip]:
    """Return the clips of a shard."""
    with ExitStack() as stack:
        return open_plan(path, stack).shard(number)


@pytest.mark.parametrize("per_shard", [1, 7, 10, 100])
def test_a_plan_has_every_clip_once_in_order(tmp_path: Path, per_shard: int) -> None:
    """With its size and ETag, in shards of one size but the last."""
    path, all_objects = str(tmp_path / "plan.parquet"), objects(23)
    other = [Object("2024/a.txt", 1, ""), Object("2024/.x/b.wav", 1, "")]
    pages = [all_objects[:9], all_objects[9:], other]
    planned = write_plan(path, URL, pages, per_shard)
    assert (planned.clips, planned.skipped, planned.hidden) == (23, 1, 1)
    assert planned.shards == -(-23 // per_shard)
    table = parquet.read_table(path).to_pylist()
    assert [Object(row["key"], row["size"], row["etag"]) for row in table] == all_objects
    assert [row["shard"] for row in table] == [1 + n // per_shard for n in range(23)]
    with ExitStack() as stack:
        plan = open_plan(path, stack)
        assert (plan.prefix, plan.clips, plan.shards) == ("s3://calls/2024/", 23, planned.shards)
        clips = [plan.shard(number + 1) for number in range(plan.shards)]
    remotes = [split_remote(clip.path) for shard in clips for clip in shard]
    assert [(r.key, r.size, r.etag) for r in remotes if r] == all_objects
    assert [clip.index for clip in clips[-1]] == list(range(len(clips[-1])))


def test_a_plan_of_a_bucket_is_read_from_a_bucket(cloud: Store) -> None:
    """Both may be URLs; nothing is asked of the clips."""
    for name in ("a.wav", "b/c.flac", "b/d.txt"):
        cloud.put("calls", f"2024/{name}", b"sound")
    write_plan("s3://calls/plan.parquet", URL, list_objects(URL))
    shown = [clip.shown for clip in read("s3://calls/plan.parquet", 1)]
    assert shown == ["s3://calls/2024/a.wav", "s3://calls/2024/b/c.flac"]


def test_plans_of_other_objects_have_other_hashes(tmp_path: Path) -> None:
    """Of one more key, another ETag, another prefix or other shards; the time has no part in it."""
    some = objects(5)
    changed = [*some[:-1], some[-1]._replace(etag="other")]
    hashes = []
    for pages, url, per_shard in (
        ([some], URL, 5),
        ([some[:2], some[2:]], URL, 5),
        ([some[:-1]], URL, 5),
        ([changed], URL, 5),
        ([some], "s3://calls", 5),
        ([some], URL, 4),
    ):
        write_plan(str(tmp_path / "p.parquet"), url, pages, per_shard)
        with ExitStack() as stack:
            hashes.append(open_plan(str(tmp_path / "p.parquet"), stack).sha256)
    assert hashes[0] == hashes[1]
    assert len(set(hashes)) == 5


def test_an_error_leaves_no_plan(tmp_path: Path) -> None:
    """A listing that fails on the way, and one without clips."""

    def failing() -> Iterator[list[Object]]:
        yield objects(5)
        raise InputError("the listing broke")

    for pages, reason in ((failing(), "broke"), ([[Object("2024/a.txt", 1, "")]], "no audio")):
        with pytest.raises(InputError, match=reason):
            write_plan(str(tmp_path / "p.parquet"), URL, pages, 2)
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_plan(tmp_path: Path) -> None:
    """Ten times the keys take the same; the benchmark has ten million."""

    def peak(count: int) -> int:
        pages = ([Object(f"{n:07}.wav", n, f'"{n}"')] * 1_000 for n in range(count // 1_000))
        tracemalloc.start()
        write_plan(str(tmp_path / "p.parquet"), "s3://calls", pages, 10_000)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(100_000) < 1.3 * peak(20_000)


def spoilt(tmp_path: Path, **changes: Any) -> str:
    """Write a plan of one row, of which some values are others."""
    about = {"form": "emotool.plan/1", "prefix": "s3://calls/2024/", "sha256": "0" * 64}
    row = {"key": "2024/a.wav", "size": 5, "etag": '"e"', "shard": 1}
    about |= {name: value for name, value in changes.items() if name in about}
    row |= {name: value for name, value in changes.items() if name in row}
    kinds = {"key": pa.string(), "size": pa.int64(), "etag": pa.string(), "shard": pa.int32()}
    kinds |= changes.get("kinds", {})
    columns = [pa.array([row[name]], kind) for name, kind in kinds.items()]
    table = pa.table(columns, pa.schema(list(kinds.items()), metadata=about))
    parquet.write_table(table, tmp_path / "p.parquet")
    return str(tmp_path / "p.parquet")


def test_the_plan_that_the_others_are_made_of_is_valid(tmp_path: Path) -> None:
    """Or they would be refused for another reason."""
    assert [clip.shown for clip in read(spoilt(tmp_path), 1)] == ["s3://calls/2024/a.wav"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": "2023/a.wav"}, "outside of its prefix"),
        ({"key": "2024-other/a.wav"}, "outside of its prefix"),
        ({"key": "2024/../2023/a.wav"}, "outside of its prefix"),
        ({"key": "2024//a.wav"}, "outside of its prefix"),
        ({"key": "/2024/a.wav"}, "outside of its prefix"),
        ({"key": "2024/a\0b.wav"}, "no clip's"),
        ({"key": "2024/a\nb.wav"}, "no clip's"),
        ({"key": "2024/passwd"}, "no clip's"),
        ({"key": "2024/" + "a" * 1_020 + ".wav"}, "no clip's"),
        ({"key": "2024/" + "a" * (40 << 20) + ".wav"}, "too long"),
        ({"key": None}, "without a key"),
        ({"size": -1}, "no object has"),
        ({"size": 1 << 60}, "no object has"),
        ({"size": None}, "without a key"),
        ({"etag": '"\r\nX-Header: 1'}, "no object has"),
        ({"etag": "e" * 2_000}, "no object has"),
        ({"etag": None}, "without a key"),
        ({"shard": 2}, "rows of other shards"),
        ({"prefix": "file:///etc/"}, "not in object storage"),
        ({"prefix": "https://example.org/?sig=SECRET"}, "not in object storage"),
        ({"prefix": "s3://calls/2024"}, "does not end with a slash"),
        ({"prefix": ""}, "not in object storage"),
        ({"form": "emotool.plan/2"}, "not a plan of this version"),
        ({"kinds": {"size": pa.int32()}}, "not a plan of this version"),
        ({"kinds": {"key": pa.large_string()}}, "not a plan of this version"),
    ],
)
def test_plans_that_are_spoilt_are_refused(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    """Each by one error, in which nothing is shown that a terminal would obey, and no secret."""
    with pytest.raises(InputError, match=reason) as caught:
        read(spoilt(tmp_path, **changes), 1)
    assert caught.value.message.isprintable()
    assert "SECRET" not in caught.value.message


def test_files_that_are_no_plans_are_errors(tmp_path: Path) -> None:
    """Missing, empty, something else, or a cut plan."""
    path = tmp_path / "p.parquet"
    write_plan(str(path), URL, [objects(50)], 10)
    content = path.read_bytes()
    for spoilt_content in (b"", b"PAR1", content[:-20], content[: len(content) // 2]):
        path.write_bytes(spoilt_content)
        with pytest.raises(InputError, match=r"cannot read the plan .*Parquet") as caught:
            read(str(path), 1)
        assert "emotool plan" in caught.value.hint
    path.unlink()
    with pytest.raises(InputError, match="No such file") as caught:
        read(str(path), 1)
    assert "emotool plan" in caught.value.hint


def test_pages_that_are_damaged_are_errors(tmp_path: Path) -> None:
    """Flipped bytes give an error or other rows, never another exception."""
    path = tmp_path / "p.parquet"
    write_plan(str(path), URL, [objects(50)], 50)
    content = bytearray(path.read_bytes())
    for place in range(4, len(content), 7):
        flipped = bytes([*content[:place], content[place] ^ 0xFF, *content[place + 1 :]])
        path.write_bytes(flipped)
        try:
            read(str(path), 1)
        except InputError as error:
            assert error.message.isprintable()


def test_a_plan_of_large_shards_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before they are read."""
    path = str(tmp_path / "p.parquet")
    write_plan(path, URL, [objects(50)], 50)
    monkeypatch.setattr("emotool.inputs.plan.MAX_PER_SHARD", 40)
    with pytest.raises(InputError, match="a shard of more than 40 clips"):
        read(path, 1)
