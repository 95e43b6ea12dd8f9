"""``emotool export`` from a run to a file that `classify` loads."""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.cli import main
from emotool.model.classifier import load_classifier
from tests.tiny_run import tiny_corpus, tiny_recipe

pytestmark = pytest.mark.training

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


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a tiny model; copy the run as an older one, and as that of another model."""
    base = tmp_path_factory.mktemp("export")
    tiny_corpus(base / "corpus")
    recipe = tiny_recipe(base / "tiny.json", epochs=1)
    options = ["--data", base / "corpus", "--cache", base / "cache", "--runs", base / "runs"]
    with pytest.raises(SystemExit) as ended:
        main([str(part) for part in ("train", recipe, *options, "--workers", "1")])
    assert ended.value.code == 0
    (run,) = (base / "runs" / "tiny").iterdir()
    shutil.copytree(run, run.with_name("20000101T000000Z"))
    other = base / "runs" / "other" / run.name
    shutil.copytree(run, other)
    config = json.loads((other / "config.json").read_text())
    config["recipe"]["name"] = "other"
    (other / "config.json").write_text(json.dumps(config))
    return base


def test_without_a_name_every_models_newest_run_is_exported(
    run: Run, base: Path, tmp_path: Path
) -> None:
    """Paths on stdout; parity, size and figures on stderr; the newest of two runs."""
    code, out, err = run("export", "--runs", base / "runs", "-o", tmp_path)
    assert code == 0, err
    assert out.split() == [str(tmp_path / "other.onnx"), str(tmp_path / "tiny.onnx")]
    assert err.count("parity with Keras") == 2
    newest = max(path.name for path in (base / "runs" / "tiny").iterdir())
    assert newest in err
    assert load_classifier(tmp_path / "tiny.onnx", device="cpu").labels == ("happy", "sad")
    assert (tmp_path / "tiny.md").read_text(encoding="utf-8").startswith("# tiny\n")


def test_a_run_and_a_form_may_be_chosen(run: Run, base: Path, tmp_path: Path) -> None:
    """The folder of an older run; weights stored as float16, and the file says so."""
    oldest = min((base / "runs" / "tiny").iterdir())
    code, out, err = run("export", oldest, "--storage", "float16", "-o", tmp_path)
    assert code == 0, err
    assert out.split() == [str(tmp_path / "tiny.onnx")]
    assert oldest.name in err
    assert "float16" in load_classifier(tmp_path / "tiny.onnx", device="cpu").metadata.notes


def test_a_recipes_file_stands_for_its_model(run: Run, base: Path, tmp_path: Path) -> None:
    """As it does for `emotool train`, which a model without runs is to be trained by."""
    code, out, err = run("export", base / "tiny.json", "--runs", base / "runs", "-o", tmp_path)
    assert (code, out.split()) == (0, [str(tmp_path / "tiny.onnx")]), err
    recipe = tiny_recipe(tmp_path / "new.json")
    code, out, err = run("export", recipe, "--runs", base / "runs", "-o", tmp_path)
    assert (code, out) == (1, "")
    assert "there is no finished run of 'new'" in err
    assert f"emotool train {recipe}" in err
    _, _, err = run("export", "nosuch", "--runs", base / "runs", "-o", tmp_path)
    assert "hint: models with finished runs: other, tiny" in err


def test_folder_that_is_no_run_is_told_from_a_model(
    run: Run, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint names a run in the folder of a model's runs, and never a folder to train."""
    monkeypatch.chdir(base)
    newest = max((base / "runs" / "tiny").iterdir()).relative_to(base)
    for folder, hint in [("runs/tiny", f"such as {newest}"), ("runs", "name a run's own folder")]:
        code, out, err = run("export", folder, "--runs", tmp_path, "-o", tmp_path / "out")
        assert (code, out) == (1, "")
        assert hint in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nosuch"], 1, "there is no finished run of 'nosuch'"),
        (["--storage", "int4"], 2, "choose one of float32, float16, int8"),
        (["--runs", "nowhere"], 1, "there is no finished run in nowhere"),
        (["tiny", "--data", "nowhere"], 1, "nowhere: no such file or folder"),
    ],
)
def test_mistakes_are_one_clear_line(
    run: Run, base: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    """Nothing is written, nothing is on stdout, no traceback."""
    options = ["--runs", base / "runs", "-o", tmp_path / "out"]
    ended, out, err = run("export", *options, *arguments)
    assert (ended, out) == (code, "")
    assert message in err
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_model_is_replaced_only_when_asked(run: Run, base: Path, tmp_path: Path) -> None:
    """Not even by the same run; a file that is no model stays, too."""
    place = tmp_path / "out"
    options = ["--runs", base / "runs", "-o", place]
    assert run("export", "tiny", *options)[0] == 0
    before = (place / "tiny.onnx").read_bytes()
    code, out, err = run("export", "tiny", *options, "--storage", "float16")
    assert (code, out) == (1, "")
    assert "tiny.onnx exists already" in err and "--replace" in err
    assert (place / "tiny.onnx").read_bytes() == before
    assert run("export", "tiny", *options, "--name", "second")[0] == 0
    assert load_classifier(place / "second.onnx", device="cpu").name == "second"
    assert run("export", "tiny", *options, "--storage", "float16", "--replace")[0] == 0
    assert (place / "tiny.onnx").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["tiny", "--name", "cnn"], 1, "cnn is the name of a built-in model"),
        (["tiny", "--name", "a/b"], 1, "is not a valid model name"),
        (["--name", "one"], 2, "name the one run"),
    ],
)
def test_names_that_cannot_be_are_refused(
    run: Run, base: Path, tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    """Nothing is written under them."""
    ended, out, err = run("export", "--runs", base / "runs", "-o", tmp_path / "out", *arguments)
    assert (ended, out) == (code, "")
    assert message in err
    assert not (tmp_path / "out").exists()


def test_the_way_to_use_a_model_is_said(
    run: Run, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name where that finds it, its path where the name means a built-in model."""
    monkeypatch.chdir(tmp_path)
    _, _, err = run("export", "tiny", "--runs", base / "runs")
    assert "use it with: --model tiny\n" in err
    likewise = tmp_path / "runs" / "cnn" / "20300101T000000Z"
    shutil.copytree(max((base / "runs" / "tiny").iterdir()), likewise)
    config = json.loads((likewise / "config.json").read_text())
    config["recipe"]["name"] = "cnn"
    (likewise / "config.json").write_text(json.dumps(config))
    code, out, err = run("export", "cnn")
    assert (code, out.strip()) == (0, str(Path("exported", "cnn.onnx"))), err
    assert f"use it with: --model {Path('exported', 'cnn.onnx')} (cnn alone is" in err
    sha256 = load_classifier("cnn", device="cpu").sha256
    assert sha256 != load_classifier(out.strip(), device="cpu").sha256


def test_training_names_a_model(run: Run, base: Path, tmp_path: Path) -> None:
    """`--name` is what its runs and its exported file are called; it can be gone on with, too."""
    data = ["--data", base / "corpus", "--cache", base / "cache", "--runs", tmp_path / "runs"]
    recipe = base / "tiny.json"
    code, out, err = run("train", recipe, "--name", "mine", *data, "--workers", "1")
    assert code == 0, err
    folder = Path(out.strip())
    assert folder.parent == tmp_path / "runs" / "mine"
    (folder / "metrics.json").unlink()
    code, out, err = run("train", recipe, "--name", "mine", "--resume", *data, "--workers", "1")
    assert (code, out.strip()) == (0, str(folder)), err
    code, out, err = run("export", "mine", "--runs", tmp_path / "runs", "-o", tmp_path / "out")
    assert (code, out.split()) == (0, [str(tmp_path / "out" / "mine.onnx")]), err
    code, _, err = run("train", recipe, "--name", "cnn6", *data)
    assert code == 1
    assert "cnn6 is the name of a built-in model" in err
