"""Maps that are kept are those the network would make, and are made once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool.features.spec import SpectrogramSpec
from emotool_training import architectures
from emotool_training.augmentation.settings import Augmentation
from emotool_training.features import cache as feature_cache
from emotool_training.features.clips import TrainingClips, ValidationClips
from emotool_training.loop.feature_maps import FeatureMaps, FeatureMapSet
from emotool_training.network.split import split_backbone
from emotool_training.progress import Display
from emotool_training.recipes.recipe import Recipe
from emotool_training.recipes.settings import CachedFeatureMaps

pytestmark = pytest.mark.training

SPEC = SpectrogramSpec(window_seconds=0.6, n_mels=48)
LAYER = "conv2_block1_out"
PLAIN = Augmentation(
    pace=0.0, warp=0.0, tilt_db=0.0, response_db=0.0, gain_db=0.0, room_probability=0.0,
    noise_probability=0.0, mel_masks=0, time_masks=0, shift_seconds=0.0,
)  # fmt: skip
RECIPE = Recipe(
    "r",
    "resnet",
    spectrogram=SPEC,
    kept=CachedFeatureMaps(LAYER, copies=3),
    batch_size=2,
    label_smoothing=0.0,
)


@pytest.fixture(scope="module")
def model() -> Any:
    """Build a network cut behind its first block."""
    return architectures.build("resnet", ("happy", "sad"), SPEC, {"cut": LAYER, "projection": 4})


def clips(frames: int = SPEC.frames) -> TrainingClips:
    """Four clips of noise."""
    random = np.random.default_rng(1)
    images = [[random.normal(-40, 9, (SPEC.n_mels, frames)).astype(np.float16)] for _ in range(4)]
    names = [f"{number:064x}" for number in (7 << 224, 8 << 224, 9 << 224, 10 << 224)]
    return TrainingClips(images, np.array([0, 1, 0, 1]), ["a"] * 4, names)


def test_maps_are_the_networks_own(model: Any, tmp_path: Path) -> None:
    """Unaugmented copies give what the body makes of the clip's window."""
    recipe = replace(RECIPE, augmentation=PLAIN)
    parts = split_backbone(model, LAYER)
    kept = FeatureMaps(parts, recipe, tmp_path).training(clips(), Display(1))
    window = clips().images[0][0].astype(np.float32)
    window = np.maximum(window, window.max() - SPEC.top_db)
    maps, activity = parts.backbone(np.repeat(window[None], 3, 0))
    wanted = np.concatenate([maps.numpy()[0].ravel(), activity.numpy()[0]])
    assert len(kept.images[0]) == 3
    for copy in kept.images[0]:
        assert copy.dtype == np.float16
        assert np.allclose(copy, wanted, rtol=2e-3, atol=1e-3)


def test_copies_differ_and_are_the_same_again(model: Any, tmp_path: Path) -> None:
    """They depend on the clip and the copy's number; made anew they are the same to the bit."""
    parts = split_backbone(model, LAYER)
    one = FeatureMaps(parts, RECIPE, tmp_path / "a").training(clips(), Display(1))
    two = FeatureMaps(parts, RECIPE, tmp_path / "b").training(clips(), Display(1))
    assert np.array_equal(np.array(one.images), np.array(two.images))
    assert not np.array_equal(one.images[0][0], one.images[0][1])
    assert not np.array_equal(one.images[0][0], one.images[1][0])


def test_maps_are_made_once(model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second time they are read; a damaged entry is made again."""
    maker = FeatureMaps(split_backbone(model, LAYER), RECIPE, tmp_path)
    first = maker.training(clips(), Display(1))
    (entry, *_) = sorted(tmp_path.rglob("*.npz"))
    entry.write_bytes(entry.read_bytes()[:100])
    made = []
    real = FeatureMaps._maps
    monkeypatch.setattr(FeatureMaps, "_maps", lambda *a: made.append(1) or real(*a))
    again = maker.training(clips(), Display(1))
    assert len(made) == 1
    assert np.array_equal(np.array(first.images), np.array(again.images))


@pytest.mark.parametrize(
    "change", [{"kept": CachedFeatureMaps(LAYER, 2)}, {"augmentation": Augmentation(pace=0.1)}]
)
def test_other_settings_have_other_maps(model: Any, tmp_path: Path, change: dict[str, Any]) -> None:
    """Also other weights; but not another share of mixing, which comes later."""
    parts = split_backbone(model, LAYER)
    one = FeatureMaps(parts, RECIPE, tmp_path)._folder()
    assert FeatureMaps(parts, replace(RECIPE, **change), tmp_path)._folder() != one
    mixed = replace(RECIPE, augmentation=Augmentation(mixup_alpha=0.9))
    assert FeatureMaps(parts, mixed, tmp_path)._folder() == one
    other = architectures.build("resnet", ("happy", "sad"), SPEC, {"cut": LAYER, "projection": 4})
    assert FeatureMaps(split_backbone(other, LAYER), RECIPE, tmp_path)._folder() != one


def test_spectrograms_made_by_other_code_have_other_maps(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Maps are found by the audio file: what lies between must not have changed."""
    maker = FeatureMaps(split_backbone(model, LAYER), RECIPE, tmp_path)
    before = maker._folder()
    monkeypatch.setattr(feature_cache, "_FEATURE_CODE", ("emotool.errors",))
    assert maker._folder() != before


def test_batches_are_of_kept_copies(model: Any, tmp_path: Path) -> None:
    """Each row of a batch is one of its clip's copies, with the clip's label."""
    kept = FeatureMaps(split_backbone(model, LAYER), RECIPE, tmp_path).training(clips(), Display(1))
    data = FeatureMapSet(kept, RECIPE, 0)
    (first, *_) = data.epoch(0)
    windows, targets = (value.numpy() for value in first)
    for window, target in zip(windows, targets, strict=True):
        (owner,) = [
            place for place, copies in enumerate(kept.images)
            if any(np.array_equal(copy.astype(np.float32), window) for copy in copies)
        ]  # fmt: skip
        assert target[kept.targets[owner]] == 1


def test_validation_maps_are_those_of_its_windows(model: Any, tmp_path: Path) -> None:
    """As many as there are windows, unaltered."""
    random = np.random.default_rng(0)
    windows = [
        random.normal(-40, 9, (n, SPEC.n_mels, SPEC.frames)).astype(np.float32) for n in (1, 11)
    ]
    parts = split_backbone(model, LAYER)
    given = ValidationClips(windows, np.array([0, 1]), ["a", "a"])
    made = FeatureMaps(parts, RECIPE, tmp_path).validation(given)
    assert [len(array) for array in made.windows] == [1, 11]
    direct = model(windows[1])["logits"].numpy()
    assert np.allclose(parts.trainable(made.windows[1])["logits"].numpy(), direct, atol=0.02)
