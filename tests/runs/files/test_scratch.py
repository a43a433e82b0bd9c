"""Temporary folders: private, and swept only where their owner is dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from muscle_metrics.runs.files import scratch
from muscle_metrics.runs.files.scratch import scratch_folder, sweep
from muscle_metrics.runs.files.undoing import undo_all, undone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked there")

HOLD = """
import os, time
from pathlib import Path
from muscle_metrics.runs.files.scratch import scratch_folder
with scratch_folder() as folder:
    Path(folder, "spilled").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder(parent: Path):
    """A process that holds a folder, and the folder."""
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout
        yield one, Path(one.stdout.readline().strip())
        one.kill()


def test_a_folder_is_private_and_gone_afterwards(parent: Path) -> None:
    before = os.umask(0)
    with scratch_folder() as folder:
        assert Path(folder).parent == parent
        assert os.stat(folder).st_mode & 0o777 == 0o700
        Path(folder, "deep").mkdir()
        Path(folder, "deep", "file").touch()
    os.umask(before)
    assert not list(parent.iterdir())
    with pytest.raises(KeyError), scratch_folder():
        raise KeyError
    assert not list(parent.iterdir())


def test_the_folder_of_a_living_process_stays_and_that_of_a_killed_one_goes(holder) -> None:
    process, folder = holder
    with scratch_folder() as own:
        sweep()
        assert os.listdir(folder) == ["spilled"]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert folder.exists()
        # Its number may already be that of another process: only the lock counts.
        sweep()
        assert not folder.exists()
        assert os.path.exists(own)


def test_the_next_start_sweeps(holder, parent: Path) -> None:
    process, folder = holder
    process.kill()
    process.wait()
    with scratch_folder():
        assert not folder.exists()


@pytest.mark.parametrize(
    "name",
    ["muscle-metrics-main", "muscle-metrics-0.1.0", "muscle-metrics-2qnit9ln", "muscle-metrics",
     "muscle-metrics-HERE-0123456g", "muscle-metrics-HERE-01234567.bak",
     "muscle-metrics-0badcafe-01234567", "другая-HERE-01234567"],
)  # fmt: skip
def test_folders_that_are_not_ours_stay(parent: Path, name: str) -> None:
    folder = parent / name.replace("HERE", scratch._machine())
    folder.mkdir(mode=0o700)
    (folder / "work").touch()
    sweep()
    assert os.listdir(folder) == ["work"]


def orphan(parent: Path) -> Path:
    return parent / f"muscle-metrics-{scratch._machine()}-01234567"


def test_a_link_and_a_file_of_such_a_name_stay(parent: Path) -> None:
    kept = parent / "kept"
    kept.mkdir()
    (kept / "work").touch()
    orphan(parent).symlink_to(kept)
    sweep()
    assert os.listdir(kept) == ["work"]
    assert orphan(parent).is_symlink()
    orphan(parent).unlink()
    orphan(parent).write_text("mine")
    sweep()
    assert orphan(parent).read_text() == "mine"


def test_the_folder_of_another_user_stays(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    orphan(parent).mkdir()
    monkeypatch.setattr(scratch.os, "geteuid", lambda: os.getuid() + 1)
    sweep()
    assert orphan(parent).is_dir()
    monkeypatch.undo()
    sweep(str(parent))
    assert not orphan(parent).exists()


def test_a_file_system_without_locks(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder can be locked there, so none is swept."""
    import errno
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with scratch_folder() as folder:
        sweep()
        assert os.path.isdir(folder)
    assert not list(parent.iterdir())


def test_a_folder_that_is_swept_before_it_is_locked(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    mkdir = os.mkdir

    def swept(folder: str, mode: int) -> None:
        mkdir(folder, mode)
        made.append(folder)
        if len(made) == 1:
            sweep()
            assert not os.path.exists(folder)

    monkeypatch.setattr(scratch.os, "mkdir", swept)
    with scratch_folder() as folder:
        assert os.path.isdir(folder)
    assert len(made) == 2


def test_no_place_for_folders_is_an_error(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(parent / "missing"))
    with pytest.raises(FileNotFoundError), scratch_folder():
        pass


def test_what_is_under_way_is_undone_from_the_inside_out(parent: Path) -> None:
    done: list[str] = []

    def fail() -> None:
        done.append("fails")
        raise PermissionError

    outer, inner = undone(lambda: done.append("outer")), undone(lambda: done.append("inner"))
    with pytest.raises(PermissionError), scratch_folder() as folder, outer, undone(fail), inner:  # noqa: PT012
        undo_all()
        assert done == ["inner", "fails", "outer"]
        assert not os.path.exists(folder)
    done.clear()
    undo_all()
    assert not done
