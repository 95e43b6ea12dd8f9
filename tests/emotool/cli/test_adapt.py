"""``emotool adapt`` on tones and vowels, with the shipped models."""

import csv
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the adapt extra")

from emotool.cli import main
from emotool.model.classifier import load_classifier, read_metadata
from emotool.model.metadata import golden_input
from tests.synthesis import noise, tone, vowel, write_clip

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the command line in this process; gives the exit code, stdout and stderr."""

    def emotool(*arguments: str | Path) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code, *capsys.readouterr()

    return emotool


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder of clips by speaker: low and high vowels."""
    folder = tmp_path_factory.mktemp("sounds")
    for speaker in range(4):
        for take in range(3):
            for label, pitch in (("calm", 100), ("shouting", 300)):
                samples = vowel(pitch + 9 * speaker + 3 * take, 0.7)
                write_clip(folder / "labelled" / label / f"s{speaker}_{take}.wav", samples)
                write_clip(folder / "plain" / f"{label[0]}{speaker}{take}.wav", samples)
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sounds: Path) -> Path:
    """Work in an empty folder, with a cache that the module's tests share."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMOTOOL_CACHE", os.fspath(sounds / "cache"))
    return tmp_path


def labels_of(table: str | Path) -> dict[str, str]:
    """Read a table's labels by file name."""
    with Path(table).open(encoding="utf-8") as handle:
        return {Path(row["path"]).name: row["label"] for row in csv.DictReader(handle)}


@pytest.mark.parametrize("base", ["whisper6", "cnn"])
def test_folders_of_labels_give_a_model_that_classify_finds(
    run: Run, sounds: Path, place: Path, base: str
) -> None:
    """Any labels, any base; figures are by speakers that the head was not fitted to."""
    pattern = "([^/_]+)_"
    arguments = ["--base", base, "--name", "mine", "--speaker-pattern", pattern]
    code, out, err = run("adapt", sounds / "labelled", *arguments)
    assert (code, out) == (0, f"{Path('exported', 'mine.onnx')}\n")
    assert "labelled clips: calm 12, shouting 12" in err
    assert "24 clips of 4 people" in err
    metadata = read_metadata(place / "exported" / "mine.onnx")
    assert metadata.labels == ("calm", "shouting")
    assert "labelled-s0" in metadata.split["speakers"]["train"]
    assert metadata.metrics["adapted"]["speakers"] == 4
    assert metadata.licence.startswith("non-commercial")
    assert "Adapted from" in (place / "exported" / "mine.md").read_text()
    code, _, _ = run("classify", sounds / "plain", "--model", "mine", "-o", "labels.csv", "-q")
    assert code == 0
    if base == "whisper6":
        found = labels_of("labels.csv")
        assert all(name[0] == label[0] for name, label in found.items())


def test_the_model_gives_the_labels_that_were_fitted(run: Run, sounds: Path, place: Path) -> None:
    """To the same bytes each time, from cached embeddings or not."""
    run("adapt", sounds / "labelled", "--name", "one", "-o", "a")
    run("adapt", sounds / "labelled", "--name", "one", "-o", "b", "--cache", place / "new")
    assert Path("a/one.onnx").read_bytes() == Path("b/one.onnx").read_bytes()


def test_recordings_without_labels_change_the_normalisation(
    run: Run, sounds: Path, place: Path
) -> None:
    """The labels stay the base's; the card has no figures of a head that was not fitted."""
    code, _, err = run("adapt", sounds / "plain", "--name", "mine")
    assert code == 0
    assert "statistics of 24 recordings, half-way" in err
    base, mine = load_classifier("whisper6"), load_classifier(place / "exported" / "mine.onnx")
    assert mine.labels == base.labels
    assert mine.metadata.temperature == base.metadata.temperature
    assert set(mine.metadata.metrics) <= {"another_corpus_own_statistics"}
    windows = golden_input(0, base.metadata.input)
    one, other = (m.run(windows, ("embedding",))["embedding"] for m in (base, mine))
    assert np.abs(one - other).max() > 0.1


def test_labels_and_recordings_combine(run: Run, sounds: Path, place: Path) -> None:
    """Both are said, in the output and in the card."""
    code, _, err = run("adapt", sounds / "labelled", sounds / "plain", "--name", "mine")
    assert code == 0
    assert "statistics of 24 recordings" in err and "calm 12" in err
    card = (place / "exported" / "mine.md").read_text()
    assert "24 recordings" in card and "24 labelled clips" in card


