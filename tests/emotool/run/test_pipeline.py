"""Every clip gets one result, its own, in its turn, whatever happens to its neighbours."""

import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from emotool.errors import EmotoolError, ModelError
from emotool.features.extraction import extract
from emotool.features.spec import SpectrogramSpec
from emotool.features.windowing import cut_windows
from emotool.inputs.clips import Clip
from emotool.model.classifier import Classifier, load_classifier
from emotool.results.row import ClipResult
from emotool.run.options import Details
from emotool.run.pipeline import classify_clips
from emotool.workers.pool import PoolOptions, WorkerPool
from tests.emotool.misbehaving import COMMAND, ROOT
from tests.emotool.tiny_models import SMALL_SPEC, answer, write_tiny_model
from tests.synthesis import Samples, noise, tone, vowel, write_clip

TWO = PoolOptions(workers=2)
Array = NDArray[np.float32]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a model that tells clips apart."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="module")
def classifier(tiny: Path) -> Classifier:
    """Return a loaded model."""
    return load_classifier(tiny)


class Spoilt:
    """A classifier whose answers to some windows are spoilt."""

    name = "spoilt"
    labels = ("happy", "sad")
    dimensions: tuple[str, ...] = ()
    spec: SpectrogramSpec = SMALL_SPEC
    batch_size, batches_at_once = 8, 1

    def __init__(self, spoil: Callable[[Array, Array], Array]) -> None:
        self._spoil = spoil

    def predict(self, log_mels: Array) -> Array:
        """Answer as the tiny model would, spoilt."""
        return self._spoil(log_mels, answer(log_mels, 2))


def write(folder: Path, *sounds: Samples) -> list[Clip]:
    """Write sounds as files and describe them as clips."""
    found = []
    for index, sound in enumerate(sounds):
        path = write_clip(folder / f"{index:03}.wav", sound)
        found.append(Clip(index, path.name, str(path)))
    return found


def varied(count: int) -> list[Samples]:
    """Make sounds that all differ in loudness and length, so that rows can be told apart."""
    return [
        vowel(100 + index, 0.3 + 0.1 * (index % 13), amplitude=0.9 * 0.9**index)
        for index in range(count)
    ]


def alone(clip: Clip, classifier: Classifier) -> list[float]:
    """Work out a clip's probabilities the plain way: one window after the other."""
    windows = extract(clip.path, classifier.spec).windows
    rows = [classifier.predict(window[None])[0].astype(np.float64) for window in windows]
    return [float(value) for value in np.mean(rows, axis=0)]


def test_results_come_in_order_and_are_each_clips_own(
    tmp_path: Path, classifier: Classifier
) -> None:
    """Batched and parallel, each clip gets what it gets alone."""
    clips = write(tmp_path, *varied(40))
    results = list(classify_clips(clips, classifier, TWO))
    assert [result.index for result in results] == list(range(40))
    assert [result.shown for result in results] == [clip.shown for clip in clips]
    for clip, result in zip(clips, results, strict=True):
        assert result.probabilities == pytest.approx(alone(clip, classifier), abs=1e-6)
        assert result.confidence == max(result.probabilities)
        best = int(np.argmax(result.probabilities))
        assert (result.status, result.label) == ("ok", classifier.labels[best])
    assert len({result.probabilities for result in results}) == 40


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7, 500])
def test_results_do_not_depend_on_the_batch_size(
    tmp_path: Path, classifier: Classifier, batch_size: int
) -> None:
    """However windows are put together, the bits are the same: a resumed run depends on it."""
    clips = write(tmp_path, *varied(12), noise(3.3))
    usual = list(classify_clips(clips, classifier, TWO))
    assert list(classify_clips(clips, classifier, TWO, batch_size=batch_size)) == usual


def test_results_do_not_depend_on_how_many_batches_run_at_once(
    tmp_path: Path, classifier: Classifier, tiny: Path
) -> None:
    """Side by side or one after the other: the same bits, in the same order."""
    clips = write(tmp_path, *varied(30), noise(3.3))
    usual = list(classify_clips(clips, classifier, TWO))
    for threads in (2, 4):
        model = load_classifier(tiny, threads=threads)
        assert model.batches_at_once == threads
        for size in (1, 4):
            assert list(classify_clips(clips, model, TWO, batch_size=size)) == usual


