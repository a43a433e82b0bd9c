"""Every call of the file layer may fail: the old file stays or the new one is whole."""

from __future__ import annotations

import errno
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from muscle_metrics.cli import main
from muscle_metrics.errors import FileError, UsageError
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# The calls that change a disk. Files are written through `os.fdopen`, `open` or `os.write`.
CALLS = ["open", "write", "fsync", "replace", "rename", "mkdir", "fchmod", "ftruncate"]
OLD = b"an old file\n"


class Disk:
    """Counts the calls that change files under a folder, and lets one fail."""

    def __init__(self, folder: Path, code: int, fail_at: int, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.code, self.left = str(folder), code, fail_at
        self.failed = False
        self.descriptors: set[int] = set()
        for name in CALLS:
            patch.setattr(os, name, self._counted(getattr(os, name), name))
        fdopen = os.fdopen

        def watched(descriptor: int, *arguments: Any, **options: Any) -> Any:
            file = fdopen(descriptor, *arguments, **options)
            return _Watched(file, self) if descriptor in self.descriptors else file

        patch.setattr(os, "fdopen", watched)
        for module in ("builtins.open", "io.open"):
            patch.setattr(module, self._opened(io.open))

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.failed = True
            raise OSError(self.code, os.strerror(self.code))

    def _ours(self, first: object) -> bool:
        return first in self.descriptors or str(first).startswith(self.folder)

    def _counted(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        def counted(first: Any, *arguments: Any, **options: Any) -> Any:
            changes = name != "open" or (arguments and arguments[0] & (os.O_WRONLY | os.O_RDWR))
            if changes and self._ours(first):
                self.step()
            result = call(first, *arguments, **options)
            if name == "open" and changes and self._ours(first):
                self.descriptors.add(result)
            return result

        return counted

    def _opened(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
            changes = set(mode) & set("wax+") and self._ours(path)
            if changes:
                self.step()
            file = call(path, mode, *arguments, **options)
            if changes:
                self.descriptors.add(file.fileno())
                return _Watched(file, self)
            return file

        return opened


class _Watched:
    def __init__(self, file: Any, disk: Disk) -> None:
        self._file, self._disk = file, disk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: Any) -> Any:
        self._disk.step()
        return self._file.write(data)

    def flush(self) -> None:
        self._disk.step()
        self._file.flush()


def every_failure(
    folder: Path, code: int, write: Callable[[], object], prepare: Callable[[], object]
) -> Iterator[tuple[bool, object]]:
    """Let the first call fail, then the second, ... until none is left; and give each outcome."""
    for fail_at in range(1, 200):
        prepare()
        with pytest.MonkeyPatch.context() as patch:
            disk = Disk(folder, code, fail_at, patch)
            try:
                outcome = write()
            except Exception as error:
                outcome = error
        yield disk.failed, outcome
        if not disk.failed:
            return
    raise AssertionError("it never ends")


OUTPUTS = {
    "compare json": (["compare", "OLD", "NEW", "--json"], []),
    "llm comparator": (["compare", "OLD", "NEW", "--llm-comparator"], []),
    "gate json": (["gate", "OLD", "NEW", "--max-nfr", "0.1", "--json"], []),
    "gate junit": (["gate", "OLD", "NEW", "--max-nfr", "0.1", "--junit"], []),
    "gate markdown": (["gate", "OLD", "NEW", "--max-nfr", "0.1", "--markdown"], []),
    "page and table": (["report", "OLD", "NEW", "--examples", "2", "-o"], ["output.csv"]),
    "baseline": (["baseline", "OLD", "-o"], []),
}  # fmt: skip


@pytest.fixture
def words(tmp_path: Path) -> Callable[[str], list[str]]:
    runs = {"OLD": tmp_path / "old.jsonl", "NEW": tmp_path / "new.jsonl"}
    for name, path in runs.items():
        broken = 9 if name == "NEW" else 0
        rows = [
            {"id": f"в{n}", "reference": "A", "prediction": "B" if n < broken else "A"}
            for n in range(300)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return lambda output: [str(runs.get(word, word)) for word in OUTPUTS[output][0]]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_reports(words, tmp_path: Path, capsys, output: str, code: int) -> None:
    if output == "page and table":
        pytest.importorskip("jinja2", reason="the page is behind an extra")
    folder = tmp_path / "reports"
    folder.mkdir()
    names = ["output.html", *OUTPUTS[output][1]]
    arguments = [*words(output), str(folder / names[0])]
    assert main(arguments) == 0
    whole = {name: (folder / name).read_bytes() for name in names}
    failures = 0

    def prepare() -> None:
        for name in names:
            (folder / name).write_bytes(OLD)
        capsys.readouterr()

    def clear() -> None:
        for path in folder.iterdir():
            path.unlink()

    for failed, outcome in every_failure(folder, code, lambda: main(arguments), prepare):
        printed = capsys.readouterr()
        assert outcome == (2 if failed else 0)
        assert bool(printed.out) != failed
        assert (os.strerror(code) in printed.err) == failed
        assert sorted(path.name for path in folder.iterdir()) == sorted(names)
        for name in names:
            assert (folder / name).read_bytes() in (OLD, whole[name])
        failures += failed
    assert failures >= 4 * len(names)
    for failed, outcome in every_failure(folder, code, lambda: main(arguments), clear):
        assert outcome == (2 if failed else 0)
        for path in folder.iterdir():
            assert path.read_bytes() == whole[path.name]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
def test_a_summary_that_grows(words, tmp_path: Path, monkeypatch, code: int) -> None:
    folder = tmp_path / "reports"
    folder.mkdir()
    summary = folder / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    arguments = [*words("gate json")[:-1], "--summary"]
    summary.write_bytes(OLD)
    assert main(arguments) == 0
    whole = summary.read_bytes()

    def prepare() -> None:
        summary.write_bytes(OLD)

    for failed, outcome in every_failure(folder, code, lambda: main(arguments), prepare):
        assert outcome == (2 if failed else 0)
        assert summary.read_bytes() == (OLD if failed else whole)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
def test_the_copy_of_a_run_that_is_no_file(tmp_path: Path, monkeypatch, code: int) -> None:
    """The disk is named, and not the address, which gave all of its bytes."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    rows = "".join(f'{{"id": "в{n}", "prediction": "да"}}\n' for n in range(99)).encode()

    def read() -> object:
        with patch("sys.stdin", io.TextIOWrapper(io.BytesIO(rows))):
            return read_run("-")

    for failed, outcome in every_failure(scratch, code, read, lambda: None):
        if failed and isinstance(outcome, FileError):
            assert "expected room for a copy" in str(outcome)
            assert os.strerror(code) in str(outcome)
            assert "address" not in str(outcome)
        assert isinstance(outcome, (FileError, OSError) if failed else Run)
        assert list(scratch.iterdir()) == []


# A report, as the command writes it, in a process that kills itself at the k-th call.
KILLED = """
import os, signal
left = {kill_at}
def counted(call):
    def count(*arguments, **options):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **options)
    return count
for name in ("open", "fdopen", "fsync", "replace", "unlink", "fchmod", "fchown"):
    setattr(os, name, counted(getattr(os, name)))
from muscle_metrics.reports.files import write_text
write_text({path!r}, "новый отчёт\\n" * 9)
os._exit(0)
"""


def test_a_report_whose_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "gate.md"
    new = "новый отчёт\n" * 9
    codes = []
    for kill_at in range(1, 20):
        path.write_bytes(OLD)
        code = KILLED.format(kill_at=kill_at, path=str(path))
        codes.append(subprocess.run([sys.executable, "-c", code], check=False).returncode)
        assert path.read_bytes() in (OLD, new.encode())
        if codes[-1] == 0:
            break
        assert codes[-1] == -signal.SIGKILL
    assert path.read_text("utf-8") == new
    assert len(codes) > 4


class TestAdapters:
    """An adapter of several files: each is old or new, and no mixture can be loaded."""

    @pytest.fixture(autouse=True)
    def _needs_the_trainer(self) -> None:
        for package in ("torch", "peft", "transformers", "accelerate"):
            pytest.importorskip(package)

    @pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO], ids=["full", "broken"])
    def test_any_call_may_fail(self, tmp_path: Path, code: int) -> None:
        from muscle_metrics.adapter.checkpoints import replaced_files

        folder = tmp_path / "adapter"
        names = ["adapter_config.json", "adapter_model.safetensors", "README.md"]

        def save(content: bytes) -> None:
            with replaced_files(folder, last=names[0]) as staged:
                for name in names:
                    with (staged / name).open("wb") as file:
                        file.write(content)

        def prepare() -> None:
            save(OLD)
            (folder / "notes.txt").write_bytes(b"of the user")

        failures = 0
        for _, outcome in every_failure(folder, code, lambda: save(b"new"), prepare):
            # A folder that is there need not be made: only that failure is none.
            assert outcome is None or isinstance(outcome, UsageError)
            found = {path.name: path.read_bytes() for path in folder.iterdir()}
            assert found.pop("notes.txt") == b"of the user"
            assert found.keys() <= set(names)
            assert set(found.values()) <= {OLD, b"new"}
            # Where the settings are, all files are of one adapter.
            assert names[0] not in found or len(set(found.values())) == 1
            assert outcome is not None or set(found.values()) == {b"new"}
            failures += outcome is not None
        assert failures > 10

    def test_checkpoints(self, tmp_path: Path) -> None:
        from muscle_metrics.adapter.checkpoints import MANIFEST, check_manifest, write_manifest

        folder = tmp_path / "checkpoint-8"
        folder.mkdir()
        (folder / "optimizer.pt").write_bytes(b"state")

        def write() -> None:
            write_manifest(folder, "recipe", None)

        def prepare() -> None:
            (folder / MANIFEST).unlink(missing_ok=True)

        for failed, outcome in every_failure(folder, errno.EIO, write, prepare):
            assert isinstance(outcome, UsageError) == failed
            assert (folder / MANIFEST).exists() != failed
            assert len(list(folder.iterdir())) == 2 - failed
        check_manifest(folder, "recipe")
