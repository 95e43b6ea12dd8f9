"""Kills, hangs, full disks, closed pipes: what becomes of the run and of its outputs."""

from tests.faults.fault import Fault

__all__ = ["OUTPUTS", "RESUMING", "SPREADSHEETS", "WORKERS"]

_INTERRUPTED = "tests/emotool/cli/test_classify_interrupted.py"
_OUTPUTS = "tests/emotool/cli/test_classify_outputs.py"
_RESUMING = "tests/emotool/test_resuming.py"
_POOL = "tests/emotool/workers/test_pool.py"
_FILES = "tests/emotool/files/test_atomic.py"
_JOURNAL = "tests/emotool/run/test_journal.py"
_ENDING = "tests/emotool/cli/test_ending.py"
_HERE = "tests/faults/test_endings.py"
_SIGNALS = f"{_INTERRUPTED}::test_run_ended_by_a_signal_goes_on_to_the_same_bytes"

RESUMING = (
    Fault(
        "Ctrl-C, to the process or its group",
        "ends within 2 s; the same command resumes and ends with the same bytes",
        "error: interrupted",
        130,
        (_SIGNALS,),
    ),
    Fault("SIGTERM, to the process or its group", "the same", "", 143, (_SIGNALS,)),
    Fault(
        "`kill -9`, of the process or its group",
        "the same; workers end with their parent",
        "",
        137,
        (_SIGNALS, f"{_JOURNAL}::test_kill_at_any_moment_costs_half_a_second_at_most"),
    ),
    Fault(
        "a signal at any moment from start to end, once or twice",
        "no traceback, no half table",
        tests=(
            f"{_ENDING}::test_any_moment_is_a_good_one_to_stop",
            f"{_ENDING}::test_second_signal_does_not_disturb_the_first",
            f"{_ENDING}::test_signal_that_a_library_swallows_is_still_the_reason",
        ),
    ),
    Fault(
        "Ctrl-C while a decoder hangs",
        "over within 2 s",
        "error: interrupted",
        130,
        (f"{_HERE}::test_hanging_decoder_does_not_hold_up_an_interruption",),
    ),
    Fault(
        "interrupted again and again",
        "each run resumes where the last one ended",
        tests=(f"{_RESUMING}::test_run_may_be_interrupted_again_and_again",),
    ),
    Fault(
        "a changed file, model or parameter",
        "computed again; another model starts the run over",
        "…starting over",
        tests=(
            f"{_RESUMING}::test_changed_clip_is_done_again_on_the_way_on",
            f"{_RESUMING}::test_other_model_begins_anew_and_says_so",
            f"{_JOURNAL}::test_other_parameters_begin_anew",
        ),
    ),
    Fault(
        "clips moved between two tries, with `--by-content`",
        "not done again",
        tests=(f"{_RESUMING}::test_moved_clips_are_known_by_content",),
    ),
    Fault(
        "two runs at once on one output",
        "the first continues, the second is refused",
        "error: another run (process …) is writing r.csv",
        1,
        (f"{_INTERRUPTED}::test_second_run_on_the_same_output_is_refused",),
    ),
    Fault(
        "a lock left by a dead process",
        "taken over",
        tests=("tests/emotool/files/test_lock.py::test_lock_of_a_killed_process_is_free", _SIGNALS),
    ),
    Fault(
        "a damaged journal",
        "an error that names the way out; `--restart` takes it",
        "error: cannot use the journal …\nhint: --restart starts over without it",
        1,
        (f"{_HERE}::test_damaged_journal_is_left_behind_by_restart",),
    ),
    Fault(
        "`--fail-fast`, `--max-errors N`",
        "stops, naming the last failure; what is done is kept",
        "error: stopped because 1 clip failed, …",
        1,
        (f"{_RESUMING}::test_too_many_failures_end_the_run_and_keep_what_is_done",),
    ),
)

WORKERS = (
    Fault(
        "a decoder that ends the process (signal, `exit`, out of memory)",
        "tried once more alone, then a `failed` row; the run continues",
        "crash: the process that read it died (…)",
        3,
        (
            f"{_POOL}::test_crashing_clip_costs_its_own_row_only",
            "tests/emotool/run/test_pipeline.py::test_crashes_and_hangs_are_rows_among_good_ones",
        ),
    ),
    Fault(
        "memory that runs out (Linux)",
        "the system ends a worker first, not the run",
        tests=(f"{_HERE}::test_workers_go_first_when_memory_runs_out",),
    ),
    Fault(
        "a decoder that hangs",
        "a `failed` row after `--timeout`; the run continues",
        "timeout: no result after … s",
        3,
        (
            f"{_INTERRUPTED}::test_frozen_worker_is_given_up_after_the_timeout",
            f"{_POOL}::test_hanging_clip_is_given_up",
        ),
    ),
    Fault(
        "`kill -9` of every worker",
        "others take over; no row shows it",
        code=0,
        tests=(f"{_INTERRUPTED}::test_killed_workers_cost_nothing",),
    ),
    Fault(
        "an unforeseen exception, memory that is refused",
        "a `failed` row",
        "decode: …",
        3,
        ("tests/emotool/workers/test_worker.py::test_unforeseen_errors_cost_one_clip",),
    ),
    Fault(
        "a library that prints between the answers",
        "nothing is mixed up",
        tests=(
            "tests/emotool/workers/test_worker.py::test_what_libraries_print_does_not_reach_the_pipe",
        ),
    ),
    Fault(
        "a worker that answers for another clip, or sends invalid messages",
        "an error; an invalid message counts as death",
        "error: a worker answered …: this is a bug in emotool",
        1,
        (
            f"{_POOL}::test_answer_about_another_clip_is_refused_loudly",
            f"{_POOL}::test_an_invalid_message_counts_as_death",
        ),
    ),
    Fault(
        "workers that cannot start",
        "an error after three tries",
        "error: worker processes cannot start: …",
        1,
        (
            f"{_POOL}::test_workers_that_cannot_start_end_the_run",
            f"{_POOL}::test_broken_installation_ends_the_run",
        ),
    ),
    Fault(
        "a parent that is killed while a worker hangs",
        "the worker ends too",
        tests=("tests/emotool/workers/test_worker.py::test_hanging_worker_ends_with_its_parent",),
    ),
    Fault(
        "a reader of the output who pauses for longer than `--timeout`",
        "no clip is blamed",
        tests=(f"{_POOL}::test_time_in_which_nobody_listens_does_not_count",),
    ),
)

