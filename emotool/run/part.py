"""The record beside a part: what the part of a run holds, and what made it.

A shard's table ``labels-3.parquet`` has a record ``labels-3.parquet.json``. It is written last, so
that where it is, the part is complete: the same command does nothing more, and
`emotool.run.merging` can check that parts belong together.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar, cast

from pydantic import Field

from emotool.errors import InputError, OutputError
from emotool.files.atomic import atomic_write, sha256_file
from emotool.files.validation import parse_json, validate
from emotool.inputs.identity import file_identity
from emotool.inputs.shards import MAX_SHARDS, Portion, Shard
from emotool.run.origin import Origin, origin_of
from emotool.run.outputs import places_of
from emotool.text import printable
from emotool.writers.registry import table_suffix

if TYPE_CHECKING:
    from emotool.files.remote_file import RemotePlace
    from emotool.inputs.clips import Clip
    from emotool.model.classifier import Classifier
    from emotool.run.options import Output, RunOptions

__all__ = [
    "PART_SUFFIXES",
    "PartFiles",
    "PartRecord",
    "Sha256",
    "inputs_sha256",
    "is_complete",
    "planned_record",
    "read_record",
    "record_place",
    "write_record",
]

PART_SUFFIXES: Final = (".csv", ".json", ".jsonl", ".parquet", ".tsv")
"""Formats of parts: those whose rows can be read again."""

_SCHEMA: Final = "emotool.part/1"
_MOST_BYTES: Final = 4 << 20  # of a record: it is read before it is trusted
Place = TypeVar("Place", bound="Path | RemotePlace")
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0)]
_Number = Annotated[int, Field(ge=1, le=MAX_SHARDS)]


@dataclass(frozen=True, slots=True)
class PartRecord:
    """What a part holds.

    Parameters
    ----------
    schema : str
        Name and version of the record's form.
    shard, shards : int
        Which shard, from 1, and how many there are.
    plan_sha256, plan_clips
        Hash and number of the inputs of all shards.
    inputs_sha256 : str
        Hash of the identities of the shard's files, by which a changed file is found.
    clips, rows : int
        Inputs of the shard and rows of the part; equal but for tables of windows.
    suffix : str
        The part's format.
    sha256 : str
        Of the part; empty while it is not written.
    origin : Origin
        What made it.
    """

    schema: Literal["emotool.part/1"]
    shard: _Number
    shards: _Number
    plan_sha256: Sha256
    plan_clips: _Count
    inputs_sha256: Sha256
    clips: _Count
    rows: _Count
    suffix: Literal[".csv", ".json", ".jsonl", ".parquet", ".tsv"]
    sha256: Sha256
    origin: Origin

    @property
    def whole(self) -> tuple[object, ...]:
        """Return what is the same for all parts of a run."""
        return self.shards, self.plan_sha256, self.plan_clips, self.origin

    def __post_init__(self) -> None:
        Shard(self.shard, self.shards)


def record_place(part: Place) -> Place:
    """Return where a part's record is.

    Examples
    --------
    >>> record_place(Path("out/labels-3.csv")).as_posix()
    'out/labels-3.csv.json'
    """
    return cast("Place", part.with_name(part.name + ".json"))


def planned_record(portion: Portion, origin: Origin, suffix: str) -> PartRecord:
    """Return the record that a part will have, without its rows and hash.

    Parameters
    ----------
    portion : Portion
        The shard's inputs.
    origin : Origin
        What makes the part.
    suffix : str
        Its format, one of `PART_SUFFIXES`.
    """
    clips = portion.found.clips
    return PartRecord(
        schema=_SCHEMA,
        shard=portion.shard.number,
        shards=portion.shard.count,
        plan_sha256=portion.plan_sha256,
        plan_clips=portion.total,
        inputs_sha256=inputs_sha256(clips, by_content=origin.by_content),
        clips=len(clips),
        rows=0,
        suffix=suffix,  # type: ignore[arg-type]
        sha256="",
        origin=origin,
    )


def inputs_sha256(clips: "Sequence[Clip]", *, by_content: bool) -> str:
    """Hash the identities of clips' files; one that cannot be identified counts as absent."""
    digest = hashlib.sha256()
    for clip in clips:
        identity = ""
        with contextlib.suppress(OSError, ValueError):
            if clip.problem is None:
                identity = file_identity(clip.path, by_content=by_content)
        digest.update(identity.encode("ascii") + b"\n")
    return digest.hexdigest()


