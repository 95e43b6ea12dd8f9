"""Shards of a run and their parts: the rows of an undivided run, once each."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emotool.errors import EmotoolError, InputError, OutputError
from emotool.files.atomic import sha256_file
from emotool.inputs.manifest import read_manifest
from emotool.inputs.shards import Shard
from emotool.results.tally import RunSummary
from emotool.run.batch import run
from emotool.run.merging import merge
from emotool.run.options import Output
from emotool.run.part import PART_SUFFIXES, record_place
from emotool.run.parts import find_parts
from emotool.writers.base import Dialect, WriterOptions
from tests.emotool.batch_runs import CLIPS, Interrupted, Watcher, interrupt, options
from tests.emotool.cli.classify_runs import linux
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model

FORMATS = (".csv", ".json", ".jsonl", ".parquet", ".tsv", ".xlsx")
SHARDS = 3

ODD = WriterOptions(dialect=Dialect(decimal=",", byte_order_mark=True))
CASES: dict[str, dict[str, Any]] = {
    "clips": {},
    "top": {"top": 2, "min_confidence": 0.6},
    "punctuation": {"writer": ODD},
    "raw": {"writer": WriterOptions(raw=True)},
    "windows": {"segments": True, "top": 1},
}


def parts_of(sounds: Path, folder: Path, suffix: str, **changes: Any) -> list[str]:
    """Run all shards; return their parts."""
    parts = [folder / f"part-{number}{suffix}" for number in range(1, SHARDS + 1)]
    for number, part in enumerate(parts, 1):
        run(options(sounds, part, shard=Shard(number, SHARDS), **changes))
    return list(map(str, parts))


def merged(parts: list[str], *targets: Path) -> RunSummary:
    """Merge parts."""
    return merge(find_parts(parts), [Output(str(target)) for target in targets])


def content(file: Path) -> bytes:
    """Return a table's bytes, for JSON without the facts of the run."""
    content = file.read_bytes()
    return content.partition(b'"run":')[0] if file.suffix == ".json" else content


@pytest.mark.parametrize("case", CASES)
def test_merged_parts_equal_an_undivided_run(case: str, sounds: Path, tmp_path: Path) -> None:
    """Parts of any format give every format's bytes as one run writes them."""
    whole = [tmp_path / f"whole{suffix}" for suffix in FORMATS]
    run(options(sounds, *whole, **CASES[case]))
    for number in range(1, SHARDS + 1):
        parts = [tmp_path / f"part-{number}{suffix}" for suffix in PART_SUFFIXES]
        run(options(sounds, *parts, shard=Shard(number, SHARDS), **CASES[case]))
    for suffix in PART_SUFFIXES:
        targets = [tmp_path / f"merged{each}" for each in FORMATS]
        names = [str(tmp_path / f"part-{number}{suffix}") for number in range(1, SHARDS + 1)]
        for one, target in zip(whole, targets, strict=True):
            assert merged(names, target).clips == CLIPS + 1
            assert content(target) == content(one), (suffix, one.suffix)
    failures = [tmp_path / f"{name}.failures.csv" for name in ("whole", "merged")]
    assert failures[0].read_bytes() == failures[1].read_bytes()


def test_labels_that_look_like_formulas_are_merged_and_counted(
    sounds: Path, tmp_path: Path
) -> None:
    """CSV has an apostrophe before them, which is no part of the label."""
    model = tmp_path / "signed.onnx"
    write_tiny_model(model, tiny_metadata(labels=("-1", "+1")))
    whole = tmp_path / "whole.csv"
    expected = run(options(sounds, whole, model=str(model)))
    parts = parts_of(sounds, tmp_path, ".csv", model=str(model))
    summary = merged(parts, tmp_path / "merged.csv")
    assert (tmp_path / "merged.csv").read_bytes() == whole.read_bytes()
    assert summary.labels == expected.labels


@pytest.fixture
def odd(sounds: Path, tmp_path: Path) -> Path:
    """Return a manifest with cells that look like formulas, quotes, blanks, and a clip twice."""
    rows = ["file,who,path", '01.wav,"=1+1",-5', "02.wav,'=2,'-5", '02.wav,"a\n""b""",']
    rows += [f"{index:02}.wav,,x;y" for index in range(3, 11)] + ["none.wav,last,"]
    folder = tmp_path / "odd"
    folder.mkdir()
    for clip in (sounds / "clips").iterdir():
        (folder / clip.name).hardlink_to(clip)
    (folder / "clips.csv").write_text("\n".join(rows) + "\n")
    return folder / "clips.csv"


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("segments", [False, True])
def test_the_columns_of_a_manifest_are_kept(
    suffix: str, segments: bool, odd: Path, sounds: Path, tmp_path: Path
) -> None:
    """Cells of a manifest pass through parts unchanged, whatever is in them."""
    settings: dict[str, Any] = {"paths": [], "manifest": read_manifest(str(odd), "file")}
    settings["segments"] = segments
    targets = FORMATS if suffix != ".csv" else (".csv", ".tsv")
    whole = [tmp_path / f"whole{each}" for each in targets]
    run(options(sounds, *whole, **settings))
    parts = parts_of(sounds, tmp_path, suffix, **settings)
    target = [tmp_path / f"merged{each}" for each in targets]
    merged(parts, *target)
    for one, other in zip(whole, target, strict=True):
        assert content(one) == content(other), one.suffix


