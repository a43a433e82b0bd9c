"""What a user's screen gets, and what a pipe gets, from the real program on a real terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from pathlib import Path

ABOUT_SCREENS = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM", "TTY_COMPATIBLE"}
ESCAPE = "\x1b"


def environment(**wanted: str) -> dict[str, str]:
    kept = {name: text for name, text in os.environ.items() if name not in ABOUT_SCREENS}
    return {**kept, "TERM": "xterm-256color", **wanted}


def on_terminal(arguments: list[str], **wanted: str) -> str:
    """What the program writes where both of its streams are a terminal."""
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "muscle_metrics", *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment(**wanted),
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    assert process.wait() == 0
    return shown.decode().replace("\r\n", "\n")


def in_pipe(arguments: list[str], **wanted: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "muscle_metrics", *arguments],
        env=environment(**wanted), capture_output=True, text=True, check=True,
    )  # fmt: skip


@pytest.fixture
def arguments(pair) -> list[str]:
    old, new = pair(items=60, broken=9)
    return ["compare", str(old), str(new), "--slice-field", "topic", "--flips", "2"]


def test_a_terminal_gets_styles_and_progress(arguments: list[str]) -> None:
    shown = on_terminal(arguments, COLUMNS="100")
    assert f"{ESCAPE}[1m" in shown
    assert "reading" in shown


@pytest.mark.parametrize("wanted", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_a_screen_without_colours_gets_no_style(arguments: list[str], wanted) -> None:
    shown = on_terminal(arguments, COLUMNS="100", **wanted)
    assert f"{ESCAPE}[1m" not in shown
    assert f"{ESCAPE}[3" not in shown
    assert "of what was right, broke" in shown
    if "TERM" in wanted:
        # A dumb terminal takes nothing back, so nothing is drawn that would have to be.
        assert ESCAPE not in shown
        assert "reading" not in shown


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_tables_fit_the_screen(arguments: list[str], columns: int) -> None:
    shown = on_terminal(arguments, COLUMNS=str(columns), NO_COLOR="1", TERM="xterm")
    # The cursor comes back before the first line.
    lines = shown.rpartition(f"{ESCAPE}[2K")[2].removeprefix(f"{ESCAPE}[?25h").splitlines()
    assert len(lines) > 20
    commands = [line for line in lines if line.startswith("next: ")]
    assert max(cell_len(line) for line in lines if line not in commands) <= columns
    # A terminal wraps a command itself; broken into lines it could not be pasted.
    pages = [line for line in commands if line.endswith(" -o report.html")]
    assert len(pages) == (find_spec("jinja2") is not None)


def test_a_pipe_gets_the_same_whatever_the_screen(arguments: list[str]) -> None:
    plain = in_pipe(arguments)
    assert ESCAPE not in plain.stdout
    assert plain.stderr == ""
    for wanted in ({"COLUMNS": "60"}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"COLUMNS": "200"}):
        assert in_pipe(arguments, **wanted).stdout == plain.stdout


def test_colours_can_be_forced_into_a_pipe(arguments: list[str]) -> None:
    forced = in_pipe(arguments, FORCE_COLOR="1", COLUMNS="100")
    assert f"{ESCAPE}[1m" in forced.stdout
    # Progress is for somebody who waits at a terminal.
    assert forced.stderr == ""
    both = in_pipe(arguments, FORCE_COLOR="1", NO_COLOR="1", COLUMNS="100")
    assert ESCAPE not in both.stdout


def test_a_verdict_is_plain_everywhere(pair, tmp_path: Path) -> None:
    """Programs read the first word of a gate, on a build server's terminal too."""
    old, new = pair(items=300)
    arguments = ["gate", str(old), str(new), "--max-nfr", "0.1"]
    assert in_pipe(arguments, FORCE_COLOR="1").stdout.startswith("PASS: ")
    assert "\nPASS negative flip rate" in on_terminal(arguments)
