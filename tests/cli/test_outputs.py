"""Outputs and odd inputs on the real command line: files, links, devices, pipes, `-`."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = [sys.executable, "-m", "muscle_metrics"]
SINKS = {
    "compare": ["compare", "OLD", "NEW", "--json"],
    "compare llm": ["compare", "OLD", "NEW", "--llm-comparator"],
    "gate json": ["gate", "OLD", "NEW", "--max-nfr", "0.1", "--json"],
    "gate junit": ["gate", "OLD", "NEW", "--max-nfr", "0.1", "--junit"],
    "gate markdown": ["gate", "OLD", "NEW", "--max-nfr", "0.1", "--markdown"],
    "report": ["report", "OLD", "NEW", "-o"],
    "baseline": ["baseline", "OLD", "-o"],
}

every_sink = pytest.mark.parametrize("sink", SINKS)


@pytest.fixture
def command(pair, tmp_path: Path):
    """Words of a command that writes one output."""
    old, new = pair(items=300, broken=2)
    files = {"OLD": str(old), "NEW": str(new)}
    return lambda sink, output: [
        *PROGRAM, *(files.get(word, word) for word in SINKS[sink]), str(output)
    ]  # fmt: skip


def call(words: list[str], **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, text=True, capture_output=True, check=False, **options)


def shell(text: str, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which "$@" is the command."""
    return call(["bash", "-c", text, "bash", *words])


@pytest.mark.parametrize(
    ("sink", "output"),
    [*((sink, "-") for sink in SINKS),
     *(("compare", output) for output in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"))],
)  # fmt: skip
def test_standard_output_holds_the_report_alone(
    command, sink: str, output: str, tmp_path: Path
) -> None:
    file = tmp_path / "report"
    assert call(command(sink, file)).returncode == 0
    done = call(command(sink, output), cwd=tmp_path)
    # A page shows the command that makes it, with the name of the output.
    expected = file.read_text("utf-8").replace(str(file), output)
    assert (done.returncode, done.stdout) == (0, expected)
    # What a person reads is on the other stream.
    assert "300 items" in done.stderr or "PASS" in done.stderr
    assert not (tmp_path / "-").exists()


def test_json_through_pipes(command) -> None:
    done = shell('"$@" | python3 -m json.tool', command("compare", "/dev/stdout"))
    assert json.loads(done.stdout)["counts"]["negative"] == 2
    done = shell('"$@" >(cat)', [*command("compare", "--json")[:-2], "--json"])
    assert '"negative": 2' in done.stdout


@every_sink
def test_devices_stay_devices(command, run, sink: str) -> None:
    before = os.stat("/dev/null")
    assert run(*command(sink, "/dev/null")[3:]).code == 0
    after = os.stat("/dev/null")
    assert stat.S_ISCHR(after.st_mode)
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    full = run(*command(sink, "/dev/full")[3:])
    assert full.code == 2
    assert "No space left on device" in full.err
    assert full.err.count("\n") == 1


@every_sink
@pytest.mark.parametrize("output", [".", "..", "/", ""])
def test_a_folder_is_refused_in_one_sentence(command, run, sink: str, output: str) -> None:
    done = run(*command(sink, output)[3:])
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"muscle-metrics: expected to write {output!r}, got Is a directory: "
        "give a file in a folder that exists and can be written\n"
    )


@every_sink
def test_modes_and_links(command, run, sink: str, tmp_path: Path) -> None:
    made, kept, link = (tmp_path / name for name in ("made", "kept", "link"))
    kept.write_text("old")
    kept.chmod(0o640)
    link.symlink_to("kept")
    before = os.umask(0o027)
    assert run(*command(sink, made)[3:]).code == 0
    os.umask(before)
    assert made.stat().st_mode & 0o777 == 0o640
    assert run(*command(sink, link)[3:]).code == 0
    assert link.is_symlink()
    assert kept.stat().st_mode & 0o777 == 0o640
    assert len(kept.read_text("utf-8")) > 100
    # No temporary file is left.
    assert not list(tmp_path.glob(".muscle-metrics*"))


@pytest.mark.parametrize("sink", ["compare", "gate junit", "report"])
def test_a_full_disk_leaves_the_old_file(command, sink: str, tmp_path: Path) -> None:
    old = tmp_path / "report"
    old.write_text("old")
    # A limit on the size of files fails a write as a full disk does.
    done = shell('ulimit -f 0; trap "" XFSZ; "$@"', command(sink, old))
    assert done.returncode == 2
    assert "expected to write" in done.stderr
    assert old.read_text() == "old"
    assert not list(tmp_path.glob(".muscle-metrics*"))


def test_a_folder_that_cannot_be_written(command, run, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500)
    # Root may write into every folder of a disk.
    done = run(*command("compare", f"{folder if os.geteuid() else '/proc'}/x.json")[3:])
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("muscle-metrics: expected to write")


def test_a_reader_that_stops_early(command) -> None:
    done = shell('"$@" | head -c 20 >/dev/null; echo ${PIPESTATUS[0]}', command("compare", "-"))
    assert done.stdout.strip() in {"0", "141"}
    assert "Broken pipe" not in done.stderr
    assert "Error" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [["compare", "OLD", "NEW"], ["gate", "OLD", "NEW", "--max-nfr", "0.1"], ["inspect", "OLD"],
     ["power", "--limit", "0.02"], ["compare", "OLD", "NEW", "--json", "-"],
     ["--help"], ["gate", "--help"], ["adapter", "train", "--help"], ["--version"],
     ["completion", "bash"]],
    ids=" ".join,
)  # fmt: skip
@pytest.mark.parametrize(
    ("redirection", "reason"),
    [(">&-", "closed|Bad file descriptor"), (">/dev/full", "No space left")],
    ids=["closed", "full"],
)
def test_standard_output_that_takes_nothing(
    pair, words: list[str], redirection: str, reason: str
) -> None:
    old, new = pair(items=300)
    files = {"OLD": str(old), "NEW": str(new)}
    done = shell(f'"$@" {redirection}', [*PROGRAM, *(files.get(word, word) for word in words)])
    # A verdict that nobody can read is not given: neither 0 nor 1.
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("muscle-metrics: ")]
    assert len(lines) == 1
    assert "expected to write standard output, got" in lines[0]
    assert any(text in lines[0] for text in reason.split("|"))
    for foreign in ("Traceback", "AttributeError", "Exception ignored", "internal error"):
        assert foreign not in done.stderr


def test_nothing_is_printed_where_a_file_cannot_be_written(pair, tmp_path: Path) -> None:
    old, new = map(str, pair(items=300))
    words = [*PROGRAM, "gate", old, new, "--max-nfr", "0.1"]
    done = call([*words, "--json", "-", "--markdown", "/dev/full"])
    assert (done.returncode, done.stdout) == (2, "")
    done = call([*words, "--json", "-", "--junit", "/dev/stdout"])
    assert done.returncode == 2
    assert "twice" in done.stderr
    done = call([*words, "--json", "/dev/null", "--junit", "/dev/null", "--markdown", "-"])
    assert done.returncode == 0
    assert "## PASS" in done.stdout


def test_a_page_on_standard_output_has_no_table_beside_it(pair, tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the page is behind an extra")
    old, new = map(str, pair(items=30, broken=9))
    done = call([*PROGRAM, "report", old, new, "-o", "-", "--examples", "2"], cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("<!doctype html>")
    assert ".csv" not in done.stdout.partition("<main")[2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.jsonl", "old.jsonl"]
