"""``emotool models`` lists what can be chosen and shows cards, to people and to programs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.text import Text

from emotool.cli import main
from emotool.model import catalog
from tests.emotool.tiny_models import tiny_metadata, write_tiny_model

SIX = ("anger", "disgust", "fear", "happy", "neutral", "s[/b]ad")
CARD = "# cnn\n\nA *small* model.\n\n\x1b[31mred\x1b]0;title\x07\n"


@dataclass(frozen=True)
class Answer:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


Emotool = Callable[..., Answer]


@pytest.fixture
def emotool(capfd: pytest.CaptureFixture[str]) -> Emotool:
    """Return a function that runs the command line in this process."""

    def run(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        code = ended.value.code
        assert isinstance(code, int)
        return Answer(code, *capfd.readouterr())

    return run


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fill a folder with models, good and bad: the built-in one, and two of one's own."""
    monkeypatch.setattr(catalog, "model_folders", lambda: (tmp_path,))
    figures = {"uar": 0.8233, "uar_low": 0.79, "uar_high": 0.851, "accuracy": 0.9}
    figures |= {"clips": 1405, "speakers": 35}
    abroad = {"uar": 0.7, "uar_low": 0.651, "uar_high": 0.755}
    metrics = {"new_speakers": figures, "another_corpus": abroad}
    cnn = tiny_metadata(metrics=metrics, licence="CC BY-NC-SA 4.0")
    write_tiny_model(tmp_path / "cnn.onnx", cnn)
    write_tiny_model(tmp_path / "six.onnx", tiny_metadata(SIX, metrics={}))
    (tmp_path / "cnn.md").write_text(CARD)
    (tmp_path / "spoilt.onnx").write_text("hello")
    return tmp_path


def test_list_for_programs_is_tab_separated(emotool: Emotool, folder: Path) -> None:
    """A pipe gets one line a model with exact figures, the spoilt one included."""
    answer = emotool("models")
    assert (answer.code, answer.err) == (0, "")
    header, *lines = [line.split("\t") for line in answer.out.splitlines()]
    table = {line[0]: dict(zip(header, line, strict=True)) for line in lines}
    size = (folder / "cnn.onnx").stat().st_size
    assert table["cnn"] == {
        "model": "cnn",
        "origin": "built-in",
        "labels": "happy,sad",
        "size_bytes": str(size),
        "uar": "0.8233",
        "uar_low": "0.7900",
        "uar_high": "0.8510",
        "accuracy": "0.9000",
        "clips": "1405",
        "speakers": "35",
        "licence": "CC BY-NC-SA 4.0",
        "path": str(folder / "cnn.onnx"),
        "problem": "",
        "use": "fastest",
        "another_corpus_uar": "0.7000",
        "another_corpus_uar_low": "0.6510",
        "another_corpus_uar_high": "0.7550",
    }
    assert (table["six"]["uar"], table["six"]["origin"]) == ("", "own")
    assert "not an ONNX file" in table["spoilt"]["problem"]


def test_list_for_people_is_a_table(emotool: Emotool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal gets labels, size, both accuracies with their intervals, and licence."""
    monkeypatch.setattr("emotool.model.catalog.DEFAULT_MODEL", "cnn")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    text = emotool("models").out
    for part in (
        "cnn *",
        "happy, sad",
        "fastest",
        "70.0 %",
        "(65.1-75.5)",
        "82.3 %",
        "(79.0-85.1)",
        "expect another corpus on your own recordings",
        "CC BY-NC-SA",
        "–",
    ):
        assert part in text
    assert "s[/b]ad" in text
    assert "is not an ONNX file" in text
    assert "* used when no --model is given" in text


def test_own_models_stand_apart(emotool: Emotool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the built-in ones, under a line of their own."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    lines = Text.from_ansi(emotool("models").out).plain.splitlines()
    firsts = [words[0] for line in lines if (words := line.split())]
    assert firsts.index("cnn") < firsts.index("your") < firsts.index("six")


def test_figures_of_few_people_are_called_so(
    emotool: Emotool, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A UAR of 100 % on ten clips of one person does not look like the others."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    figures = {"uar": 1.0, "clips": 10, "speakers": 1}
    write_tiny_model(folder / "few.onnx", tiny_metadata(metrics={"new_speakers": figures}))
    text = Text.from_ansi(emotool("models").out).plain
    assert "only 10 clips" in text and "of 1 person" in text
    assert text.count("only") == 1


@pytest.mark.parametrize("columns", ["40", "60", "80"])
def test_table_fits_the_terminal(
    emotool: Emotool, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    """No line is wider than the terminal."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm")  # a dumb one is 80 wide to rich, whatever is said
    monkeypatch.setenv("COLUMNS", columns)
    lines = Text.from_ansi(emotool("models").out).plain.splitlines()
    assert len(lines) > 4
    assert max(map(len, lines)) <= int(columns)
    if int(columns) >= 60:
        words = " ".join(lines).split()
        assert {"70.0", "(65.1-75.5)", "82.3", "(79.0-85.1)"} <= set(words)


def test_card_is_text_in_a_pipe(emotool: Emotool) -> None:
    """A program gets the card as it was written, but for what a terminal would obey."""
    answer = emotool("models", "cnn")
    assert answer.code == 0
    assert answer.out.startswith("# cnn\n\nA *small* model.\n")
    assert "\x1b" not in answer.out
    assert r"\x1b[31mred" in answer.out


def test_card_is_laid_out_on_a_terminal(emotool: Emotool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person gets it rendered, and a stranger's escape sequences as text."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    out = emotool("models", "cnn").out
    assert "A small model." in out
    assert r"\x1b[31mred" in out
    assert "\x07" not in out


def test_model_without_card_speaks_for_itself(emotool: Emotool, folder: Path) -> None:
    """Any file that carries our metadata can be asked, by its path too."""
    for name in ("six", str(folder / "six.onnx")):
        out = emotool("models", name).out
        assert "- labels: anger, disgust, fear, happy, neutral, s[/b]ad\n" in out
        assert "- UAR on new speakers: not measured\n" in out


def test_unknown_model_lists_the_known(emotool: Emotool) -> None:
    """A wrong name is one line, a hint, and exit code 1."""
    answer = emotool("models", "cn")
    assert answer.code == 1
    assert answer.out == ""
    assert answer.err.splitlines() == [
        "error: there is no model 'cn'",
        "hint: did you mean cnn? models: cnn, six, spoilt",
    ]


def test_spoilt_model_is_an_error_by_itself(emotool: Emotool) -> None:
    """Asked for by name, a file that is no model is no success."""
    answer = emotool("models", "spoilt")
    assert answer.code == 1
    assert "not an ONNX file" in answer.err


def test_without_models_the_folders_are_named(
    emotool: Emotool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An empty list is an error that says where models were looked for."""
    monkeypatch.setattr(catalog, "model_folders", lambda: (tmp_path / "empty",))
    answer = emotool("models")
    assert answer.code == 1
    assert f"hint: looked in: {tmp_path / 'empty'}" in answer.err
