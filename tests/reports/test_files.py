"""A failed write leaves what was there, whichever write it is."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import UsageError
from muscle_metrics.reports import files
from muscle_metrics.reports.files import append_text, write_text

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "the old report\n", "the new report, which is longer\n"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "gate.md"
    path.write_text(OLD, encoding="utf-8")
    return path


def test_reports_are_replaced_and_summaries_grow(report: Path) -> None:
    write_text(report, NEW)
    assert report.read_text("utf-8") == NEW
    assert report.stat().st_mode & 0o777 == 0o600
    append_text(report, OLD)
    assert report.read_text("utf-8") == NEW + OLD
    assert [path.name for path in report.parent.iterdir()] == ["gate.md"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("step", ["mkstemp", "write", "fsync", "replace"])
def test_any_step_of_writing_may_fail(
    report: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    fail_at(step, code, monkeypatch)
    with pytest.raises(UsageError, match=os.strerror(code)):
        write_text(report, NEW)
    assert report.read_text("utf-8") == OLD
    assert [path.name for path in report.parent.iterdir()] == ["gate.md"]


def fail_at(step: str, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(code, os.strerror(code))

    if step == "write":
        opened = os.fdopen

        def full(descriptor: int, *arguments: object, **options: object) -> object:
            file = opened(descriptor, *arguments, **options)
            file.write = fail
            return file

        monkeypatch.setattr(files.os, "fdopen", full)
    else:
        monkeypatch.setattr(files.tempfile if step == "mkstemp" else files.os, step, fail)


@pytest.mark.parametrize("kept", [0, 1, 7, 31])
def test_a_disk_that_fills_up_while_appending(
    report: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    def small(path: Path, mode: str, **options: Any) -> object:
        return FullDisk(open(path, mode, **options), kept)

    monkeypatch.setattr(files, "open", small, raising=False)
    with pytest.raises(UsageError, match="space"):
        append_text(report, NEW)
    monkeypatch.undo()
    assert report.read_text("utf-8") == OLD


class FullDisk:
    """A file that takes some bytes and then no more."""

    def __init__(self, file: object, room: int) -> None:
        self.file = file
        self.room = room

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self.file, name)

    def write(self, data: memoryview) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self.file.write(data[: self.room])
        self.room -= taken
        return taken


def test_short_writes_are_finished(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(FullDisk):
        def write(self, data: memoryview) -> int:
            return self.file.write(data[:3])

    def slow(path: Path, mode: str, **options: Any) -> object:
        return Slow(open(path, mode, **options), 0)

    monkeypatch.setattr(files, "open", slow, raising=False)
    append_text(report, NEW)
    monkeypatch.undo()
    assert report.read_text("utf-8") == OLD + NEW


def test_an_interrupt_leaves_no_temporary_file(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_text(report, NEW)
    with pytest.raises(KeyboardInterrupt):
        append_text(report, NEW)
    assert report.read_text("utf-8") == OLD
    assert [path.name for path in report.parent.iterdir()] == ["gate.md"]


@pytest.mark.parametrize("function", [write_text, append_text])
def test_folders_that_cannot_be_written(report: Path, function) -> None:
    with pytest.raises(UsageError, match=r"no/such.*No such file"):
        function(report.parent / "no/such/gate.md", NEW)
    with pytest.raises(UsageError, match="directory"):
        function(report.parent, NEW)
    if os.geteuid() != 0:
        report.parent.chmod(0o500)
        with pytest.raises(UsageError, match="denied"):
            write_text(report, NEW)
        report.parent.chmod(0o700)
    assert report.read_text("utf-8") == OLD


def test_links_are_not_followed(report: Path) -> None:
    link = report.with_name("link.md")
    link.symlink_to(report)
    with pytest.raises(UsageError, match=r"link\.md"):
        append_text(link, NEW)
    write_text(link, NEW)
    assert not link.is_symlink()
    assert (report.read_text("utf-8"), link.read_text("utf-8")) == (OLD, NEW)


def test_a_summary_that_is_made_is_for_its_owner_only(report: Path) -> None:
    made = report.with_name("summary.md")
    append_text(made, NEW)
    assert made.stat().st_mode & 0o777 == 0o600
