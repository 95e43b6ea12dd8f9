"""Every fault of every kind, in the order of docs/reliability.md."""

from collections.abc import Iterator

from tests.faults.audio import AUDIO
from tests.faults.endings import OUTPUTS, RESUMING, SPREADSHEETS, WORKERS
from tests.faults.fault import Fault
from tests.faults.models import MODELS, MODELS_FAULTS
from tests.faults.names import NAMES_FAULTS, TREE
from tests.faults.shards import SHARDS
from tests.faults.stores import STORES

__all__ = ["SECTIONS", "all_faults"]

_ROW = "tests/faults/test_audio.py::test_file_gets_its_row"
_TREE = "tests/faults/test_names.py::test_tree_gives_its_rows"
_REFUSED = "tests/faults/test_models.py::test_model_is_refused"
_STREAM = "tests/emotool/audio/test_stream.py"
_FUZZ = "tests/faults/test_fuzz.py"
_ARCHIVE = "tests/emotool/files/test_zip_members.py"
_FOREIGN = "tests/emotool/audio/test_ffmpeg.py"
_FILMS = "tests/emotool/audio/test_films.py"
_LENGTHS = "tests/emotool/audio/test_lengths.py"

_MORE_AUDIO = (
    Fault(
        "every container and encoding of libsndfile, 8 to 384 kHz, 1 to 32 channels",
        "the sound that was written",
        tests=(
            f"{_STREAM}::test_every_format_gives_the_sound_that_was_written",
            f"{_STREAM}::test_any_rate_is_brought_to_the_models",
            f"{_STREAM}::test_channels_are_averaged",
        ),
    ),
    Fault(
        "a clip of hours",
        "streamed: memory stays flat",
        tests=(
            "tests/faults/test_audio.py::test_memory_is_flat_however_long_a_clip_is",
            f"{_STREAM}::test_memory_stays_flat_however_long_a_clip_decodes",
        ),
    ),
    Fault(
        "cut at any byte",
        "a row: sound or a reason",
        tests=(f"{_STREAM}::test_a_file_cut_at_any_byte_gives_sound_or_a_reason",),
    ),
    Fault(
        "any WAV header, any bytes behind a magic number",
        "sound or a reason",
        tests=(
            f"{_FUZZ}::test_any_wav_header_gives_sound_or_a_reason",
            f"{_FUZZ}::test_any_bytes_behind_a_magic_number",
        ),
    ),
    Fault(
        "1,000 mutated files of every format (10,000 in `make torture`)",
        "a row each; the good clips among them are labelled as when alone",
        code=3,
        tests=(f"{_FUZZ}::test_mutants_cost_nothing_but_their_rows",),
    ),
    Fault(
        "an m4a, WebM, WMA or AAC that was cut off and names its length",
        "`failed`",
        "decode: damaged…",
        tests=(f"{_FOREIGN}::test_a_file_that_was_cut_off_is_an_error",),
    ),
    Fault(
        "sound in an MPEG stream, or in a film that begins before it",
        "read whole, at its own times",
        tests=(f"{_FILMS}::test_a_film_is_read_whole_and_on_time",),
    ),
    Fault(
        "files joined to one, of which the decoder reads the first",
        "`ok`, flagged `incomplete`",
        code=0,
        tests=(f"{_LENGTHS}::test_of_joined_files_it_is_said_that_there_is_more",),
    ),
    Fault(
        "a playlist or another list of files or addresses, called .m4a or anything else",
        "`failed`; nothing else is opened",
        "open: a text file, not audio",
        tests=(
            f"{_FOREIGN}::test_lists_of_other_files_are_refused_whatever_they_are_called",
            f"{_FOREIGN}::test_an_mp4_that_points_elsewhere_is_not_followed",
        ),
    ),
    Fault(
        "in a zip archive: an encrypted clip, a bomb by ratio or by size, an archive, a link, "
        "another method than deflate, a name that is absolute, holds `..` or is there twice",
        "`failed`, a row each; the other clips are read",
        "open: …",
        tests=(
            f"{_ARCHIVE}::test_encrypted_members_are_failed_rows",
            f"{_ARCHIVE}::test_bombs_are_failed_rows_before_they_are_touched",
            f"{_ARCHIVE}::test_a_bomb_that_lies_about_its_size_is_stopped",
            f"{_ARCHIVE}::test_an_archive_in_an_archive_is_a_failed_row",
            f"{_ARCHIVE}::test_links_and_empty_files_are_failed_rows",
            f"{_ARCHIVE}::test_other_methods_are_failed_rows",
            f"{_ARCHIVE}::test_names_that_lead_out_are_failed_rows",
            f"{_ARCHIVE}::test_each_of_two_of_a_name_is_a_failed_row",
        ),
    ),
    Fault(
        "a zip archive that is none, is damaged, or lists members without measure",
        "`failed`, one row",
        "open: not a zip archive, or a damaged one…",
        tests=(
            f"{_ARCHIVE}::test_what_is_no_archive_is_one_row",
            f"{_ARCHIVE}::test_any_damage_costs_an_error_at_most",
            f"{_ARCHIVE}::test_a_list_of_members_without_measure_is_refused",
        ),
    ),
    Fault(
        "300 mutated m4a, WebM, WMA, AAC and AMR files (3,000 in `make torture`)",
        "a row each; the good clips among them are labelled as when alone",
        code=3,
        tests=(f"{_FUZZ}::test_mutated_containers_cost_nothing_but_their_rows",),
    ),
)


def _audio() -> Iterator[Fault]:
    for fault in AUDIO:
        flags = f", flagged `{fault.flags}`" if fault.flags else ""
        code = 3 if fault.status == "failed" else 0
        yield Fault(fault.what, f"`{fault.status}`{flags}", fault.error, code, (_ROW,))
    yield from _MORE_AUDIO


def _names() -> Iterator[Fault]:
    yield from NAMES_FAULTS
    for fault in TREE:
        errors = [error for _, error in fault.rows if error]
        outcome = "no row of its own" if not fault.rows else "a row"
        code = 3 if errors else None
        yield Fault(
            fault.what, "a `failed` row" if errors else outcome, "".join(errors), code, (_TREE,)
        )


def _models() -> Iterator[Fault]:
    for fault in MODELS:
        yield Fault(fault.what, "refused", f"error: {fault.says}", 1, (_REFUSED,))
    yield from MODELS_FAULTS


SECTIONS: tuple[tuple[str, tuple[Fault, ...]], ...] = (
    ("Runs that are interrupted", RESUMING),
    ("Workers that die or hang", WORKERS),
    ("Outputs that cannot be written", OUTPUTS),
    ("Shards and clusters", SHARDS),
    ("Names and trees", tuple(_names())),
    ("Audio", tuple(_audio())),
    ("Object stores and web servers", STORES),
    ("Untrusted models", tuple(_models())),
    ("Spreadsheets", SPREADSHEETS),
)
"""Headings and their faults."""


def all_faults() -> list[Fault]:
    """List every fault of every section."""
    return [fault for _, faults in SECTIONS for fault in faults]
