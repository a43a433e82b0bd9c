"""What the figures draw are the numbers of the comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import InputError, UsageError, compare, compare_candidates
from muscle_metrics.comparison.ranking import rank_parts
from muscle_metrics.plots import (
    FrontierPoint,
    plot_candidates,
    plot_frontier,
    plot_quadrants,
    plot_score_changes,
    plot_slices,
    plot_survival,
)

if TYPE_CHECKING:
    from muscle_metrics import Chain, Comparison


def test_areas_of_quadrants(comparison: Comparison) -> None:
    ax = plot_quadrants(comparison)
    areas = [round(100 * tile.get_width() * tile.get_height()) for tile in ax.patches]
    assert areas == [8, 12, 60, 20]
    written = [text.get_text() for text in ax.texts]
    assert written == ["Broke\n8", "Fixed\n12", "Stayed right\n60", "Stayed wrong\n20"]
    low, left = ax.patches[0].get_xy()[1], ax.patches[0].get_xy()[0]
    assert (low, left) == (0, 0)  # what broke lies at the lower left


def test_a_quadrant_too_small_to_write_in_is_written_beside() -> None:
    old, new = ["A"] * 200, ["A"] * 199 + ["B"]
    ax = plot_quadrants(compare(old=old, new=new, references=old))
    assert [text.get_text() for text in ax.texts] == ["Broke 1", "Stayed right\n199"]
    assert ax.texts[0].get_ha() == "right"


def test_slices_stand_by_rank_with_their_intervals(comparison: Comparison) -> None:
    ax = plot_slices(comparison)
    ranked = rank_parts(comparison.slices)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == [f"{part.name} ({part.counts.total})" for part in ranked]
    dots, shrunken = ax.lines[1], ax.lines[2]
    rates = [part.counts.negative_flip_rate for part in ranked]
    assert dots.get_xdata().tolist() == [float(rate) for rate in rates]
    assert list(shrunken.get_xdata()) == [part.shrunken for part in ranked]
    ends = [[*segment[:, 0]] for segment in ax.collections[0].get_segments()]
    assert ends == [[*rate.interval()] for rate in rates]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first at the top
    assert len(plot_slices(comparison, most=2).get_yticklabels()) == 2


def test_left_of_zero_the_curve_is_nfr(graded: Comparison) -> None:
    ax = plot_score_changes(graded)
    changes = graded.changes["rouge1"]
    lost = ax.lines[1]
    edges, heights = np.array(lost.get_xdata()), np.array(lost.get_ydata())
    for eps in (0.07, 0.1, 0.15):
        drawn = heights[np.searchsorted(edges, -eps, side="left") - 1]
        assert drawn == changes.negative_flip_curve([eps])[0]
    assert heights[-1] == float(changes.negative_flip_rate) > 0
    whole = ax.lines[0]
    assert whole.get_ydata()[-1] == 1
    assert ax.patches[0].get_width() == pytest.approx(2 * 0.06)


def test_candidates_stand_at_their_change_and_rate() -> None:
    def rows(answers: str) -> list[dict[str, object]]:
        return [{"id": n, "prediction": a, "reference": "A"} for n, a in enumerate(answers)]

    new = {"$α$": "AAAAAABABB", "二": "AABAAAAAAA", "c": "BBBAAAABBB"}
    found = compare_candidates(rows("AAAAAABBBB"), {n: rows(a) for n, a in new.items()})
    ax = plot_candidates(found)
    # Counted by hand: gained 1, 4, 1 less the broken 0, 1, 3 of 10 items.
    places = [(line.get_xdata()[0], line.get_ydata()[0]) for line in ax.lines[2:]]
    assert np.allclose(places, [(0.1, 0.0), (0.3, 0.1), (-0.2, 0.3)])
    assert np.allclose(ax.lines[1].get_xydata(), [(0.1, 0.0), (0.3, 0.1)])
    assert [text.get_text() for text in ax.texts] == [r"\$α\$", "二", "c"]
    ends = [[*part.get_segments()[0][:, 0]] for part in ax.collections[::2]]
    changes = [one.counts.accuracy_change for one in found.comparisons.values()]
    assert ends == [[*change.interval()] for change in changes]


def test_survival_and_accuracy(chain: Chain) -> None:
    ax = plot_survival(chain)
    survival, accuracy = (line.get_ydata().tolist() for line in ax.lines[:2])
    assert survival == [float(rate) for rate in chain.survival] == [1.0, 0.75, 0.625]
    assert accuracy == [1.0, 0.75, 0.75]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["v1", "v2", "v3"]


SHARES = st.floats(0, 1).map(lambda share: round(share, 2))
POINTS = st.lists(st.builds(FrontierPoint, st.text(max_size=3), SHARES, SHARES), min_size=1)


@given(points=POINTS.filter(lambda points: len(points) < 12))
def test_nobody_beats_the_frontier(points: list[FrontierPoint]) -> None:
    from matplotlib.figure import Figure

    line = plot_frontier(points, ax=Figure().subplots()).lines[0]
    best = {*zip(line.get_xdata(), line.get_ydata(), strict=True)}
    for accuracy, nfr in best:
        assert not any(
            (p.accuracy > accuracy and p.nfr <= nfr) or (p.accuracy >= accuracy and p.nfr < nfr)
            for p in points
        )
    for point in points:
        assert any(a >= point.accuracy and n <= point.nfr for a, n in best)


def test_figures_are_drawn_where_they_are_asked_to_be(
    comparison: Comparison, graded: Comparison, chain: Chain
) -> None:
    from matplotlib import pyplot

    _, places = pyplot.subplots(1, 5)
    opened = pyplot.get_fignums()
    assert plot_quadrants(comparison, ax=places[0]) is places[0]
    assert plot_slices(comparison, ax=places[1]) is places[1]
    assert plot_score_changes(graded, ax=places[2]) is places[2]
    assert plot_frontier([("a", 0.5, 0.1)], ax=places[3]) is places[3]
    assert plot_survival(chain, ax=places[4]) is places[4]
    assert pyplot.get_fignums() == opened


@pytest.mark.filterwarnings("ignore:Glyph")  # no font has every letter
def test_hostile_names_are_drawn_as_text(hostile: list[str]) -> None:
    names = [text for text in hostile if text] + ["$\\frac{1}{$", "a$b"]
    answers = ["A"] * len(names)
    comparison = compare(old=answers, new=answers, references=answers, slices=names)
    ax = plot_slices(comparison, most=100)
    ax.figure.canvas.draw()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert all(label.replace("\xa0", " ").isprintable() for label in labels)
    assert len(labels) == len(names)
    plot_frontier([(name, 0.5, 0.1) for name in names]).figure.canvas.draw()


def test_what_cannot_be_drawn_is_refused(comparison: Comparison, graded: Comparison) -> None:
    with pytest.raises(UsageError, match="graded score"):
        plot_score_changes(comparison)
    with pytest.raises(UsageError, match="'chrf'"):
        plot_score_changes(graded, metric="chrf")
    with pytest.raises(UsageError, match="threshold"):
        plot_quadrants(graded)
    with pytest.raises(InputError, match="slices"):
        plot_slices(compare(old=["A"], new=["A"], references=["A"]))
    with pytest.raises(InputError, match="at least one point"):
        plot_frontier([])
    with pytest.raises(InputError, match="not percent"):
        plot_frontier([("percent", 71.0, 5.0)])
