"""``emotool classify`` of object storage: the same rows as of files, whatever fails on the way."""

import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emotool.cli.classify_runs import Emotool, one_line, table
from tests.object_store import Proxy, Store
from tests.synthesis import vowel, write_clip

pytestmark = pytest.mark.slow

Result = subprocess.CompletedProcess[str]


@pytest.fixture
def remote(
    emotool: Emotool,
    proxy: Proxy,
    object_store: Store,
    python_path: dict[str, str],
    place: Path,
    python: str,
) -> Emotool:
    """Return `emotool`, or another command, in an environment that reaches the store."""
    object_store.bucket("calls")
    environment = object_store.environment(proxy.host)
    environment["PYTHONPATH"] = python_path["PYTHONPATH"]

    def run(*arguments: str, command: str = "", **options: Any) -> Result:
        if command:
            whole = [python, "-m", "emotool", command, *arguments]
            settings = {"cwd": place, "env": environment, "capture_output": True, "text": True}
            return subprocess.run(whole, check=False, **settings)  # type: ignore[call-overload,no-any-return]
        return emotool(*arguments, **{"env": environment} | options)

    return run


def upload(place: Path, store: Store, prefix: str = "") -> None:
    """Store the clips of a folder under a prefix, for everyone to read."""
    for file in (path for path in place.rglob("*") if path.is_file()):
        key = prefix + file.relative_to(place).as_posix()
        store.put("calls", key, file.read_bytes(), public=True)


def test_a_bucket_gives_the_rows_of_the_folder(
    emotool: Emotool, remote: Emotool, place: Path, object_store: Store, proxy: Proxy
) -> None:
    """Byte for byte, prefixes of paths aside; one request a clip, with the listed ETag."""
    upload(place / "clips", object_store, "2024/")
    object_store.put("calls", "2024/notes.txt", b"no sound")
    object_store.put("calls", "2024/.trash/d.wav", b"hidden")
    object_store.put("calls", "other/e.wav", b"elsewhere")
    local = emotool("clips", "-o", "-")
    done = remote("s3://calls/2024/", "-o", "-")
    assert (done.returncode, local.returncode) == (0, 0), done.stderr
    assert done.stdout.replace("s3://calls/2024/", "clips/") == local.stdout
    assert "1 file without an audio extension" in done.stderr
    assert "1 hidden file" in done.stderr
    asked = proxy.faults.of_objects()
    assert sorted(path for _, path, _ in asked) == [
        f"/calls/2024/{name}" for name in ("a.wav", "b.flac", "sub/c.wav")
    ]
    assert all(method == "GET" and headers["if-match"] for method, _, headers in asked)


def test_failing_requests_cost_no_row(
    remote: Emotool, place: Path, object_store: Store, proxy: Proxy
) -> None:
    """One in ten is refused, cut off or dropped, some are slow: all rows arrive once."""
    content = (place / "clips" / "a.wav").read_bytes()
    for number in range(300):
        object_store.put("calls", f"many/{number:03}.wav", content)
    proxy.faults.every, proxy.faults.slow_s = 10, 0.2
    done = remote("s3://calls/many", "-o", "-")
    assert done.returncode == 0, done.stderr
    assert [row["path"] for row in table(done.stdout)] == [
        f"s3://calls/many/{number:03}.wav" for number in range(300)
    ]
    assert len(proxy.faults.of_objects()) >= 330


def test_what_cannot_be_read_has_a_row_with_the_reason(
    remote: Emotool, place: Path, object_store: Store, proxy: Proxy
) -> None:
    """A denied key, an object replaced after it was listed, one that is missing, an empty one."""
    content = (place / "clips" / "a.wav").read_bytes()
    for name in ("changed", "denied", "empty", "fine"):
        object_store.put("calls", f"{name}.wav", b"" if name == "empty" else content)
    proxy.faults.denied = "denied"

    def change(path: str) -> None:
        if path.endswith("changed.wav"):
            object_store.put("calls", "changed.wav", content + b"more")

    proxy.faults.before = change
    done = remote("s3://calls", "s3://calls/missing.wav", "-o", "-")
    assert done.returncode == 3
    assert {row["path"]: row["error"] for row in table(done.stdout)} == {
        "s3://calls/changed.wav": "open: it changed after it was listed",
        "s3://calls/denied.wav": "open: access denied",
        "s3://calls/empty.wav": "open: the file is empty (0 bytes)",
        "s3://calls/fine.wav": "",
        "s3://calls/missing.wav": "open: there is no such object",
    }


