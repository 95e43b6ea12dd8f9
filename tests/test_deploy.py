"""What runs emotool elsewhere: the image's recipe, the Slurm script, the Ray job."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.emotool.cli.classify_runs import posix
from tests.emotool.tiny_models import write_tiny_model
from tests.synthesis import tone, write_clip


def test_the_image_gets_what_it_copies_and_no_more(root: Path) -> None:
    """What the ignore file lets through is what the recipe copies, and all of it is there."""
    recipe = (root / "Dockerfile").read_text("utf-8")
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", recipe, re.MULTILINE)
    copied = {name for line in lines for name in line.split()}
    ignore = (root / ".dockerignore").read_text("utf-8").splitlines()
    assert ignore[1] == "*"
    assert {line.removeprefix("!") for line in ignore if line.startswith("!")} == copied
    assert all((root / name).exists() for name in copied)


def test_the_image_runs_pinned_and_without_rights(root: Path) -> None:
    """Its base has a full version, its packages those of the pins, its user is not root."""
    recipe = (root / "Dockerfile").read_text("utf-8")
    assert re.search(r"^ARG BASE=python:3\.\d+\.\d+-slim-\w+$", recipe, re.MULTILINE)
    assert "PIP_CONSTRAINT=constraints.txt" in recipe
    last = recipe.rpartition("\nFROM ")[2]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)


@posix
@pytest.mark.slow
def test_the_slurm_script_makes_parts(
    root: Path, tmp_path: Path, python: str, python_path: dict[str, str]
) -> None:
    """A task makes the part of its shard; a clip that cannot be read is no failure of the task."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    for index in range(128):
        write_clip(tmp_path / "clips" / f"{index:03}.wav", tone(200 + index, 0.3))
    (tmp_path / "clips" / "003.wav").write_text("no sound")
    commands = tmp_path / "bin"
    commands.mkdir()
    (tmp_path / "parts").mkdir()
    model = write_tiny_model(tmp_path / "tiny.onnx")
    for name, line in (
        ("srun", 'exec "$@"'),
        ("emotool", f'exec "{python}" -m emotool "$@" --model "{model}" --quiet'),
    ):
        (commands / name).write_text(f"#!/bin/sh\n{line}\n")
        (commands / name).chmod(0o755)
    slurm = {"SLURM_ARRAY_TASK_ID": "2", "SLURM_CPUS_PER_TASK": "1"}
    environment = python_path | slurm | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", root / "deploy" / "slurm-array.sh", "clips"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == [
        "2.parquet",
        "2.parquet.failures.csv",
        "2.parquet.json",
    ]


def test_the_ray_job_has_no_rights_and_the_pinned_version(root: Path) -> None:
    """All its containers are confined, report nothing, and have the Ray of the pins."""
    yaml = pytest.importorskip("yaml", reason="needs the docs extra")
    job = yaml.safe_load((root / "deploy" / "rayjob.yaml").read_text("utf-8"))["spec"]
    cluster = job["rayClusterSpec"]
    pins = (root / "constraints.txt").read_text("utf-8")
    assert f"ray=={cluster['rayVersion']}" in pins.splitlines()
    assert cluster["authOptions"] == {"mode": "token"}
    pods: list[dict[str, Any]] = [job["submitterPodTemplate"]["spec"]]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    pods += [group["template"]["spec"] for group in groups]
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"]
        for container in pod["containers"]:
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            variables = {each["name"]: each["value"] for each in container["env"]}
            assert variables["RAY_USAGE_STATS_ENABLED"] == "0"
            assert variables["RAY_USAGE_STATS_REPORT_URL"] == "http://127.0.0.1:9"