def test_what_a_cell_of_csv_cannot_say_is_an_error(odd: Path, sounds: Path, tmp_path: Path) -> None:
    """An apostrophe that may be the manifest's own is not guessed about."""
    settings: dict[str, Any] = {"paths": [], "manifest": read_manifest(str(odd), "file")}
    parts = parts_of(sounds, tmp_path, ".csv", **settings)
    with pytest.raises(InputError, match="may have had its apostrophe"):
        merged(parts, tmp_path / "merged.jsonl")
    assert not (tmp_path / "merged.jsonl").exists()


@linux
def test_names_that_are_no_text_pass_through_json_only(sounds: Path, tmp_path: Path) -> None:
    """A name's bytes are kept by JSON Lines; Parquet cannot, and merging it to JSON is refused."""
    folder = tmp_path / "names"
    folder.mkdir()
    for name in (b"a.wav", b"caf\xe9.wav", b"z.wav"):
        os.link(sounds / "clips" / "01.wav", os.fsencode(folder) + b"/" + name)
    whole = tmp_path / "whole.jsonl"
    run(options(sounds, whole, paths=[str(folder)]))
    merged(parts_of(sounds, tmp_path, ".jsonl", paths=[str(folder)]), tmp_path / "merged.jsonl")
    assert (tmp_path / "merged.jsonl").read_bytes() == whole.read_bytes()
    parts = parts_of(sounds, tmp_path, ".parquet", paths=[str(folder)])
    merged(parts, tmp_path / "merged.csv")
    with pytest.raises(InputError, match="bytes that are no text"):
        merged(parts, tmp_path / "other.jsonl")


def test_more_shards_than_clips_leave_some_empty(sounds: Path, tmp_path: Path) -> None:
    """An empty shard is complete, with a header and no row."""
    settings: dict[str, Any] = {"paths": [str(sounds / "clips" / f"0{n}.wav") for n in (1, 2)]}
    parts = parts_of(sounds, tmp_path, ".csv", **settings)
    assert len(Path(parts[0]).read_text().splitlines()) == 1
    assert merged(parts, tmp_path / "merged.csv").clips == 2


def test_a_complete_part_is_not_computed_again(sounds: Path, tmp_path: Path) -> None:
    """The record is the checkpoint: the same command changes nothing and counts the same rows."""
    part = tmp_path / "part.csv"
    settings = options(sounds, part, shard=Shard(2, SHARDS))
    first, before = run(settings), part.stat().st_mtime_ns
    watcher = Watcher()
    second = run(settings, watcher)
    assert part.stat().st_mtime_ns == before
    assert watcher.rows == 0
    assert watcher.notes == [f"{part} is complete already"]
    assert (second.statuses, second.labels) == (first.statuses, first.labels)
    assert (first.exit_code, second.exit_code) == (3, 3) or first.exit_code == 0
    run(replace(settings, restart=True), watcher)
    assert watcher.rows == first.clips


@pytest.mark.parametrize(
    "change", ["copied model", "shard", "setting", "file", "part", "record", "inputs", "beside"]
)
def test_what_changes_is_computed_again(change: str, sounds: Path, tmp_path: Path) -> None:
    """A part is only complete for the same inputs, files, shard, model and settings."""
    clips = tmp_path / "clips"
    clips.mkdir()
    for index in range(6):
        (clips / f"{index}.wav").write_bytes((sounds / "clips" / f"0{index}.wav").read_bytes())
    part, voices = tmp_path / "part.csv", tmp_path / "voices.npz"
    settings = options(sounds, part, paths=[str(clips)], shard=Shard(1, 2), embeddings=str(voices))
    run(settings)
    if change == "copied model":
        settings = replace(settings, model=str(tmp_path / "other.onnx"))
        (tmp_path / "other.onnx").write_bytes((sounds / "tiny.onnx").read_bytes())
    elif change == "shard":
        settings = replace(settings, shard=Shard(2, 2))
    elif change == "setting":
        settings = replace(settings, top=1)
    elif change == "file":
        os.utime(clips / "1.wav", (1, 1))
    elif change == "part":
        part.write_text(part.read_text() + "\n")
    elif change == "record":
        record_place(part).unlink()
    elif change == "inputs":
        (clips / "7.wav").write_bytes(b"")
    else:
        voices.unlink()
    watcher = Watcher()
    run(settings, watcher)
    assert watcher.rows == (0 if change == "copied model" else 3)


def test_an_interrupted_shard_resumes(sounds: Path, tmp_path: Path) -> None:
    """A shard is an ordinary run: its journal keeps what is done, and no record is written."""
    part = tmp_path / "part.csv"
    settings = options(sounds, part, shard=Shard(1, 2))
    with pytest.raises(Interrupted):
        run(settings, Watcher(10, interrupt))
    assert not record_place(part).exists()
    watcher = Watcher()
    assert run(settings, watcher).resumed > 0


