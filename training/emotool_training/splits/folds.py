"""Read folds from a CSV, so that every model and figure is tested on the same clips.

The CSV has the columns ``file`` (``corpus/name``; in folders of one's own the folder is part of
the name, ``mine/happy/01``), ``speaker``, ``new_speakers_fold`` and ``random_clips_fold``. A second
one, with ``fold`` and ``speaker``, lists the validation speakers.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from emotool.errors import CorpusError
from emotool.text import path_text
from emotool_training.corpora import Utterance, facts, key_of
from emotool_training.splits.base import Split, make_split, require_speakers
from emotool_training.splits.draw import deal_speakers, take_clips

__all__ = ["ANOTHER_CORPUS", "PROTOCOLS", "VALIDATION_SHARE", "fold_numbers", "folds_from_csv"]

ANOTHER_CORPUS = "another_corpus"
"""The protocol whose folds are the corpora that have a fold of new speakers, sorted by name."""

PROTOCOLS = ("new_speakers", "random_clips", ANOTHER_CORPUS)
VALIDATION_SHARE = 0.125
"""Share of the training clips that validates by default: an eighth."""


def fold_numbers(path: Path, protocol: str = "new_speakers") -> tuple[int, ...]:
    """Give the numbers of the folds in a CSV, sorted.

    Raises
    ------
    CorpusError
        If the CSV cannot be used.
    """
    return tuple(
        sorted({fold for fold in _read_folds(path, protocol).values() if fold is not None})
    )


def folds_from_csv(
    utterances: Sequence[Utterance],
    path: Path,
    *,
    fold: int,
    protocol: str = "new_speakers",
    validation_speakers: Path | None = None,
    seed: int = 0,
) -> Split:
    """Split by a CSV's folds: one fold tests, the others train.

    Parameters
    ----------
    utterances : sequence of Utterance
        The clips. Those without a fold in the CSV, or not in it, always train.
    path : Path
        The folds.
    fold : int
        Which one tests.
    protocol : str
        ``new_speakers`` keeps speakers apart; ``another_corpus`` tests on a whole corpus, the
        fold's number being its place among those that the CSV tests; ``random_clips`` shares
        speakers, so that its figures are not comparable, and an eighth of its training clips,
        stratified, validates.
    validation_speakers : Path, optional
        Who validates in each fold of ``new_speakers``; those of its first fold validate for
        ``another_corpus``. Else an eighth of the training clips' speakers is drawn.
    seed : int
        For what is drawn.

    Raises
    ------
    CorpusError
        If a CSV cannot be used or names all clips of one's own otherwise than they are named,
        the fold has no clip here, or a speaker is on two sides.
    """
    folds = _read_folds(path, protocol)
    if fold not in folds.values():
        known = ", ".join(str(number) for number in fold_numbers(path, protocol))
        raise CorpusError(f"{path}: there is no {protocol} fold {fold}; there is {known}")
    _check_names(utterances, folds, path)
    whole = protocol == ANOTHER_CORPUS
    if whole:  # clips that the CSV does not list are of their corpus too
        numbers = {key.partition("/")[0]: number for key, number in folds.items()}
        folds = {clip.key: numbers.get(clip.corpus) for clip in utterances}
    test = [clip for clip in utterances if folds.get(clip.key) == fold]
    others = [clip for clip in utterances if folds.get(clip.key) != fold]
    name = f"{protocol} fold {fold} of {path_text(path.name)}"
    if protocol == "random_clips":
        # What has no fold always trains; the rest gives an eighth to validation.
        fixed = [clip for clip in others if folds.get(clip.key) is None]
        free = [clip for clip in others if folds.get(clip.key) is not None]
        held, train = take_clips(free, VALIDATION_SHARE, seed)
        return make_split("folds", (train + fixed, held, test), name, comparable=False)
    require_speakers(utterances)
    if validation_speakers is None:
        train, held = deal_speakers(others, (1 - VALIDATION_SHARE, VALIDATION_SHARE), seed)
    else:
        speakers = _read_validation(validation_speakers, 0 if whole else fold)
        held = [clip for clip in others if clip.speaker in speakers]
        train = [clip for clip in others if clip.speaker not in speakers]
    return make_split("folds", (train, held, test), name)


def _read_folds(path: Path, protocol: str) -> Mapping[str, int | None]:
    """Give each clip's fold by key; None where it always trains."""
    if protocol not in PROTOCOLS:
        raise CorpusError(f"unknown protocol {protocol!r}; there is {' and '.join(PROTOCOLS)}")
    column = "new_speakers_fold" if protocol == ANOTHER_CORPUS else f"{protocol}_fold"
    folds: dict[str, int | None] = {}
    for line, row in enumerate(_read_csv(path, ("file", column)), start=2):
        corpus, _, name = row["file"].partition("/")
        number = row[column]
        if not name or not (number == "" or number.isdecimal()):
            raise CorpusError(f"{path}, line {line}: expected corpus/name and a fold's number")
        folds[key_of(corpus, name)] = int(number) if number else None
    return _by_corpus(folds) if protocol == ANOTHER_CORPUS else folds


def _by_corpus(folds: Mapping[str, int | None]) -> Mapping[str, int | None]:
    """Return each clip's corpus as a number, counted over the corpora that have folds."""
    tested = sorted({key.partition("/")[0] for key, fold in folds.items() if fold is not None})
    numbers = {corpus: number for number, corpus in enumerate(tested)}
    return {key: numbers.get(key.partition("/")[0]) for key in folds}


def _check_names(
    utterances: Sequence[Utterance], folds: Mapping[str, int | None], path: Path
) -> None:
    """Refuse folds of one's own clips that name none of those here: all of them would train."""
    tested = [key for key, fold in folds.items() if fold is not None]
    for corpus in sorted({clip.corpus for clip in utterances} - facts().keys()):
        here = {clip.key for clip in utterances if clip.corpus == corpus}
        named = [key for key in tested if key.startswith(f"{corpus}/")]
        if named and here.isdisjoint(named):
            raise CorpusError(
                f"{path}: none of its {len(named)} clips of {corpus} is here, such as {named[0]}",
                hint=f"one that is here is named {min(here)}",
            )


def _read_validation(path: Path, fold: int) -> frozenset[str]:
    """Give the speakers that validate in a fold."""
    rows = _read_csv(path, ("fold", "speaker"))
    speakers = frozenset(row["speaker"] for row in rows if row["fold"] == str(fold))
    if not speakers:
        raise CorpusError(f"{path}: names no validation speaker for fold {fold}")
    return speakers


def _read_csv(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Read a table that must have some columns."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle, restval="")
            missing = [name for name in columns if name not in (reader.fieldnames or ())]
            if missing:
                raise CorpusError(f"{path}: lacks the column {' and '.join(missing)}")
            return [{name: row[name].strip() for name in columns} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read as a CSV: {error}") from error
