"""Thousands of objects through a proxy that fails, by runs that are killed: `make torture`."""

import csv
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.fault import ROOT
from tests.object_store import Proxy, Store, run_proxy, run_store

__all__ = ["torture_store"]

_KILLS = 3


def torture_store(folder: Path, model: Path, objects: int, seed: int) -> list[str]:
    """Classify objects, of whose requests one in a hundred fails, while runs are killed.

    Parameters
    ----------
    folder : Path
        Has ``clips/`` with sounds.
    model : Path
        The model.
    objects : int
        How many.
    seed : int
        Of the moments of the kills.

    Returns
    -------
    list of str
        What should not have come.
    """
    sounds = [path.read_bytes() for path in sorted((folder / "clips").iterdir())[:50]]
    with run_store() as store, run_proxy(store) as proxy:
        store.bucket("calls")
        for number in range(objects):
            store.put("calls", f"{number // 1000:03}/{number:06}.wav", sounds[number % len(sounds)])
        command = [sys.executable, "-m", "emotool", "classify", "s3://calls/", "-m", str(model)]
        plain = _run([*command, "-o", "plain.csv", "-q"], folder, store)
        proxy.faults.every, proxy.faults.slow_s = 100, 0.1
        draw = random.Random(seed)
        for _ in range(_KILLS):
            _kill([*command, "-o", "tortured.csv", "-q"], folder, store, proxy, draw)
        _run([*command, "-o", "tortured.csv", "-q"], folder, store, proxy)
        faults = [] if plain == 0 else [f"exit code {plain} without failures"]
        if len(proxy.faults.of_objects()) < objects:
            faults.append("fewer requests than objects")
    paths = [row["path"] for row in csv.DictReader((folder / "tortured.csv").open())]
    if paths != [f"s3://calls/{n // 1000:03}/{n:06}.wav" for n in range(objects)]:
        faults.append(f"{len(paths)} rows, {len(set(paths))} of them once, of {objects} objects")
    if (folder / "tortured.csv").read_bytes() != (folder / "plain.csv").read_bytes():
        faults.append("the bytes differ from those of a run without failures")
    return faults


def _environment(store: Store, proxy: Proxy | None) -> dict[str, str]:
    return store.environment(proxy.host if proxy else "") | {"PYTHONPATH": str(ROOT)}


def _run(command: list[str], folder: Path, store: Store, proxy: Proxy | None = None) -> int:
    environment = _environment(store, proxy)
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def _kill(
    command: list[str], folder: Path, store: Store, proxy: Proxy, draw: random.Random
) -> None:
    """Kill a run once it has read some of the objects."""
    seen = len(proxy.faults.requests)
    wanted = seen + draw.randrange(200, 2_000)
    with subprocess.Popen(command, cwd=folder, env=_environment(store, proxy)) as run:
        while run.poll() is None and len(proxy.faults.requests) < wanted:
            time.sleep(0.01)
        run.send_signal(signal.SIGKILL)
