"""Real signals to real processes: 128 + their number, at once, with nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
# Seconds from a signal to the end of the process; more where others keep all cores busy.
AT_MOST = 2 * max(1, os.getloadavg()[0] / (os.cpu_count() or 1))
GATE = ["gate", "old.parquet", "new.parquet", "--max-nfr", "0.5"]

every_signal = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs whose join takes DuckDB several seconds, most of them in one call."""
    duckdb = pytest.importorskip("duckdb", reason="the engine is behind an extra")
    folder = tmp_path_factory.mktemp("runs")
    for seed, name in ((1, "old"), (2, "new")):
        duckdb.execute(
            f"COPY (SELECT 'задача-' || ((range * 7 + {seed}) % 1500000) AS id, "
            f"repeat('ответ ', 9) || hash(range + {seed}) % 5 AS prediction, 'ответ' AS reference "
            f"FROM range(1500000)) TO '{folder}/{name}.parquet' (FORMAT PARQUET)"
        )
    return folder


def start(words: list[str], folder: Path, **options: Any) -> subprocess.Popen[str]:
    """Start the command as a terminal does.

    A shell lets its background jobs ignore INT, and a process inherits what is ignored.
    """

    disposition = options.pop("disposition", signal.SIG_DFL)

    def reset() -> None:
        for number in SIGNALS:
            signal.signal(number, disposition)

    temporary = folder / "tmp"
    temporary.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "muscle_metrics", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=reset,
        env={**os.environ, "TMPDIR": str(temporary)},
        cwd=options.pop("cwd", folder),
    )


def wait_for(found: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30 * AT_MOST
    while not found():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def send(process: subprocess.Popen[str], number: int) -> tuple[int, str, str]:
    """Exit code and output of a process after a signal."""
    process.send_signal(number)
    try:
        out, err = process.communicate(timeout=AT_MOST)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


def spilled(folder: Path) -> Iterator[Path]:
    return folder.glob("tmp/muscle-metrics-*/duckdb*")


@pytest.mark.slow
@every_signal
def test_in_the_middle_of_a_query(runs: Path, tmp_path: Path, number: signal.Signals) -> None:
    reports = ["--json", str(tmp_path / "x.json"), "--junit", str(tmp_path / "x.xml")]
    words = [*GATE, "--engine", "duckdb", "--memory", "150MB", "--missing", "drop", *reports]
    process = start(words, tmp_path, cwd=runs)
    wait_for(lambda: list(spilled(tmp_path)), process)
    assert send(process, number) == (128 + number, "", "")
    assert [path.name for path in tmp_path.rglob("*")] == ["tmp"]


@pytest.mark.slow
def test_the_folder_of_a_killed_run_is_swept_by_the_next(runs: Path, tmp_path: Path, pair) -> None:
    process = start([*GATE, "--engine", "duckdb", "--memory", "150MB"], tmp_path, cwd=runs)
    wait_for(lambda: list(spilled(tmp_path)), process)
    process.kill()
    process.communicate()
    assert list(spilled(tmp_path))
    old, new = map(str, pair())
    subprocess.run(
        [sys.executable, "-m", "muscle_metrics", "compare", old, new, "--engine", "duckdb"],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert not list((tmp_path / "tmp").iterdir())


SLOW = """
import pathlib, time
def key(answer):
    pathlib.Path("started").touch()
    {work}
"""
# The key runs in the main thread: asleep, busy, in one long call, or deaf to exceptions.
WORK = {
    "asleep": "time.sleep(60)",
    "busy": "while True: pass",
    "one call": "import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 10 ** 9)",
    "deaf": "\n    ".join(
        ["while True:", "    try:", "        time.sleep(1)", "    except BaseException:",
         "        pass"]
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("work", "number"),
    [*(("asleep", number) for number in SIGNALS),
     *((work, signal.SIGTERM) for work in WORK if work != "asleep")],
)  # fmt: skip
def test_in_memory(pair, tmp_path: Path, work: str, number: signal.Signals) -> None:
    (tmp_path / "slow.py").write_text(SLOW.format(work=WORK[work]))
    old, new = map(str, pair())
    words = ["gate", old, new, "--max-nfr", "0.02", "--key", "slow.py:key", "--json", "x.json"]
    process = start(words, tmp_path)
    wait_for((tmp_path / "started").exists, process)
    assert send(process, number) == (128 + number, "", "")
    assert not list(tmp_path.glob("x.json"))
    assert not list(tmp_path.glob(".muscle*"))


@every_signal
def test_an_ignored_signal_stays_ignored(pair, tmp_path: Path, number: signal.Signals) -> None:
    """As under nohup, and as in the background jobs of a shell."""
    (tmp_path / "slow.py").write_text(SLOW.format(work="time.sleep(0.002); return answer"))
    old, new = map(str, pair(items=200))
    words = ["compare", old, new, "--key", "slow.py:key"]
    process = start(words, tmp_path, disposition=signal.SIG_IGN)
    wait_for((tmp_path / "started").exists, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "200 items" in out


def test_in_the_write_of_a_report(pair, tmp_path: Path) -> None:
    """A report that is being written is taken back, and the old one stays."""
    report = tmp_path / "gate.md"
    report.write_text("old")
    (tmp_path / "sitecustomize.py").write_text(
        "import os, pathlib, time\n"
        "def fsync(descriptor):\n"
        "    pathlib.Path('started').touch()\n"
        "    time.sleep(60)\n"
        "os.fsync = fsync\n"
    )
    old, new = map(str, pair())
    environment = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", environment)
        words = ["gate", old, new, "--max-nfr", "0.02", "--markdown", str(report)]
        process = start(words, tmp_path)
    wait_for((tmp_path / "started").exists, process)
    assert list(tmp_path.glob(".muscle-metrics.*"))
    assert send(process, signal.SIGHUP) == (129, "", "")
    assert report.read_text() == "old"
    assert not list(tmp_path.glob(".muscle-metrics.*"))


def test_a_growing_run_leaves_no_copy(pair, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW.format(work="time.sleep(60)"))
    old, new = map(str, pair())
    words = ["gate", old, new, "--max-nfr", "0.02", "--key", "slow.py:key"]
    process = start([*words, "--sequential", "--seed", "7"], tmp_path)
    wait_for((tmp_path / "started").exists, process)
    assert send(process, signal.SIGTERM)[0] == 143
    assert not list((tmp_path / "tmp").iterdir())


def test_a_second_signal_changes_nothing(pair, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW.format(work="time.sleep(60)"))
    old, new = map(str, pair())
    process = start(["compare", old, new, "--key", "slow.py:key"], tmp_path)
    wait_for((tmp_path / "started").exists, process)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    assert send(process, signal.SIGHUP)[0] in (128 + number for number in SIGNALS)
