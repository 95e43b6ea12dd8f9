"""Clips that a person has labelled in the report: a table of corrections."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from emotool.errors import CorpusError, InputError
from emotool.inputs.corrections import CANNOT_TELL, Correction, read_corrections
from emotool_training.corpora import registry
from emotool_training.corpora.base import Problem, Utterance
from emotool_training.corpora.folder import Finder
from emotool_training.corpora.names import CorpusNames, name_text

__all__ = ["read"]


def read(
    path: Path,
    clips: str | None,
    names: CorpusNames,
    finder: Finder,
    problems: list[Problem],
) -> Iterator[Utterance]:
    """Read a table of corrections; the person's labels are the true ones.

    Parameters
    ----------
    path : Path
        The table; see :mod:`emotool.inputs.corrections`.
    clips : str or None
        The folder that its paths are relative to; None for the current one.
    names : CorpusNames
        Names the corpus.
    finder : Finder
        Finds speakers in paths where the table has none.
    problems : list of Problem
        Rows without a decision or without a file, and replaced ones, are added here.

    Yields
    ------
    Utterance
        One per usable row.

    Raises
    ------
    CorpusError
        If the table cannot be read.
    """
    try:
        found = read_corrections(str(path), clips)
    except InputError as error:
        raise CorpusError(error.message, hint=error.hint) from error
    for shown in found.undecided:
        problems.append(Problem(CANNOT_TELL, Path(shown), f"no label in {path.name}"))
    for shown, why in found.lost:
        message = f"named in {path.name}: {why}; --root names the folder of the clips"
        problems.append(Problem("missing", Path(shown), message))
    if found.repeated:
        message = f"{found.repeated:,} of its rows are replaced by later rows about the same clip"
        problems.append(Problem("described twice", path, message))
    for one in found.usable:
        finder.try_pattern(one.shown)
        yield _clip(one, names.of(path), names.label(one.correction), finder)


def _clip(one: Correction, corpus: str, emotion: str, finder: Finder) -> Utterance:
    audio = Path(one.path)
    known = registry.parse(audio)
    key = f"{corpus}/{name_text(one.shown.removesuffix(audio.suffix))}"
    key = key if known is None else known.key
    if isinstance(known, Utterance):
        return replace(known, emotion=emotion)
    speaker = name_text(one.speaker) or finder.speaker(one.shown)
    return Utterance(
        key=key,
        path=audio,
        corpus=corpus,
        language="",
        speaker=f"{corpus}-{speaker}" if speaker else "",
        sex="unknown",
        emotion=emotion,
    )
