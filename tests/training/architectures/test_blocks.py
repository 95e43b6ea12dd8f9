"""Layers that all architectures share."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

import keras

from emotool_training.architectures.blocks import (
    Activity,
    Cutout,
    EvidenceHead,
    Normalise,
    SpectrogramImage,
    TimeStatistics,
    set_constants,
)
from emotool_training.architectures.blocks.image import CONTRAST, DELTA_GAIN
from emotool_training.architectures.blocks.projection import FrequencyProjection

pytestmark = pytest.mark.training


def images(count: int = 4, mels: int = 12, frames: int = 30) -> np.ndarray:
    """Spectrograms of nothing in particular, f32 [count, mels, frames] dB."""
    return np.random.default_rng(0).normal(-40, 15, (count, mels, frames)).astype(np.float32)


def normalised(kind: str, log_mel: np.ndarray) -> np.ndarray:
    """Run the layers on images, f32 [batch, mels, frames]."""
    activity = Activity()(log_mel)
    return Normalise(kind)(log_mel, activity).numpy()[..., 0]


def test_a_window_comes_to_mean_0_and_deviation_1_whatever_its_level() -> None:
    """A louder recording gives the same image."""
    log_mel = images()
    image = normalised("window", log_mel)
    assert np.allclose(image.mean((1, 2)), 0, atol=1e-5)
    assert np.allclose(image.std((1, 2)), 1, atol=1e-3)
    assert np.allclose(normalised("window", log_mel + 20), image, atol=1e-5)


def test_silence_behind_a_clip_does_not_matter_to_active_normalisation() -> None:
    """Padded frames are 0, and the others what they are without padding."""
    log_mel = images()
    padded = np.concatenate([log_mel, np.full_like(log_mel, -120.0)], axis=2)
    image = normalised("active", padded)
    assert np.allclose(image[:, :, :30], normalised("active", log_mel), atol=1e-5)
    assert not image[:, :, 30:].any()


@pytest.mark.parametrize("kind", ["window", "active", "constants"])
def test_an_image_of_one_colour_is_finite(kind: str) -> None:
    """Digital silence has no deviation to divide by."""
    assert np.isfinite(normalised(kind, np.full((1, 12, 30), -100, np.float32))).all()


def test_constants_are_the_training_sets() -> None:
    """Each mel by its own mean and deviation, which are weights of the model."""
    log_mel = keras.Input((12, 30))
    layer = Normalise("constants")
    model = keras.Model(log_mel, layer(log_mel, Activity()(log_mel)))
    batch = images(64)
    set_constants(model, batch.mean((0, 2)), batch.std((0, 2)))
    image = model(batch).numpy()[..., 0]
    assert np.allclose(image.mean((0, 2)), 0, atol=1e-4)
    assert np.allclose(image.std((0, 2)), 1, atol=1e-3)
    assert len(model.weights) == 2
    assert not model.trainable_weights


def headed(
    pooling: str, labels: int, projection: int = 0
) -> tuple[EvidenceHead, dict[str, np.ndarray], np.ndarray]:
    """Run a head with random weights on random features; also gives its features."""
    keras.utils.set_random_seed(1)
    random = np.random.default_rng(2)
    features = np.maximum(random.normal(size=(6, 3, 5, 8)), 0).astype(np.float32)
    activity = np.ones((6, 30), np.float32)
    activity[3:, 18:] = 0.0
    head = EvidenceHead(labels, dropout=0.5, pooling=pooling, projection=projection)
    outputs = head(features, activity)
    return head, {name: value.numpy() for name, value in outputs.items()}, features


@pytest.mark.parametrize(
    ("pooling", "projection"),
    [
        ("mean_max", 0),
        ("statistics", 0),
        ("statistics", 16),
        ("row_means", 16),
        ("row_statistics", 16),
    ],
)
@pytest.mark.parametrize("labels", [2, 6])
def test_the_evidence_sums_to_the_margin_of_the_logits(
    pooling: str, projection: int, labels: int
) -> None:
    """The map accounts for the whole of the predicted label's lead, biases apart."""
    head, outputs, _ = headed(pooling, labels, projection)
    kernel, bias = head.classifier.get_weights()
    logits = outputs["logits"] - bias
    assert np.allclose(outputs["embedding"] @ kernel, logits, atol=1e-5)
    predicted = outputs["logits"].argmax(1)
    chosen = logits[np.arange(6), predicted]
    margin = chosen - (logits.sum(1) - chosen) / (labels - 1)
    assert outputs["activation"].shape == (6, 3, 5)
    assert np.allclose(outputs["activation"].sum((1, 2)), margin, atol=5e-3)


