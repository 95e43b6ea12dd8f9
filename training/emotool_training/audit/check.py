"""Check every clip of the corpora and collect problems."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from emotool.features.spec import SpectrogramSpec
from emotool_training.audit.decode import DecodeCheck, check_clips
from emotool_training.audit.report import Report, rows_by_corpus, rows_by_speaker
from emotool_training.corpora import CorpusIndex, Problem, Utterance, known_fault

__all__ = ["Report", "check"]


def check(
    index: CorpusIndex,
    spec: SpectrogramSpec | None = None,
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Decode every clip of the corpora and report.

    Parameters
    ----------
    index : CorpusIndex
        From :func:`emotool_training.corpora.load_corpora`.
    spec : SpectrogramSpec, optional
        The default one where not given.
    workers : int, optional
        Clips decoded at once; one per core where not given.
    progress : callable, optional
        Called with how many of how many clips are done.

    Returns
    -------
    Report
        Counts and durations of the clips, with all problems.
    """
    clips = index.utterances
    checks = check_clips(
        [clip.path for clip in clips], spec or SpectrogramSpec(), workers, progress
    )
    problems = [
        *index.problems,
        *_misnamed(clips),
        *(
            Problem(h.fault, clip.path, _with_known(clip, h))
            for clip, h in zip(clips, checks, strict=True)
            if h.fault
        ),
        *_same_sound(clips, checks),
    ]
    seconds = [h.duration_s for h in checks]
    left_out = Counter((clip.corpus, clip.reason) for clip in index.excluded)
    return Report(
        corpora=rows_by_corpus(clips, seconds),
        speakers=rows_by_speaker(clips, seconds),
        excluded=tuple((*who, count) for who, count in sorted(left_out.items())),
        copies=len(index.duplicates),
        problems=tuple(sorted(problems, key=lambda p: (p.kind, p.path.as_posix()))),
    )


def _misnamed(clips: Iterable[Utterance]) -> list[Problem]:
    """List files whose published name is wrong; they are read with the right one."""
    return [
        Problem("misnamed", clip.path, f"{fault}; read as {clip.key}")
        for clip in clips
        if (fault := known_fault(clip.corpus, clip.path)).startswith("misnamed")
    ]


def _with_known(clip: Utterance, check: DecodeCheck) -> str:
    """Add that a fault is the corpus's own, so that users do not look for it in their copy."""
    known = known_fault(clip.corpus, clip.path)
    return f"{check.message} (known: {known})" if known else check.message


def _same_sound(clips: Sequence[Utterance], checks: Sequence[DecodeCheck]) -> list[Problem]:
    """List clips whose samples equal those of an earlier one."""
    first: dict[str, Utterance] = {}
    problems = []
    for clip, h in zip(clips, checks, strict=True):
        other = first.setdefault(h.digest, clip) if h.digest else clip
        if other is not clip:
            but = "" if other.emotion == clip.emotion else f", which is labelled {other.emotion}"
            message = f"labelled {clip.emotion}, identical audio to {other.key}{but}"
            problems.append(Problem("same sound", clip.path, message))
    return problems
