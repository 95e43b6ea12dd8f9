"""The Ray engine: the rows of a local run, from tasks over shards."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emotool.errors import EmotoolError, MissingExtraError, OutputError
from emotool.inputs.clips import Clip, Found, find_clips
from emotool.run.batch import run
from emotool.run.options import Output, Silence
from emotool.run.ray_cluster import Share, _share
from emotool.run.ray_engine import run_on_ray
from emotool.run.ray_parts import PartFolder
from emotool.run.ray_task import classify_part
from tests.emotool.batch_runs import CLIPS, names, options

ALONE = Share(cpus=1, gpus=0, slots=1)


def folder_of(sounds: Path, tmp_path: Path, **changes: Any) -> PartFolder:
    """Return the parts of a run over the sounds."""
    settings = options(sounds, tmp_path / "labels.csv", **changes)
    return PartFolder(tmp_path / "labels.csv", settings, find_clips(settings.paths))


@pytest.mark.slow
def test_rows_equal_a_local_run(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python_path: dict[str, str]
) -> None:
    """Tables have the same bytes, and neither parts nor Ray are left behind."""
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", python_path["PYTHONPATH"])
    tables = [tmp_path / f"local{suffix}" for suffix in (".csv", ".parquet")]
    local = run(options(sounds, *tables))
    targets = [tmp_path / f"ray{suffix}" for suffix in (".csv", ".parquet")]
    summary = run_on_ray(options(sounds, *targets), Silence())
    for one, other in zip(tables, targets, strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert (summary.clips, summary.statuses, summary.labels) == (
        CLIPS + 1,
        local.statuses,
        local.labels,
    )
    assert [name for name in names(tmp_path) if "parts" in name] == []


def test_a_task_makes_the_part_of_its_shard(sounds: Path, tmp_path: Path) -> None:
    """A task is a run of its own, and what is complete is not computed again."""
    parts = folder_of(sounds, tmp_path)
    shards = parts.prepare(slots=1)
    assert len(shards) == 1
    assert not parts.is_complete(shards[0])
    outcome = classify_part(parts.task(shards[0], ALONE), {"http_proxy": None})
    assert (outcome.shard, outcome.error) == (1, "")
    assert parts.is_complete(shards[0])
    assert not folder_of(sounds, tmp_path, top=1).is_complete(shards[0])
    assert not folder_of(sounds, tmp_path, restart=True).is_complete(shards[0])
    parts.remove()
    assert not (tmp_path / "labels.csv.parts").exists()


def test_a_task_returns_errors_of_the_user(sounds: Path, tmp_path: Path) -> None:
    """An error that another node would meet as well is no reason to try again."""
    parts = folder_of(sounds, tmp_path, max_errors=0)
    outcome = classify_part(parts.task(parts.prepare(slots=1)[0], ALONE), {})
    assert outcome.error.startswith("stopped because 1 clip failed")
    assert "--max-errors" in outcome.hint


def test_the_number_of_shards_is_that_of_the_interrupted_run(sounds: Path, tmp_path: Path) -> None:
    """A cluster of another size finds the parts that are there."""
    parts = folder_of(sounds, tmp_path)
    shard = replace(parts.prepare(slots=1)[0], count=3)
    parts._count = 3
    assert classify_part(parts.task(shard, ALONE), {}).error == ""
    assert len(folder_of(sounds, tmp_path).prepare(slots=1)) == 3


def test_paths_of_tasks_are_absolute(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node has another current folder; the rows show paths as they were given."""
    monkeypatch.chdir(sounds)
    parts = folder_of(Path(), tmp_path)
    task = parts.task(parts.prepare(slots=1)[0], ALONE)
    assert Path(task.model).is_absolute()
    assert task.portion is not None
    clips = task.portion.found.clips
    assert all(Path(clip.path).is_absolute() for clip in clips)
    assert clips[0].shown == "clips/00.wav"


def test_addresses_of_remote_clips_stay_as_they_are(sounds: Path, tmp_path: Path) -> None:
    """A URL is no path below the current folder."""
    url = Clip(0, "s3://b/a.wav", "s3://b/a.wav")
    settings = options(sounds, tmp_path / "labels.csv")
    parts = PartFolder(tmp_path / "labels.csv", settings, Found([url], skipped=0, hidden=0))
    task = parts.task(parts.prepare(slots=1)[0], ALONE)
    assert task.portion is not None
    assert task.portion.found.clips == [url]


@pytest.mark.parametrize(
    ("nodes", "workers", "device", "expected"),
    [
        ([(1, 0)], 0, "auto", (1, 0, 1)),
        ([(2, 0)], 0, "auto", (1, 0, 2)),
        ([(64, 0)], 0, "auto", (4, 0, 16)),
        ([(0, 0), (16, 0), (5, 0)], 0, "auto", (2, 0, 10)),
        ([(8, 0)], 2, "auto", (2, 0, 4)),
        ([(16, 4)], 0, "cuda", (4, 1, 4)),
        ([(16, 4)], 0, "cpu", (4, 0, 4)),
        ([(0, 0)], 0, "auto", (4, 0, 1)),
    ],
)
def test_what_a_task_takes(
    nodes: list[tuple[int, int]], workers: int, device: str, expected: tuple[int, int, int]
) -> None:
    """Few CPUs, at most half of each node's, or a GPU and its share of the CPUs."""
    listed = [{"Alive": True, "Resources": {"CPU": cpus, "GPU": gpus}} for cpus, gpus in nodes]
    listed.append({"Alive": False, "Resources": {"CPU": 1000.0}})
    share = _share(listed, workers, device, {})
    assert (share.cpus, share.gpus, share.slots) == expected


@pytest.mark.parametrize("target", ["page.html", "-"])
def test_outputs_that_cannot_be_merged_are_refused(target: str, sounds: Path) -> None:
    """A report and standard output are written by the local engine."""
    with pytest.raises(OutputError, match="--engine ray"):
        run_on_ray(replace(options(sounds), outputs=[Output(target)]), Silence())


def test_without_ray_the_error_says_what_to_install(
    sounds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package is named."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError) as caught:
        run_on_ray(options(sounds, tmp_path / "a.csv"), Silence())
    assert "pip install ray" in caught.value.hint


def test_an_address_without_a_cluster_is_an_error(sounds: Path, tmp_path: Path) -> None:
    """Ray would wait for it without end."""
    pytest.importorskip("ray")
    with pytest.raises(EmotoolError, match=r"cannot use a Ray cluster: 127\.0\.0\.1:1"):
        run_on_ray(options(sounds, tmp_path / "a.csv"), Silence(), "127.0.0.1:1")
