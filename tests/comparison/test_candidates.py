"""Candidates against counts made by hand, against two-run comparisons, and on real runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics import (
    InputError,
    Record,
    Run,
    UsageError,
    compare_candidates,
    compare_runs,
    read_run,
)
from muscle_metrics.comparison.baseline import make_baseline
from muscle_metrics.comparison.candidate_pairs import paired_differences

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics import Candidates


def run_of(name: str, answers: str, **labels: Any) -> Run:
    """One item for each letter; A is right."""
    return Run(
        tuple(
            Record(f"q{n}", letter, "A", **{key: column[n] for key, column in labels.items()})
            for n, letter in enumerate(answers)
        ),
        name,
    )


# Item          0: all break, 1: only α, 2: α and 二, 3: only 二, 4: nobody, 5-6: wrong before
OLD = run_of("старая", "AAAAABB")
NEW = {"α": run_of("x", "BBBAAAB"), "二": run_of("y", "BABBABB"), "c": run_of("z", "BAAAAAA")}


def test_counted_by_hand() -> None:
    found = compare_candidates(OLD, NEW)
    assert found.names == ("α", "二", "c")
    assert [one.counts.negative for one in found.comparisons.values()] == [3, 3, 1]
    assert [one.counts.positive for one in found.comparisons.values()] == [1, 0, 2]
    assert found.broken_by_all() == ["q0"]
    assert [found.broken_only_by(name) for name in NEW] == [["q1"], ["q3"], []]
    first, second, third = found.pairs
    assert (first.only_first, first.only_second, first.both, first.total) == (1, 1, 2, 7)
    assert (second.first, second.second, second.difference) == ("α", "c", -2 / 7)
    assert third.z == pytest.approx(-(2**0.5))
    assert found.front == ("c",)
    data = json.loads(found.to_json())
    assert data["broken"]["by_number"] == [1, 2, 1, 1]
    assert data["broken"]["right_before"] == 5
    assert data["candidates"]["二"]["counts"]["negative"] == 3
    frame = found.to_frame()
    assert frame["candidate"].tolist() == list(NEW)
    assert frame["is_on_front"].tolist() == [False, False, True]
    with pytest.raises(UsageError, match="name of a candidate"):
        found.broken_only_by("x")


def test_each_candidate_is_compared_as_if_it_were_alone() -> None:
    """Also where items were lost: the figures of one hang on no other candidate."""
    short = replace(NEW["二"], records=NEW["二"].records[2:])
    found = compare_candidates(OLD, {**NEW, "二": short}, missing="drop")
    for name, one in {**NEW, "二": short}.items():
        alone = compare_runs(OLD, replace(one, name=name), missing="drop")
        assert found.comparisons[name].to_json() == alone.to_json()
    assert [one.total for one in found.comparisons.values()] == [7, 5, 7]
    # Pairs are over what all of them hold, and the text says so.
    assert found.total == 5
    assert {pair.total for pair in found.pairs} == {5}
    text = str(found)
    assert "not shared by all runs: 2 (not in every run)" in text
    assert "α: its own figures are over 7 items" in text


def test_golden_pair() -> None:
    # R PropCIs: scoreci.mp(b = 40, c = 20, n = 160, conf.level = 0.95).
    broken = np.zeros((2, 160), dtype=bool)
    broken[0, :40] = broken[1, 40:60] = True
    table = compare_runs(run_of("o", "A" * 160), run_of("n", "A" * 160)).table
    (pair,) = paired_differences(["a", "b"], broken, table)
    assert pair.bounds.ends == pytest.approx((-0.2180642, -0.0308645), abs=5e-5)
    # Fagerland, Lydersen and Laake (2013): mid-p of 40 and 20.
    assert pair.p_value == pytest.approx(0.0098534, abs=5e-8)
    assert pair.is_distinct


def test_holm_counts_the_pairs() -> None:
    """A pair that is distinct alone, p = .04, is not one of three."""
    old = run_of("o", "A" * 60)
    new = {
        "a": run_of("a", "B" * 10 + "A" * 50),
        "b": run_of("b", "A" * 10 + "B" * 2 + "A" * 48),
    }
    alone = compare_candidates(old, new)
    assert [pair.is_distinct for pair in alone.pairs] == [True]
    assert alone.groups == (("b",), ("a",))
    more = compare_candidates(old, {**new, "c": run_of("c", "A" * 40 + "B" * 6 + "A" * 14)})
    assert [pair.is_distinct for pair in more.pairs] == [False, False, False]
    assert more.groups == (("b", "c", "a"),)
    assert more.pairs[0].p_value == pytest.approx(3 * alone.pairs[0].p_value)


def test_a_pair_within_groups_is_decided_over_the_groups() -> None:
    """30 items of two passages are two observations, not 30."""
    groups = [str(n // 15) for n in range(600)]
    old = run_of("o", "A" * 600, group=groups)
    new = {
        "a": run_of("a", "A" * 600, group=groups),
        "b": run_of("b", "A" * 285 + "B" * 30 + "A" * 285, group=groups),
    }
    found = compare_candidates(old, new)
    (pair,) = found.pairs
    assert (pair.p_value, pair.is_distinct) == (None, False)
    assert pair.bounds.low < 0 < pair.bounds.high
    assert "600 rows in 40 groups" in str(found)
    independent = compare_candidates(
        run_of("o", "A" * 600),
        {"a": run_of("a", "A" * 600), "b": run_of("b", "A" * 285 + "B" * 30 + "A" * 285)},
    )
    assert independent.pairs[0].is_distinct


columns = st.integers(1, 8).flatmap(
    lambda size: st.lists(st.text("AB", min_size=size, max_size=size), min_size=2, max_size=5)
)


@settings(max_examples=25)
@given(columns)
def test_laws(answers: list[str]) -> None:
    first, *others = answers
    new = {f"n{n}": run_of("x", column) for n, column in enumerate(others)}
    found = compare_candidates(run_of("o", first), new)
    broken = {
        name: {n for n, a in enumerate(first) if a == "A" and run.records[n].prediction == "B"}
        for name, run in new.items()
    }
    assert [one.counts.negative for one in found.comparisons.values()] == [
        len(items) for items in broken.values()
    ]
    assert found.broken_by_all() == [f"q{n}" for n in sorted(set.intersection(*broken.values()))]
    for name, items in broken.items():
        rest = set().union(*(others for other, others in broken.items() if other != name))
        assert found.broken_only_by(name) == [f"q{n}" for n in sorted(items - rest)]
    for pair in found.pairs:
        one, other = broken[pair.first], broken[pair.second]
        assert (pair.only_first, pair.only_second) == (len(one - other), len(other - one))
        assert pair.bounds.low <= pair.difference <= pair.bounds.high
        together = any({pair.first, pair.second} <= {*group} for group in found.groups)
        assert together is not pair.is_distinct
    assert {name for group in found.groups for name in group} == set(new)
    # The order of the items changes no byte.
    turned = {name: replace(run, records=run.records[::-1]) for name, run in new.items()}
    assert compare_candidates(run_of("o", first), turned).to_json() == found.to_json()


def changed(run: Run, row: int, **fields: Any) -> Run:
    """The run with another record in one row."""
    records = [*run.records]
    records[row] = replace(records[row], **fields)
    return replace(run, records=tuple(records))


ASKED = run_of("o", "AAB", prompt=["один?", "二?", "3?"])
FINE = run_of("n", "ABA", prompt=["один?", "二?", "3?"])
DAMAGED = {
    "an item is missing": replace(FINE, records=FINE.records[:2]),
    "an item is new": replace(FINE, records=(*FINE.records, Record("q9", "A", "A", prompt="9"))),
    "no answer": changed(FINE, 1, prediction=None),
    "another reference": changed(FINE, 2, reference="B"),
    "another question": changed(FINE, 1, prompt="三?"),
    "an id twice": replace(FINE, records=(*FINE.records, FINE.records[1])),
    "another kind of answer": changed(FINE, 2, prediction=7),
    "a baseline": make_baseline(FINE),
    "its own answers as references": replace(FINE, own_field="answer"),
}


@pytest.mark.parametrize("damage", DAMAGED)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_two_runs_refuse_is_refused_for_each_candidate(damage: str, place: int) -> None:
    names = ["a", "b", "ц"]
    new = {name: replace(FINE, name=name) for name in names}
    new[names[place]] = replace(DAMAGED[damage], name=names[place])
    with pytest.raises((InputError, UsageError)):
        compare_candidates(ASKED, new)


def test_two_candidates_that_differ_are_refused_though_each_fits_the_old_run() -> None:
    """The old run has no references and no questions: only the candidates contradict each other."""
    bare = Run(tuple(Record(r.id, r.prediction) for r in FINE), "o")
    assert compare_runs(bare, changed(FINE, 1, reference="C")).total == 3
    for damage in ({"reference": "C"}, {"prompt": "三?"}):
        with pytest.raises(InputError):
            compare_candidates(bare, {"a": FINE, "b": changed(FINE, 1, **damage)})


def test_other_references_never_judge_the_old_run_in_two_ways() -> None:
    # Each candidate is judged by its own reference, and so is the old run, which has none.
    bare = Run(tuple(Record(r.id, r.prediction) for r in FINE), "o")
    new = {"a": FINE, "b": changed(FINE, 1, reference="B")}
    with pytest.raises(InputError, match=r"old to be judged alike beside every .*'q1'"):
        compare_candidates(bare, new, conflict="own")
    with pytest.raises(UsageError, match="judged by one reference"):
        compare_candidates(ASKED, new, conflict="last")
    assert compare_candidates(ASKED, new, conflict="first").total == 3
    assert compare_candidates(ASKED, new, conflict="drop").total == 2


def test_candidates_need_names_of_their_own() -> None:
    with pytest.raises(UsageError, match="candidates by their names, got dict of 0"):
        compare_candidates(OLD, {})
    with pytest.raises(UsageError, match="candidates by their names, got list of 1"):
        compare_candidates(OLD, [OLD])  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="candidates by their names"):
        compare_candidates(OLD, {7: NEW["α"]})  # type: ignore[dict-item]
    with pytest.raises(UsageError, match="another name than the old run"):
        compare_candidates(OLD, {"старая": NEW["α"]})
    rows = [{"id": 1, "prediction": "A", "reference": "A"}]
    with pytest.raises(UsageError, match="another name than the old run, got 'old'"):
        compare_candidates(rows, {"new": rows, "old": rows})
    scores = [[{"id": 1, "score": x}] for x in (0.2, 0.7)]
    graded = {"id_field": "id", "score_field": "score", "metric": "score"}
    with pytest.raises(UsageError, match="threshold"):
        compare_candidates(scores[0], {"a": scores[1]}, **graded, score_range=(0, 1))
    found = compare_candidates(scores[1], {"a": scores[0]}, **graded, threshold=0.5)
    assert found.comparisons["a"].counts.negative == 1


def test_a_candidate_alone_has_no_pairs() -> None:
    found = compare_candidates(OLD, {"α": NEW["α"]})
    assert (found.pairs, found.groups, found.front) == ((), (("α",),), ("α",))
    assert "in pairs" not in str(found)
    assert "α" in found._repr_html_()


def mmlu(shared: Path, *names: str) -> list[Run]:
    fields = {"id_field": "question_id", "prediction_field": "pred", "reference_field": "answer"}
    folder = shared / "data" / "mmlu_pro"
    return [read_run(folder / f"{name}.jsonl.gz", **fields, name=name) for name in names]


@pytest.fixture(scope="module")
def llamas(shared: Path) -> Candidates:
    old, *new = mmlu(shared, "Mistral-7B-v0.1", "Meta-Llama-3-8B", "Meta-Llama-3_1-8B")
    options: Any = {"unanswered": "wrong", "conflict": "first"}
    return compare_candidates(old, {run.name: run for run in new}, **options)


def test_pairs_see_what_two_intervals_do_not(llamas: Candidates) -> None:
    """Mistral-7B v0.1 to Llama-3-8B or 3.1-8B on MMLU-Pro: z 2.0 in pairs, 1.2 apart."""
    (pair,) = llamas.pairs
    assert (pair.only_first, pair.only_second, pair.total) == (412, 356, 12032)
    assert pair.z == pytest.approx(-2.02, abs=0.005)
    rates = [float(one.counts.negative_flip_rate) for one in llamas.comparisons.values()]
    error = sum(rate * (1 - rate) / pair.total for rate in rates) ** 0.5
    assert (rates[1] - rates[0]) / error == pytest.approx(-1.19, abs=0.005)
    assert pair.is_distinct
    assert llamas.front == ("Meta-Llama-3_1-8B",)
