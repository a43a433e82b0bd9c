"""Comparisons to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from muscle_metrics import compare, count_chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from muscle_metrics import Chain, Comparison


@pytest.fixture(autouse=True)
def figures_without_a_screen() -> Iterator[None]:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with matplotlib.rc_context({**matplotlib.rcParamsDefault, "font.family": "DejaVu Sans"}):
        yield
    pyplot.close("all")


@pytest.fixture
def comparison() -> Comparison:
    """Four quadrants of 60, 8, 12 and 20 items in three slices."""
    old = ["A"] * 68 + ["B"] * 32
    new = ["A"] * 60 + ["B"] * 8 + ["A"] * 12 + ["B"] * 20
    slices = [("law", "art", "old and rare")[min(i % 5, 2)] for i in range(100)]
    return compare(old=old, new=new, references=["A"] * 100, slices=slices)


@pytest.fixture
def graded() -> Comparison:
    """Answers with some words of their references: small and large losses of score."""
    references = [" ".join("abcdefghij")] * 20
    old = [" ".join("abcdefghij"[: 5 + i % 6]) for i in range(20)]
    new = [" ".join("abcdefghij"[: 5 + (i * 5) % 6]) for i in range(20)]
    texts = {"old": old, "new": new, "references": references}
    return compare(**texts, metric="rouge1", minimum_effect=0.06)


@pytest.fixture
def chain() -> Chain:
    """Three versions; the last breaks an item that the second fixed."""
    right = ["A"] * 40
    second = ["A"] * 30 + ["B"] * 10
    third = ["B"] * 5 + ["A"] * 25 + ["A"] * 5 + ["B"] * 5
    return count_chain(versions=[right, second, third], references=right)
