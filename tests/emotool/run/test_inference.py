"""Windows are labelled in batches, several at once, and each gets what it would get alone."""

import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from emotool.errors import ModelError
from emotool.features.spec import SpectrogramSpec
from emotool.run.inference import ConcurrentCalls, WindowClassifier
from tests.emotool.tiny_models import SMALL_SPEC, answer

Array = NDArray[np.float32]
PATIENCE_S = 20.0


class Noting:
    """A model that notes the batches it is given and fails on windows louder than a limit."""

    name, labels = "noting", ("happy", "sad")
    dimensions: tuple[str, ...] = ()
    spec: SpectrogramSpec = SMALL_SPEC
    batch_size, batches_at_once = 8, 1

    def __init__(self, limit: float = 1e9) -> None:
        self.sizes: list[int] = []
        self._limit = limit

    def predict(self, log_mels: Array) -> Array:
        """Answer as the tiny model would."""
        self.sizes.append(len(log_mels))
        if (log_mels.max(axis=(1, 2)) > self._limit).any():
            raise ModelError("too loud")
        return answer(log_mels, 2)

    def run(
        self, log_mels: Array, outputs: Sequence[str], lengths: Sequence[int] = ()
    ) -> dict[str, Array]:
        """Give each window its number of frames and bands beside its probabilities."""
        shape = np.tile(np.float32(log_mels.shape[1:]), (len(log_mels), 1))  # [batch, 2]
        return {"probabilities": self.predict(log_mels), "embedding": shape}

    def embedding_size(self) -> int:
        """Two numbers."""
        return 2


def sounds(count: int) -> Array:
    """Make windows [count, n_mels, frames] of which each is louder than the one before."""
    shape = (count, SMALL_SPEC.n_mels, SMALL_SPEC.frames)
    quiet = np.random.default_rng(0).uniform(-80, -40, shape).astype(np.float32)
    return quiet + np.arange(count, dtype=np.float32)[:, None, None]


@pytest.mark.parametrize("batch_size", [2, 3, 5, 50])
def test_batches_change_no_answer(batch_size: int) -> None:
    """However many windows go in at once, each one's row is the same."""
    model = Noting()
    rows = WindowClassifier(model, batch_size, embeddings=False).predict(sounds(7))
    np.testing.assert_array_equal(rows, answer(sounds(7), 2))
    assert max(model.sizes) <= batch_size


def test_a_single_window_is_given_twice() -> None:
    """Runtimes compute a batch of one by other kernels, whose last bits differ."""
    model = Noting()
    rows = WindowClassifier(model, 8, embeddings=False).predict(sounds(1))
    assert (rows.shape, model.sizes) == ((1, 2), [2])


def test_windows_on_which_the_model_fails_cost_no_other_its_answer() -> None:
    """They get NaN, and why is known."""
    loud = sounds(6).max(axis=(1, 2))
    windows = WindowClassifier(Noting(float(loud[3])), 6, embeddings=False)
    rows = windows.predict(sounds(6))
    np.testing.assert_array_equal(rows[:4], answer(sounds(6), 2)[:4])
    assert np.isnan(rows[4:]).all()
    assert windows.error == "too loud"


def test_probabilities_and_embedding_travel_as_one_row() -> None:
    """And are split again, the embedding as bytes of float32."""
    windows = WindowClassifier(Noting(), 8, embeddings=True)
    assert (windows.n_labels, windows.width) == (2, 4)
    row = windows.predict(sounds(3))[1]
    probabilities, embedding, dimensions = windows.split(row)
    assert dimensions == ()
    assert probabilities == tuple(answer(sounds(3), 2)[1].tolist())
    bands_and_frames = np.frombuffer(embedding, "<f4").tolist()
    assert bands_and_frames == [SMALL_SPEC.n_mels, SMALL_SPEC.frames]
    assert WindowClassifier(Noting(), 8, embeddings=False).split(row[:2])[1] == b""


def test_an_answer_of_another_shape_is_refused() -> None:
    """Rows could not be told apart."""

    class Mistaken(Noting):
        def predict(self, log_mels: Array) -> Array:
            """Answer for one window less."""
            return answer(log_mels, 2)[1:]

    with pytest.raises(ModelError, match=r"noting answered 3 windows with an array of shape"):
        WindowClassifier(Mistaken(), 8, embeddings=False).predict(sounds(3))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_results_come_in_the_order_of_the_calls(count: int) -> None:
    """Also where later calls are done first."""

    def work(number: int) -> int:
        time.sleep(0.01 * (number % 3 == 0))
        return number

    found = []
    with ConcurrentCalls[int](count) as calls:
        for number in range(20):
            calls.submit(lambda number=number: work(number))  # type: ignore[misc]
            found += calls.ready()
        found += calls.remaining()
        assert list(calls.remaining()) == []
    assert found == list(range(20))


def test_as_many_calls_run_at_once_as_are_allowed() -> None:
    """Each of two calls waits for the other: one after the other, neither would end."""
    meeting = threading.Barrier(2)
    with ConcurrentCalls[int](2) as calls:
        for _ in range(2):
            calls.submit(lambda: meeting.wait(PATIENCE_S))
        assert sorted(calls.remaining()) == [0, 1]


def test_one_call_at_a_time_needs_no_thread() -> None:
    """The call runs where it is submitted."""
    with ConcurrentCalls[int](1) as calls:
        calls.submit(threading.get_ident)
        assert list(calls.ready()) == [threading.get_ident()]


def test_no_more_calls_wait_than_one_beyond_the_threads() -> None:
    """Pending calls hold memory, so `ready` waits for the first."""
    gate = threading.Event()
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        gate.wait(PATIENCE_S)
        return number

    with ConcurrentCalls[int](2) as calls:
        for number in range(2):
            calls.submit(lambda number=number: work(number))  # type: ignore[misc]
        assert list(calls.ready()) == []  # both are under way, and nobody has to wait
        calls.submit(lambda: work(2))
        threading.Timer(0.05, gate.set).start()
        first = next(calls.ready())
        assert (first, gate.is_set()) == (0, True)
        assert list(calls.remaining()) == [1, 2]
    assert sorted(started) == [0, 1, 2]


@pytest.mark.parametrize("count", [1, 3])
def test_what_a_call_raises_is_raised(count: int) -> None:
    """In order, where the results are read."""
    found = []

    def work() -> int:
        raise ValueError("no")

    with ConcurrentCalls[int](count) as calls:
        calls.submit(lambda: 1)
        with pytest.raises(ValueError, match="no"):
            calls.submit(work)
            for result in calls.remaining():
                found.append(result)
        found += calls.remaining()
    assert found == [1]


def test_leaving_early_cancels_what_has_not_started() -> None:
    """An error or Ctrl-C waits for the running calls, and for no other."""
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        time.sleep(0.05)
        return number

    with ConcurrentCalls[int](2) as calls:
        for number in range(40):
            calls.submit(lambda number=number: work(number))  # type: ignore[misc]
    assert len(started) < 40