def test_batches_do_run_side_by_side(tmp_path: Path) -> None:
    """Each of two batches waits for the other: one after the other, the run would not end."""
    meeting = threading.Barrier(2)

    def meet(log_mels: Array, probabilities: Array) -> Array:
        meeting.wait(20.0)
        return probabilities

    model = Spoilt(meet)
    model.batches_at_once = 2
    results = list(classify_clips(write(tmp_path, *[tone(440, 0.4)] * 4), model, TWO, batch_size=1))
    assert [result.status for result in results] == ["ok"] * 4


def test_model_is_given_as_many_windows_as_it_likes(tmp_path: Path) -> None:
    """Where nobody says otherwise, batches are of its own size; full but for the last."""
    sizes: list[int] = []

    def note(log_mels: Array, probabilities: Array) -> Array:
        sizes.append(len(log_mels))
        return probabilities

    model = Spoilt(note)
    model.batch_size = 3
    (result,) = classify_clips(write(tmp_path, noise(3.3)), model, TWO)
    assert result.status == "ok"
    assert len(sizes) > 1
    assert set(sizes[:-1]) == {3}


def test_model_never_sees_a_window_alone(tmp_path: Path) -> None:
    """Runtimes compute a batch of one by other kernels, whose last bits differ."""
    sizes: list[int] = []

    def note(log_mels: Array, probabilities: Array) -> Array:
        sizes.append(len(log_mels))
        return probabilities

    clips = write(tmp_path, *[tone(440, 0.4)] * 5)
    results = list(classify_clips(clips, Spoilt(note), TWO, batch_size=1))
    assert [result.status for result in results] == ["ok"] * 5
    assert sizes == [2] * 5


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(ROOT.glob("exported/*.onnx")), ids=lambda path: path.stem)
def test_exported_models_do_not_depend_on_the_batch(tmp_path: Path, path: Path) -> None:
    """With the models that we ship, the bits are the same in any company."""
    model = load_classifier(path, "cpu")
    clips = write(tmp_path, *varied(11))
    all_of_it = Details(segments=True, embeddings=True)
    for details in (Details(), all_of_it):
        usual = list(classify_clips(clips, model, TWO, batch_size=64, details=details))
        for batch_size in (1, 3, 4):
            again = classify_clips(clips, model, TWO, batch_size=batch_size, details=details)
            assert list(again) == usual
        assert list(classify_clips(clips[4:5], model, TWO, details=details)) == usual[4:5]
    plain = list(classify_clips(clips, model, TWO))
    assert [replace(row, segments=(), embedding=b"") for row in usual] == plain


def librosas_windows(librosa: Any, path: str, spec: SpectrogramSpec) -> list[Array]:
    """Make the windows [n_mels, frames] of a clip with librosa alone."""
    sizes = {"hop_length": spec.hop_length, "n_fft": spec.n_fft}
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # librosa's own, of what it imports
        sound, rate = librosa.load(path, sr=spec.sample_rate)
        sound, _ = librosa.effects.trim(
            sound, top_db=spec.trim_db, frame_length=spec.n_fft, hop_length=spec.hop_length
        )
        for window in cut_windows(sound, spec):
            power = librosa.feature.melspectrogram(y=window, sr=rate, n_mels=spec.n_mels, **sizes)
            found.append(librosa.power_to_db(power, top_db=spec.top_db))
    return found


@pytest.mark.slow
def test_fast_path_equals_the_notebooks(tmp_path: Path) -> None:
    """With ``cnn``, clips get what librosa and a bare session give one by one, within 1e-4."""
    librosa = pytest.importorskip("librosa", reason="needs the train extra")
    path = ROOT / "exported" / "cnn.onnx"
    model = load_classifier(path, "cpu")
    spec = model.spec
    clips = write(tmp_path, *varied(12), noise(4.2), vowel(180.0, 7.3))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for clip, result in zip(clips, classify_clips(clips, model, TWO), strict=True):
        answers = [
            session.run(["probabilities"], {"log_mel": window[None]})[0][0]
            for window in librosas_windows(librosa, clip.path, spec)
        ]
        np.testing.assert_allclose(result.probabilities, np.mean(answers, axis=0), atol=1e-4)