def test_corrections_keep_the_other_labels(run: Run, sounds: Path, place: Path) -> None:
    """A review of a few clips does not take labels away from the model."""
    rows = [
        f"{name}{n}0.wav,sad,{label},0.5,"
        for n in range(4)
        for name, label in (("c", "Sadness"), ("s", "shouting"))
    ]
    table = place / "corrections.csv"
    table.write_text("path,label,correction,confidence,when\n" + "\n".join(rows) + "\n")
    code, _, err = run("adapt", table, "--root", sounds / "plain", "--name", "mine")
    assert code == 0
    assert "sad 4" in err
    assert "labels read: sadness as sad" in err
    labels = read_metadata(place / "exported" / "mine.onnx").labels
    assert labels == ("anger", "disgust", "fear", "happy", "neutral", "sad", "shouting")


def test_corrections_that_correct_nothing_give_the_base(
    run: Run, sounds: Path, place: Path
) -> None:
    """After a correction file that confirms each label, labels and confidences are the same."""
    run("classify", sounds / "plain", "--model", "whisper6", "-o", "whisper6.csv", "-q")
    rows = [f"{name},{label},{label},0.5," for name, label in labels_of("whisper6.csv").items()]
    table = place / "corrections.csv"
    table.write_text("path,label,correction,confidence,when\n" + "\n".join(rows) + "\n")
    code, _, err = run("adapt", table, "--root", sounds / "plain", "--name", "mine")
    assert code == 0
    assert "fewer than three speakers are named: the model stays close to its base" in err
    assert "the labelled clips change nothing" in err
    metadata = read_metadata(place / "exported" / "mine.onnx")
    assert metadata.corpora == load_classifier("whisper6").metadata.corpora
    assert "Not changed by 24 labelled clips" in metadata.notes
    run("classify", sounds / "plain", "--model", "mine", "-o", "mine.csv", "-q")
    assert Path("mine.csv").read_text().replace(",mine,", ",whisper6,") == (
        Path("whisper6.csv").read_text()
    )


def test_only_a_temperature_changes_no_label(run: Run, sounds: Path, place: Path) -> None:
    """Confidences change, and nothing else; labels of others are refused."""
    rows = [
        f"{path},{'happy' if path.name[0] == 'c' else 'sad'}"
        for path in sorted((sounds / "plain").iterdir())
    ]
    table = place / "truth.csv"
    table.write_text("path,label\n" + "\n".join(rows) + "\n")
    code, _, err = run(
        "adapt", table, "--only", "temperature", "--base", "whisper", "--name", "mine"
    )
    assert code == 0
    assert "calibration error" in err
    for name in ("whisper", "mine"):
        run("classify", sounds / "plain", "--model", name, "-o", f"{name}.csv", "-q")
    assert labels_of("whisper.csv") == labels_of("mine.csv")
    assert Path("whisper.csv").read_text() != Path("mine.csv").read_text()
    code, _, err = run("adapt", sounds / "labelled", "--only", "temperature", "--name", "other")
    assert code == 1
    assert "calm is no label of whisper6" in err


def test_what_cannot_be_used_is_reported(run: Run, sounds: Path, place: Path) -> None:
    """Silent and damaged clips by name, with the reason; the others are used."""
    clips = place / "clips"
    for number in range(6):
        write_clip(clips / "happy" / f"{number}.wav", vowel(200 + number, 0.5))
        write_clip(clips / "sad" / f"{number}.wav", tone(100 + number, 0.5))
    write_clip(clips / "sad" / "silent.wav", 0 * noise(0.5))
    (clips / "happy" / "broken.wav").write_bytes(b"RIFF")
    code, _, err = run("adapt", clips, "--name", "mine")
    assert code == 0
    assert "skipped: clips/sad/silent" in err and "skipped: clips/happy/broken" in err
    assert read_metadata(place / "exported" / "mine.onnx").metrics["adapted"]["clips"] == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plain", "--base", "cnn"], "cnn stores no statistics"),
        (["nowhere"], "nowhere: no such file or folder"),
        (["labelled/calm"], "all clips are labelled calm"),
        (["labelled", "--labels", "calm,bored"], "no clip is labelled bored"),
        (["people"], "are its folders (anna, bert) labels?"),
        (["few"], "3 of 3 recordings can be used; statistics need 20"),
    ],
)
def test_what_cannot_be_done_is_an_error(
    run: Run, sounds: Path, place: Path, arguments: list[str], message: str
) -> None:
    """With exit code 1, and nothing is written."""
    for name in ("people/anna/a.wav", "people/bert/b.wav", "few/1.wav", "few/2.wav", "few/3.wav"):
        write_clip(sounds / name, vowel(150, 0.5))
    code, out, err = run("adapt", sounds / arguments[0], *arguments[1:], "--name", "mine")
    assert (code, out) == (1, "")
    assert message in err
    assert not Path("exported").exists()


