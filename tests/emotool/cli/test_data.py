"""``emotool data check`` says what is there and exits with 1 when something is wrong."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emotool.cli import main
from tests.synthesis import vowel, write_clip

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the command line in this process; gives the exit code, stdout and stderr."""

    def emotool(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capsys.readouterr()

    before = signal.getsignal(signal.SIGTERM)
    yield emotool
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Three sound clips of two corpora, and one that is left out."""
    folder = tmp_path / "clips"
    for pitch, name in enumerate(("03a01Fa", "08a01Ta", "EB0_fear_1", "03a01La")):
        write_clip(folder / f"{name}.wav", vowel(100 + 10 * pitch, seconds=0.5))
    return folder


def test_sound_data_is_shown_and_ends_with_0(run: Run, clips: Path) -> None:
    """A line per speaker and per corpus, with what was left out; nothing on stderr."""
    code, out, err = run("data", "check", clips)
    assert (code, err) == (0, "")
    lines = [line.split() for line in out.splitlines()]
    assert ["emodb-03", "male", "·", "·", "·", "1", "·", "·", "1", "0:00:00"] in lines
    assert ["emodb", "2", "·", "·", "·", "1", "·", "1", "2", "0:00:01"] in lines
    assert ["all", "3", "0", "0", "1", "1", "0", "1", "3", "0:00:02"] in lines
    assert "skipped: 1 of emodb: boredom" in out
    assert "No problems found." in out


def test_speakers_may_be_left_out(run: Run, clips: Path) -> None:
    """A corpus of many speakers fits the screen."""
    _, out, _ = run("data", "check", "--no-speakers", clips)
    assert "emodb-03" not in out
    assert "emodb" in out


def test_something_wrong_is_listed_and_ends_with_1(run: Run, clips: Path) -> None:
    """Kind, file and reason of each problem, and how many there are."""
    (clips / "08a02Ta.wav").write_text("not audio")
    (clips / "mine.wav").write_text("not audio")
    code, out, _ = run("data", "check", clips)
    assert code == 1
    assert "2 problems" in out
    assert "unreadable" in out and "a text file, not audio" in out
    assert "unrecognised" in out


def test_many_problems_of_a_kind_are_cut_short(run: Run, clips: Path) -> None:
    """The table lists ten and says where the rest is; the JSON holds them all."""
    for number in range(25):
        (clips / f"mine {number}.wav").write_text("not audio")
    _, out, _ = run("data", "check", clips)
    assert out.count("unrecognised") == 11
    assert "and 15 more" in out
    code, out, err = run("data", "check", "--json", clips)
    assert (code, err) == (1, "")
    assert len(json.loads(out)["problems"]) == 25


def test_name_from_a_stranger_is_shown_and_not_obeyed(run: Run, clips: Path) -> None:
    """Markup and escape sequences in names reach the terminal as text."""
    stranger = clips / "a[" / "b]\x1b[31m.wav"  # in its path: a[/b]
    stranger.parent.mkdir()
    stranger.write_text("not audio")
    code, out, _ = run("data", "check", clips)
    assert code == 1
    assert "\x1b" not in out
    assert "[/b]" in "".join(out.split())


def test_no_data_is_one_line_and_a_hint(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a path and without EMOTOOL_CORPUS, the hint says where to get CREMA-D."""
    monkeypatch.delenv("EMOTOOL_CORPUS", raising=False)
    code, out, err = run("data", "check")
    assert (code, out) == (1, "")
    assert err.startswith("error: no folder of labelled clips was named\nhint: ")
    assert "CREMA-D" in err
    assert len(err.splitlines()) == 2


def test_missing_folder_is_an_error(run: Run, tmp_path: Path) -> None:
    """One line says which."""
    code, _, err = run("data", "check", tmp_path / "nowhere")
    assert code == 1
    assert "nowhere: no such file or folder" in err


def test_speakers_are_found_by_pattern(run: Run, tmp_path: Path) -> None:
    """The pattern turns part of a name into a speaker; a bad one is an error."""
    write_clip(tmp_path / "mine" / "happy" / "anna_1.wav", vowel(seconds=0.5))
    code, out, _ = run("data", "check", "--speaker-pattern", "/([^/_]+)_", tmp_path / "mine")
    assert code == 0
    assert "mine-anna" in out
    code, _, err = run("data", "check", "--speaker-pattern", "(", tmp_path / "mine")
    assert code == 1
    assert err.startswith("error: speaker pattern '('")


def test_wrong_option_ends_with_2(run: Run, clips: Path) -> None:
    """As everywhere."""
    assert run("data", "check", "--workers", "0", clips)[0] == 2
