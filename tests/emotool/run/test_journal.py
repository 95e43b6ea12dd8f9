"""What a run has done survives its end, whatever ended it, and is never used for another file."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotool.errors import JournalError
from emotool.files.lock import beside
from emotool.inputs.clips import Clip
from emotool.inputs.identity import file_identity
from emotool.results.row import ClipResult, Segment
from emotool.run import journal
from emotool.run.journal import Journal
from emotool.workers.protocol import Reading
from tests.emotool.misbehaving import ROOT

posix = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX system")
_times = st.floats(0, 1e6)
PARAMETERS = {"model_sha256": "0" * 64}


class Interrupted(BaseException):
    """What ends a run in these tests, as Ctrl-C would."""


def clip(folder: Path, index: int = 0) -> Clip:
    """Make a file and describe it."""
    path = folder / f"{index}.wav"
    path.write_bytes(b"sound %d" % index)
    return Clip(index, path.name, str(path))


def identity(of: Clip) -> str:
    """Identify a clip's file."""
    return file_identity(of.path, by_content=False)


def ok(of: Clip, **changes: Any) -> ClipResult:
    """Make a result for a clip."""
    values: dict[str, Any] = {"label": "sad", "confidence": 0.7, "probabilities": (0.3, 0.7)}
    return ClipResult(of.index, of.shown, "ok", "tiny", **(values | changes))


def interrupted(target: Path, *results: tuple[Clip, ClipResult], **parameters: Any) -> None:
    """Run until some results are recorded, and then no further."""
    try:
        with Journal(target, PARAMETERS | parameters) as journal:
            for done, result in results:
                journal.record(result, identity(done))
            raise Interrupted
    except Interrupted:
        pass


def recalled(target: Path, *clips: Clip, **parameters: Any) -> dict[int, ClipResult]:
    """Return what a new run finds in the journal, and leave it there."""
    found = {}
    try:
        with Journal(target, PARAMETERS | parameters) as journal:
            for index, key in journal.known(clips, Reading()).items():
                found[index] = journal.result(clips[index], key)
            raise Interrupted
    except Interrupted:
        return found


def test_interrupted_run_is_remembered(tmp_path: Path) -> None:
    """What was recorded is found again, to the last bit, and nothing else is."""
    one, two = clip(tmp_path, 0), clip(tmp_path, 1)
    result = ok(one, confidence=1 / 3, probabilities=(2 / 3, 1 / 3), duration_s=0.1 + 0.2)
    interrupted(tmp_path / "labels.csv", (one, result))
    assert recalled(tmp_path / "labels.csv", one, two) == {0: result}


@given(
    st.builds(
        ClipResult,
        st.just(0),
        st.just("0.wav"),
        st.sampled_from(["ok", "silent", "too_short", "failed"]),
        st.text(),
        st.text(),
        st.none() | st.floats(0, 1),
        st.lists(st.floats(0, 1)).map(tuple),
        st.none() | st.floats(0, 1e6),
        st.lists(st.text()).map(tuple),
        st.sampled_from(["", "decode", "crash"]),
        st.text(),
        st.lists(
            st.builds(
                Segment, _times, _times, st.just((0.5, 0.5)), st.binary(), st.just((0.25, -1.0))
            )
        ).map(tuple),
        st.none(),
        st.binary(),
    )
)
def test_every_result_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, result: ClipResult
) -> None:
    """No value is rounded, no text changed."""
    folder = tmp_path_factory.mktemp("journal")
    done = clip(folder)
    interrupted(folder / "labels.csv", (done, result))
    assert recalled(folder / "labels.csv", done) == {0: result}