OUTPUTS = (
    Fault(
        "a disk that is full when the table is written",
        "the old table stays, the journal is intact: with free space, the run resumes",
        "error: …No space left on device",
        1,
        (f"{_HERE}::test_full_disk_keeps_the_old_table_and_what_was_done",),
    ),
    Fault(
        "a limit on the size of files",
        "the same",
        "error: …",
        1,
        (f"{_OUTPUTS}::test_disk_that_fills_up_leaves_the_old_table",),
    ),
    Fault(
        "a full device behind standard output",
        "an error",
        "error: …No space left on device",
        1,
        (f"{_OUTPUTS}::test_full_device_is_an_error",),
    ),
    Fault(
        "a reader who leaves (`| head`)",
        "ends quietly",
        "",
        141,
        (f"{_OUTPUTS}::test_reader_that_leaves_ends_the_run_quietly",),
    ),
    Fault(
        "a read-only folder or file system",
        "known before any clip is read",
        "error: cannot write …",
        1,
        (
            f"{_HERE}::test_read_only_file_system_is_known_at_once",
            f"{_OUTPUTS}::test_folder_that_cannot_be_written_is_an_error",
        ),
    ),
    Fault(
        "the output's folder vanishes during the run",
        "an error; nothing is written elsewhere",
        "error: cannot …",
        1,
        (f"{_HERE}::test_output_folder_that_vanishes_is_one_line",),
    ),
    Fault(
        "`kill -9` while the table is written",
        "the old table stays; no temporary file where the file system can do without",
        "",
        137,
        (f"{_FILES}::test_sigkill_leaves_the_old_file",),
    ),
    Fault(
        "an output that is a link, a dangling link, a circle of links",
        "the link's target is replaced; a circle is refused",
        tests=(
            f"{_FILES}::test_symlink_stays_and_its_target_is_replaced",
            f"{_FILES}::test_dangling_symlink_gets_its_target",
            f"{_FILES}::test_symlink_loop_is_refused",
        ),
    ),
    Fault(
        "an output that is a FIFO, a device, /dev/stdout",
        "written straight through, never replaced",
        tests=(
            f"{_FILES}::test_fifo_is_written_straight_through",
            f"{_FILES}::test_standard_output_keeps_what_is_behind_it",
        ),
    ),
    Fault(
        "someone else's file or link in the place of failures.csv",
        "left alone; the table of failures gets another name",
        tests=(
            "tests/emotool/writers/test_failures.py::test_strangers_table_of_failures_is_left_alone",
            "tests/emotool/writers/test_failures.py::test_link_in_the_tables_place_is_not_followed",
        ),
    ),
    Fault(
        "a strict or a loose umask",
        "the table has the mode that the umask gives",
        tests=(f"{_FILES}::test_mode_follows_the_umask",),
    ),
    Fault(
        "a stranger who waits for the temporary name",
        "it has 128 random bits and is made with O_EXCL",
        tests=(f"{_FILES}::test_unfinished_names_differ",),
    ),
)

SPREADSHEETS = (
    Fault(
        "names that begin with `=`, `+`, `-`, `@`, a tab or a line break",
        "an apostrophe before them in CSV; unchanged with `--raw` and in JSON",
        tests=(
            f"{_HERE}::test_formulas_are_text_unless_raw",
            "tests/emotool/writers/test_csv_writer.py::test_no_cell_begins_like_a_formula",
        ),
    ),
    Fault(
        "names that hold another dialect's separator",
        "quoted, so that no formula hides behind it",
        tests=(
            "tests/emotool/writers/test_csv_writer.py"
            "::test_path_cannot_break_out_under_another_separator",
        ),
    ),
    Fault(
        "labels of a stranger's model that are formulas",
        "an apostrophe before them",
        tests=("tests/emotool/writers/test_csv_writer.py::test_hostile_labels_are_harmless",),
    ),
    Fault(
        "such names and labels in a spreadsheet (XLSX)",
        "cells of text, which are never run; `--raw` changes nothing",
        tests=("tests/emotool/writers/test_xlsx_writer.py::test_names_are_text_and_no_formulas",),
    ),
    Fault(
        "formulas in failures.csv",
        "an apostrophe before them",
        tests=(f"{_HERE}::test_formulas_are_text_unless_raw",),
    ),
)
