"""A cluster of our own: on the loopback interface alone, private, gone at a signal."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from muscle_metrics.distributed import cluster, exchange
from muscle_metrics.errors import UsageError
from muscle_metrics.runs.files.scratch import sweep
from tests.cli.test_signals import AT_MOST, SIGNALS, send, start, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("ray", reason="the engine is behind an extra")
psutil = pytest.importorskip("psutil")

# A process that holds a cluster whose workers are busy.
HOLD = """
import os, sys, time
from muscle_metrics.cli.signals import end_at_signals
from muscle_metrics.distributed.cluster import connected
end_at_signals()
with connected() as ray:
    @ray.remote
    def work(seconds):
        from muscle_metrics.runs.files.scratch import scratch_folder
        with scratch_folder() as folder:
            open(folder + "/spilled", "w").close()
            time.sleep(seconds)
        return os.environ.get("RAY_USAGE_STATS_ENABLED")
    print(*ray.get([work.remote(0.1), work.remote(0.1)]))
    running = [work.remote(600), work.remote(600)]
    print("ready", flush=True)
    ray.get(running)
"""


@pytest.fixture
def holder(tmp_path: Path):
    environment = {
        **os.environ,
        "TMPDIR": str(tmp_path),
        # No hidden input: another cluster must not get the data.
        "RAY_ADDRESS": "192.0.2.1:1",
        "RAY_USAGE_STATS_ENABLED": "1",
    }

    def reset() -> None:
        # Under nohup, and in the background of a shell, some are ignored, and stay so.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)

    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", HOLD],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=reset,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "0 0\n"
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
def test_ports_and_processes(holder, tmp_path: Path, number: signal.Signals) -> None:
    own = psutil.Process(holder.pid)
    family = [own, *own.children(recursive=True)]
    assert len(family) > 4
    sockets = [
        socket
        for one in family
        for socket in one.net_connections(kind="inet")
        if socket.status == psutil.CONN_LISTEN
    ]
    assert len(sockets) > 4
    assert {socket.laddr.ip.removeprefix("::ffff:") for socket in sockets} == {"127.0.0.1"}
    # Other users of the machine reach neither the sockets nor the spilled objects.
    homes = {
        os.sep.join(str(socket.laddr).split(os.sep)[:3])
        for one in family
        for socket in one.net_connections(kind="unix")
        if str(socket.laddr).startswith("/tmp/muscle-metrics-")
    }
    assert homes
    for home in [*homes, *tmp_path.glob("muscle-metrics-*")]:
        assert os.stat(home).st_mode & 0o777 == 0o700
    sent = time.monotonic()
    holder.send_signal(number)
    assert holder.wait(60) == 128 + number
    took = time.monotonic() - sent
    assert took < 2 * max(1, os.getloadavg()[0] / (os.cpu_count() or 1))
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    if AT_MOST > 2:
        # On a busy machine a killed worker may die too late: the next start sweeps its folder.
        sweep(str(tmp_path))
    assert not list(tmp_path.glob("muscle-metrics-*"))
    assert not [home for home in homes if os.path.exists(home)]


@pytest.mark.slow
def test_a_gate_leaves_nothing_at_a_signal(tmp_path: Path) -> None:
    """No report, no folder, no process, and no word of Ray about what was taken from it."""
    rows = (
        {"id": f"в{n}", "prediction": "ответ " * (n % 9), "reference": "ответ"}
        for n in range(200_000)
    )
    text = "".join(f"{json.dumps(row)}\n" for row in rows)
    for name in ("new.jsonl", "old.jsonl"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    reports = ["--json", "x.json", "--junit", "x.xml"]
    words = ["gate", "old.jsonl", "new.jsonl", "--max-nfr", "0.5", "--engine", "ray", *reports]
    process = start(words, tmp_path)
    own = psutil.Process(process.pid)

    def working() -> list[psutil.Process]:
        family = own.children(recursive=True)
        return family if any(one.name().startswith("ray::_") for one in family) else []

    wait_for(working, process)
    family = working()
    assert send(process, signal.SIGTERM) == (143, "", "")
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["new.jsonl", "old.jsonl", "tmp"]


def test_another_interface_is_refused() -> None:
    cluster._check_loopback("127.0.0.1")
    with pytest.raises(UsageError, match=r"127.0.0.1 alone, got 192.0.2.7: .*--address auto"):
        cluster._check_loopback("192.0.2.7")


# What keeps Ray from starting, on real sockets


def test_a_cluster_that_does_not_answer_is_refused() -> None:
    """Ray itself tries such an address for a quarter of an hour."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    for name in (address, f"ray://{address}"):
        with (
            pytest.raises(UsageError, match=f"at --address {name} .*: use --engine duckdb"),
            cluster.connected(name),
        ):
            pass


@pytest.mark.parametrize("address", ["узел", "a:b", "x://", "[::1", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with (
        pytest.raises(UsageError, match=r"^expected .* --address .*, got .*: use --engine duckdb"),
        cluster.connected(address),
    ):
        pass


def test_workers_that_are_lost_are_no_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    import ray

    def get(_: object) -> None:
        raise ray.exceptions.WorkerCrashedError

    monkeypatch.setattr(ray, "get", get)
    with pytest.raises(
        UsageError, match=r"workers of Ray to go on, got WorkerCrashedError .*duckdb"
    ):
        exchange._fetch(None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        # Processes of a new network have a loopback interface that is down.
        ("exec unshare --map-root-user --net", "expected Ray to reach itself at 127.0.0.1, got "),
        ("ulimit -n 40; exec", "expected Ray to start on this machine, got RuntimeError "),
    ],
)
def test_ray_that_cannot_start(setting: str, message: str, tmp_path: Path) -> None:
    if (
        "unshare" in setting
        and subprocess.run(
            ["unshare", "--map-root-user", "--net", "true"], check=False, capture_output=True
        ).returncode
    ):
        # Containers and hardened systems forbid it: nothing else takes a loopback interface down.
        pytest.skip("this machine allows no networks of one's own")
    for name in ("old", "new"):
        row = {"id": "ж", "prediction": "а", "reference": "а"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row), encoding="utf-8")
    command = f"{setting} {sys.executable} -m muscle_metrics compare old.jsonl new.jsonl"
    done = subprocess.run(
        ["bash", "-c", f"{command} --engine ray"],
        # How long Ray waits for a process of its own that has ended.
        env={**os.environ, "RAY_gcs_server_port_wait_time_s": "2"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    *_, last = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert last.startswith(f"muscle-metrics: {message}")
    assert ": use --engine duckdb, or name another cluster with --address (address=)" in last