def test_a_result_too_large_to_keep_is_worked_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day of windows with their embeddings is no row for a database; others are kept."""
    monkeypatch.setattr(journal, "_MOST_STORED", 1000)
    one, two = clip(tmp_path, 0), clip(tmp_path, 1)
    interrupted(tmp_path / "labels.csv", (one, ok(one, embedding=b"x" * 1000)), (two, ok(two)))
    assert list(recalled(tmp_path / "labels.csv", one, two)) == [1]


def test_journal_goes_when_the_run_is_complete(tmp_path: Path) -> None:
    """A finished run leaves nothing beside its output."""
    done = clip(tmp_path)
    with Journal(tmp_path / "labels.csv", PARAMETERS) as journal:
        journal.record(ok(done), identity(done))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.wav"]


def test_short_run_never_makes_a_journal(tmp_path: Path) -> None:
    """What is done before the first half second is over touches no disk."""
    done = clip(tmp_path)
    with Journal(tmp_path / "labels.csv", PARAMETERS) as journal:
        journal.record(ok(done), identity(done))
        assert not beside(tmp_path / "labels.csv", "journal").exists()


def test_run_that_did_nothing_leaves_nothing(tmp_path: Path) -> None:
    """A run that ended before its first result leaves no empty journal."""
    interrupted(tmp_path / "labels.csv")
    assert list(tmp_path.iterdir()) == []


def test_newest_result_of_a_file_counts(tmp_path: Path) -> None:
    """A clip that was recorded twice, by an interrupted flush, has one result."""
    done = clip(tmp_path)
    target = tmp_path / "labels.csv"
    interrupted(target, (done, ok(done)), (done, ok(done, label="happy")))
    assert recalled(target, done)[0].label == "happy"


def test_changed_file_is_done_again(tmp_path: Path) -> None:
    """A file with other bytes or another time is another file."""
    done = clip(tmp_path)
    interrupted(tmp_path / "labels.csv", (done, ok(done)))
    os.utime(done.path, ns=(1, 1))
    assert recalled(tmp_path / "labels.csv", done) == {}


def test_missing_file_is_not_found_in_the_journal(tmp_path: Path) -> None:
    """A file that has gone since gets the row of a missing file."""
    done, gone = clip(tmp_path, 0), clip(tmp_path, 1)
    interrupted(tmp_path / "labels.csv", (done, ok(done)), (gone, ok(gone)))
    Path(gone.path).unlink()
    assert set(recalled(tmp_path / "labels.csv", done, gone)) == {0}
    assert recalled(tmp_path / "labels.csv", Clip(0, "0.wav", done.path, "a socket")) == {}


def test_other_parameters_begin_anew(tmp_path: Path) -> None:
    """Another model's results are never mixed in, and the user is told."""
    done = clip(tmp_path)
    target = tmp_path / "labels.csv"
    interrupted(target, (done, ok(done)))
    with Journal(target, PARAMETERS | {"model_sha256": "1" * 64}) as journal:
        assert journal.outdated
        assert journal.known([done], Reading()) == {}
    interrupted(target, (done, ok(done)))
    assert recalled(target, done, device="cuda") == {}
    assert recalled(target, done) == {}


def test_restart_begins_anew(tmp_path: Path) -> None:
    """``--restart`` forgets, without a word about it."""
    done = clip(tmp_path)
    interrupted(tmp_path / "labels.csv", (done, ok(done)))
    with Journal(tmp_path / "labels.csv", PARAMETERS, restart=True) as journal:
        assert not journal.outdated
        assert journal.known([done], Reading()) == {}


@pytest.mark.parametrize(("stage", "kept"), [("decode", 1), ("timeout", 0), ("open", 0)])
def test_failures_that_may_pass_are_tried_again(tmp_path: Path, stage: str, kept: int) -> None:
    """A file that could not be opened may be readable by now; a damaged one stays damaged."""
    done = clip(tmp_path)
    result = ClipResult(0, "0.wav", "failed", "tiny", stage=stage, error="no")
    interrupted(tmp_path / "labels.csv", (done, result))
    assert len(recalled(tmp_path / "labels.csv", done)) == kept


def test_result_without_identity_is_not_kept(tmp_path: Path) -> None:
    """What is not known to be a certain file's is worked out again."""
    with pytest.raises(Interrupted), Journal(tmp_path / "labels.csv", PARAMETERS) as journal:
        journal.record(ok(clip(tmp_path)), "")
        raise Interrupted
    assert not beside(tmp_path / "labels.csv", "journal").exists()


