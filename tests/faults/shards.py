"""Faults of shards, their parts, and clusters."""

from tests.faults.fault import Fault

__all__ = ["SHARDS"]

_NODES = "tests/faults/test_lost_nodes.py::test_a_run_survives_what_is_killed"
_RAY = "tests/emotool/run/test_ray_engine.py"
_SHARDS = "tests/emotool/run/test_shards.py"
_MERGE = "tests/emotool/cli/test_merge.py"

SHARDS = (
    Fault(
        "a shard that is interrupted",
        "no record, so that it is not merged; the same command resumes",
        tests=(f"{_SHARDS}::test_an_interrupted_shard_resumes",),
    ),
    Fault(
        "shards that are missing",
        "nothing is written",
        "error: … of … shards are missing: …",
        1,
        (f"{_MERGE}::test_missing_shards_are_one_error_line",),
    ),
    Fault(
        "parts of other inputs, another model, version, device or setting, or one shard twice",
        "nothing is written; the error names the parts and what differs",
        "error: … and … are not parts of one run: …",
        1,
        (f"{_SHARDS}::test_parts_that_do_not_belong_together_are_refused",),
    ),
    Fault(
        "a part that was changed, or whose record or rows are not ours",
        "nothing is written",
        code=1,
        tests=(
            f"{_SHARDS}::test_a_part_that_is_not_what_its_record_says_is_refused",
            f"{_SHARDS}::test_rows_of_foreign_parts_are_an_error",
        ),
    ),
    Fault(
        "a node of a Ray cluster that is lost, or a task that is killed",
        "the task is tried again, up to five times; the same bytes",
        code=0,
        tests=(_NODES,),
    ),
    Fault(
        "`kill -9` of the command with `--engine ray`",
        "the same command computes the parts that are missing; the same bytes",
        code=137,
        tests=(_NODES,),
    ),
    Fault(
        "Ctrl-C with `--engine ray`",
        "the same",
        code=130,
        tests=(_NODES,),
    ),
    Fault(
        "a Ray address without a cluster",
        "an error within 10 s",
        "error: cannot use a Ray cluster: …",
        1,
        (f"{_RAY}::test_an_address_without_a_cluster_is_an_error",),
    ),
)
