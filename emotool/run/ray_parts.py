"""The parts of a run on Ray: a folder beside the output, until it is complete."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from emotool.errors import InputError, OutputError
from emotool.files.remote import is_remote
from emotool.inputs.clips import Clip, Found
from emotool.inputs.shards import Portion, Shard, plan_sha256, portion_of
from emotool.model.catalog import find_model
from emotool.model.classifier import load_classifier
from emotool.model.session import threads_for
from emotool.run.options import Output, RunOptions
from emotool.run.origin import origin_of
from emotool.run.part import is_complete, planned_record, read_record, record_place
from emotool.run.parts import Part, find_parts
from emotool.run.ray_cluster import Share
from emotool.text import printable

__all__ = ["PartFolder"]

_SUFFIX: Final = ".jsonl"  # holds all that rows can have, and needs no package
_CLIPS: Final = 2_000  # most in a part
_USUAL_CLIPS: Final = 1_000  # at least, if all slots have one: starting costs that of 60 clips
_FEWEST_CLIPS: Final = 250  # in a part, unless it is the only one
_PARTS_PER_SLOT: Final = 4  # at most in a small run; a large one has parts of `_CLIPS`


class PartFolder:
    """The parts of a run, in a folder beside its first output.

    Parameters
    ----------
    output : Path
        The output.
    options : RunOptions
        What the run does.
    found : Found
        The inputs.

    Attributes
    ----------
    labels : tuple of str
        The model's labels.

    Raises
    ------
    EmotoolError
        If the model cannot be loaded, or the folder not be made.
    """

    def __init__(self, output: Path, options: RunOptions, found: Found) -> None:
        self._folder = output.with_name(output.name + ".parts")
        self._options, self._found = options, found
        self._model = find_model(options.model)
        classifier = load_classifier(options.model, "cpu", 1)
        self.labels = classifier.labels
        self._origin = origin_of(options, classifier)
        self._plan = plan_sha256(found.clips, options.manifest)
        self._count = 1

    def prepare(self, slots: int) -> list[Shard]:
        """Choose the number of shards, that of an earlier run if there was one; list them all.

        Parameters
        ----------
        slots : int
            Tasks that run at a time.
        """
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"cannot make the folder {printable(str(self._folder))}: {error.strerror}"
            ) from error
        clips = len(self._found.clips)
        self._count = self._earlier() or _parts_for(clips, slots)
        return [Shard(number, self._count) for number in range(1, self._count + 1)]

    def _earlier(self) -> int:
        """Return how many shards an earlier run of the same inputs had, 0 if there was none."""
        for record in sorted(self._folder.glob(f"*{_SUFFIX}.json")):
            with contextlib.suppress(InputError):
                found = read_record(record.with_suffix(""))
                if found.plan_sha256 == self._plan:
                    return found.shards
        return 0

    def place(self, shard: Shard) -> Path:
        """Return where a shard's part is."""
        width = max(5, len(str(shard.count)))
        return self._folder / f"part-{shard.number:0{width}}-of-{shard.count:0{width}}{_SUFFIX}"

    def is_complete(self, shard: Shard) -> bool:
        """Return whether a shard's part is there, made of these files by this model."""
        part = self.place(shard)
        if self._options.restart or not record_place(part).exists():
            return False
        origin = self._origin
        if self._options.device == "auto":  # which one it is, only its node knows
            with contextlib.suppress(InputError):
                origin = replace(origin, device=read_record(part).origin.device)
        return is_complete(part, planned_record(self._portion(shard), origin, _SUFFIX))

    def _portion(self, shard: Shard) -> Portion:
        return portion_of(self._found, shard, self._options.manifest, self._plan)

    def task(self, shard: Shard, share: Share) -> RunOptions:
        """Return what the task of a shard does; paths are absolute, since nodes differ."""
        portion = self._portion(shard)
        clips = [_absolute(clip) for clip in portion.found.clips]
        options = self._options
        size = self._model.stat().st_size
        is_file = self._model == Path(options.model)
        return replace(
            options,
            paths=(),
            listed=(),
            lists=(),
            outputs=[Output(str(self.place(shard)))],
            model=str(self._model.absolute()) if is_file else options.model,
            threads=options.threads or threads_for(size, share.cpus),
            pool=replace(options.pool, workers=share.cpus),
            manifest=portion.manifest,
            portion=replace(portion, found=Found(clips, skipped=0, hidden=0), manifest=None),
        )

    def parts(self) -> list[Part]:
        """Return the parts of all shards, in order."""
        shards = [Shard(number, self._count) for number in range(1, self._count + 1)]
        return find_parts([str(self.place(shard)) for shard in shards])

    def remove(self) -> None:
        """Remove the parts; files that are not ours stay."""
        for file in self._ours():
            with contextlib.suppress(OSError):
                file.unlink()
        with contextlib.suppress(OSError):
            self._folder.rmdir()

    def _ours(self) -> Iterator[Path]:
        for pattern in (f"part-*-of-*{_SUFFIX}*", f".part-*-of-*{_SUFFIX}.emotool-*"):
            yield from self._folder.glob(pattern)


def _parts_for(clips: int, slots: int) -> int:
    """Return how many parts a run gets.

    Examples
    --------
    >>> [_parts_for(clips, slots=2) for clips in (100, 1_500, 5_000, 1_000_000)]
    [1, 2, 4, 500]
    """
    turns = min(
        _PARTS_PER_SLOT, clips // (_USUAL_CLIPS * slots)
    )  # so that no slot idles at the end
    return max(1, -(-clips // _CLIPS), turns * slots, min(slots, clips // _FEWEST_CLIPS))


def _absolute(clip: Clip) -> Clip:
    if is_remote(clip.path) or os.path.isabs(clip.path):  # noqa: PTH117
        return clip
    # Joined, not normalised: `link/../a.wav` is not `a.wav`.
    return replace(clip, path=str(Path.cwd() / clip.path))
