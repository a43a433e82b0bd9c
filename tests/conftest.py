"""What all tests share."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

settings.register_profile("default", deadline=None, derandomize=True, max_examples=100)
settings.load_profile("default")

PROJECT = Path(__file__).parent.parent
# Where everything is promised, as in the checks of a change, a skipped test is a failed one.
REQUIRE_ALL = os.environ.get("MUSCLE_METRICS_REQUIRE_ALL") == "1"


# Parameters of tests that need an extra, and a package that it brings.
EXTRAS = {"duckdb": "duckdb", "report": "jinja2"}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose parameters name an extra that is not installed."""
    for word in re.split(r"[\[\]-]", item.name):
        if word in EXTRAS:
            pytest.importorskip(EXTRAS[word], reason=f"{word} is behind an extra")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _not_skipped((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _not_skipped((yield))


def _not_skipped(report: Report) -> Report:
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def project() -> Path:
    """Root of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def example_quadrants(project: Path) -> Callable[[str, str], Counter[str]]:
    """Items of two example runs by quadrant, counted without the package."""

    def right(name: str) -> dict[str, bool]:
        text = (project / "examples" / f"{name}.jsonl").read_text(encoding="utf-8")
        rows = map(json.loads, text.splitlines())
        return {row["id"]: row["prediction"] == row["reference"] for row in rows}

    def count(old: str, new: str) -> Counter[str]:
        before, now = right(old), right(new)
        names = {(1, 1): "both_right", (1, 0): "negative", (0, 1): "positive", (0, 0): "both_wrong"}
        return Counter(names[before[item], now[item]] for item in before)

    return count


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real model outputs beside the checkout."""
    folder = PROJECT.parent / "shared"
    if not folder.is_dir():
        # Real outputs are not part of the project: a plain checkout runs every other test.
        pytest.skip("the folder of real model outputs is not beside the checkout")
    return folder


@pytest.fixture(scope="session")
def hostile(shared: Path) -> list[str]:
    """Strings that attack a page, a terminal, a spreadsheet or a runner of checks."""
    path = shared / "reference" / "hostile_strings.json"
    strings: list[str] = json.loads(path.read_text(encoding="utf-8"))
    return strings