def test_a_clips_embedding_is_the_mean_over_its_windows(
    tmp_path: Path, classifier: Classifier
) -> None:
    """Each window has its own with segments; without a label there is none; labels stay."""
    clips = write(tmp_path, *varied(12), np.zeros(16000, np.float32))
    plain = list(classify_clips(clips, classifier, TWO))
    results = list(classify_clips(clips, classifier, TWO, details=Details(True, True)))
    assert [replace(row, segments=(), embedding=b"") for row in results] == plain
    assert (results[-1].status, results[-1].embedding) == ("silent", b"")
    for clip, result in zip(clips[:-1], results, strict=False):
        windows = extract(clip.path, classifier.spec).windows
        said = classifier.run(windows, ("embedding",))["embedding"]
        parts = [np.frombuffer(part.embedding, "<f4") for part in result.segments]
        np.testing.assert_allclose(parts, said, rtol=1e-6)
        mean = said.astype(np.float64).mean(axis=0)
        np.testing.assert_allclose(np.frombuffer(result.embedding, "<f4"), mean, rtol=1e-6)


def test_a_window_on_which_the_model_fails_costs_no_other_its_embedding(
    tmp_path: Path, classifier: Classifier
) -> None:
    """The clip fails, its neighbours are as they would be without it."""

    class Choking:
        name, labels, spec = "choking", classifier.labels, classifier.spec
        dimensions = classifier.dimensions
        batch_size, batches_at_once = classifier.batch_size, 1
        embedding_size = staticmethod(classifier.embedding_size)

        def run(self, log_mels: Array, outputs: Sequence[str]) -> dict[str, Array]:
            """Fail on what is loud."""
            if (log_mels.max(axis=(1, 2)) > loud).any():
                raise ModelError("too loud")
            return classifier.run(log_mels, outputs)

    clips = write(tmp_path, *varied(5))
    loud = sorted(extract(clip.path, classifier.spec).windows.max() for clip in clips)[-2]
    usual = list(classify_clips(clips, classifier, TWO, details=Details(embeddings=True)))
    results = list(classify_clips(clips, Choking(), TWO, details=Details(embeddings=True)))
    assert [row.status for row in results].count("failed") == 1
    for before, row in zip(usual, results, strict=True):
        if row.status == "failed":
            assert (row.error, row.embedding) == ("too loud", b"")
        else:
            assert replace(row, model="tiny") == before


def test_any_selection_gives_the_same_results(tmp_path: Path, classifier: Classifier) -> None:
    """What a clip gets does not depend on which others are there; indexes may have gaps."""
    clips = write(tmp_path, *varied(12))
    usual = list(classify_clips(clips, classifier, TWO))
    some = [clips[index] for index in (11, 3, 4, 8)]
    assert list(classify_clips(some, classifier, TWO)) == [usual[i] for i in (11, 3, 4, 8)]


def test_statuses_say_why_there_is_no_label(tmp_path: Path, classifier: Classifier) -> None:
    """Silence, a snippet, text and a known problem are rows among the others."""
    clips = write(tmp_path, tone(440), np.zeros(16000, np.float32), tone(440, 0.05), tone(440))
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    clips += [Clip(4, "text.wav", str(text)), Clip(5, "gone.wav", "gone.wav", "there is no file")]
    clips += [Clip(6, "again.wav", clips[0].path)]
    results = list(classify_clips(clips, classifier, TWO))
    statuses = ["ok", "silent", "too_short", "ok", "failed", "failed", "ok"]
    assert [result.status for result in results] == statuses
    assert [bool(result.error) for result in results] == [s != "ok" for s in statuses]
    assert [bool(result.label) for result in results] == [s == "ok" for s in statuses]
    assert results[1].duration_s == 1.0 and results[4].duration_s is None
    assert (results[5].stage, results[5].error) == ("open", "there is no file")
    assert {result.model for result in results} == {"tiny"}


