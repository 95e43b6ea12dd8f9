"""Runs on a Ray cluster of several nodes on this machine, while a part of it is killed.

    python -m tests.faults.lost_nodes [--clips 5000] [--rounds 3]

Victims: a node, the process of a task, and the driver, by SIGKILL or Ctrl-C, which is started
again. The table must be that of an undisturbed local run, to the byte. Exit code 1 if it is not.
"""

import argparse
import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.emotool.tiny_models import write_tiny_model
from tests.faults.fault import ROOT, environment
from tests.faults.torture import Workshop, workshop

__all__ = ["VICTIMS", "cluster_of", "killed_run", "main"]

VICTIMS = ("node", "task", "driver", "Ctrl-C")
LOOPBACK = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "no_proxy": "127.0.0.1,localhost",
    "RAY_AUTH_MODE": "disabled",
}
_NODE = {"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False}


@contextlib.contextmanager
def cluster_of(nodes: int) -> Iterator[Any]:
    """Start a head without CPUs and nodes with one each; end them with the block."""
    before = {name: os.environ.get(name) for name in (*LOOPBACK, "PYTHONPATH")}
    os.environ.update(LOOPBACK, PYTHONPATH=environment()["PYTHONPATH"])
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={**_NODE, "num_cpus": 0})
    try:
        for _ in range(nodes):
            cluster.add_node(**_NODE)
        yield cluster
    finally:
        cluster.shutdown()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def killed_run(shop: Workshop, cluster: Any, victim: str, delay: float = 0.5) -> list[str]:
    """Run on a cluster, kill something soon after the first rows; return what is wrong."""
    target = shop.folder / f"{victim}.csv"
    target.unlink(missing_ok=True)
    arguments = shop.command("-o", target.name, "--engine", "ray", "--workers", "1")
    arguments += ["--ray-address", cluster.address]
    folder, killed = target.with_name(target.name + ".parts"), False
    while True:
        with subprocess.Popen(
            arguments, cwd=shop.folder, env=environment(), start_new_session=True
        ) as run:
            while run.poll() is None:
                time.sleep(0.02)
                if not killed and next(folder.glob(".*.emotool-journal"), None):
                    killed = True
                    time.sleep(delay)
                    _kill(victim, run, cluster, folder)
        if run.returncode not in (-signal.SIGKILL, 130):
            break
    wrong = [] if killed else ["the run was over before anything was killed"]
    if run.returncode or not target.exists():
        return [*wrong, f"exit code {run.returncode}"]
    if target.read_bytes() != shop.undisturbed:
        wrong.append("the bytes differ from those of an undisturbed run")
    if folder.exists():
        wrong.append("parts are left behind")
    return wrong


def _kill(victim: str, run: "subprocess.Popen[bytes]", cluster: Any, folder: Path) -> None:
    if victim == "node":
        cluster.remove_node(max(cluster.worker_nodes, key=id), allow_graceful=False)
    elif victim in ("driver", "Ctrl-C"):
        run.send_signal(signal.SIGKILL if victim == "driver" else signal.SIGINT)
    else:
        for lock in folder.glob(".*.emotool-lock"):
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(lock.read_text()), signal.SIGKILL)
                return


def main() -> int:
    """Kill, and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clips", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=3)
    options = parser.parse_args()
    draw, good = random.Random(0), True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        model = ROOT / "exported" / "cnn.onnx"
        if not model.is_file():
            model = write_tiny_model(folder / "tiny.onnx")
        shop = workshop(folder, model, options.clips)
        for number in range(1, options.rounds + 1):
            for victim in VICTIMS:
                began = time.monotonic()
                with cluster_of(options.nodes) as cluster:
                    wrong = killed_run(shop, cluster, victim, draw.uniform(0, 4))
                good &= not wrong
                print(  # noqa: T201
                    f"round {number}: {victim} killed, {time.monotonic() - began:.0f} s: "
                    f"{'; '.join(wrong) or 'same bytes'}",
                    flush=True,
                )
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
