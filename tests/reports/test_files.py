"""A failed write leaves what was there, whichever write it is."""

from __future__ import annotations

import errno
import os
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import UsageError
from muscle_metrics.reports import files
from muscle_metrics.reports.files import append_text, check_target, write_text

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
    append_text(report, OLD)
    assert report.read_text("utf-8") == NEW + OLD
    assert [path.name for path in report.parent.iterdir()] == ["gate.md"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("step", ["open", "write", "fsync", "replace"])
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
        monkeypatch.setattr(files.os, step, fail)


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


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
@pytest.mark.parametrize("function", [write_text, append_text])
def test_a_new_file_has_the_mode_that_the_umask_leaves(report: Path, function, umask: int) -> None:
    made, before = report.with_name("made.md"), os.umask(umask)
    try:
        function(made, NEW)
    finally:
        os.umask(before)
    assert made.stat().st_mode & 0o777 == 0o666 & ~umask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_file_keeps_its_mode(report: Path, mode: int) -> None:
    report.chmod(mode)
    write_text(report, NEW)
    append_text(report, OLD)
    assert report.stat().st_mode & 0o777 == mode
    assert report.read_text("utf-8") == NEW + OLD


def test_the_owner_of_a_file_keeps_it(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    monkeypatch.setattr(files.os, "fchown", lambda _, *owner: given.append(owner))
    write_text(report, NEW)
    assert given == [(os.getuid(), os.getgid())]


def test_a_file_that_is_protected_from_writing_is_kept(
    report: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write everything: ask for the file itself, as the file system of another user would.
    monkeypatch.setattr(files.os, "access", lambda path, mode: path != os.path.realpath(report))
    with pytest.raises(UsageError, match="denied"):
        write_text(report, NEW)
    assert report.read_text("utf-8") == OLD


@pytest.mark.parametrize("name", ["gate.md", "not-yet.md"])
def test_a_link_stays_and_its_target_is_written(report: Path, name: str) -> None:
    folder = report.parent / "folder"
    folder.mkdir()
    link, chained = folder / "link.md", report.with_name("chained.md")
    link.symlink_to(f"../{name}")
    chained.symlink_to(link)
    target = report.with_name(name)
    write_text(chained, NEW)
    assert target.read_text("utf-8") == NEW
    append_text(chained, OLD)
    assert target.read_text("utf-8") == NEW + OLD
    assert link.is_symlink()
    assert chained.is_symlink()
    assert not target.is_symlink()


def test_links_in_a_circle_are_refused(report: Path) -> None:
    one, other = report.with_name("one"), report.with_name("other")
    one.symlink_to(other)
    other.symlink_to(one)
    for function in (write_text, append_text):
        with pytest.raises(UsageError, match="expected to write"):
            function(one, NEW)


def test_of_a_hard_link_only_the_given_name_is_replaced(report: Path) -> None:
    """Another name may be a cache's or a store's, which must not change."""
    other = report.with_name("other.md")
    other.hardlink_to(report)
    write_text(report, NEW)
    assert (report.read_text("utf-8"), other.read_text("utf-8")) == (NEW, OLD)


@pytest.mark.parametrize("function", [write_text, append_text])
def test_devices_and_pipes_are_written_through(report: Path, function) -> None:
    function("/dev/null", NEW)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    pipe = report.with_name("pipe")
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text("utf-8")))
    reader.start()
    function(pipe, NEW)
    reader.join(10)
    assert read == [NEW]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    with pytest.raises(UsageError, match="space"):
        function("/dev/full", NEW)


@pytest.mark.parametrize("folder", ["/dev/fd", "/proc/self/fd"])
@pytest.mark.parametrize("function", [write_text, append_text])
def test_a_descriptor_keeps_its_place(report: Path, function, folder: str) -> None:
    """To open it anew would cut off what was written to it before."""
    link = report.with_name("link")
    with report.open("ab", buffering=0) as file:
        link.symlink_to(f"{folder}/{file.fileno()}")
        function(f"{folder}/{file.fileno()}", NEW)
        function(link, NEW)
        file.write(b"and more")
        assert files.is_file(link) is False
    assert report.read_text("utf-8") == OLD + NEW + NEW + "and more"
    with pytest.raises(UsageError, match="Bad file descriptor"):
        function(f"{folder}/9999", NEW)


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_standard_output_is_written_in_order(capsys, name: str) -> None:
    assert files.is_standard_output(name)
    print("first", end=" ")
    write_text(name, "second é")
    print(" third")
    assert capsys.readouterr().out == "first second é third\n"


def test_a_file_named_like_standard_output(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(report.parent)
    write_text("./-", NEW)
    assert report.with_name("-").read_text("utf-8") == NEW


def test_a_closed_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    with pytest.raises(UsageError, match="standard output, got Bad file descriptor"):
        write_text("-", NEW)


@pytest.mark.parametrize("name", ["", ".", "..", "/", "no/such/gate.md", "gate.md/x"])
def test_what_cannot_be_written_is_refused_before_any_work(
    report: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(report.parent)
    with pytest.raises(UsageError, match="expected to write"):
        check_target(name)
    for kept in ("gate.md", "new.md", "-", "/dev/stdout", "/dev/null", "/dev/fd/7"):
        check_target(kept)
    assert [path.name for path in report.parent.iterdir()] == ["gate.md"]