def test_nothing_in_nothing_out(classifier: Classifier) -> None:
    """No clips give no results, and clips with problems need no worker."""
    assert list(classify_clips([], classifier, TWO)) == []
    problem = Clip(3, "x", "x", "it is a socket")
    assert [r.index for r in classify_clips([problem], classifier, TWO)] == [3]


def test_crashes_and_hangs_are_rows_among_good_ones(tmp_path: Path, classifier: Classifier) -> None:
    """The good clips around a culprit are labelled exactly as when it is not there."""
    clips = write(tmp_path, *varied(10))
    usual = list(classify_clips(clips, classifier, TWO))
    for index, name in ((2, "crash.wav"), (7, "hang.wav")):
        Path(clips[index].path).rename(tmp_path / name)
        clips[index] = Clip(index, name, str(tmp_path / name))
    options = PoolOptions(workers=2, timeout_s=0.5, command=COMMAND)
    results = list(classify_clips(clips, classifier, options))
    assert [result.stage for result in results if result.status == "failed"] == ["crash", "timeout"]
    good = [index for index in range(10) if index not in (2, 7)]
    assert [results[i] for i in good] == [usual[i] for i in good]


def test_clip_whose_worker_stumbled_is_not_counted_twice(
    tmp_path: Path, classifier: Classifier
) -> None:
    """Windows of a first, broken attempt do not enter the mean."""
    path = write_clip(tmp_path / "stumble.wav", np.concatenate([vowel(120, 40.0), noise(25.0)]))
    clip = Clip(0, "stumble.wav", str(path))
    (usual,) = classify_clips([clip], classifier, PoolOptions(workers=1))
    stumbling = PoolOptions(workers=1, command=COMMAND)
    assert list(classify_clips([clip], classifier, stumbling)) == [usual]
    assert (tmp_path / "stumble.wav.stumbled").exists()


def test_long_clip_is_the_mean_over_all_its_windows(tmp_path: Path, classifier: Classifier) -> None:
    """A recording that comes in many parts is labelled as if it came in one."""
    (clip,) = write(tmp_path, np.concatenate([vowel(120, 40.0), noise(30.0)]))
    (result,) = classify_clips([clip], classifier, TWO, batch_size=5)
    assert result.probabilities == pytest.approx(alone(clip, classifier), abs=1e-6)
    assert result.flags == ("long",)
    assert result.duration_s == pytest.approx(70.0)


def test_windows_the_model_fails_on_cost_their_own_clips(tmp_path: Path) -> None:
    """A batch that fails is tried in halves, until only the culprits are left without a label."""

    def fail_on_loud(log_mels: Array, probabilities: Array) -> Array:
        if (log_mels.max(axis=(1, 2)) > 0).any():
            raise ModelError("the model failed while running: overflow")
        return probabilities

    clips = write(tmp_path, *[tone(440, amplitude=0.9 if i == 5 else 1e-2) for i in range(9)])
    results = list(classify_clips(clips, Spoilt(fail_on_loud), TWO))
    assert [result.stage for result in results] == ["model" if i == 5 else "" for i in range(9)]
    assert "overflow" in results[5].error


def test_label_is_never_made_of_no_number(tmp_path: Path) -> None:
    """A model that answers NaN has not answered."""

    def spoil(log_mels: Array, probabilities: Array) -> Array:
        return np.full_like(probabilities, np.nan)

    (result,) = classify_clips(write(tmp_path, tone(440)), Spoilt(spoil), TWO)
    assert (result.status, result.stage, result.label) == ("failed", "model", "")


def test_model_that_loses_a_row_ends_the_run(tmp_path: Path) -> None:
    """Rows that cannot be told whose they are must not be handed out."""
    clips = write(tmp_path, *varied(5))
    lossy = Spoilt(lambda log_mels, probabilities: probabilities[1:])
    with pytest.raises(ModelError, match="array of shape"):
        list(classify_clips(clips, lossy, TWO))


