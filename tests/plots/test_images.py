"""The figures look as they did when somebody looked at them.

After a change that is meant: ``python tests/plots/test_images.py``, and look at the new images.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from packaging.version import Version

from muscle_metrics import compare_candidates
from muscle_metrics.plots import (
    plot_candidates,
    plot_frontier,
    plot_quadrants,
    plot_score_changes,
    plot_slices,
    plot_survival,
)

if TYPE_CHECKING:
    from muscle_metrics import Candidates, Chain, Comparison

matplotlib = pytest.importorskip("matplotlib", reason="figures are behind an extra")
pytestmark = pytest.mark.skipif(
    Version(matplotlib.__version__) < Version("3.11"),
    reason="letters of matplotlib before 3.11 have other widths than those recorded",
)

IMAGES = Path(__file__).parent / "images"
# Letters are drawn a little differently by every release of matplotlib and FreeType; a figure that
# lost its dots, its line or its labels is far beyond this (see the second test).
TOLERANCE = 0.04
FRONTIER = [("plain", 0.70, 0.08), ("adapter", 0.71, 0.05), ("distilled", 0.73, 0.07)]


def five() -> Candidates:
    """Candidates that gain and break more and more; the third breaks most for its gain."""

    def run(fixed: int, broken: int) -> list[dict[str, Any]]:
        answers = ["B"] * broken + ["A"] * (60 - broken) + ["A"] * fixed + ["B"] * (40 - fixed)
        return [{"id": n, "prediction": a, "reference": "A"} for n, a in enumerate(answers)]

    changes = {"i": (2, 1), "ii": (8, 3), "iii": (9, 12), "iv": (20, 8), "v": (30, 11)}
    return compare_candidates(run(0, 0), {name: run(*one) for name, one in changes.items()})


def pixels(ax: Any) -> np.ndarray:
    from matplotlib import image

    buffer = io.BytesIO()
    ax.figure.savefig(buffer, dpi=50, metadata={"Software": None})
    buffer.seek(0)
    return image.imread(buffer)[..., :3]


def distance(found: np.ndarray, name: str) -> float:
    """Root mean square difference of two images of one size, on a scale from 0 to 1."""
    from matplotlib import image

    path = IMAGES / f"{name}.png"
    if __name__ == "__main__":
        image.imsave(path, found, metadata={"Software": None})
    expected = image.imread(path)[..., :3]
    assert found.shape == expected.shape
    return float(np.sqrt(np.mean((found - expected) ** 2)))


def figures(comparison: Comparison, graded: Comparison, chain: Chain) -> dict[str, Any]:
    return {
        "candidates": plot_candidates(five()),
        "quadrants": plot_quadrants(comparison),
        "slices": plot_slices(comparison),
        "score_changes": plot_score_changes(graded),
        "frontier": plot_frontier(FRONTIER),
        "survival": plot_survival(chain),
    }


NAMES = ["candidates", "quadrants", "slices", "score_changes", "frontier", "survival"]


@pytest.mark.parametrize("name", NAMES)
def test_figure_looks_as_recorded(
    name: str, comparison: Comparison, graded: Comparison, chain: Chain
) -> None:
    assert distance(pixels(figures(comparison, graded, chain)[name]), name) < TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_tolerance_tells_a_figure_without_its_marks(
    name: str, comparison: Comparison, graded: Comparison, chain: Chain
) -> None:
    ax = figures(comparison, graded, chain)[name]
    for artist in (*ax.lines, *ax.patches, *ax.collections, *ax.texts):
        artist.remove()
    assert distance(pixels(ax), name) > TOLERANCE


if __name__ == "__main__":
    import runpy

    import matplotlib

    made = runpy.run_path(str(Path(__file__).with_name("conftest.py")))
    built = [made[part].__wrapped__() for part in ("comparison", "graded", "chain")]
    matplotlib.use("Agg")
    IMAGES.mkdir(exist_ok=True)
    for key, axes in figures(*built).items():
        distance(pixels(axes), key)
