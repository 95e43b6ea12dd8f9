"""Updates of a table: what is kept, what is labelled, and what is refused."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emotool.errors import OutputError
from emotool.results.tally import RunSummary
from emotool.run.batch import run
from emotool.run.part import PART_SUFFIXES
from emotool.run.state import new_place, state_place
from emotool.workers.pool import PoolOptions, Reading
from emotool.writers.base import Dialect, WriterOptions
from tests.emotool.batch_runs import TWO, Interrupted, Watcher, interrupt, names, options
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model
from tests.synthesis import vowel, write_clip

CLIPS = 12
KEPT = CLIPS - 1  # what is no sound is tried again


@pytest.fixture
def place(sounds: Path, tmp_path: Path) -> Path:
    """Return a folder with a model and a dozen clips, one of them no sound, one oddly called."""
    shutil.copy(sounds / "tiny.onnx", tmp_path)
    (tmp_path / "clips").mkdir()
    for index in range(CLIPS - 2):
        shutil.copy2(sounds / "clips" / f"{index:02}.wav", tmp_path / "clips")
    (tmp_path / "clips" / "no.wav").write_text("no sound")
    shutil.copy2(sounds / "clips" / "20.wav", tmp_path / "clips" / '=1, "2".wav')
    return tmp_path


def update(
    place: Path, table: Path, *more: Path, watcher: Any = None, **changes: Any
) -> RunSummary:
    """Run an update of a table."""
    settings: dict[str, Any] = {"update": "mark", **changes}
    return run(options(place, table, *more, **settings), watcher)


def content(file: Path) -> bytes:
    """Return a table's bytes, for JSON without the facts of the run."""
    return file.read_bytes().partition(b'"run":')[0]


def change(place: Path) -> None:
    """Add a clip before all others and one behind, and change one."""
    write_clip(place / "clips" / "!new.wav", vowel(200, 0.7))
    write_clip(place / "clips" / "zz" / "new.wav", vowel(210, 0.7))
    write_clip(place / "clips" / "03.wav", vowel(300, 0.9))


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "top": {"top": 2, "min_confidence": 0.6},
    "punctuation": {"writer": WriterOptions(dialect=Dialect(decimal=",", byte_order_mark=True))},
    "raw": {"writer": WriterOptions(raw=True)},
    "content": {"pool": replace(TWO, reading=Reading(by_content=True))},
}


@pytest.mark.parametrize("case", CASES)
def test_an_update_equals_a_new_run(case: str, place: Path) -> None:
    """In every format that can be read again, to the byte; only what is new has been labelled."""
    settings = CASES[case]
    tables = [place / f"table{suffix}" for suffix in PART_SUFFIXES]
    for table in tables:
        assert update(place, table, **settings).unchanged == 0
    change(place)
    run(options(place, *[place / f"fresh{suffix}" for suffix in PART_SUFFIXES], **settings))
    for table in tables:
        summary = update(place, table, **settings)
        assert (summary.clips, summary.unchanged, summary.vanished) == (CLIPS + 2, KEPT - 1, 0)
        assert content(table) == content(place / f"fresh{table.suffix}"), table.suffix
        assert update(place, table, **settings).unchanged == KEPT + 2
        assert content(table) == content(place / f"fresh{table.suffix}"), table.suffix


def test_other_tables_follow_the_first(place: Path) -> None:
    """A spreadsheet and a report cannot be read again: they are written from the first one's."""
    others = [place / "a.xlsx", place / "a.tsv", place / "a.html"]
    update(place, place / "a.csv", *others)
    change(place)
    assert update(place, place / "a.csv", *others).unchanged == KEPT - 1
    run(options(place, place / "fresh.tsv"))
    assert (place / "a.tsv").read_bytes() == (place / "fresh.tsv").read_bytes()