def test_two_clips_of_one_index_are_refused(tmp_path: Path, classifier: Classifier) -> None:
    """Identity within a run must be unique, or results could be swapped."""
    (clip,) = write(tmp_path, tone(440))
    with pytest.raises(EmotoolError, match="two clips have the index 0"):
        list(classify_clips([clip, clip], classifier, PoolOptions(workers=1)))


def test_results_do_not_wait_for_a_slow_neighbour_to_be_recorded(
    tmp_path: Path, classifier: Classifier
) -> None:
    """While one clip hangs, those behind it are known and recorded, though not yet given out."""
    clips = write(tmp_path, *varied(6))
    hanging = Path(clips[0].path).rename(tmp_path / "hang.wav")
    clips[0] = Clip(0, "hang.wav", str(hanging))
    recorder = Recorder()
    options = PoolOptions(workers=2, timeout_s=1.0, command=COMMAND)
    results = list(classify_clips(clips, classifier, options, recorder=recorder))
    assert [result.index for result in results] == list(range(6))
    assert recorder.order[-1] == 0
    assert recorder.identities[0] and len(set(recorder.identities.values())) == 6
    assert recorder.idled


class Recorder:
    """Remembers what it hears."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self.identities: dict[int, str] = {}
        self.idled = False

    def record(self, result: ClipResult, identity: str) -> None:
        """Hear of a result."""
        self.order.append(result.index)
        self.identities[result.index] = identity

    def idle(self) -> None:
        """Hear that there is time."""
        self.idled = True


def test_closing_the_generator_ends_the_workers(
    tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller who has seen enough leaves no processes behind."""
    pools: list[WorkerPool] = []
    start = WorkerPool.start
    monkeypatch.setattr(
        WorkerPool, "start", lambda self, *rest: (pools.append(self), start(self, *rest))[1]
    )
    results = classify_clips(write(tmp_path, *varied(30)), classifier, TWO, batch_size=1)
    next(results)
    pids = pools[0].pids
    assert len(pids) == 2
    results.close()
    assert pools[0].pids == ()
    if os.name == "posix":
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


def test_scripts_need_no_main_guard(tmp_path: Path) -> None:
    """Workers never import the caller's script again: no guard, no endless forking."""
    write(tmp_path, *varied(3))
    model = write_tiny_model(tmp_path / "tiny.onnx")
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from emotool.inputs.clips import find_clips\n"
        "from emotool.model.classifier import load_classifier\n"
        "from emotool.run.pipeline import classify_clips\n"
        f"clips = find_clips([{str(tmp_path)!r}]).clips\n"
        f"for result in classify_clips(clips, load_classifier({str(model)!r})):\n"
        "    print(result.status)\n"
    )
    run = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (run.stdout, run.stderr) == ("ok\n" * 3, "")


def test_waiting_results_are_given_out_while_a_clip_hangs(
    tmp_path: Path, classifier: Classifier
) -> None:
    """Clips before a hanging one are seen at once, not when a batch is full."""
    clips = write(tmp_path, *varied(3))
    hanging = write_clip(tmp_path / "hang.wav", tone(440))
    clips.append(Clip(3, "hang.wav", str(hanging)))
    options = PoolOptions(workers=1, timeout_s=30, command=COMMAND)
    began = time.monotonic()
    results: Any = classify_clips(clips, classifier, options)
    assert [next(results).index for _ in range(3)] == [0, 1, 2]
    assert time.monotonic() - began < 20
    results.close()


def test_clip_that_the_workers_forget_ends_the_run(
    tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clip that was handed out and never answered is not passed over in silence."""
    run = WorkerPool.run

    def forgetful(self: WorkerPool, *arguments: Any) -> Any:
        answers = run(self, *arguments)
        yield from (answer for answer in answers if answer is None or answer.index != 2)

    monkeypatch.setattr(WorkerPool, "run", forgetful)
    results = classify_clips(write(tmp_path, *varied(5)), classifier, TWO)
    with pytest.raises(EmotoolError, match="have no result"):
        list(results)
