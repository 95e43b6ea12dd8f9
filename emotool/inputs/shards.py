"""Shards of a run: contiguous slices of its sorted inputs, each for a run of its own."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from emotool.inputs.clips import Clip, Found
from emotool.inputs.manifest import Manifest

__all__ = ["MAX_SHARDS", "Portion", "Shard", "plan_sha256", "portion_of"]

MAX_SHARDS: Final = 10_000_000
"""Most shards of a run."""

_TEXT: Final = re.compile(r"([0-9]{1,8})/([0-9]{1,8})")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of several slices of a run's inputs.

    Parameters
    ----------
    number : int
        Which slice, from 1 to ``count``.
    count : int
        How many slices there are, 1 to `MAX_SHARDS`.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> shard = Shard.parse("2/3")
    >>> shard.slice_of(10), str(shard)
    (slice(3, 6, None), '2/3')
    >>> Shard.parse("4/3")
    Traceback (most recent call last):
    ValueError: a shard is i/n with i from 1 to n, not 4/3
    """

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count <= MAX_SHARDS:
            raise ValueError(f"a shard is i/n with i from 1 to n, not {self}")

    @classmethod
    def parse(cls, text: str) -> "Shard":
        """Read ``i/n``; raises ValueError if it is something else."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"a shard is i/n, such as 3/8, not {text!r}")
        return cls(int(match[1]), int(match[2]))

    def slice_of(self, total: int) -> slice:
        """Return where its inputs are among ``total``; sizes differ by at most one."""
        return slice(total * (self.number - 1) // self.count, total * self.number // self.count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True, slots=True)
class Portion:
    """The inputs of one shard, and what they are a part of.

    Parameters
    ----------
    shard : Shard
        Which shard.
    total : int
        Inputs of all shards.
    plan_sha256 : str
        Hash of the inputs of all shards, as `plan_sha256` computes it.
    found : Found
        The shard's clips, with indexes from 0.
    manifest : Manifest, optional
        The shard's rows of the manifest.
    """

    shard: Shard
    total: int
    plan_sha256: str
    found: Found
    manifest: Manifest | None = None


def portion_of(
    found: Found, shard: Shard, manifest: Manifest | None = None, plan: str = ""
) -> Portion:
    """Return a shard's portion of the inputs.

    Parameters
    ----------
    found : Found
        The inputs of all shards.
    shard : Shard
        Which shard.
    manifest : Manifest, optional
        The table that the inputs are from.
    plan : str, optional
        Hash of the inputs, if it is known.

    Examples
    --------
    >>> clips = [Clip(i, name, name) for i, name in enumerate(["a.wav", "b.wav", "c.wav"])]
    >>> portion = portion_of(Found(clips, skipped=0, hidden=0), Shard(2, 2))
    >>> [(clip.index, clip.shown) for clip in portion.found.clips], portion.total
    ([(0, 'b.wav'), (1, 'c.wav')], 3)
    """
    total = len(found.clips)
    part = shard.slice_of(total)
    clips = [replace(clip, index=index) for index, clip in enumerate(found.clips[part])]
    return Portion(
        shard,
        total,
        plan or plan_sha256(found.clips, manifest),
        replace(found, clips=clips),
        None if manifest is None else replace(manifest, rows=manifest.rows[part]),
    )


def plan_sha256(clips: Iterable[Clip], manifest: Manifest | None = None) -> str:
    """Hash a run's inputs: their names in order, and the cells of their rows in a manifest.

    Returns
    -------
    str
        SHA-256 as 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for clip in clips:
        cells = () if manifest is None else manifest.rows[clip.index]
        for text in (clip.shown, *cells):
            content = text.encode("utf-8", "surrogatepass")
            digest.update(b"%d:%s" % (len(content), content))
    return digest.hexdigest()