def test_same_content_is_known_elsewhere(tmp_path: Path) -> None:
    """By content, a file that was moved meanwhile need not be done again."""
    done = clip(tmp_path)
    target = tmp_path / "labels.csv"
    with pytest.raises(Interrupted), Journal(target, PARAMETERS) as journal:
        journal.record(ok(done), file_identity(done.path, by_content=True))
        raise Interrupted
    moved = Clip(0, "moved.wav", str(Path(done.path).rename(tmp_path / "moved.wav")))
    with Journal(target, PARAMETERS) as journal:
        (key,) = journal.known([moved], Reading(by_content=True)).values()
        assert journal.result(moved, key) == ok(moved)


@posix
def test_kill_at_any_moment_costs_half_a_second_at_most(tmp_path: Path) -> None:
    """After ``kill -9`` the journal opens, and holds all but the last rows."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path; from emotool.run.journal import Journal\n"
        "from emotool.results.row import ClipResult; import time\n"
        f"journal = Journal(Path({str(tmp_path / 'labels.csv')!r}), {PARAMETERS!r})\n"
        "for i in range(10**9):\n"
        "    journal.record(ClipResult(i, f'{i}.wav', 'ok'), f'{i:064x}')\n"
        "    print(i, flush=True)\n"
        "    time.sleep(0.0005)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(700)]
    process.send_signal(signal.SIGKILL)
    lines += process.communicate()[0].splitlines()
    last = max(int(line) for line in lines if line.strip())
    database = sqlite3.connect(beside(tmp_path / "labels.csv", "journal"))
    rows = database.execute("SELECT identity FROM results ORDER BY rowid").fetchall()
    database.close()
    assert [row[0] for row in rows] == [f"{i:064x}" for i in range(len(rows))]
    assert 512 <= len(rows) <= last + 1


def test_damaged_journal_is_said_to_be_so(tmp_path: Path) -> None:
    """Garbage in the journal's place is an error with a way out, not a traceback."""
    beside(tmp_path / "labels.csv", "journal").write_bytes(b"garbage" * 1000)
    with pytest.raises(JournalError, match="cannot use the journal") as caught:
        Journal(tmp_path / "labels.csv", PARAMETERS)
    assert "--restart" in caught.value.hint
    with Journal(tmp_path / "labels.csv", PARAMETERS, restart=True):
        pass


def test_row_that_is_no_result_is_said_to_be_so(tmp_path: Path) -> None:
    """A row that someone has tampered with is no label."""
    done = clip(tmp_path)
    target = tmp_path / "labels.csv"
    interrupted(target, (done, ok(done)))
    database = sqlite3.connect(beside(target, "journal"))
    database.execute("UPDATE results SET result = '{\"status\": 3}'")
    database.commit()
    database.close()
    with pytest.raises(JournalError, match="cannot use"):
        recalled(target, done)


def test_full_disk_is_an_error_that_keeps_what_was_done(tmp_path: Path) -> None:
    """When no more fits, the run ends with a word on what to do; earlier rows stay."""
    one, two = clip(tmp_path, 0), clip(tmp_path, 1)
    target = tmp_path / "labels.csv"
    interrupted(target, (one, ok(one)))
    journal = Journal(target, PARAMETERS)
    database = journal._opened()
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError, match="full") as caught, journal:
        journal.record(ok(two, error="x" * 100_000), identity(two))
        journal.flush()
    assert "free some space" in caught.value.hint
    assert set(recalled(target, one, two)) == {0}


def test_interrupted_flush_is_repeated_on_the_way_out(tmp_path: Path) -> None:
    """Ctrl-C in the middle of a transaction loses none of its rows."""
    done = clip(tmp_path)
    target = tmp_path / "labels.csv"
    with pytest.raises(Interrupted), Journal(target, PARAMETERS) as journal:
        journal.record(ok(done), identity(done))
        journal._opened().execute("BEGIN IMMEDIATE")  # as if it came right after this
        raise Interrupted
    assert set(recalled(target, done)) == {0}
