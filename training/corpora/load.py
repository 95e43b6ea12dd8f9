"""From folders to the clips of every corpus in them."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emotool.errors import CorpusError
from training.corpora import folder, manifest, registry
from training.corpora.base import Excluded, Problem, Utterance
from training.corpora.walk import LFS_HINT, audio_files, is_lfs_pointer, lossless_first

__all__ = ["CorpusIndex", "Duplicate", "data_roots", "load_corpora"]

GET_CREMAD = (
    "name a folder with --data or in EMOTOOL_CORPUS; CREMA-D comes with `git lfs clone "
    "https://github.com/CheyneyComputerScience/CREMA-D` or as ejlok1/cremad on Kaggle"
)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A second copy of a clip (another format or folder), left out in favour of ``kept``."""

    path: Path
    kept: Path


@dataclass(frozen=True, slots=True)
class CorpusIndex:
    """What was found below some folders; every audio file is in exactly one place.

    Parameters
    ----------
    utterances : tuple of Utterance
        The clips, sorted by key; no key twice.
    excluded : tuple of Excluded
        Clips left out on purpose (an emotion outside the six, song, video).
    duplicates : tuple of Duplicate
        Further copies of clips, left out.
    problems : tuple of Problem
        Files that no corpus claims, Git-LFS pointers, missing files, unreadable folders.
    """

    utterances: tuple[Utterance, ...]
    excluded: tuple[Excluded, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()
    problems: tuple[Problem, ...] = ()

    def with_labels(self, labels: Sequence[str]) -> "CorpusIndex":
        """Keep the utterances whose emotion is one of ``labels``; the rest stays as it is."""
        kept = tuple(u for u in self.utterances if u.emotion in labels)
        return replace(self, utterances=kept)


def data_roots(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Give the folders and manifests to read: those named, else those of ``$EMOTOOL_CORPUS``.

    Raises
    ------
    CorpusError
        If nothing is named, or something named does not exist; the hint says where to get data.
    """
    named = os.environ.get("EMOTOOL_CORPUS", "")
    roots = tuple(paths) or tuple(Path(part) for part in named.split(os.pathsep) if part)
    if not roots:
        raise CorpusError("no training data was named", hint=GET_CREMAD)
    for root in roots:
        if not root.exists():
            raise CorpusError(f"{root}: no such file or folder", hint=GET_CREMAD)
    return roots


def load_corpora(paths: Sequence[Path] = (), *, speaker_pattern: str | None = None) -> CorpusIndex:
    """Find every clip of every corpus below some folders.

    Parameters
    ----------
    paths : sequence of Path
        Folders, and manifests (``.csv``); none means ``$EMOTOOL_CORPUS``. The order does not
        matter but for copies of one clip that lie equally well.
    speaker_pattern : str, optional
        A regular expression whose first group finds the speaker in the path of a clip that
        lies in a folder named by its label; see :mod:`training.corpora.folder`.

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
    finder = folder.Finder(speaker_pattern)
    for root in roots:
        found.extend(_read_root(root, finder, problems))
    usable, pointers = _without_pointers(found, problems)
    utterances, excluded, duplicates = _one_copy_each(usable, problems)
    have = {clip.key for clip in utterances} | {clip.key for clip in excluded}
    for clip in pointers:
        message = f"a Git-LFS pointer, not audio: {LFS_HINT}"
        if clip.key not in have:  # an mp3 not fetched is no loss where the wav is there
            problems.append(Problem("git-lfs pointer", clip.path, message))
    if not utterances:
        raise _nothing_usable(roots, excluded, problems)
    problems.sort(key=lambda problem: (problem.kind, problem.path.as_posix()))
    return CorpusIndex(utterances, excluded, duplicates, tuple(problems))


def _read_root(
    root: Path, finder: folder.Finder, problems: list[Problem]
) -> Iterator[Utterance | Excluded]:
    """Read one folder or manifest."""
    if not root.is_dir():
        yield from manifest.read(root, problems)
        return
    for path in audio_files(root, problems):
        clip = registry.parse(path) or finder.parse(path, root)
        if clip is None:
            message = "its name fits no known corpus and its folder is not named by an emotion"
            problems.append(Problem("unrecognised", path, message))
        else:
            yield clip


def _without_pointers(
    found: Iterable[Utterance | Excluded], problems: list[Problem]
) -> tuple[list[Utterance | Excluded], list[Utterance | Excluded]]:
    """Part the clips into audio and Git-LFS pointers."""
    usable: list[Utterance | Excluded] = []
    pointers: list[Utterance | Excluded] = []
    for clip in found:
        try:
            (pointers if is_lfs_pointer(clip.path) else usable).append(clip)
        except OSError as error:
            problems.append(Problem("unreadable", clip.path, f"cannot be read: {error.strerror}"))
    return usable, pointers


def _one_copy_each(
    found: Iterable[Utterance | Excluded], problems: list[Problem]
) -> tuple[tuple[Utterance, ...], tuple[Excluded, ...], tuple[Duplicate, ...]]:
    """Keep one copy of each clip: the one whose format loses least, then the first by path."""
    copies: dict[str, list[Utterance | Excluded]] = defaultdict(list)
    for clip in _each_file_once(found, problems):
        copies[clip.key].append(clip)
    utterances: list[Utterance] = []
    excluded: list[Excluded] = []
    duplicates: list[Duplicate] = []
    for _, clips in sorted(copies.items()):
        kept, *others = sorted(clips, key=lambda clip: lossless_first(clip.path))
        if isinstance(kept, Utterance):
            utterances.append(kept)
        else:
            excluded.append(kept)
        duplicates += [Duplicate(other.path, kept.path) for other in others]
    return tuple(utterances), tuple(excluded), tuple(duplicates)


def _each_file_once(
    found: Iterable[Utterance | Excluded], problems: list[Problem]
) -> Iterator[Utterance | Excluded]:
    """Drop a file that was met before: through a link, or below two of the folders named.

    A file that a manifest and its own name, or two manifests, describe differently would have
    two speakers or two labels: the first description holds, and the other is a problem.
    """
    seen: dict[tuple[int, int], Utterance | Excluded] = {}
    for clip in found:
        status = clip.path.stat()
        first = seen.setdefault((status.st_dev, status.st_ino), clip)
        if first is clip:
            yield clip
        elif replace(clip, path=first.path) != first:
            message = f"described twice, and differently: taken as {first.key}, not {clip.key}"
            problems.append(Problem("described twice", clip.path, message))


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
    if not seen:
        return CorpusError(f"{where}: no audio there", hint=GET_CREMAD)
    first = f"; first: {problems[0].path.name}: {problems[0].message}" if problems else ""
    return CorpusError(
        f"{where}: none of {seen} files is a clip of a known corpus with one of the six "
        f"emotions{first}",
        hint="put clips into folders named by emotion (happy/, sad/) or name a CSV manifest "
        "with the columns path and emotion",
    )
