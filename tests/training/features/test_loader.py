"""Features of a split's clips."""

import random
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the train extra")

from emotool_training.corpora import load_corpora
from emotool_training.features.cache import FeatureCache
from emotool_training.features.loader import FeatureLoader
from emotool_training.recipes.recipe import load_recipe
from tests.tiny_run import tiny_corpus, tiny_recipe
from tests.training.training_runs import Silent

pytestmark = pytest.mark.training


def test_gathering_leaves_random_numbers_to_the_networks(tmp_path: Path) -> None:
    """Weights are drawn before and after it: they must not depend on what is in the cache."""
    clips = load_corpora([tiny_corpus(tmp_path / "corpus", actors=2)]).utterances
    recipe = load_recipe(str(tiny_recipe(tmp_path / "tiny.json", variants={"count": 1})))
    for workers in (1, 2):
        cache = FeatureCache(tmp_path / f"cache{workers}", workers)
        gather = FeatureLoader(recipe, cache, Silent())
        before = random.getstate(), str(np.random.get_state())
        assert len(gather.training(clips)) == len(clips)
        assert (random.getstate(), str(np.random.get_state())) == before


def test_each_rejected_clip_is_told_once(tmp_path: Path) -> None:
    """Whenever it is met: those to train on before training, those to test on after it."""
    clips = load_corpora([tiny_corpus(tmp_path / "corpus", actors=2)]).utterances
    for clip in clips[::4]:
        clip.path.write_text("broken")
    recipe = load_recipe(str(tiny_recipe(tmp_path / "tiny.json")))
    display = Silent()
    gather = FeatureLoader(recipe, FeatureCache(tmp_path / "cache", workers=1), display)
    for part in (clips[:4], clips):
        gather.validation(part)
        gather.report_rejected()
    assert [text.split(":")[1].strip() for text in display.said] == [c.key for c in clips[::4]]
