"""A Ray cluster, joined or started on this machine, and what a task takes of it."""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Final

from emotool.cores import usable_cores
from emotool.errors import EmotoolError, MissingExtraError
from emotool.files.remote import unsigned
from emotool.text import printable

__all__ = ["Share", "cluster", "set_variables"]

_MOST_CPUS: Final = 4  # of a task: many small tasks end at nearly the same time
_OBJECT_STORE_BYTES: Final = 100_000_000  # lists of paths; Ray would take 30 % of the memory
_PATIENCE_SECONDS: Final = 10.0
_NOWHERE: Final = "http://127.0.0.1:9"
_PROXIES: Final = {"http_proxy": _NOWHERE, "no_proxy": "127.0.0.1,localhost"}
_LOCAL: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_REPORT_URL": _NOWHERE,
    # All processes listen on 127.0.0.1 alone, as on systems where Ray has no clusters.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Even without statistics Ray asks 169.254.169.254 which cloud it is in.
    **_PROXIES,
}
"""Environment of a local cluster's processes: none of them reaches another machine."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a task takes of a cluster.

    Parameters
    ----------
    cpus, gpus : int
        Of each task.
    slots : int
        Tasks that run at a time on the present nodes, at least 1.
    environment : dict of str to str or None
        Variables that a task sets before it runs; None removes one.
    """

    cpus: int
    gpus: int
    slots: int
    environment: dict[str, str | None] = field(default_factory=dict)


@contextlib.contextmanager
def cluster(address: str | None, workers: int, device: str) -> Iterator[Share]:
    """Join a cluster, or start one on this machine, and leave it at the end of the block.

    Parameters
    ----------
    address : str or None
        The cluster to join; None starts one, which ends with the block.
    workers : int
        CPUs of a task; 0 chooses them by the nodes.
    device : {"auto", "cpu", "cuda"}
        Where the model runs: a task gets a GPU of its own if there are any, unless it is ``cpu``.

    Raises
    ------
    MissingExtraError
        If Ray is not installed.
    EmotoolError
        If there is no such cluster, or none can be started.
    """
    if find_spec("ray") is None:
        raise MissingExtraError("ray", "--engine ray")
    _check_reachable(address)
    terminate = signal.getsignal(signal.SIGTERM)
    settings: dict[str, Any] = {"address": address}
    if address is None:
        settings = {"address": "local", "num_cpus": usable_cores(), "include_dashboard": False}
        settings["object_store_memory"] = _OBJECT_STORE_BYTES
    before = {name: os.environ.get(name) for name in _PROXIES} if address is None else {}
    os.environ.update(_LOCAL if address is None else {"RAY_USAGE_STATS_ENABLED": "0"})
    import ray

    try:
        try:
            ray.init(**settings, log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError, ValueError) as error:
            raise _unusable(str(error).strip().splitlines()[0]) from error
        finally:
            set_variables(before)
        if terminate is not None:
            signal.signal(signal.SIGTERM, terminate)  # Ray has replaced the handler
        with contextlib.redirect_stdout(sys.stderr):  # where Ray reports lost nodes
            yield _share(ray.nodes(), workers, device, before | unsigned())
    finally:
        ray.shutdown()


def _check_reachable(address: str | None) -> None:
    """Check that something listens at an address, for which Ray would wait without end."""
    host, separator, port = (address or "").rpartition("://")[2].rpartition(":")
    if not separator:  # Ray knows where it is
        return
    try:
        socket.create_connection((host, int(port)), _PATIENCE_SECONDS).close()
    except (OSError, ValueError) as error:
        raise _unusable(f"{address}: {error}") from error


def _unusable(reason: str) -> EmotoolError:
    return EmotoolError(
        f"cannot use a Ray cluster: {printable(reason)}",
        hint="ray status --address HOST:PORT shows whether a cluster answers",
    )


def set_variables(variables: dict[str, str | None]) -> None:
    """Set environment variables; None removes one."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _share(
    nodes: list[dict[str, Any]], workers: int, device: str, environment: dict[str, str | None]
) -> Share:
    """Choose what a task takes of nodes as `ray.nodes` lists them.

    Examples
    --------
    >>> node = {"Alive": True, "Resources": {"CPU": 16.0}}
    >>> _share([node, node], 0, "auto", {}).slots
    8
    >>> node = {"Alive": True, "Resources": {"CPU": 16.0, "GPU": 2.0}}
    >>> _share([node], 0, "auto", {})
    Share(cpus=8, gpus=1, slots=2, environment={})
    """
    resources = [node["Resources"] for node in nodes if node["Alive"]]
    with_gpus = [each for each in resources if each.get("GPU", 0) >= 1] if device != "cpu" else []
    if with_gpus:
        fewest = min(int(each.get("CPU", 1) // each["GPU"]) for each in with_gpus)
        slots = sum(int(each["GPU"]) for each in with_gpus)
        return Share(workers or max(1, fewest), 1, max(1, slots), environment)
    cpus = [int(each.get("CPU", 0)) for each in resources if each.get("CPU", 0) >= 1]
    # At least two on each node: one computes while another starts.
    taken = workers or max(1, min([_MOST_CPUS, *(count // 2 for count in cpus)]))
    return Share(taken, 0, max(1, sum(count // taken for count in cpus)), environment)
