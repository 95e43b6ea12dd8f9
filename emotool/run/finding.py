"""The inputs of a run, found and checked against its outputs."""

from collections.abc import Sequence
from pathlib import Path

from emotool.inputs.clips import Clip, Found, find_clips
from emotool.run.options import Progress, RunOptions
from emotool.run.outputs import check_inputs
from emotool.text import printable

__all__ = ["find_inputs"]


def find_inputs(options: RunOptions, files: Sequence[Path], progress: Progress) -> Found:
    """Find the clips of a run; neither they nor a manifest may be where an output goes.

    Parameters
    ----------
    options : RunOptions
        What the run does.
    files : sequence of Path
        Its outputs.
    progress : Progress
        Receives a note about each folder without clips.
    """
    if options.portion is not None:
        found = options.portion.found
    elif options.manifest is None:
        found = find_clips(options.paths, options.listed)
    else:
        found = options.manifest.found()
    for folder in found.empty:
        progress.note(f"{printable(folder)}: no audio files found that are not listed already")
    sources = [Clip(0, path, path) for path in options.sources]
    check_inputs(files, [*sources, *found.clips], options.outputs)
    return found
