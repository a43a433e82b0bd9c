"""The Ray cluster of a comparison: one that the user names, or one of our own on this machine.

Ray runs what any peer sends to its ports. So a cluster of our own listens on the loopback interface
alone, has no dashboard, and reports nothing to the makers of Ray.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from muscle_metrics.errors import MuscleMetricsError, UsageError, require
from muscle_metrics.runs.files.scratch import scratch_folder, sweep
from muscle_metrics.runs.files.undoing import undone
from muscle_metrics.words.escape import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["connected", "failure"]

LOOPBACK = "127.0.0.1"
# Seconds for a socket to open. Ray itself tries for a quarter of an hour, without a word.
LONGEST_WAIT = 10
# Whether Ray may form a cluster of several machines, by its own constant.
SWITCH = "ENABLE_RAY_CLUSTER"


@contextmanager
def connected(address: str | None = None) -> Iterator[Any]:
    """Connect to a Ray cluster, or start one on this machine, for the body.

    Parameters
    ----------
    address : str, optional
        Of a cluster, such as ``ray://host:10001``; ``auto`` looks for one. By default the one that
        this process is connected to, which stays connected, or else one of its own.

    Yields
    ------
    module
        Ray.

    Raises
    ------
    MissingDependencyError
        If Ray is not installed.
    UsageError
        If Ray does not start, cannot be kept to the loopback interface, or no cluster answers.

    Notes
    -----
    For example::

        with connected("auto") as ray:
            print(ray.nodes())
    """
    ray = require("ray", "ray")
    if ray.is_initialized():
        yield ray
    elif address in (None, "local"):
        with _own_cluster(ray):
            yield ray
    else:
        _check_address(address)
        with _handler_kept(), _failing(f"a Ray cluster at --address {address} (address=)"):
            ray.init(address, log_to_driver=False, logging_level="ERROR")
        try:
            yield ray
        finally:
            ray.shutdown()


@contextmanager
def _own_cluster(ray: Any) -> Iterator[None]:
    # Ray brings psutil. Import it now: a signal must not wait for an import.
    psutil = require("psutil", "ray")
    _check_loopback_works()
    others = psutil.Process().children()

    def end_at_once() -> None:
        _kill(psutil, [one for one in psutil.Process().children() if one not in others])

    # Paths of sockets are at most 103 bytes long, so those of Ray are not in TMPDIR.
    place = "/tmp" if os.path.isdir("/tmp") else None  # noqa: S108
    # Ray takes seconds to shut down, and a signal does not wait for it.
    with scratch_folder(place) as home, scratch_folder() as spill, undone(end_at_once):
        try:
            os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
            # Older Ray announces on standard error that this will be its default.
            os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
            with _handler_kept(), _on_loopback(), _failing("Ray to start on this machine"):
                # Not None: Ray would then connect to a cluster that RAY_ADDRESS names.
                context = ray.init(
                    "local",
                    include_dashboard=False,
                    # Ray opens this folder to everybody: the one above is private.
                    _temp_dir=os.path.join(home, "r"),
                    object_spilling_directory=spill,
                    log_to_driver=False,
                    logging_level="ERROR",
                )
            _check_loopback(context.address_info["node_ip_address"])
            yield
        finally:
            ray.shutdown()


def failure(expected: str, error: Exception) -> UsageError:
    r"""Error of one line for what Ray or the system raised: no fault of the data.

    Examples
    --------
    >>> print(failure("Ray to start", RuntimeError("no port\nin session 1")))
    expected Ray to start, got RuntimeError 'no port\nin session 1': use --engine duckdb, ...
    """
    kind = type(error).__name__
    return UsageError(
        f"expected {expected}, got {kind} {shorten(repr(str(error)), 200)}: use --engine duckdb, "
        f"or name another cluster with --address (address=)",
        in_python="call muscle_metrics.scale.compare_files",
    )


@contextmanager
def _failing(expected: str) -> Iterator[None]:
    """Raise what the start of Ray raises, which is of any kind, as an error of usage."""
    try:
        yield
    except MuscleMetricsError:
        raise
    except Exception as error:
        raise failure(expected, error) from error


def _check_address(address: str) -> None:
    """Refuse the address of a cluster at which nothing listens."""
    with _failing(f"HOST:PORT, ray://HOST:PORT or auto as --address (address=) {address!r}"):
        place = urlsplit(address if "://" in address else f"//{address}")
        host, port = place.hostname, place.port
    if host and port:
        with _failing(f"a Ray cluster at --address {address} (address=)"):
            _connect(host, port)


def _connect(host: str, port: int) -> None:
    socket.create_connection((host, port), timeout=LONGEST_WAIT).close()


def _check_loopback_works() -> None:
    """Refuse a machine on which the parts of Ray cannot reach each other."""
    with (
        _failing(f"Ray to reach itself at {LOOPBACK}"),
        socket.create_server((LOOPBACK, 0)) as server,
    ):
        _connect(*server.getsockname())


@contextmanager
def _handler_kept() -> Iterator[None]:
    """Keep the handler of SIGTERM, which Ray replaces by one that exits with 15."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


@contextmanager
def _on_loopback() -> Iterator[None]:
    """Let Ray choose the loopback interface, as it does on Windows and macOS.

    It replaces a loopback address that is given to `ray.init` by one that others can reach.
    """
    constants = require("ray._private.ray_constants", "ray")
    before = getattr(constants, SWITCH, None)
    setattr(constants, SWITCH, False)
    try:
        yield
    finally:
        setattr(constants, SWITCH, before)


def _check_loopback(found: str) -> None:
    if found != LOOPBACK:
        raise UsageError(
            f"expected Ray to listen on {LOOPBACK} alone, got {found}: start it with 'ray start "
            f"--head --node-ip-address={LOOPBACK}', and add --address auto (address=)"
        )


def _kill(psutil: Any, processes: list[Any]) -> None:
    """Kill processes with all that they started, and remove what these leave."""
    family = list(processes)
    for one in processes:
        with suppress(psutil.Error):
            family += one.children(recursive=True)
    for one in family:
        with suppress(psutil.Error):
            one.kill()
    # Their folders are locked until they are dead.
    psutil.wait_procs(family, timeout=1.5)
    sweep()
