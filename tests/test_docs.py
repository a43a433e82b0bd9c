"""Documentation runs: its Python, its commands with their output, and its promises."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.house

PROJECT = Path(__file__).parent.parent
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
SET_UP = re.compile(r"^\$ (python3\.11 -m venv .*)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_python_of_a_page_runs(page: Path, workplace: Path) -> None:
    from sybil import Sybil
    from sybil.parsers.markdown import PythonCodeBlockParser
    from sybil.parsers.myst import DocTestDirectiveParser

    parsers = [
        PythonCodeBlockParser(doctest_optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE),
        DocTestDirectiveParser(),
    ]
    for example in Sybil(parsers=parsers, path=str(page.parent)).parse(page).examples():
        example.evaluate()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page_print_what_it_says(page: Path, workplace: Path) -> None:
    checker = doctest.OutputChecker()
    for command, expected in console_examples(page.read_text(encoding="utf-8")):
        if command.startswith("python3.11 -m venv"):
            continue  # the set-up commands; the checks of a change run them as they stand
        printed = run(command, workplace)
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        assert checker.check_output(expected, printed, flags), f"$ {command}\n{printed}"


def test_readme_has_two_set_up_commands_and_the_checks_run_the_second() -> None:
    first, second = SET_UP.findall((PROJECT / "README.md").read_text(encoding="utf-8"))
    assert "muscle-metrics compare examples/" in first
    assert second in (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert second in (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def console_examples(text: str) -> list[tuple[str, str]]:
    """Each command of the page's console blocks, with the output printed below it."""
    examples = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            examples.append((command, output))
    return examples


def run(command: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, as a reader of the page has it."""
    shutil.copytree(PROJECT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    return tmp_path
