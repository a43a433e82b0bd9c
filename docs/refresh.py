"""Run every example of README and of the pages of docs, and write below it what it prints.

    python docs/refresh.py [--check] [PAGE ...]

rewrites the pages whose outputs have changed, for instance with the runs in examples/, and names
them; with --check it changes nothing, and fails if it would. Each page runs in a folder of its own
that holds a copy of examples/. An output that still matches stays as it is, and so does each line
of it with an ellipsis (`...`) that still matches. The table of formats is made from the readers.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
import textwrap
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from muscle_metrics.runs.harnesses import HARNESSES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PROJECT = Path(__file__).resolve().parent.parent
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
WIDTH = 100

BLOCK = re.compile(
    r"^(?P<indent> *)```(?P<language>console|python)\n(?P<body>.*?)^ *```$",
    re.MULTILINE | re.DOTALL,
)
FORMATS = re.compile(r"(<!-- formats: .*-->\n).*(<!-- end of formats -->)", re.DOTALL)
# Set-up commands; the checks of a change run them, in an environment of their own.
SET_UP = ("python3.11 -m venv", "pip install")
# What the Python of a page prints may be broken over lines; what a command prints stands as it is.
PYTHON_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# What would make a program print for this screen rather than for the page.
OF_A_SCREEN = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE")


def main() -> int:
    """Refresh pages; 1 if an example failed that is not shown to fail, or a page is to change."""
    check = "--check" in sys.argv
    named = [Path(word).resolve() for word in sys.argv[1:] if word != "--check"]
    changed = 0
    for page in named or PAGES:
        text = page.read_text(encoding="utf-8")
        with TemporaryDirectory() as folder:
            shutil.copytree(PROJECT / "examples", Path(folder, "examples"))
            try:
                fresh = refreshed(text, Path(folder))
            except doctest.UnexpectedException as failure:
                print(f"{page}: {failure.example.source}{failure.exc_info[1]!r}", file=sys.stderr)
                return 1
        if fresh != text:
            changed += 1
            print(page.relative_to(PROJECT))
            if not check:
                page.write_text(fresh, encoding="utf-8")
    return int(check and changed > 0)


def formats() -> str:
    """Table of the harnesses whose logs are read, as their readers describe themselves."""
    rows = [("harness", "`--format`", "files", "per item", "for listed items", "fields")]
    rows.append(("---",) * len(rows[0]))
    for harness in HARNESSES:
        name, about = harness.name, harness.about
        title = f"[{about.title}](how-to/{about.page}.md)"
        fields = f"`{about.fields}`" if about.fields else ""
        held = [", ".join(sorted(about.gives)), ", ".join(about.texts)]
        rows.append((title, f"`{name}`", about.files, *held, fields))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def refreshed(text: str, folder: Path, languages: Sequence[str] = ("console", "python")) -> str:
    """Text of a page after its examples in some languages ran, in order, in a folder."""
    names: dict[str, Any] = {"__name__": "__main__"}
    refresh: dict[str, Callable[[str], str]] = {
        "console": lambda body: _console(body, folder),
        "python": lambda body: _python(body, names),
    }

    def block(found: re.Match[str]) -> str:
        indent, language, body = found["indent"], found["language"], found["body"]
        if language not in languages:
            return found[0]
        fresh = textwrap.indent(refresh[language](textwrap.dedent(body)), indent)
        return f"{indent}```{language}\n{fresh}{indent}```"

    text = FORMATS.sub(lambda found: f"{found[1]}\n{formats()}\n{found[2]}", text)
    with chdir(folder):
        return BLOCK.sub(block, text)


def _console(body: str, folder: Path) -> str:
    start, *parts = re.split(r"^\$ ", body, flags=re.MULTILINE)
    for part in parts:
        # A command goes on in the lines that start as bash's second prompt does.
        typed = re.match(r".*\n(> .*\n)*", part)[0]
        command, shown = typed.replace("\n> ", "\n"), part.removeprefix(typed)
        printed = shown if command.startswith(SET_UP) else run(command, folder)
        start += f"$ {typed}{_as_shown(shown, printed)}"
    return start


def run(command: str, folder: Path) -> str:
    """What a command prints, with the programs of this environment first."""
    environment = {name: text for name, text in os.environ.items() if name not in OF_A_SCREEN}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    ).stdout


def _python(body: str, names: dict[str, Any]) -> str:
    if ">>> " not in body:
        exec(compile(body, "<page>", "exec"), names)
        return body
    test = doctest.DocTestParser().get_doctest(body, {}, "page", None, 0)
    test.globs = names
    runner = _Outputs(optionflags=PYTHON_FLAGS)
    runner.run(test, clear_globs=False)
    lines = body.splitlines(keepends=True)
    # From the last to the first, so that the numbers of lines stay true.
    for example, printed in reversed(runner.changed):
        start = example.lineno + example.source.count("\n")
        lines[start : start + example.want.count("\n")] = [_as_shown(example.want, printed)]
    return "".join(lines)


class _Outputs(doctest.DocTestRunner):
    """Runs examples, and remembers those that print something else than is shown."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(verbose=False, **settings)
        self.changed: list[tuple[doctest.Example, str]] = []

    def report_failure(
        self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str
    ) -> None:
        if example.exc_msg is not None:
            got = f"Traceback (most recent call last):\n    ...\n{got.splitlines()[-1]}\n"
        else:
            got = _wrapped(re.sub(r"^$\n", "<BLANKLINE>\n", got, flags=re.MULTILINE), example.want)
        self.changed.append((example, got))

    def report_unexpected_exception(
        self, out: Any, test: doctest.DocTest, example: doctest.Example, exc_info: Any
    ) -> None:
        raise doctest.UnexpectedException(test, example, exc_info)


def _wrapped(printed: str, shown: str) -> str:
    """Break one long line where the page broke it: over lines with the indent of its second."""
    lines = shown.splitlines()
    if len(lines) < 2 or printed.count("\n") != 1:
        return printed
    indent = lines[1][: len(lines[1]) - len(lines[1].lstrip())]
    return textwrap.fill(
        printed, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) + "\n"  # fmt: skip


def _as_shown(shown: str, printed: str) -> str:
    """What the page shall show: what it showed, where that still matches."""
    if matches(shown, printed):
        return shown
    elided = [line for line in shown.splitlines(keepends=True) if "..." in line]
    return "".join(
        next((pattern for pattern in elided if matches(pattern, line)), line)
        for line in printed.splitlines(keepends=True)
    )


def matches(shown: str, printed: str) -> bool:
    """Whether an output is the one that is shown, up to what `...` stands for."""
    return doctest.OutputChecker().check_output(shown, printed, doctest.ELLIPSIS)


if __name__ == "__main__":
    sys.exit(main())