def test_rows_of_vanished_files_are_marked_or_dropped(place: Path) -> None:
    """A marked row keeps its label until the file is back; a dropped one is gone."""
    table = place / "a.jsonl"
    update(place, table)
    before = {row["path"]: row for row in map(json.loads, table.read_text().splitlines())}
    (place / "clips" / "02.wav").rename(place / "02.wav")
    gone = str(place / "clips" / "02.wav")
    for _ in range(2):  # an update of an updated table, too
        summary = update(place, table)
        assert (summary.unchanged, summary.vanished) == (KEPT, 1)
        after = {row["path"]: row for row in map(json.loads, table.read_text().splitlines())}
        assert list(after) == list(before)
        assert after[gone] == {**before[gone], "flags": [*before[gone]["flags"], "vanished"]}
    (place / "02.wav").rename(gone)
    assert update(place, table).unchanged == KEPT
    assert before == {row["path"]: row for row in map(json.loads, table.read_text().splitlines())}
    Path(gone).unlink()
    assert update(place, table, update="drop").clips == CLIPS - 1
    assert gone not in table.read_text()
    assert update(place, table).vanished == 0


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such links")
def test_rows_of_a_folder_that_cannot_be_read_stay(place: Path) -> None:
    """Its files may still be there; the row about the folder goes when it can be read again."""
    folder = place / "clips" / "deep"
    folder.mkdir()
    (place / "clips" / "02.wav").rename(folder / "02.wav")
    table = place / "a.csv"
    update(place, table)
    before = table.read_bytes()
    folder.rename(place / "deep")
    folder.symlink_to(folder)
    paths = [str(place / "clips"), str(folder)]  # one that is named has a row
    for kept in ("mark", "drop"):
        summary = update(place, table, update=kept, paths=paths)
        assert (summary.clips, summary.vanished) == (CLIPS + 1, 0)
    folder.unlink()
    (place / "deep").rename(folder)
    summary = update(place, table)
    assert (summary.clips, summary.unchanged, summary.vanished) == (CLIPS, KEPT, 0)
    assert table.read_bytes() == before


def test_rows_of_other_folders_stay(place: Path) -> None:
    """A table may grow by one folder after the other; rows are sorted by path as in one run."""
    shutil.copytree(place / "clips", place / "more")
    table = place / "a.csv"
    update(place, table)
    summary = update(place, table, paths=[str(place / "more")])
    assert (summary.clips, summary.unchanged, summary.vanished) == (2 * CLIPS, CLIPS, 0)
    run(options(place, place / "fresh.csv", paths=[str(place / "clips"), str(place / "more")]))
    assert table.read_bytes() == (place / "fresh.csv").read_bytes()


