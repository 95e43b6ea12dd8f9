"""A model is asked about windows in batches, and each window gets what it would get alone."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from emotool.errors import ModelError
from emotool.features.spec import SpectrogramSpec
from emotool.run.inference import Windows
from tests.emotool.tiny_models import SMALL_SPEC, answer

Array = NDArray[np.float32]


class Noting:
    """A model that notes the batches it is given and fails on windows louder than a limit."""

    name, labels = "noting", ("happy", "sad")
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

    def run(self, log_mels: Array, outputs: Sequence[str]) -> dict[str, Array]:
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
    said = Windows(model, batch_size, embeddings=False).ask(sounds(7))
    np.testing.assert_array_equal(said, answer(sounds(7), 2))
    assert max(model.sizes) <= batch_size


def test_a_single_window_is_given_twice() -> None:
    """Runtimes compute a batch of one by other kernels, whose last bits differ."""
    model = Noting()
    said = Windows(model, 8, embeddings=False).ask(sounds(1))
    assert (said.shape, model.sizes) == ((1, 2), [2])


def test_windows_on_which_the_model_fails_cost_no_other_its_answer() -> None:
    """They get NaN, and why is known."""
    loud = sounds(6).max(axis=(1, 2))
    windows = Windows(Noting(float(loud[3])), 6, embeddings=False)
    said = windows.ask(sounds(6))
    np.testing.assert_array_equal(said[:4], answer(sounds(6), 2)[:4])
    assert np.isnan(said[4:]).all()
    assert windows.error == "too loud"


def test_probabilities_and_embedding_travel_as_one_row() -> None:
    """And are parted again, the embedding as bytes of float32."""
    windows = Windows(Noting(), 8, embeddings=True)
    assert (windows.labels, windows.width) == (2, 4)
    row = windows.ask(sounds(3))[1]
    probabilities, embedding = windows.parted(row)
    assert probabilities == tuple(answer(sounds(3), 2)[1].tolist())
    bands_and_frames = np.frombuffer(embedding, "<f4").tolist()
    assert bands_and_frames == [SMALL_SPEC.n_mels, SMALL_SPEC.frames]
    assert Windows(Noting(), 8, embeddings=False).parted(row[:2])[1] == b""


def test_an_answer_of_another_shape_is_refused() -> None:
    """Rows could not be told apart."""

    class Mistaken(Noting):
        def predict(self, log_mels: Array) -> Array:
            """Answer for one window less."""
            return answer(log_mels, 2)[1:]

    with pytest.raises(ModelError, match=r"noting answered 3 windows with an array of shape"):
        Windows(Mistaken(), 8, embeddings=False).ask(sounds(3))
