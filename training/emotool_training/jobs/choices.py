"""What someone chose on the command line, kept with a run so that it can be resumed."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotool.errors import TrainingError
from emotool.files.validation import validate
from emotool_training.corpora import data_roots
from emotool_training.network.pretrained import IMAGENET, NONE, WHISPER
from emotool_training.recipes.recipe import Recipe, load_recipe
from emotool_training.splits import SHARE

__all__ = ["Choices"]

PLACES = ("data", "folds", "validation_speakers", "weights")
"""Choices that say where something is, not what it is: it may have moved since."""

WORDS = (None, IMAGENET, WHISPER, NONE)
"""Weights that are no file."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Choices that decide what a run computes; None where nothing was chosen.

    Attributes
    ----------
    data : tuple of str
        Folders and manifests; none means ``$EMOTOOL_CORPUS``.
    speaker_pattern : str or None
        Finds the speaker in a path (`emotool_training.corpora.load_corpora`).
    labels : tuple of str or None
        Labels to distinguish, instead of the recipe's.
    epochs : int or None
        Instead of the recipe's.
    seed : int or None
        Of weights, order, augmentation and dropout; 0 if not chosen.
    split : str or None
        One of `emotool_training.jobs.splitting.SPLITS`; ``folds`` if a CSV of folds is named, else
        ``speakers``.
    split_seed : int or None
        Of splits that are drawn; 0 if not chosen. Another ``seed`` trains on the same clips.
    folds : str or None
        A CSV of folds.
    fold : int or None
        Which fold tests.
    validation_speakers : str or None
        A CSV of the folds' validation speakers; the file of that name beside the folds, if
        there is one.
    validation_share, test_share : float or None
        Shares of the clips, where a split is drawn; 0.15 if not chosen.
    withhold_test : bool or None
        Leave the test clips alone, as one should while choosing a recipe.
    weights : str or None
        What an architecture that can be pretrained starts from
        (`emotool_training.network.pretrained`); the architecture's own if not chosen.
    name : str or None
        What to call the model, instead of the recipe's name.
    """

    data: tuple[str, ...] = ()
    speaker_pattern: str | None = None
    labels: tuple[str, ...] | None = None
    epochs: int | None = None
    seed: int | None = None
    split: str | None = None
    split_seed: int | None = None
    folds: str | None = None
    fold: int | None = None
    validation_speakers: str | None = None
    validation_share: float | None = None
    test_share: float | None = None
    withhold_test: bool | None = None
    weights: str | None = None
    name: str | None = None

    @classmethod
    def from_dict(cls, values: Any) -> "Choices":
        """Read choices back from a run's config.

        Raises
        ------
        TrainingError
            If a choice is missing, unknown or ill-typed.
        """
        if isinstance(values, dict):  # a run of before models had names of their own
            values = {"name": None, **values}
        # Paths may hold bytes that are no text (\\udcNN), of which JSON for pydantic has none.
        plain = json.loads(json.dumps(values, ensure_ascii=False).encode(errors="replace"))
        validate(cls, plain, "config.json: choices", TrainingError, complete=True)
        lists: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in values.items()
        }
        return cls(**lists)

    @property
    def kind_of_split(self) -> str:
        """The split chosen, or what follows from the folds."""
        return self.split or ("folds" if self.folds else "speakers")

    def settled(self) -> "Choices":
        """Name every place in full, so that the run can be resumed from anywhere.

        Links stay links: what a manifest names lies beside the link.
        """
        roots = data_roots([Path(path) for path in self.data])
        named = self.validation_speakers or _beside(self.folds)
        return dataclasses.replace(
            self,
            data=tuple(str(root.absolute()) for root in roots),
            folds=_absolute(self.folds),
            validation_speakers=_absolute(named),
            weights=self.weights if self.weights in WORDS else _absolute(self.weights),
        )

    def merged(self, now: "Choices") -> "Choices | None":
        """Take a run's choices, places as named now; None if another choice is made now."""
        changed: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            chosen = getattr(now, field.name)
            if chosen in (None, ()):
                continue
            if field.name in PLACES:
                changed[field.name] = chosen
            elif chosen != self._in_effect(field.name):
                return None
        speakers = self.validation_speakers
        if speakers and not now.validation_speakers and not Path(speakers).is_file():
            changed["validation_speakers"] = _beside(now.folds) or speakers
        return dataclasses.replace(self, **changed)

    def _in_effect(self, name: str) -> Any:
        """Return a choice, or what holds where nothing was chosen."""
        drawn = self.folds is None and self.fold is None and self.split != "cremad"
        defaults: dict[str, Any] = {"seed": 0, "split_seed": 0, "split": self.kind_of_split}
        if drawn:
            defaults |= {"validation_share": SHARE, "test_share": SHARE}
        chosen = getattr(self, name)
        return defaults.get(name) if chosen is None else chosen

    def recipe(self, name: str) -> Recipe:
        """Load the recipe ``name`` with the name, labels and epochs chosen."""
        recipe = load_recipe(name)
        if self.name is not None:
            recipe = dataclasses.replace(recipe, name=self.name)
        if self.labels is not None:
            recipe = dataclasses.replace(recipe, labels=self.labels)
        if self.epochs is not None:
            recipe = dataclasses.replace(recipe, epochs=self.epochs)
        if len(recipe.labels) < 2 or len(set(recipe.labels)) < len(recipe.labels):
            raise TrainingError(f"two different labels are needed, got {', '.join(recipe.labels)}")
        return recipe


def _beside(folds: str | None) -> str | None:
    """Find the file of validation speakers beside a CSV of folds, if there is one."""
    if folds is None:
        return None
    path = Path(folds).parent / "validation_speakers.csv"
    return str(path) if path.is_file() else None


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path(path).absolute())
