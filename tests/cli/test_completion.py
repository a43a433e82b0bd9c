"""Completion, asked for in the shells themselves."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Words on the line (the last is completed), some words to be offered, some words not to.
CASES = [
    ("", {"compare", "gate", "power", "--help", "--version"}, {"--max-nfr"}),
    ("ga", {"gate"}, {"compare"}),
    ("gate --max-", {"--max-nfr", "--max-accuracy-loss"}, {"--json"}),
    ("power --", {"--limit", "--items"}, {"--max-nfr"}),
    ("compare a b --missing ", {"error", "drop"}, {"wrong"}),
    ("compare a b --missing = d", {"drop"}, {"error"}),
    ("compare a b --conflict =", {"own", "first"}, {"wrong"}),
    ("compare a b --metric rouge", {"rouge1", "rougeLsum"}, {"bleu"}),
    ("completion ", {"bash", "zsh", "fish"}, {"compare"}),
    ("baseline a -", {"-o", "--output"}, {"--max-nfr"}),
]


@pytest.fixture
def script(run: Callable[..., object], tmp_path: Path) -> Callable[[str], Path]:
    def written(shell: str) -> Path:
        done = run("completion", shell)
        assert (done.code, done.err) == (0, "")
        path = tmp_path / f"{shell}.script"
        path.write_text(done.out)
        return path

    return written


@pytest.mark.parametrize(("line", "offered", "withheld"), CASES)
def test_bash_offers(script, tmp_path: Path, line: str, offered: set, withheld: set) -> None:
    words = ["muscle-metrics", *line.split(" ")]
    asked = subprocess.run(
        [
            "bash", "--norc", "-euc",
            '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _muscle_metrics; '
            'printf "%s\\n" "${COMPREPLY[@]}"',
            "bash", script("bash"), *words,
        ],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = {*asked.stdout.split()}
    assert offered <= found
    assert not withheld & found


def test_bash_completes_as_one_types(script, tmp_path: Path) -> None:
    """Tab, in an interactive shell."""
    path = script("bash")
    (tmp_path / "answers-of-v1.jsonl").touch()
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(tmp_path)
        os.environ.update(PS1="ready ", TERM="dumb", INPUTRC="/dev/null", HOME=str(tmp_path))
        os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
    try:
        type_and_read(terminal, f". '{path}'\n", until="ready")
        for typed, completed in [
            ("muscle-metrics ga\t", "muscle-metrics gate "),
            ("muscle-metrics compare answ\t", "muscle-metrics compare answers-of-v1.jsonl "),
            ("muscle-metrics gate --pol\tansw\t", "gate --policy answers-of-v1.jsonl "),
            ("muscle-metrics compare a b --missing=dr\t", "--missing=drop "),
        ]:
            assert completed in type_and_read(terminal, typed, until=completed)
            type_and_read(terminal, "\x15\n", until="ready")
    finally:
        os.close(terminal)
        os.waitpid(process, 0)


def type_and_read(terminal: int, text: str, *, until: str, seconds: float = 20) -> str:
    os.write(terminal, text.encode())
    shown, end = "", time.monotonic() + seconds
    while until not in shown and time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536).decode()
    return shown


def test_every_option_is_in_the_script_of_every_shell(run, script) -> None:
    for command in ("compare", "gate", "baseline", "order", "power", "completion"):
        described = run(command, "--help").out.partition("\nexamples:\n")[0]
        options = {*re.findall(r"^  .*?(--[a-z-]+)", described, re.MULTILINE)}
        assert "--help" in options
        bash, zsh = script("bash").read_text(), script("zsh").read_text()
        of_bash = bash.partition(f"*' {command} '*) ")[2].partition(";;")[0]
        assert options <= {*re.findall(r"--[a-z-]+", of_bash)}
        of_zsh = zsh.partition(f"\n        {command}) _arguments")[2].partition(";;")[0]
        assert options <= {*re.findall(r"^ +'\*(--[a-z-]+)", of_zsh, re.MULTILINE)}
        lines = [
            line for line in script("fish").read_text().split("\n") if f"from {command}'" in line
        ]
        long = {f"--{name}" for line in lines for name in re.findall(r"--long-option (\S+)", line)}
        assert options <= long


# Other shells run only where they are installed; the test above checks their scripts.
if shutil.which("zsh"):

    def test_zsh_accepts_the_script(script) -> None:
        subprocess.run(["zsh", "-fn", script("zsh")], check=True)


if shutil.which("fish"):

    @pytest.mark.parametrize(("line", "offered", "withheld"), CASES)
    def test_fish_offers(script, line: str, offered: set, withheld: set) -> None:
        words = line.replace(" =", "=").replace("= ", "=")
        asked = subprocess.run(
            ["fish", "-c", f'source "{script("fish")}"; complete -C "muscle-metrics {words}"'],
            capture_output=True,
            text=True,
            check=True,
        )
        found = {row.split("\t")[0].rpartition("=")[2] for row in asked.stdout.splitlines()}
        # It offers options only where a word starts like one.
        assert offered - {"--help", "--version"} <= found
        assert not withheld & found


def test_an_unknown_shell_is_refused(run) -> None:
    done = run("completion", "powershell")
    assert (done.code, done.out) == (2, "")
    assert "'bash', 'zsh', 'fish'" in done.err or "bash, zsh, fish" in done.err


def test_no_heavy_import_stands_before_the_script() -> None:
    code = (
        "import sys; from muscle_metrics.cli import main; main(['completion', 'bash']); "
        "sys.exit(any(name in sys.modules for name in ('scipy', 'pandas', 'torch', 'sacrebleu')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
