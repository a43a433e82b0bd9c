"""Where an update stands, when there is no place, and that the interval is never too narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from muscle_metrics import InputError, Policy, UsageError, check_gate, compare, compare_runs
from muscle_metrics.atlas import frame, place
from muscle_metrics.atlas.placing import place_lines
from muscle_metrics.reports.verdict_json import verdict_json
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scale import CountedComparison, Totals

if TYPE_CHECKING:
    from muscle_metrics.comparison.comparison import Comparison


def update(
    both_right: int, negative: int, positive: int, both_wrong: int, **options: object
) -> Comparison:
    """A comparison with these counts; what broke is not first."""
    cells = ("right", "right"), ("wrong", "right"), ("right", "wrong"), ("wrong", "wrong")
    order = both_right, positive, negative, both_wrong
    old, new = ([c[k] for c, n in zip(cells, order, strict=True) for _ in range(n)] for k in (0, 1))
    return compare(old=old, new=new, references=["right"] * len(old), **options)


def rows(kinds: tuple[str, ...], **where: str) -> np.ndarray:
    """Relative rates by pandas."""
    table = frame()
    kept = table.kind.isin(kinds) & (table.flag == "") & (table["items"] >= 200)
    for column, name in where.items():
        kept &= table[column] == name
    return table[kept].relative_negative_flip_rate.to_numpy()


def test_the_place_is_the_rank_among_version_updates() -> None:
    found = place(update(600, 60, 90, 250))
    values = rows(("version",))
    # 660 right before, 310 wrong now.
    assert found.relative_nfr == pytest.approx(60 * 1000 / (660 * 310), rel=1e-12)
    assert found.updates == len(values) == 122
    assert found.share_below == np.mean(values < found.relative_nfr)
    assert found.below == (
        np.sum(values < found.interval.low),
        np.sum(values <= found.interval.high),
    )
    reruns = rows(("rerun", "rerun+harness"))
    assert found.rerun_pairs == len(reruns)
    np.testing.assert_allclose(found.reruns, np.quantile(reruns, [0.25, 0.75]))


def test_a_pair_of_the_atlas_is_not_below_itself() -> None:
    found = place(update(3085, 1026, 1241, 6677))
    values = rows(("version",))
    assert np.isclose(values, found.relative_nfr).sum() == 1
    assert found.share_below * len(values) == np.sum(values < found.relative_nfr - 1e-9)


@pytest.mark.parametrize(
    ("like", "column", "reruns"),
    [("mmlu-pro", "task", None), ("tool-calls", "family", "tool-calls"), ("bfcl-v1", "task", "")],
)
def test_a_family_and_a_task(like: str, column: str, reruns: str | None) -> None:
    found = place(update(617, 205, 248, 1335), like)
    assert found.updates == len(rows(("version",), **{column: like}))
    assert f"updates ({like});" in found.sentence
    # No task of this family was asked again.
    assert (" on other tasks" in found.sentence) == (reruns is None)
    assert found.rerun_pairs == (61 if reruns is None else 48)


def test_one_number_where_the_interval_holds_no_update() -> None:
    alike = place(update(250, 250, 250, 250), "knowledge")
    assert alike.below == (6, 6)
    assert "above 6 of 6 public" in alike.sentence


@pytest.mark.parametrize(
    "chances",
    [
        (0.55, 0.05, 0.1, 0.3),
        (0.26, 0.085, 0.1, 0.555),
        (0.9, 0.02, 0.02, 0.06),
        (0.3, 0.3, 0.2, 0.2),
    ],
)
def test_the_interval_covers_more_than_95_percent(chances: tuple[float, ...]) -> None:
    """The accuracies are taken as known, which by the delta method only widens the interval."""
    right, broke, _, wrong = chances
    truth = broke / ((right + broke) * (broke + wrong))
    draws = np.random.default_rng(7).multinomial(1200, chances, size=4000)
    n, a, b, d = draws.sum(1), draws[:, 0], draws[:, 1], draws[:, 3]
    # Wilson's interval of the NFR.
    z = 1.959964
    centre, half = (
        (b + z * z / 2) / (n + z * z),
        z * np.sqrt(b * (n - b) / n + z * z / 4) / (n + z * z),
    )
    independent = (a + b) * (b + d) / n**2
    covered = ((centre - half) / independent <= truth) & (truth <= (centre + half) / independent)
    assert covered.mean() >= 0.95
    one = place(update(*(int(draws[0, i]) for i in range(4))), "all")
    expected = np.array([(centre - half)[0], (centre + half)[0]]) / independent[0]
    np.testing.assert_allclose(one.interval, expected, rtol=1e-5)


def test_rows_that_share_a_group_widen_the_range() -> None:
    alone = place(update(600, 60, 90, 250))
    grouped = place(update(600, 60, 90, 250, groups=[str(i // 2) for i in range(1000)]))
    assert grouped.relative_nfr == alone.relative_nfr
    assert grouped.interval.low < alone.interval.low
    assert grouped.interval.high > alone.interval.high


def test_a_counted_comparison_has_the_place_of_one_in_memory() -> None:
    comparison = update(600, 60, 90, 250)
    counted = CountedComparison(
        names=("v1", "v2"), totals=Totals.of(comparison), dropped={}, recipe={}
    )
    assert place(counted, "vision") == place(comparison, "vision")
    assert place_lines(counted)[0] in str(counted)


def tasks(*names: str, lost: int = 0) -> Comparison:
    """A hard and an easy task, each with a relative NFR of 0.4; then the new run lost items."""
    cells = []
    # 300 of 1000 are right in both runs; 950 of 1000.
    for task, (broke, kept, both_wrong) in zip(names, [(84, 216, 616), (19, 931, 31)], strict=True):
        fixed = broke
        for old, new, count in (
            ("A", "A", kept), ("B", "A", fixed), ("A", "B", broke), ("B", "B", both_wrong)
        ):  # fmt: skip
            cells += [(task, old, new)] * count
    runs = [
        Run(
            tuple(
                Record(f"q{i}", prediction=cell[number], reference="A", task=cell[0])
                for i, cell in enumerate(cells[: len(cells) - lost * (number - 1)])
            ),
            f"v{number}",
        )
        for number in (1, 2)
    ]
    return compare_runs(*runs, missing="drop" if lost else "error")


def test_tasks_of_unequal_difficulty_have_no_place_without_a_family() -> None:
    """Together they have half of the relative NFR of each, which would look like a rare success."""
    comparison = tasks("hard", "easy")
    each = [part.relative_negative_flip_rate for part in comparison.tasks.values()]
    assert each == pytest.approx([0.4, 0.4])
    assert comparison.counts.relative_negative_flip_rate < 0.23
    assert place_lines(comparison) == []
    with pytest.raises(InputError, match="got 2 tasks: compare one with --task"):
        place(comparison)
    assert "got 2 tasks" in place_lines(comparison, "all")[0]
    assert place(comparison, "knowledge").updates == 6
    assert place_lines(tasks("one", "one"))


@pytest.mark.parametrize(("lost", "has_place"), [(0, True), (19, True), (30, False)])
def test_lost_items_have_no_place(lost: int, has_place: bool) -> None:
    """What new lost may be what it broke."""
    comparison = tasks("one", "one", lost=lost)
    assert sum(comparison.lost.values()) == lost
    assert bool(place_lines(comparison)) == has_place
    (line,) = place_lines(comparison, "all")
    assert line.startswith("relative NFR" if has_place else "no place in the atlas: expected at")


def graded(**options: object) -> Comparison:
    runs = [
        Run(
            tuple(
                Record(f"q{i}", scores={"judge": 0.9 if i % 10 or i < start else 0.2})
                for i in range(400)
            ),
            name,
        )
        for name, start in (("v1", 300), ("v2", 100))
    ]
    return compare_runs(*runs, metric="judge", **options)


SILENT = {
    "graded": (lambda: graded(), "got graded scores"),
    "few": (lambda: update(100, 20, 20, 59), "got 199"),
    "none broke": (lambda: update(300, 0, 60, 40), "items that broke, got none"),
    "equal": (lambda: update(300, 0, 0, 100), "items that broke, got none"),
    "old all wrong": (lambda: update(0, 0, 60, 340), "items that broke, got none"),
    "new all right": (lambda: update(300, 0, 100, 0), "items that broke, got none"),
    "old all right": (lambda: update(300, 60, 0, 0), "got old right on all items"),
    "new all wrong": (lambda: update(0, 60, 0, 300), "got new wrong on all items"),
    "skipped": (
        lambda: CountedComparison(
            names=("v1", "v2"),
            totals=Totals.of(update(600, 60, 9, 25)),
            dropped={},
            recipe={"skipped": "316"},
        ),
        "got a run without some that old got wrong",
    ),
    "units unknown": (
        lambda: CountedComparison(
            names=("v1", "v2"),
            totals=Totals.of(update(600, 60, 90, 250)),
            dropped={},
            recipe={},
            is_repeated=True,
        ),
        "an interval of the NFR, got none",
    ),
    "two broke": (lambda: update(380, 2, 10, 8), "items enough to tell updates apart"),
}


@pytest.mark.parametrize("name", SILENT)
def test_without_a_place_nothing_is_said_unless_asked(name: str) -> None:
    make, reason = SILENT[name]
    comparison = make()
    with pytest.raises(InputError, match=reason):
        place(comparison)
    assert place_lines(comparison) == []
    (line,) = place_lines(comparison, "all")
    assert line.startswith("no place in the atlas: expected ")
    assert reason in line
    assert "public version updates" not in str(comparison)


def test_a_threshold_needs_the_family() -> None:
    comparison = graded(threshold=0.5)
    assert comparison.counts.negative == 20
    assert place_lines(comparison) == []
    with pytest.raises(InputError, match="by a threshold"):
        place(comparison)
    with pytest.raises(InputError, match="by a threshold"):
        place(comparison, "all")
    assert place(comparison, "judged-answers").updates == 14
    assert place_lines(comparison, "judged-answers")


def test_the_first_size_with_a_place_is_200() -> None:
    assert place_lines(update(100, 20, 20, 60))
    assert not place_lines(update(100, 20, 20, 59))


def test_an_unknown_family_is_an_error_also_where_nothing_would_be_said() -> None:
    for comparison in (update(1, 0, 0, 0), graded(), update(600, 60, 90, 250)):
        with pytest.raises(UsageError, match="family or task of the atlas"):
            place_lines(comparison, "gsm8k")


def test_no_verdict_knows_the_atlas() -> None:
    comparison = update(600, 60, 90, 250)
    verdict = check_gate(comparison, Policy(max_nfr="0.1"))
    for text in (str(verdict), verdict_json(verdict, comparison), comparison.to_json()):
        assert "public" not in text
        assert "rerun" not in text
    assert "public version updates" in str(comparison)