def test_an_update_from_another_folder_finds_all_files(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative paths are those from where the table was written; each file stays one row."""
    (place / "more").mkdir()
    shutil.copy2(place / "clips" / "01.wav", place / "more")
    table = place / "a.csv"
    monkeypatch.chdir(place)
    update(place, table, paths=["clips"])
    before = table.read_bytes()
    monkeypatch.chdir(place / "more")
    summary = update(place, table, paths=["."], update="drop")
    assert (summary.clips, summary.unchanged, summary.vanished) == (CLIPS + 1, CLIPS, 0)
    assert "../clips/02.wav" in table.read_text()
    monkeypatch.chdir(place)
    (place / "more" / "01.wav").unlink()
    summary = update(place, table, paths=["clips"], update="drop")
    assert (summary.clips, summary.unchanged, summary.vanished) == (CLIPS, KEPT, 1)
    assert table.read_bytes() == before


def test_a_file_that_is_named_in_another_way_stays_one_row(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With folders that lead back, and through a link to the folder."""
    table = place / "a.csv"
    monkeypatch.chdir(place)
    (place / "link").symlink_to("clips")
    for named in ("clips", "../" + place.name + "/clips", "./clips", str(place / "clips"), "link"):
        summary = update(place, table, paths=[named])
        assert (summary.clips, summary.vanished) == (CLIPS, 0), named
        run(options(place, place / "fresh.csv", paths=[named]))
        assert table.read_bytes() == (place / "fresh.csv").read_bytes()


def test_moved_files_are_known_by_their_content(place: Path) -> None:
    """With --by-content a file that was moved keeps its label and is in one row."""
    settings = CASES["content"]
    table = place / "a.csv"
    update(place, table, **settings)
    (place / "clips" / "02.wav").rename(place / "clips" / "moved.wav")
    summary = update(place, table, **settings)
    assert (summary.clips, summary.unchanged, summary.vanished) == (CLIPS, KEPT, 0)
    assert "moved.wav" in table.read_text()
    assert "02.wav" not in table.read_text()


def test_failures_that_may_pass_are_tried_again(place: Path) -> None:
    """A file that could not be opened is labelled when it can be; one that is no sound is kept."""
    hidden = place / "clips" / "05.wav"
    content = hidden.read_bytes()
    hidden.unlink()
    paths = [*(str(place / "clips" / f"0{index}.wav") for index in range(8))]
    table = place / "a.csv"
    summary = update(place, table, paths=paths)
    assert summary.statuses["failed"] == 1
    hidden.write_bytes(content)
    summary = update(place, table, paths=paths)
    assert (summary.statuses["failed"], summary.unchanged) == (0, 7)


def test_an_interrupted_update_resumes(place: Path) -> None:
    """The table stays as it was until all rows are known; no clip is labelled twice."""
    table = place / "a.csv"
    update(place, table)
    before = table.read_bytes()
    for index in range(10):
        write_clip(place / "clips" / f"new{index}.wav", vowel(150 + 9 * index, 0.5))
    with pytest.raises(Interrupted):
        update(place, table, watcher=Watcher(CLIPS + 6, interrupt))
    assert table.read_bytes() == before
    summary = update(place, table)
    assert summary.unchanged == KEPT
    assert summary.resumed >= 5
    run(options(place, place / "fresh.csv"))
    assert table.read_bytes() == (place / "fresh.csv").read_bytes()
    left = [".a.csv.emotool-lock", ".a.csv.emotool-journal"]
    assert not set(left) & set(names(place))


def test_an_update_that_ends_before_the_state_is_written_resumes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is complete beside its place: both are as they were, and no clip is lost."""
    table = place / "a.csv"
    update(place, table)
    before = table.read_bytes(), state_place(table).read_bytes()
    change(place)

    def killed(*_: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr("emotool.run.update.put_in_place", killed)
        with pytest.raises(Interrupted):
            update(place, table)
    assert before == (table.read_bytes(), state_place(table).read_bytes())
    assert not new_place(table).exists()
    new_place(table).write_text("what a process that is killed leaves")
    summary = update(place, table)
    assert (summary.unchanged, summary.resumed) == (KEPT - 1, 3)
    assert not new_place(table).exists()
    run(options(place, place / "fresh.csv"))
    assert table.read_bytes() == (place / "fresh.csv").read_bytes()


def test_an_update_that_fails_leaves_no_table_beside_its_place(place: Path) -> None:
    """A further table cannot be put in its place: both are as they were."""
    table, other = place / "a.csv", place / "b.csv"
    update(place, table)
    before = table.read_bytes(), state_place(table).read_bytes()
    change(place)
    watcher = Watcher(1, other.mkdir)
    with pytest.raises(OutputError, match=r"b\.csv"):
        update(place, table, other, watcher=watcher)
    assert before == (table.read_bytes(), state_place(table).read_bytes())
    assert not new_place(table).exists()
    other.rmdir()
    assert update(place, table, other).clips == CLIPS + 2


def test_what_an_update_cannot_remove_is_reported(place: Path) -> None:
    """A folder is where the new table would be written: the error names it and what to do."""
    table = place / "a.csv"
    update(place, table)
    new_place(table).mkdir()
    with pytest.raises(OutputError, match=r"cannot remove .*emotool-new") as caught:
        update(place, table)
    assert "remove it" in caught.value.hint


@pytest.mark.parametrize("first", [True, False])
def test_an_update_that_ends_before_the_table_is_moved_is_finished(
    place: Path, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table beside its place has the state's hash and is moved; nothing is labelled again."""
    table = place / "a.csv"
    if not first:
        update(place, table)
        change(place)

    def killed(self: Path, target: Path) -> Path:
        if target == table:
            raise Interrupted
        return replaced(self, target)

    replaced = Path.replace
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(Interrupted):
            update(place, table)
    watcher = Watcher()
    summary = update(place, table, watcher=watcher)
    assert (summary.unchanged, watcher.notes) == (KEPT if first else KEPT + 2, [])
    run(options(place, place / "fresh.csv"))
    assert table.read_bytes() == (place / "fresh.csv").read_bytes()
    assert not [name for name in names(place) if name.startswith(".a.csv")]


def test_what_made_the_table_must_be_the_same(place: Path) -> None:
    """Another model, other settings: refused with the difference, unless it starts over."""
    table = place / "a.csv"
    update(place, table)
    before = table.read_bytes(), state_place(table).read_bytes()
    write_tiny_model(place / "other.onnx", tiny_metadata(labels=("calm", "sad")))
    for changes, said in (
        ({"model": str(place / "other.onnx")}, "model_sha256 [0-9a-f]{8}, now .*labels .*now"),
        ({"top": 1}, "top 0, now 1"),
        ({"min_confidence": 0.9}, "min_confidence 0.0, now 0.9"),
        ({"pool": PoolOptions(workers=1, reading=Reading(hop_s=0.5))}, "hop_s None, now 0.5"),
    ):
        with pytest.raises(OutputError, match=said) as caught:
            update(place, table, **changes)
        assert "--restart" in caught.value.hint
    assert before == (table.read_bytes(), state_place(table).read_bytes())
    assert update(place, table, top=1, restart=True).unchanged == 0
    assert update(place, table, top=1).unchanged == KEPT


def test_a_table_without_its_state_is_refused(place: Path) -> None:
    """Or one that was edited, or whose state is damaged; nothing is written."""
    table = place / "a.csv"
    run(options(place, table))
    with pytest.raises(OutputError, match="written without --update") as caught:
        update(place, table)
    assert "--restart" in caught.value.hint
    assert update(place, table, restart=True).unchanged == 0
    edited = table.read_bytes() + b"\n"
    table.write_bytes(edited)
    with pytest.raises(OutputError, match="has changed since"):
        update(place, table)
    assert table.read_bytes() == edited
    good = state_place(table).read_text()
    for text in (good[:-40], good.replace('"clips": 12', '"clips": 13'), good[:60], good + "[1]\n"):
        state_place(table).write_text(text)
        with pytest.raises(OutputError) as caught:
            update(place, table)
        assert "--restart" in caught.value.hint


def test_no_other_file_is_taken_for_a_state(place: Path) -> None:
    """A file that happens to be called like it stays, and so does a table in another format."""
    state_place(place / "a.csv").write_text("mine")
    with pytest.raises(OutputError, match="is not the state of a table"):
        update(place, place / "a.csv")
    assert state_place(place / "a.csv").read_text() == "mine"
    with pytest.raises(OutputError, match="cannot be read again"):
        update(place, place / "b.xlsx")
    assert not (place / "b.xlsx").exists()


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_a_state_that_cannot_be_replaced_is_reported_first(place: Path, mode: int) -> None:
    """Before any clip is labelled, and not as a file that is no state."""
    table = place / "a.csv"
    update(place, table)
    state_place(table).chmod(mode)
    if os.access(state_place(table), os.W_OK):
        pytest.skip("needs a user whom permissions bind")
    with pytest.raises(OutputError, match="may not be read and written"):
        update(place, table)


@pytest.mark.skipif(os.name != "posix", reason="other systems allow no such names")
def test_names_that_are_no_text_are_kept(place: Path) -> None:
    """In every format, though tables escape them."""
    odd = os.path.join(os.fsencode(place / "clips"), b"caf\xe9.wav")  # noqa: PTH118 - bytes
    shutil.copy2(place / "clips" / "01.wav", odd)
    for suffix in PART_SUFFIXES:
        table, fresh = place / f"a{suffix}", place / f"fresh{suffix}"
        update(place, table)
        assert update(place, table).unchanged == KEPT + 1
        run(options(place, fresh))
        assert content(table) == content(fresh)


@pytest.mark.parametrize("raw", [False, True])
def test_labels_that_look_like_formulas_are_kept(place: Path, raw: bool) -> None:
    """CSV and TSV may have an apostrophe before them."""
    model = str(place / "signed.onnx")
    write_tiny_model(Path(model), tiny_metadata(labels=("-1", "+1")))
    settings = {"model": model, "writer": WriterOptions(raw=raw)}
    for suffix in PART_SUFFIXES:
        table, fresh = place / f"a{suffix}", place / f"fresh{suffix}"
        update(place, table, **settings)
        assert update(place, table, **settings).unchanged == KEPT
        run(options(place, fresh, **settings))
        assert content(table) == content(fresh)


def test_dimensions_are_kept(place: Path) -> None:
    """A model that answers with numbers has rows that can be read again, too."""
    pytest.importorskip("onnx", reason="adopting a model needs onnx")
    from emotool_training.adopting.adopt import Wishes, adopt
    from tests.published_models import Kind, write_published

    published = write_published(place / "published", Kind(regression=True))
    wishes = Wishes("mine", limits=(-1.0, 2.0))
    model = str(adopt(published, place / "exported", wishes).path)
    for suffix in PART_SUFFIXES:
        table, fresh = place / f"a{suffix}", place / f"fresh{suffix}"
        update(place, table, model=model)
        assert update(place, table, model=model).unchanged == KEPT
        run(options(place, fresh, model=model))
        assert content(table) == content(fresh)