def is_complete(part: "Path | RemotePlace", planned: PartRecord) -> bool:
    """Return whether a part is there that is what is planned.

    Raises
    ------
    OutputError
        If a file that is no record is in the record's place.
    """
    place = record_place(part)
    try:
        if not (os.path.lexists(place) if isinstance(place, Path) else place.exists()):
            return False
        found = read_record(part)
    except OSError as error:
        raise OutputError(f"cannot read {printable(str(place))}: {error.strerror}") from error
    except InputError as error:
        raise OutputError(
            f"{printable(str(place))} already exists and is not the record of a part",
            hint="name another part with -o, or remove the file",
        ) from error
    if replace(found, rows=0, sha256="") != planned:
        return False
    with contextlib.suppress(InputError):
        return sha256_file(part) == found.sha256
    return False


def read_record(part: "Path | RemotePlace") -> PartRecord:
    """Read the record of a part.

    Raises
    ------
    InputError
        If there is none, or it is not valid.
    """
    place = record_place(part)
    shown = printable(str(place))
    try:
        with place.open("rb") as handle:
            content = handle.read(_MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise _without_record(part, shown) from error
    except OSError as error:
        raise InputError(f"cannot read {shown}: {error.strerror or error}") from error
    try:
        return _parsed(content, shown)
    except InputError as error:
        raise InputError(
            error.message, hint="remove it and run the command of its shard again"
        ) from error


def _without_record(part: "Path | RemotePlace", record: str) -> InputError:
    """Return the error for a part whose record is not there."""
    shown = printable(str(part))
    if not part.exists():
        return InputError(
            f"there is no part {shown}", hint="emotool classify --shard i/n -o PART writes it"
        )
    return InputError(
        f"{shown} has no record {record}: it is the table of no shard, or of one that is not "
        "complete",
        hint="run the command of its shard again: it resumes",
    )


def _parsed(content: bytes, shown: str) -> PartRecord:
    """Return the record that a file of a name holds."""
    if len(content) > _MOST_BYTES:
        raise InputError(f"{shown} is not the record of a part: it is too long")
    try:
        text = content.decode("utf-8")
    except ValueError as error:
        raise InputError(f"{shown} is not the record of a part: it is not UTF-8") from error
    return validate(PartRecord, parse_json(text, shown, InputError), shown, InputError)


def write_record(part: "Path | RemotePlace", planned: PartRecord, rows: int) -> None:
    """Write the record of a part that is in its place."""
    record = replace(planned, rows=rows, sha256=sha256_file(part))
    with atomic_write(record_place(part), text=True) as handle:
        handle.write(json.dumps(asdict(record), indent=1) + "\n")


class PartFiles:
    """The parts that a run of one shard writes, and their records.

    Parameters
    ----------
    options : RunOptions
        Its tables are the parts.
    portion : Portion
        The shard's inputs.
    model : Classifier
        The model that labels them.

    Raises
    ------
    OutputError
        If a table cannot be a part.
    """

    def __init__(self, options: "RunOptions", portion: Portion, model: "Classifier") -> None:
        origin = origin_of(options, model)
        tables = [output for output in options.outputs if output.content == "table"]
        self._files = places_of(options.outputs)
        self._planned: dict[Path | RemotePlace, PartRecord] = {}
        for output in tables:
            kind = _suffix_of(output)
            for part in places_of([output]):
                self._planned[part] = planned_record(portion, origin, kind)
                if record_place(part) in self._files:
                    raise OutputError(
                        f"{printable(output.target)} would have an output as its record"
                    )

    @property
    def complete(self) -> bool:
        """Whether all parts are there already, as this run would write them."""
        there = [is_complete(part, planned) for part, planned in self._planned.items()]
        return all(there) and all(file.exists() for file in self._files)

    def write_records(self, rows: int) -> None:
        """Write the records of parts with so many rows."""
        for part, planned in self._planned.items():
            write_record(part, planned, rows)


def _suffix_of(output: "Output") -> str:
    """Return the format of a part."""
    suffix = table_suffix(output.target, output.suffix)
    if suffix in PART_SUFFIXES:
        return suffix
    raise OutputError(
        f"{printable(output.target)} cannot be a part: its rows cannot be read again",
        hint=f"a part is one of {', '.join(PART_SUFFIXES)}; emotool merge writes all formats",
    )