def test_labels_that_cannot_be_shown_say_so(run: Run, place: Path) -> None:
    """And not that they are too long."""
    for name in ("a", "b"):
        write_clip(Path(f"{name}.wav"), vowel(150, 0.5))
    Path("t.csv").write_text("path,label\na.wav,calm\nb.wav,lo\x07ud\n")
    code, out, err = run("adapt", "t.csv", "--name", "mine")
    assert (code, out) == (1, "")
    assert "cannot be a label: at most 64 printable characters" in err and "hint: correct" in err


def test_the_word_for_low_confidence_is_no_label(run: Run, place: Path) -> None:
    """Its clips could not be distinguished from those; other labels can still be chosen."""
    for name in ("a", "b", "c"):
        write_clip(Path(f"{name}.wav"), vowel(150, 0.5))
    Path("t.csv").write_text("path,label\na.wav,calm\nb.wav,loud\nc.wav,Uncertain\n")
    code, out, err = run("adapt", "t.csv", "--name", "mine")
    assert (code, out) == (1, "")
    assert "uncertain cannot be a label" in err and "--labels" in err
    assert run("adapt", "t.csv", "--name", "mine", "--labels", "calm,loud")[0] == 0


@pytest.mark.parametrize("option", [[], ["--unlabelled"]])
def test_urls_are_not_taken_for_missing_folders(run: Run, place: Path, option: list[str]) -> None:
    """The error says that clips have to be files."""
    code, out, err = run("adapt", *option, "s3://calls/in/", "--name", "mine")
    assert (code, out) == (1, "")
    assert "is not on this machine" in err and "hint: copy them here" in err


def test_clips_that_cannot_be_used_are_named(run: Run, place: Path) -> None:
    """If none can, the first is named with the reason, and what to do."""
    for name in ("noise/1.wav", "clips/happy/2.wav", "clips/sad/3.wav"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("no sound")
    for folder, message in (
        ("noise", "0 of 1 recordings can be used; statistics need 20 or more; first: noise/1.wav"),
        ("clips", "no labelled clip can be used, of 2; first: clips/happy/2: "),
    ):
        code, out, err = run("adapt", folder, "--name", "mine")
        assert (code, out) == (1, "")
        assert message in err.replace(os.sep, "/")
        assert "hint: " in err


def test_tensorflow_is_not_loaded(
    sounds: Path, place: Path, python: str, python_path: dict[str, str]
) -> None:
    """Nor librosa, nor matplotlib, in a process that does nothing else."""
    code = (
        "import sys\n"
        "from emotool.cli import main\n"
        "try:\n    main(sys.argv[1:])\n"
        "except SystemExit as ended:\n    assert ended.code == 0\n"
        "heavy = {'tensorflow', 'keras', 'tf2onnx', 'librosa', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    command = [python, "-c", code, "adapt", sounds / "labelled", "--name", "mine"]
    done = subprocess.run(command, cwd=place, env=python_path, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_models_are_replaced_only_when_asked(run: Run, sounds: Path, place: Path) -> None:
    """Not even an adapted one, which may have taken hours of listening; and no built-in one."""
    assert run("adapt", sounds / "plain", "--name", "mine")[0] == 0
    before = Path("exported/mine.onnx").read_bytes()
    code, out, err = run("adapt", sounds / "labelled", "--name", "mine")
    assert (code, out) == (1, "")
    assert "mine.onnx exists already" in err and "--replace" in err
    assert Path("exported/mine.onnx").read_bytes() == before
    assert run("adapt", sounds / "labelled", "--name", "mine", "--replace")[0] == 0
    assert Path("exported/mine.onnx").read_bytes() != before
    code, _, err = run("adapt", sounds / "labelled", "--name", "whisper", "--replace")
    assert code == 1
    assert "built-in" in err