def test_an_interrupted_run_resumes_without_reading_again(
    remote: Emotool, place: Path, object_store: Store, proxy: Proxy
) -> None:
    """What was listed is known by its ETag; a clip whose ETag is another is read again."""
    upload(place / "clips", object_store)
    proxy.faults.denied = "c.wav"
    assert remote("s3://calls/", "-o", "t.csv", "--fail-fast").returncode == 1
    proxy.faults.denied = "\0"
    object_store.put("calls", "b.flac", (place / "clips" / "a.wav").read_bytes())
    proxy.faults.requests.clear()
    done = remote("s3://calls/", "-o", "t.csv")
    assert done.returncode == 0, done.stderr
    assert {path for _, path, _ in proxy.faults.of_objects()} == {
        "/calls/b.flac",
        "/calls/sub/c.wav",
    }
    assert len(table((place / "t.csv").read_text("utf-8"))) == 3


def test_without_credentials_an_error_says_what_to_do_at_once(
    remote: Emotool, object_store: Store, python_path: dict[str, str], place: Path, proxy: Proxy
) -> None:
    """No request is sent and nothing waits for a metadata service; --anonymous signs nothing."""
    upload(place / "clips", object_store)
    environment = object_store.environment(proxy.host) | {"HOME": str(place)}
    environment["PYTHONPATH"] = python_path["PYTHONPATH"]
    del environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    done = remote("s3://calls", "-o", "-", env=environment, timeout=20)
    assert done.returncode == 1
    assert one_line(done.stderr, "no credentials for s3://calls", "--anonymous"), done.stderr
    (place / "table.csv").write_text("path\ns3://calls/a.wav\n")
    done = remote("--manifest", "table.csv", "-o", "-", env=environment, timeout=20)
    assert one_line(done.stderr, "no credentials for s3://calls", "--anonymous"), done.stderr
    assert proxy.faults.requests == []
    done = remote("s3://calls", "-o", "-", "--anonymous", env=environment)
    assert done.returncode == 0, done.stderr
    assert len(table(done.stdout)) == 3
    assert not [each for each in proxy.faults.requests if "authorization" in each[2]]


def test_no_secret_is_shown_or_written(
    remote: Emotool, place: Path, object_store: Store, proxy: Proxy
) -> None:
    """Signed links and passwords are in no table, log, journal or message; nor are credentials."""
    upload(place / "clips", object_store)
    signed = f"http://ann:PASSWORD@{proxy.host}/calls/a.wav?X-Amz-Signature=SECRET&b=a b"
    (place / "list.txt").write_text(f"{signed}\n{signed.replace('a.wav', 'no.wav')}\ns3://calls\n")
    (place / "table.csv").write_text(f"path,who\n{signed.replace(' ', '+')},Ann\n")
    options = ("--log-file", "log.txt", "--verbose", "-o", "t.csv", "-o", "t.json", "-o", "t.html")
    done = remote("--from", "list.txt", *options)
    assert done.returncode == 3, done.stderr
    assert table((place / "t.csv").read_text("utf-8"))[0]["path"].endswith("/calls/a.wav?...")
    other = remote("--manifest", "table.csv", "-o", "m.csv")
    assert other.returncode == 0, other.stderr
    failing = remote(signed.replace("a.wav", "no.wav"), "--fail-fast", "-o", "f.csv")
    assert failing.returncode == 1
    made = [path for path in place.rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in made if path.name not in ("list.txt", "table.csv")]
    texts += [each.encode() for run in (done, other, failing) for each in (run.stdout, run.stderr)]
    for text in texts:
        assert not re.search(rb"SECRET|PASSWORD|a-secret-key|an-access-key", text)


def test_without_the_extra_one_line_says_what_to_install(
    emotool: Emotool, place: Path, python_path: dict[str, str]
) -> None:
    """As with every format that needs a package."""
    (place / "hidden").mkdir()
    (place / "hidden" / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'obstore' else find(name, *a)\n"
    )
    path = f"{place / 'hidden'}:{python_path['PYTHONPATH']}"
    done = emotool("s3://calls/a.wav", "-o", "-", env=python_path | {"PYTHONPATH": path})
    assert done.returncode == 1
    assert one_line(done.stderr, "s3:// needs packages", "pip install obstore"), done.stderr


