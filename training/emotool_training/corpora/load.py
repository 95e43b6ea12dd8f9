"""Find the clips of every corpus in folders."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from emotool.errors import CorpusError
from emotool.inputs.corrections import is_corrections
from emotool.text import printable
from emotool_training.corpora import corrections, folder, manifest, registry
from emotool_training.corpora.base import Excluded, Problem, Utterance
from emotool_training.corpora.copies import one_copy_each, without_pointers
from emotool_training.corpora.index import CorpusIndex
from emotool_training.corpora.names import CorpusNames
from emotool_training.corpora.walk import LFS_HINT, audio_files

__all__ = ["data_roots", "load_corpora"]

SHOWN = 5  # reasons for which clips were left out
GET_CREMAD = (
    "name a folder of clips or set EMOTOOL_CORPUS; CREMA-D comes with `git lfs clone "
    "https://github.com/CheyneyComputerScience/CREMA-D` or as ejlok1/cremad on Kaggle"
)
_ROWS = (
    "each row names a clip and its label; paths are relative to the table's folder, those of "
    "corrections to the current one or to --root"
)


def data_roots(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Give the folders and manifests to read: those named, else those of ``$EMOTOOL_CORPUS``.

    Raises
    ------
    CorpusError
        If nothing is named, or something named does not exist; the hint names sources of data.
    """
    named = os.environ.get("EMOTOOL_CORPUS", "")
    roots = tuple(paths) or tuple(Path(part) for part in named.split(os.pathsep) if part)
    if not roots:
        raise CorpusError("no folder of labelled clips was named", hint=GET_CREMAD)
    for root in roots:
        try:
            usable = root.is_dir() or root.is_file()  # not a FIFO, which would wait for ever
        except OSError as error:
            raise CorpusError(f"{root}: cannot be read: {error.strerror}") from error
        if not usable:
            raise CorpusError(
                f"{root}: no such file or folder",
                hint="name a folder of labelled clips, or a CSV manifest",
            )
    return roots


def load_corpora(
    paths: Sequence[Path] = (), *, speaker_pattern: str | None = None, clips: str | None = None
) -> CorpusIndex:
    """Find every clip of every corpus below some folders.

    Parameters
    ----------
    paths : sequence of Path
        Folders, manifests (``.csv``) and tables of corrections; none means
        ``$EMOTOOL_CORPUS``. The order does not matter but for copies of one clip that lie equally
        well.
    speaker_pattern : str, optional
        A regular expression whose first group finds the speaker in the path of a clip that
        lies in a folder named by its label; see :mod:`emotool_training.corpora.folder`.
    clips : str, optional
        The folder of the clips that tables of corrections are about; the current one if not given.

    Returns
    -------
    CorpusIndex
        Clips, those left out, copies and problems.

    Raises
    ------
    CorpusError
        If there is nothing to read, or nothing usable in what there is.
    """
    problems: list[Problem] = []
    found: list[Utterance | Excluded] = []
    roots = data_roots(paths)
    if clips is not None and not any(is_corrections(str(root)) for root in roots):
        raise CorpusError(
            f"{roots[0]} is no table of corrections, which --root is for",
            hint="a manifest's paths are relative to its folder: leave out --root",
        )
    names = CorpusNames(registry.facts())
    finder = folder.Finder(names, speaker_pattern)
    for root in roots:
        if root.is_dir():
            found.extend(_read_folder(root, finder, problems))
        elif is_corrections(str(root)):
            found.extend(corrections.read(root, clips, names, finder, problems))
        else:
            found.extend(manifest.read(root, names, problems))
    finder.check_pattern()
    usable, pointers = without_pointers(found, problems)
    utterances, excluded, duplicates = one_copy_each(usable, problems)
    have = {clip.key for clip in utterances} | {clip.key for clip in excluded}
    for clip in pointers:
        message = f"a Git-LFS pointer, not audio: {LFS_HINT}"
        if clip.key not in have:  # an mp3 not fetched is no loss where the wav is there
            problems.append(Problem("git-lfs pointer", clip.path, message))
    if not utterances:
        raise _nothing_usable(roots, excluded, problems)
    problems.sort(key=lambda problem: (problem.kind, problem.path.as_posix()))
    return CorpusIndex(utterances, excluded, duplicates, tuple(problems), names.synonyms)


def _read_folder(
    root: Path, finder: folder.Finder, problems: list[Problem]
) -> Iterator[Utterance | Excluded]:
    """Recognise each audio file below a folder, by its name or else by its folder's."""
    left: list[Path] = []
    for path in audio_files(root, problems):
        finder.try_pattern(path.relative_to(root).as_posix())
        known = registry.parse(path)
        if known is not None:
            finder.note_known(path, root)
            yield known
        elif (clip := finder.parse(path, root)) is not None:
            yield clip
        else:
            left.append(path)
    for path in left:
        if (clip := finder.parse_free(path, root)) is not None:
            yield clip
        else:
            message = "its name fits no known corpus and it is in no folder of a label"
            problems.append(Problem("unrecognised", path, message))


def _nothing_usable(
    roots: Sequence[Path], excluded: Sequence[Excluded], problems: Sequence[Problem]
) -> CorpusError:
    """Say why folders with perhaps thousands of files hold no clip to train on."""
    where = ", ".join(str(root) for root in roots)
    pointers = sum(problem.kind == "git-lfs pointer" for problem in problems)
    if pointers:
        return CorpusError(
            f"{where}: all {pointers} clips are Git-LFS pointers, not audio", hint=LFS_HINT
        )
    seen = len(excluded) + len(problems)
    tables = all(map(Path.is_file, roots))
    if not seen and tables:
        return CorpusError(f"{where}: no row below the header", hint=_ROWS)
    if not seen:
        return CorpusError(f"{where}: no audio there", hint=GET_CREMAD)
    first = f"; first: {problems[0].path.name}: {problems[0].message}" if problems else ""
    if excluded:
        words = sorted({printable(clip.reason) for clip in excluded})
        first += f"; left out for {', '.join(words[:SHOWN])}{', …' if words[SHOWN:] else ''}"
    return CorpusError(
        f"{where}: none of {seen} {'rows' if tables else 'files'} is a clip with a label{first}",
        hint=_ROWS
        if tables
        else "put clips into folders named by label (happy/, sad/) or name a CSV manifest "
        "with the columns path and label",
    )
