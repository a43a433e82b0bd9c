"""Every message of an error, word for word, and the rules that all of them follow.

A new message: add a case to a file in message_cases (and its module to WATCHED there), run
``python tests/test_messages.py``, and read the difference it makes to messages.json.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
import runpy
import sys
from contextlib import chdir
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

import muscle_metrics
from muscle_metrics.errors import MuscleMetricsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SNAPSHOT = Path(__file__).with_name("messages.json")
PACKAGE = Path(muscle_metrics.__file__).parent

FILES = [
    runpy.run_path(str(file)) for file in sorted(Path(__file__).parent.glob("message_cases/*.py"))
]
CASES: list[tuple[str, Callable[[], object]]] = sorted(
    (case for file in FILES for case in file["CASES"].items()), key=lambda case: case[0]
)
# Modules whose every raise statement is reached by a case.
WATCHED: list[str] = sorted(module for file in FILES for module in file["WATCHED"])

every_case = pytest.mark.parametrize(("name", "call"), CASES, ids=[name for name, _ in CASES])


@cache
def caught(call: Callable[[], object]) -> MuscleMetricsError:
    """Error that a call raises in an empty folder, so that the files it writes have short names."""
    with (
        TemporaryDirectory() as folder,
        chdir(folder),
        pytest.raises(MuscleMetricsError) as information,
    ):
        call()
    return information.value


@pytest.fixture(scope="module")
def messages() -> dict[str, str]:
    return json.loads(SNAPSHOT.read_text(encoding="utf-8"))


@every_case
def test_message_is_the_recorded_one(name, call, messages):
    assert str(caught(call)) == messages[name]


def test_no_recorded_message_is_out_of_use(messages):
    # As a list: two cases of one name would be recorded as one.
    assert list(messages) == [name for name, _ in CASES]


@every_case
def test_message_is_one_line_that_says_what_to_do(name, call):
    message = str(caught(call))
    assert message.splitlines() == [message]
    # A place comes first where there is one: a file, and a line or row of it.
    place = re.match(
        r"([a-z]+/)?[a-z0-9_-]+\.[a-z.]+(:\d+|, row \d+)?: |\.: |table \([a-zA-Z ]+\)(, row \d+)?: "
        r"|the text: |-: |v1: |s3://[a-z0-9./]+: ",
        message,
    )
    message = message[place.end() :] if place else message
    assert message.startswith("expected ")
    assert not message.endswith(".")
    # What to do: advice after a colon, or an expectation that is itself the advice.
    advice = r": (--)?[a-z]|one of \[|at least \d|at most|between|<="
    assert re.search(advice, message), message
    # No user writes numbers as numpy's repr does.
    assert "np." not in message


# Cases of errors that the command line meets. The other ones are those of functions in Python.
ON_THE_COMMAND_LINE = (
    "baseline file", "cli", "csv", "datasets", "engine", "fields", "file", "gate", "growing",
    "json", "judging", "logs", "parquet", "power", "references", "reports", "runs", "scale",
    "values", "where",
)  # fmt: skip
# Options of scorers that no flag sets.
WITHOUT_FLAG = {"scale: idf of parts"}


@every_case
def test_no_way_out_is_an_argument_of_python_alone(name, call):
    """An argument stands beside its flag, as in --missing drop (missing=...)."""
    message = str(caught(call))
    if name.startswith(ON_THE_COMMAND_LINE) and name not in WITHOUT_FLAG:
        way_out = message.partition(", got ")[2].partition(": ")[2]
        flagged = r"--[a-z-]+ ?(?:'[^']*' )?[^()]{0,60}\([a-z_]+=[^)]*\)|[a-z_]+= \(--[a-z-]+\)"
        alone = re.search(r"(?<![-\w])[a-z_]+=(?![A-Z0-9])", re.sub(flagged, "", way_out))
        assert not alone, message


@pytest.mark.parametrize("module", WATCHED)
def test_every_raise_statement_is_reached_by_a_case(module, reached):
    file = PACKAGE / f"{module}.py"
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and not raises_builtin(node):
            lines = {(file, line) for line in range(node.lineno, node.end_lineno + 1)}
            assert lines & reached, f"no case raises {file.name}:{node.lineno}"


@pytest.fixture(scope="module")
def reached() -> set[tuple[Path, int]]:
    return {place for _, call in CASES for place in raising_lines(caught(call))}


def raises_builtin(node: ast.Raise) -> bool:
    """Whether it raises again, or raises one of Python's own errors as Python would."""
    return node.exc is None or hasattr(builtins, ast.unparse(node.exc).partition("(")[0])


def raising_lines(error: BaseException | None) -> Iterator[tuple[Path, int]]:
    """Lines that an error, and the ones it was raised from, came through."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            yield Path(trace.tb_frame.f_code.co_filename), trace.tb_lineno
            trace = trace.tb_next
        error = error.__cause__


if __name__ == "__main__":
    snapshot = {name: str(caught(call)) for name, call in CASES}
    SNAPSHOT.write_text(json.dumps(snapshot, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(snapshot)} messages in {SNAPSHOT.name}\n")