def test_every_format_is_written_to_a_store_as_to_a_folder(
    remote: Emotool, place: Path, object_store: Store
) -> None:
    """Byte for byte where the run's time is in none; nothing is left on the disk."""
    names = ["t.csv", "t.tsv", "t.jsonl", "t.parquet", "t.xlsx", "t.html", "t.json"]
    local = [argument for name in names for argument in ("-o", name)]
    there = [argument for name in names for argument in ("-o", f"s3://calls/out/{name}")]
    assert remote("clips", *local, "--embeddings", "e.npz").returncode == 0
    before = set(place.rglob("*"))
    done = remote("clips", *there, "--embeddings", "s3://calls/out/e.npz")
    assert done.returncode == 0, done.stderr
    assert set(place.rglob("*")) == before
    assert object_store.keys("calls") == sorted(f"out/{name}" for name in [*names, "e.npz"])
    for name in ("t.csv", "t.tsv", "t.jsonl", "t.parquet", "e.npz"):
        assert object_store.get("calls", f"out/{name}") == (place / name).read_bytes()


def test_outputs_that_a_store_refuses_are_reported_before_clips_are_read(
    remote: Emotool, proxy: Proxy
) -> None:
    """An unknown bucket and a folder of annotations; the exit code is 1."""
    done = remote("clips", "--audacity", "s3://calls/out", "-o", "-")
    assert one_line(done.stderr, "folders of annotations are local"), done.stderr
    done = remote("clips", "-o", "https://example.org/t.csv")
    assert one_line(done.stderr, "is not in object storage"), done.stderr


@pytest.fixture
def planned(remote: Emotool, place: Path, object_store: Store) -> Callable[..., Result]:
    """Plan seven clips of a bucket in three shards; return what classifies one of them."""
    for number in range(7):
        content = write_clip(place / "some.wav", vowel(100 + 20 * number, 0.6)).read_bytes()
        object_store.put("calls", f"in/{number}.wav", content)
    command = ["s3://calls/in", "-o", "s3://calls/plan.parquet", "--clips-per-shard", "3"]
    done = remote(*command, command="plan")
    assert done.returncode == 0, done.stderr

    def shard(number: int, *options: str) -> Result:
        chosen = ("--plan", "s3://calls/plan.parquet", "--shard", f"{number}/3")
        return remote(*chosen, "-o", "s3://calls/out/", *options)

    return shard


def test_shards_of_a_plan_merge_to_the_rows_of_one_run(
    remote: Emotool, planned: Callable[..., Result], place: Path, object_store: Store, proxy: Proxy
) -> None:
    """Byte for byte; parts and records are in the bucket, and a part that is there is not made."""
    assert remote("s3://calls/in", "-o", "whole.parquet").returncode == 0
    for number in (3, 1, 2):
        done = planned(number)
        assert done.returncode == 0, done.stderr
    names = [f"part-{number:05}.parquet" for number in (1, 2, 3)]
    expected = sorted(f"out/{name}{end}" for name in names for end in ("", ".json"))
    assert [key for key in object_store.keys("calls") if key.startswith("out/")] == expected
    proxy.faults.requests.clear()
    done = planned(2)
    assert (done.returncode, "is complete already" in done.stderr) == (0, True), done.stderr
    assert not [path for _, path, _ in proxy.faults.requests if path.endswith(".wav")]
    object_store.put("calls", "out/part-00002.parquet", b"spoilt")
    assert planned(2).returncode == 0
    done = remote("s3://calls/out/", "-o", "merged.parquet", command="merge")
    assert done.returncode == 0, done.stderr
    assert (place / "merged.parquet").read_bytes() == (place / "whole.parquet").read_bytes()


