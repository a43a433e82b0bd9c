"""Steps of recipes, run as their runners run them, with stand-ins for what needs a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).parent.parent.parent
EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")
# The command itself; or, where the file ARGUMENTS is asked for, only a note of what it was given.
PROGRAM = f"""#!/bin/bash
if [ -n "$ARGUMENTS" ]; then printf "%s\\0" "$@" > "$ARGUMENTS"; exit 0; fi
exec "{sys.executable}" -m muscle_metrics "$@"
"""
# What `python -m venv` and pip do, without a network: programs of this environment, and a note of
# every argument. `-I` is asked for, so that a module in the working folder cannot take their place.
PYTHON = f"""#!/bin/bash
if [ "$1 $2" = "-I -c" ]; then exec "{sys.executable}" "$@"; fi
[ "$1 $2 $3" = "-I -m venv" ] || exit 99
mkdir -p "$4/bin"
printf '%s' '{PROGRAM}' > "$4/bin/muscle-metrics"
printf '#!/bin/sh\\nexec "{sys.executable}" "$@"\\n' > "$4/bin/python"
printf '#!/bin/bash\\nprintf "%%q " "$@" >> "$NOTES"; echo >> "$NOTES"\\n' > "$4/bin/pip"
chmod +x "$4/bin/"*
"""


class Machine:
    """A runner: a working folder, a folder of programs that come first, and notes of calls."""

    def __init__(self, folder: Path) -> None:
        self.home = folder
        self.work = folder / "work"
        self.programs = folder / "programs"
        self.notes = folder / "notes"
        self.temp = folder / "temp"
        self.only_notes = False
        for place in (self.work, self.programs, self.temp):
            place.mkdir()
        self.install("python3", PYTHON)

    def install(self, name: str, script: str) -> None:
        """Put a stand-in before the program of this name."""
        path = self.programs / name
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)

    def calls(self) -> list[str]:
        """Calls that stand-ins noted, each argument quoted for bash."""
        return self.notes.read_text("utf-8").splitlines() if self.notes.exists() else []

    def arguments(self) -> list[str]:
        """What the gate was given, where it was only to note that."""
        return (self.home / "arguments").read_text("utf-8").split("\0")[:-1]

    def shell(
        self, script: str, variables: Mapping[str, str], *, flags: str = "-eo"
    ) -> subprocess.CompletedProcess[str]:
        """Run a script in bash as GitHub and GitLab do: until the first failure."""
        path = f"{self.programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}"
        environment = {
            **os.environ,
            "PATH": path + os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "NOTES": str(self.notes),
            "TMPDIR": str(self.temp),
            "ARGUMENTS": str(self.home / "arguments") if self.only_notes else "",
            **variables,
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", flags, "pipefail", "-c", script],
            cwd=self.work,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class Steps:
    """Steps of GitHub Actions with a `run`: what expressions give, and the outputs of each."""

    def __init__(self, machine: Machine, context: Mapping[str, str]) -> None:
        self.machine = machine
        self.context = dict(context)
        self.summary = machine.home / "summary.md"

    def value(self, text: str) -> str:
        return EXPRESSION.sub(lambda found: self.context[found[1]], text)

    def run(self, step: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
        assert "${{" not in step["run"], "text of an input would be part of a command"
        output = self.machine.home / "output"
        output.write_text("")
        variables = {name: self.value(text) for name, text in step.get("env", {}).items()}
        done = self.machine.shell(
            step["run"],
            {
                "RUNNER_TEMP": str(self.machine.temp),
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                **variables,
            },
        )
        for line in output.read_text("utf-8").splitlines():
            name, _, value = line.partition("=")
            self.context[f"steps.{step.get('id')}.outputs.{name}"] = value
        return done


@pytest.fixture
def steps(machine: Machine):
    return lambda context: Steps(machine, context)