@pytest.mark.parametrize(
    ("pooling", "projection"),
    [("mean_max", 0), ("statistics", 0), ("statistics", 16), ("row_means", 16)],
)
def test_taking_away_where_evidence_is_highest_lowers_the_label_most(
    pooling: str, projection: int
) -> None:
    """Blotting out the best place of each map costs the label more than an average place."""
    head, outputs, features = headed(pooling, 2, projection)
    activity = np.ones((6, 30), np.float32)
    outputs = {name: value.numpy() for name, value in head(features, activity).items()}
    predicted = outputs["logits"].argmax(1)

    def lead(changed: np.ndarray) -> Any:
        logits = head(changed, activity)["logits"].numpy()
        rows = np.arange(6)
        return logits[rows, predicted] - logits[rows, 1 - predicted]

    drops = np.zeros((6, 15), np.float32)
    for place in range(15):
        changed = features.copy().reshape(6, 15, 8)
        changed[:, place] = 0.0
        drops[:, place] = lead(features) - lead(changed.reshape(features.shape))
    best = outputs["activation"].reshape(6, 15).argmax(1)
    assert drops[np.arange(6), best].mean() > drops.mean() + drops.std()


def test_statistics_over_time_are_numpys_over_what_sounds() -> None:
    """Means and deviations of each row; silent frames hardly count."""
    features = np.random.default_rng(3).normal(size=(2, 3, 5, 4)).astype(np.float32)
    activity = np.ones((2, 10), np.float32)
    activity[:, 6:] = 0.0  # of the five places three sound
    pooled = TimeStatistics(deviations=True)(features, activity).numpy()
    assert pooled.shape == (2, 3, 1, 8)
    assert np.allclose(pooled[:, :, 0, :4], features[:, :, :3].mean(2), atol=5e-3)
    assert np.allclose(pooled[:, :, 0, 4:], features[:, :, :3].std(2), atol=0.02)
    alone = TimeStatistics(deviations=False)(features, activity).numpy()
    assert np.array_equal(alone, pooled[..., :4])


def test_a_projection_hears_at_which_frequency_a_feature_is() -> None:
    """The same features a row higher give another embedding; their mean over rows would not."""
    head, _, features = headed("statistics", 2, projection=16)
    activity = np.ones((6, 30), np.float32)
    moved = np.roll(features, 1, axis=1)
    before, after = (head(x, activity)["embedding"].numpy() for x in (features, moved))
    assert np.abs(before - after).max() > 0.01
    plain, _, _ = headed("statistics", 2)
    before, after = (plain(x, activity)["embedding"].numpy() for x in (features, moved))
    assert np.allclose(before, after, atol=1e-5)


def test_the_rows_of_a_projection_sum_to_it_whatever_its_normalisation_learnt() -> None:
    """Also where the shift alone makes a feature sound, and in no row beyond the whole."""
    keras.utils.set_random_seed(3)
    features = np.random.default_rng(4).normal(size=(2, 3, 5, 8)).astype(np.float32)
    layer = FrequencyProjection(16)
    layer(features)
    layer.normalise.beta.assign(np.linspace(-1, 2, 16))
    along, rows = (value.numpy() for value in layer(features))
    assert np.allclose(rows.sum(1), along, atol=1e-5)
    assert (rows >= 0).all()
    assert (rows <= along[:, None] + 1e-6).all()


def test_dropout_is_for_training_only() -> None:
    """Two predictions are equal, two training passes are not."""
    head, _, features = headed("mean_max", 2)
    activity = np.ones((6, 30), np.float32)
    logits = [head(features, activity, training=t)["logits"].numpy() for t in (0, 0, 1, 1)]
    assert np.array_equal(logits[0], logits[1])
    assert not np.array_equal(logits[2], logits[3])