def test_an_object_that_changes_after_planning_has_a_row_with_the_reason(
    planned: Callable[..., Result], place: Path, object_store: Store
) -> None:
    """And so has one that is gone; the others of the shard have labels."""
    object_store.put("calls", "in/1.wav", (place / "clips" / "b.flac").read_bytes())
    object_store.delete("calls", "in/2.wav")
    done = planned(1, "--format", "csv")
    assert done.returncode == 3, done.stderr
    content = object_store.get("calls", "out/part-00001.csv") or b""
    assert [(row["path"], row["error"]) for row in table(content.decode())] == [
        ("s3://calls/in/0.wav", ""),
        ("s3://calls/in/1.wav", "open: it changed after it was listed"),
        ("s3://calls/in/2.wav", "open: there is no such object"),
    ]


def test_wrong_shards_of_a_plan_are_errors(remote: Emotool, planned: Callable[..., Result]) -> None:
    """Another number of shards, none, and paths beside the plan."""
    plan = ("--plan", "s3://calls/plan.parquet")
    done = remote(*plan, "--shard", "1/4", "-o", "s3://calls/out/")
    assert one_line(done.stderr, "has 3 shards, not 4"), done.stderr
    assert remote(*plan, "-o", "s3://calls/out/").returncode == 2
    assert remote(*plan, "clips", "--shard", "1/3", "-o", "s3://calls/out/").returncode == 2
    done = remote("--plan", "s3://calls/in/1.wav", "--shard", "1/3", "-o", "s3://calls/out/")
    assert one_line(done.stderr, "cannot read the plan"), done.stderr


def test_incomplete_parts_in_a_bucket_are_not_merged(
    remote: Emotool, planned: Callable[..., Result]
) -> None:
    """The missing shards are named; a part without a record is none."""
    planned(1)
    done = remote("s3://calls/out/", "-o", "merged.csv", command="merge")
    assert one_line(done.stderr, "2 of 3 shards are missing: 2-3"), done.stderr
    done = remote("s3://calls/out/no.csv", "-o", "merged.csv", command="merge")
    assert one_line(done.stderr, "cannot read s3://calls/out/no.csv"), done.stderr


@pytest.mark.parametrize("end", ["", ".json"])
def test_parts_in_a_bucket_are_not_overwritten(
    remote: Emotool, planned: Callable[..., Result], object_store: Store, end: str
) -> None:
    """By the table that they are merged to; nor their records."""
    for number in (1, 2, 3):
        planned(number)
    key = f"out/part-00002.parquet{end}"
    before = object_store.get("calls", key)
    output = ("-o", f"s3://calls/{key}", "--format", "parquet")
    done = remote("s3://calls/out/", *output, command="merge")
    assert done.returncode == 1
    assert one_line(done.stderr, f"{key} is a part or its record"), done.stderr
    assert object_store.get("calls", key) == before


def test_a_damaged_record_in_a_bucket_is_named_by_its_url(
    remote: Emotool, planned: Callable[..., Result], object_store: Store
) -> None:
    """And not as the copy of it that is read, which is gone when the error is shown."""
    planned(1)
    record = "out/part-00001.parquet.json"
    object_store.put("calls", record, (object_store.get("calls", record) or b"")[:100])
    done = remote("s3://calls/out/", "-o", "merged.csv", command="merge")
    assert one_line(done.stderr, f"error: s3://calls/{record} is not valid JSON"), done.stderr
    assert "remove it and run the command of its shard again" in done.stderr


def test_objects_that_are_inputs_are_not_overwritten(
    remote: Emotool, place: Path, object_store: Store
) -> None:
    """Neither a clip nor the plan that a shard is read from."""
    upload(place / "clips", object_store, "in/")
    assert remote("s3://calls/in", "-o", "s3://calls/p.parquet", command="plan").returncode == 0
    before = {key: object_store.get("calls", key) for key in object_store.keys("calls")}
    shard = ("--plan", "s3://calls/p.parquet", "--shard", "1/1")
    for arguments, key in (
        (("s3://calls/in/", "--format", "csv"), "in/a.wav"),
        (("s3://calls/in/b.flac", "--format", "csv"), "in/b.flac"),
        (shard, "p.parquet"),
    ):
        done = remote(*arguments, "-o", f"s3://calls/{key}")
        assert done.returncode == 1, arguments
        assert one_line(done.stderr, f"s3://calls/{key} is an input"), done.stderr
    assert before == {key: object_store.get("calls", key) for key in object_store.keys("calls")}


