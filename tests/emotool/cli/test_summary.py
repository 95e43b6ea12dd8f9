"""The summary says what happened, fits the terminal, and obeys no file name."""

import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from emotool.cli.summary import print_summary, summary_lines
from emotool.results.row import ClipResult
from emotool.results.tally import RunSummary, Tally
from emotool.text import printable
from tests.emotool.hostile import NAMES, names, texts

RUN = RunSummary(
    clips=1040,
    statuses={"ok": 1020, "silent": 3, "too_short": 2, "failed": 15},
    labels={"happy": 520, "sad": 499, "neutral": 1},
    mean_confidence=0.8712,
    reasons={"decode: not audio": 12, "timeout: more than 30 s": 3},
    examples=tuple((f"folder/{i:02d}.wav", "decode: not audio") for i in range(10)),
    seconds=12.34,
    audio_seconds=3333.3,
    resumed=0,
    skipped=12,
    hidden=3,
    archives=2,
    model="cnn",
    device="cpu",
    outputs=("labels.csv", "-"),
    failures_file="failures.csv",
)


def shown(run: RunSummary, width: int = 80) -> str:
    """Show a summary as a log file would get it."""
    stream = io.StringIO()
    print_summary(run, Console(file=stream, width=width))
    return stream.getvalue()


def test_summary_is_as_documented() -> None:
    """The whole of it, once."""
    failed = "".join(f"      folder/{i:02d}.wav\n" for i in range(10))
    assert shown(RUN) == (
        "1,040 clips in 12.3 s · 84.3 clips/s · 270× real time · cnn on cpu\n"
        "\n"
        "  label    clips    share\n"
        f"  happy      520   51.0 %  {'█' * 40}\n"
        f"  sad        499   48.9 %  {'█' * 38}\n"
        "  neutral      1    0.1 %  █\n"
        "  mean confidence 0.871\n"
        "\n"
        "  3 silent · 2 too short · 15 failed\n"
        "    decode: not audio (12 clips)\n"
        f"{failed}"
        "    and 5 more\n"
        "\n"
        "skipped: 12 files without an audio extension, 3 hidden files\n"
        "skipped: 2 zip archives; name them to include their clips\n"
        "table written to labels.csv, standard output\n"
        "failures listed in failures.csv\n"
    )


def test_good_run_has_nothing_to_add() -> None:
    """What did not happen is not mentioned."""
    tally = Tally(["happy", "sad"])
    run = replace(
        RUN,
        clips=1,
        statuses={**tally.statuses, "ok": 1},
        labels={"happy": 1, "sad": 0},
        reasons={},
        examples=(),
        skipped=0,
        hidden=0,
        archives=0,
        failures_file=None,
    )
    text = shown(run)
    assert text.startswith("1 clip in")
    for absent in ("failed", "silent", "skipped", "interrupted", "and 0 more"):
        assert absent not in text
    assert "  sad        0    0.0 %\n" in text


def test_doubtful_labels_are_counted_with_what_to_do() -> None:
    """Each flagged clip once, each flag as often as it was raised; `long` is no doubt."""
    tally = Tally(["happy", "sad"])
    sure = ClipResult(0, "a.wav", "ok", label="sad", confidence=0.75, flags=("long",))
    for flags in ((), ("long",), ("clipped", "noisy"), ("noisy",)):
        tally.add(replace(sure, flags=flags))
    tally.add(ClipResult(4, "b.wav", "silent", flags=("clipped",)))
    assert (tally.doubted, tally.doubts) == (2, {"noisy": 2, "clipped": 1})
    text = " ".join(shown(replace(RUN, doubted=tally.doubted, doubts=tally.doubts)).split())
    assert "2 doubtful labels (2 noisy, 1 clipped): listen to flagged clips" in text
    assert "doubt" not in shown(RUN)


def test_run_without_labels_shows_no_bars() -> None:
    """When all clips failed there is nothing to divide by."""
    run = replace(
        RUN,
        clips=15,
        statuses={"ok": 0, "failed": 15},
        labels={"happy": 0, "sad": 0},
        mean_confidence=None,
        audio_seconds=0.0,
    )
    text = shown(run)
    assert "share" not in text
    assert "15 failed" in text
    assert "real time" not in text


def test_resumed_clips_do_not_count_as_speed() -> None:
    """Clips from an interrupted run were not worked on in this one's time."""
    text = shown(replace(RUN, resumed=1030))
    assert "0.8 clips/s" in text
    assert "× real time" not in text
    assert "1,030 clips from the interrupted run" in text


def test_run_of_no_time_divides_by_nothing() -> None:
    """A clock that did not move does not end in a traceback."""
    assert "clips/s" not in shown(replace(RUN, seconds=0.0))


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_lines_fit_the_terminal(width: int) -> None:
    """Names and reasons are cut or broken, not wrapped across each other."""
    run = replace(
        RUN,
        labels={"a very long label, longer than it should be": 1, "日本語日本語日本語": 1},
        examples=((f"{'x' * 300}/name.wav", "decode: " + "many words " * 30),),
    )
    lines = [line.plain for line in summary_lines(run, width)]
    notes = lines.index("    and 14 more")
    room = max(width, 36)  # below that there is no room for the numbers
    assert all(cell_len(line) <= room for line in lines[1:notes])
    assert any(line.endswith("/name.wav") for line in lines)


def test_what_was_written_beside_the_tables_is_told() -> None:
    """A folder of annotations is easily forgotten, and embeddings are no labels."""
    run = replace(RUN, beside=(("files for audacity", "tracks"), ("embeddings", "e.npz")))
    text = shown(run)
    assert "table written to labels.csv, standard output\n" in text
    assert "\nfiles for audacity written to tracks\nembeddings written to e.npz\n" in text


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_are_shown_not_obeyed(name: str) -> None:
    """Markup is text, and control characters are escaped, in names, labels and reasons."""
    run = replace(
        RUN,
        labels={name: 1},
        examples=((name, name),),
        reasons={name: 1},
        model=name,
        outputs=(name,),
        beside=(("embeddings", name),),
        failures_file=name,
    )
    text = shown(run, width=10_000)
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text.count(printable(name)) >= 7  # once for each place that a name is put


@given(name=names, label=texts, reason=texts, width=st.integers(1, 300))
def test_any_text_can_be_shown(name: str, label: str, reason: str, width: int) -> None:
    """Nothing that a stranger can write brings the summary down."""
    run = replace(RUN, labels={label: 1}, examples=((name, reason),), reasons={reason: 20})
    shown(run, width)
    for line in summary_lines(run, width):
        assert "\x1b" not in line.plain
        assert "\n" not in line.plain


def test_terminal_that_knows_no_blocks_gets_hashes() -> None:
    """An old Windows console shows bars too."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", write_through=True)
    print_summary(RUN, Console(file=stream, width=80))
    stream.buffer.seek(0)
    assert b"  " + b"#" * 40 in stream.buffer.read()
