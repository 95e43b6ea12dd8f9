"""Which clips train, which validate, which test; speakers on one side by default."""

from emotool_training.splits.base import NOT_COMPARABLE, SHARE, SUBSETS, Split, make_split
from emotool_training.splits.clips import split_clips
from emotool_training.splits.folds import (
    ANOTHER_CORPUS,
    PROTOCOLS,
    fold_numbers,
    folds_from_csv,
)
from emotool_training.splits.speakers import cremad_split, kfold_speakers, split_speakers

__all__ = [
    "ANOTHER_CORPUS",
    "NOT_COMPARABLE",
    "PROTOCOLS",
    "SHARE",
    "SUBSETS",
    "Split",
    "cremad_split",
    "fold_numbers",
    "folds_from_csv",
    "kfold_speakers",
    "make_split",
    "split_clips",
    "split_speakers",
]