def test_an_update_finds_out_which_objects_are_gone(
    remote: Emotool, place: Path, object_store: Store
) -> None:
    """Those below a prefix that is listed, and no others, are marked or dropped."""
    upload(place / "clips", object_store, "2024/")
    object_store.put("calls", "2025/e.wav", (place / "clips" / "a.wav").read_bytes())
    command = ("-o", "labels.csv", "--update")
    assert remote("s3://calls", *command).returncode == 0
    object_store.delete("calls", "2024/a.wav")
    object_store.delete("calls", "2025/e.wav")
    done = remote("s3://calls/2024/", *command)
    assert (done.returncode, "1 file no longer there" in done.stderr) == (0, True), done.stderr
    rows = table((place / "labels.csv").read_text())
    assert [row["path"] for row in rows if row["flags"].endswith("vanished")] == [
        "s3://calls/2024/a.wav"
    ]
    assert remote("s3://calls/", *command, "--vanished", "drop").returncode == 0
    assert [row["path"] for row in table((place / "labels.csv").read_text())] == [
        "s3://calls/2024/b.flac",
        "s3://calls/2024/sub/c.wav",
    ]


@pytest.mark.parametrize("inputs", [["s3://calls"], ["clips", "-o", "s3://calls/t.csv"]])
def test_ctrl_c_does_not_wait_for_a_store(
    inputs: list[str],
    place: Path,
    python: str,
    python_path: dict[str, str],
    object_store: Store,
) -> None:
    """One that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment = object_store.environment(f"127.0.0.1:{silent.getsockname()[1]}")
        environment["PYTHONPATH"] = python_path["PYTHONPATH"]
        command = [python, "-m", "emotool", "classify", "-m", "tiny.onnx", "-q", *inputs]
        with subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.PIPE) as run:
            silent.settimeout(30)
            connection, _ = silent.accept()  # now it waits for an answer
            with connection:
                run.send_signal(signal.SIGINT)
                assert run.wait(20) == 130
            assert run.stderr is not None
            assert run.stderr.read() == b"error: interrupted\n"


def test_a_table_in_a_bucket_is_not_updated(remote: Emotool) -> None:
    """Its state is a file beside it."""
    done = remote("s3://calls", "-o", "s3://calls/t.csv", "--update")
    assert done.returncode == 2
    assert "the table is a file" in done.stderr


def test_a_table_of_a_bucket_is_updated(
    remote: Emotool, place: Path, object_store: Store, proxy: Proxy
) -> None:
    """New objects are read, and those whose ETag is another; the others are not asked for."""
    upload(place / "clips", object_store, "in/")
    assert remote("s3://calls/in", "-o", "t.csv", "--update").returncode == 0
    content = (place / "clips" / "a.wav").read_bytes()
    object_store.put("calls", "in/new.wav", content)
    object_store.put("calls", "in/b.flac", content)
    proxy.faults.requests.clear()
    done = remote("s3://calls/in", "-o", "t.csv", "--update")
    assert done.returncode == 0, done.stderr
    assert {path for _, path, _ in proxy.faults.of_objects()} == {
        "/calls/in/new.wav",
        "/calls/in/b.flac",
    }
    rows = [row["path"] for row in table((place / "t.csv").read_text("utf-8"))]
    assert rows == [f"s3://calls/in/{name}" for name in ("a.wav", "b.flac", "new.wav", "sub/c.wav")]


def test_ray_reads_from_a_bucket(
    remote: Emotool, place: Path, object_store: Store, proxy: Proxy
) -> None:
    """Its tasks read the versions that were listed, and give the rows of a run without Ray."""
    pytest.importorskip("ray", reason="needs the extra ray")
    upload(place / "clips", object_store, "in/")
    options = ("s3://calls/in", "--anonymous", "-o")
    assert remote(*options, "local.csv").returncode == 0
    proxy.faults.requests.clear()
    done = remote(*options, "ray.csv", "--engine", "ray", timeout=120)
    assert done.returncode == 0, done.stderr
    assert (place / "ray.csv").read_bytes() == (place / "local.csv").read_bytes()
    asked = proxy.faults.of_objects()
    assert len(asked) == 3
    assert all("if-match" in headers and "authorization" not in headers for _, _, headers in asked)