@pytest.mark.parametrize("change", ["plan", "model", "settings", "count", "twice", "missing"])
def test_parts_that_do_not_belong_together_are_refused(
    change: str, sounds: Path, tmp_path: Path
) -> None:
    """The error names the two parts and what differs, or the shards that are missing."""
    parts = parts_of(sounds, tmp_path, ".csv")
    record = record_place(Path(parts[1]))
    document = json.loads(record.read_text())
    reason = {
        "plan": "not slices of the same list",
        "model": "model_sha256 is",
        "settings": "top is 0 in one and 3 in the other",
        "count": "one of 3 shards, the other of 4",
        "twice": "are both shard 1/3",
        "missing": "1 of 3 shards are missing: 2",
    }[change]
    if change == "plan":
        document["plan_sha256"] = "0" * 64
    elif change == "model":
        document["origin"]["model_sha256"] = "0" * 64
    elif change == "settings":
        document["origin"]["top"] = 3
    elif change == "count":
        document["shards"] = 4
    elif change == "twice":
        document["shard"] = 1
    else:
        del parts[1]
    record.write_text(json.dumps(document))
    with pytest.raises(InputError, match=reason):
        merged(parts, tmp_path / "merged.csv")
    assert not (tmp_path / "merged.csv").exists()


@pytest.mark.parametrize(
    "damage", ["row", "record", "no record", "no part", "field", "long", "bytes", "rows"]
)
def test_a_part_that_is_not_what_its_record_says_is_refused(
    damage: str, sounds: Path, tmp_path: Path
) -> None:
    """Neither a changed part nor an invalid record is merged; the error says what to do."""
    parts = parts_of(sounds, tmp_path, ".csv")
    part, record = Path(parts[2]), record_place(Path(parts[2]))
    document = json.loads(record.read_text())
    if damage == "row":
        part.write_text(part.read_text().replace("happy", "sad"))
    elif damage == "record":
        record.write_text("{")
    elif damage == "no record":
        record.unlink()
    elif damage == "no part":
        record.unlink()
        part.unlink()
    elif damage == "bytes":
        record.write_bytes(b"\xff")
    elif damage == "field":
        record.write_text(json.dumps(document | {"shard": 9}))
    elif damage == "long":
        record.write_text(" " * (5 << 20))
    else:
        record.write_text(json.dumps(document | {"rows": 1}))
    with pytest.raises(EmotoolError) as caught:
        merged(parts, tmp_path / "merged.csv")
    assert part.name in caught.value.message
    assert ("there is no part" in caught.value.message) == (damage == "no part")
    assert "shard" in caught.value.hint
    assert not (tmp_path / "merged.csv").exists()


@pytest.mark.parametrize(
    "row",
    [
        "text",
        [],
        {},
        {"status": "odd"},
        {"label": "angry"},
        {"confidence": "high"},
        {"probabilities": {"happy": "high", "sad": 0}},
        {"path": None},
        {"flags": 1},
        {"duration_s": []},
    ],
)
def test_rows_of_foreign_parts_are_an_error(row: Any, sounds: Path, tmp_path: Path) -> None:
    """A part and record by someone else may hold anything; no row of it ends in a traceback."""
    parts = parts_of(sounds, tmp_path, ".jsonl")
    part, record = Path(parts[0]), record_place(Path(parts[0]))
    lines = part.read_text().splitlines(keepends=True)
    lines[0] = json.dumps(json.loads(lines[0]) | row if row and isinstance(row, dict) else row)
    part.write_text(lines[0] + "\n" + "".join(lines[1:]))
    document = json.loads(record.read_text()) | {"sha256": sha256_file(part)}
    record.write_text(json.dumps(document))
    with pytest.raises(InputError, match="cannot read the rows of"):
        merged(parts, tmp_path / "merged.csv")


def test_a_folder_stands_for_its_parts(sounds: Path, tmp_path: Path) -> None:
    """Of a folder those files are parts that have a record."""
    folder = tmp_path / "parts"
    folder.mkdir()
    parts_of(sounds, folder, ".jsonl")
    (folder / "notes.txt").write_text("not a part")
    assert merged([str(folder)], tmp_path / "merged.csv").clips == CLIPS + 1


def test_parts_and_foreign_files_are_not_overwritten(sounds: Path, tmp_path: Path) -> None:
    """Neither a merged table nor a record replaces something else."""
    parts = parts_of(sounds, tmp_path, ".csv")
    for taken in (Path(parts[0]), record_place(Path(parts[1]))):
        with pytest.raises(OutputError, match="is a part or its record"):
            merged(parts, taken)
    foreign = tmp_path / "mine.csv.json"
    foreign.write_text('{"mine": 1}')
    with pytest.raises(OutputError, match="is not the record of a part"):
        run(options(sounds, tmp_path / "mine.csv", shard=Shard(1, 2)))
    assert foreign.read_text() == '{"mine": 1}'
    with pytest.raises(OutputError, match="cannot be a part"):
        run(options(sounds, tmp_path / "part.xlsx", shard=Shard(1, 2)))