def test_an_image_has_a_spectrogram_and_its_slopes_for_channels() -> None:
    """A ramp over time has a constant slope and no curvature; a constant has neither."""
    ramp = np.arange(30, dtype=np.float32)[None, None, :, None] * np.ones((1, 12, 1, 1), np.float32)
    image = SpectrogramImage("delta")(ramp).numpy()  # [1, 12, 30, 3]
    assert np.allclose(image[..., 0], CONTRAST * ramp[..., 0])
    inside = image[:, :, 8:-8]
    assert np.allclose(inside[..., 1], CONTRAST * DELTA_GAIN, rtol=1e-5)
    assert np.allclose(inside[..., 2], 0, atol=1e-3)
    flat = SpectrogramImage("delta")(np.ones_like(ramp)).numpy()
    assert np.allclose(flat[..., 1:], 0, atol=1e-4)


def test_slopes_are_those_of_librosa() -> None:
    """The oracle's filter, away from the edges, which it extends otherwise."""
    librosa = pytest.importorskip("librosa")
    noise = images(1)
    image = SpectrogramImage("delta")(noise[..., None]).numpy()[0]  # [12, 30, 3]
    wanted = librosa.feature.delta(noise[0], width=9)  # [12, 30]
    found = image[..., 1] / CONTRAST / DELTA_GAIN
    assert np.allclose(found[:, 4:-4], wanted[:, 4:-4], atol=1e-4)


def test_a_grey_image_has_three_equal_channels() -> None:
    """And other kinds are refused."""
    image = SpectrogramImage("grey")(images()[..., None]).numpy()
    assert np.array_equal(image[..., 0], image[..., 1])
    assert np.array_equal(image[..., 0], image[..., 2])
    with pytest.raises(ValueError, match="unknown channels"):
        SpectrogramImage("sepia")


def test_blots_are_patches_of_the_mean_and_only_in_training() -> None:
    """About the share asked for; whole patches; the rest is as it was."""
    image = np.ones((50, 64, 48, 1), np.float32)
    layer = Cutout(0.25)
    assert np.array_equal(layer(image).numpy(), image)
    blotted = layer(image, training=True).numpy()
    assert set(np.unique(blotted)) == {0.0, 1.0}
    assert (blotted == 0).mean() == pytest.approx(0.25, abs=0.05)
    patches = blotted.reshape(50, 4, 16, 4, 12).transpose(0, 1, 3, 2, 4).reshape(-1, 192)
    assert np.array_equal(patches.min(1), patches.max(1))


def test_rows_statistics_are_learnt_once_a_step() -> None:
    """The map that nobody looks at in training moves no running mean a second time."""
    head = EvidenceHead(2, 0.0, "row_means", 4)
    features = np.random.default_rng(0).normal(3, 1, (8, 4, 6, 5)).astype(np.float32)
    activity = np.ones((8, 12), np.float32)
    head(features, activity, training=True)
    norm = head.pooling.normalise
    step = 1 - norm.momentum
    wanted = step * features.mean((0, 2)).ravel()  # [h c]
    assert np.allclose(norm.moving_mean.numpy(), wanted, rtol=1e-2)


def test_a_map_of_width_one_is_multiplied_as_it_would_be_convolved() -> None:
    """The short cut of training gives the convolution's numbers, and so do its gradients."""
    import tensorflow as tf

    projection = FrequencyProjection(6)
    features = np.random.default_rng(2).normal(0, 1, (5, 4, 1, 7)).astype(np.float32)
    projection.build(features.shape)
    kernel = projection.convolve.kernel.value
    found = []
    for way in (projection.convolve, projection._multiply):
        with tf.GradientTape() as tape:
            made = way(features)
            loss = tf.reduce_sum(made**3)
        found.append((made.numpy(), tape.gradient(loss, kernel).numpy()))
    assert found[0][0].shape == (5, 1, 1, 6)
    for convolved, multiplied in zip(*found, strict=True):
        assert np.allclose(convolved, multiplied, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("width", "training", "multiplied"), [(1, True, 1), (1, False, 0), (3, True, 0)]
)
def test_only_statistics_in_training_are_multiplied(
    width: int, training: bool, multiplied: int
) -> None:
    """What is exported stays a convolution, which int8 knows."""
    counted: list[tuple[int, ...]] = []

    class Counting(FrequencyProjection):
        def _multiply(self, features: Any) -> Any:
            counted.append(tuple(features.shape))
            return super()._multiply(features)

    features = np.ones((2, 4, width, 5), np.float32)
    along, _ = Counting(6)(features, training=training)
    assert along.shape == (2, width, 6)
    assert len(counted) == multiplied
