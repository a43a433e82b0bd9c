"""Stream of a sequential gate: a seeded order, and items that need no run of the new model."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import InputError, Policy, Record, Run, UsageError
from muscle_metrics.comparison.baseline import make_baseline, match_baseline
from muscle_metrics.gate.sequential import check_growing
from muscle_metrics.gate.stream import seeded_order
from muscle_metrics.statistics.sequential import decide_stream

if TYPE_CHECKING:
    from random import Random

    from muscle_metrics.gate.verdict import Check

SEED = 3
LIMITS = st.sampled_from(["0.05", "0.2", "0.4"])


class Benchmark(NamedTuple):
    """Old, the records of new in the seeded order, and what is right in that order."""

    old: Run
    new: tuple[Record, ...]
    old_right: list[bool]
    new_right: list[bool]

    def gate(self, records: tuple[Record, ...], limit: str) -> Check:
        """Check a log that grows."""
        look = check_growing(self.old, Run(records, "v2"), Policy(max_nfr=limit), seed=SEED)
        (check,) = look.verdict.checks
        return check

    def known(self, held: int) -> int:
        """Number of items that are known if new holds the first ones."""
        total = len(self.old_right)
        return next((place for place in range(held, total) if self.old_right[place]), total)


def all_right(items: int) -> Run:
    return Run(tuple(Record(f"q{i}", "A", "A") for i in range(items)), "v1")


NAMES = st.text(st.sampled_from("aЖ字ع ='é1\u200d"), min_size=1, max_size=4)


@st.composite
def benchmarks(draw: st.DrawFn) -> Benchmark:
    names = draw(st.lists(NAMES, min_size=1, max_size=40, unique=True))
    cells = draw(
        st.lists(st.tuples(st.booleans(), st.booleans()), min_size=len(names), max_size=len(names))
    )
    right = dict(zip(names, cells, strict=True))
    old = Run(tuple(Record(name, "да" if right[name][0] else "нет", "да") for name in names), "v1")
    order = [record.id for record in seeded_order(old, SEED)]
    new = tuple(Record(name, "да" if right[name][1] else "", "да") for name in order)
    return Benchmark(old, new, [right[n][0] for n in order], [right[n][1] for n in order])


@given(st.integers(0, 2**63), st.integers(2, 40))
def test_an_order_holds_every_item_once_and_ignores_that_of_the_file(
    seed: int, number: int
) -> None:
    run = all_right(number)
    order = seeded_order(run, seed)
    assert sorted(order, key=lambda record: int(record.id[1:])) == list(run)
    assert seeded_order(Run(run.records[::-1], "other"), seed) == order


def test_every_item_is_as_likely_to_come_first() -> None:
    run = all_right(8)
    firsts = [seeded_order(run, seed)[0].id for seed in range(4000)]
    counts = np.unique(firsts, return_counts=True)[1]
    # 500 each, with a standard deviation of 21.
    assert len(counts) == 8
    assert abs(counts - 500).max() < 100


def test_tasks_and_repeats_are_other_items() -> None:
    records = tuple(Record("1", task=task) for task in ("a", "b", None))
    orders = {tuple(r.task for r in seeded_order(Run(records, "v1"), seed)) for seed in range(99)}
    assert len(orders) == 6


@given(benchmarks(), LIMITS, st.randoms())
def test_skipping_what_old_got_wrong_changes_no_decision(
    benchmark: Benchmark, limit: str, chance: Random
) -> None:
    held = chance.randrange(1, len(benchmark.new) + 1)
    whole = benchmark.new[:held]
    skipped = tuple(
        record
        for record, is_right in zip(whole, benchmark.old_right, strict=False)
        if is_right or chance.random() < 0.5
    )
    if not skipped:
        return
    full, short = benchmark.gate(whole, limit), benchmark.gate(skipped, limit)
    for name in ("outcome", "estimate", "low", "high", "limit"):
        assert getattr(full, name) == getattr(short, name)
    known = benchmark.known(held)
    flips = [
        before and not now
        for before, now in zip(benchmark.old_right, benchmark.new_right, strict=True)
    ]
    expected = decide_stream(flips[:known], limit=float(limit))
    assert short.sample.startswith(f"{expected.flips} of the first {expected.items} items")
    # A PASS may be refused where too few items could break, but no other outcome comes of it.
    wanted = {"pass": {"PASS", "INVALID"}, "fail": {"FAIL"}, "continue": {"INCONCLUSIVE"}}
    assert short.outcome in wanted[expected.verdict]


@given(benchmarks(), LIMITS, st.sets(st.integers(0, 39)))
def test_dropping_items_never_leads_to_a_pass(
    benchmark: Benchmark, limit: str, dropped: set[int]
) -> None:
    full = benchmark.gate(benchmark.new, limit)
    kept = tuple(record for place, record in enumerate(benchmark.new) if place not in dropped)
    rights = {place for place, is_right in enumerate(benchmark.old_right) if is_right}
    last = max(set(range(len(benchmark.new))) - dropped, default=-1)
    try:
        short = benchmark.gate(kept, limit)
    except InputError:
        # Nothing is left, or an item is gone that could have been a flip.
        assert not kept or any(place < last for place in rights & dropped)
        return
    assert not any(place < last for place in rights & dropped)
    if short.outcome == "PASS":
        assert full.outcome in {"PASS", "INVALID"}


@given(benchmarks(), LIMITS)
def test_a_baseline_decides_as_its_run_does(benchmark: Benchmark, limit: str) -> None:
    rights = tuple(r for r, ok in zip(benchmark.new, benchmark.old_right, strict=True) if ok)
    if not rights:
        return
    baseline = make_baseline(benchmark.old)
    # References of a file, as the command line gives them to both runs.
    vouched = Run(
        tuple(Record(r.id, reference="да", scores=r.scores) for r in baseline),
        "v1",
        baseline.fingerprint,
    )
    old, new = match_baseline(vouched, Run(rights, "v2"), growing=True)
    look = check_growing(old, new, Policy(max_nfr=limit), seed=SEED)
    assert look.verdict.checks == (benchmark.gate(rights, limit),)
    assert not look.verdict.reasons
    assert look.is_complete


def test_the_verdict_says_what_was_run_and_what_was_skipped() -> None:
    # By hand: 74 items without a flip decide at 5 %, and every second one needs no run.
    old = Run(tuple(Record(f"q{i}", "A", "A") for i in range(500)), "v1")
    order = seeded_order(old, SEED)
    wrong = {record.id for record in order[1::2]}
    old = Run(tuple(Record(r.id, "B" if r.id in wrong else "A", "A") for r in old), "v1")
    held = [Record(r.id, "A", "A") for r in order[::2]]
    benchmark = Benchmark(old, tuple(held), [], [])
    check = benchmark.gate(tuple(held[:37]), "0.05")
    assert check.outcome == "PASS"
    assert check.sample.endswith("seed 3, 37 of them run and 37 skipped, which old got wrong")
    assert "426 of 500 items" in check.advice
    undecided = benchmark.gate(tuple(held[:36]), "0.05")
    assert undecided.outcome == "INCONCLUSIVE"
    assert undecided.advice == (
        "go on: 428 of 500 items are left, and 214 of them need no run, as old got them wrong"
    )


def test_an_answer_to_an_item_that_old_got_wrong_is_used() -> None:
    old = Run(tuple(Record(f"q{i}", "AB"[i % 2], "A") for i in range(200)), "v1")
    new = tuple(Record(r.id, "A", "A") for r in seeded_order(old, SEED))
    look = check_growing(old, Run(new, "v2"), Policy(max_nfr="0.05"), seed=SEED)
    assert look.comparison.counts.positive == 100
    assert "skipped" not in look.comparison.recipe
    fewer = check_growing(old, Run(new[:90], "v2"), Policy(max_nfr="0.05"), seed=SEED)
    assert fewer.comparison.signature != look.comparison.signature


def test_too_few_that_could_break_are_refused_with_the_skipped_ones_counted() -> None:
    # 20 of 1000 are right: 2 % can break, and the limit is 5 %.
    old = Run(tuple(Record(f"q{i}", "A" if i < 20 else "B", "A") for i in range(1000)), "v1")
    order = seeded_order(old, SEED)
    rights = tuple(Record(r.id, "A", "A") for r in order if int(r.id[1:]) < 20)
    look = check_growing(old, Run(rights, "v2"), Policy(max_nfr="0.05"), seed=SEED)
    (check,) = look.verdict.checks
    assert check.outcome == "INVALID"
    assert "only 20 of 1000 items could break" in check.advice


@pytest.mark.parametrize("damaged", ["old alone", "new alone"])
def test_groups_are_refused_wherever_they_are(damaged: str) -> None:
    old = all_right(50)
    new = Run(seeded_order(old, SEED), "v2")
    # One item, and not the first: the group of another item may come later.
    records = {"old alone": old, "new alone": new}[damaged].records
    grouped = Run((*records[:30], Record(records[30].id, "A", "A", group="g"), *records[31:]), "v")
    runs = (grouped, new) if damaged == "old alone" else (old, grouped)
    with pytest.raises(UsageError, match="independent"):
        check_growing(*runs, Policy(max_nfr="0.5"), seed=SEED)


def test_a_repeat_that_comes_late_is_refused_at_the_first_look() -> None:
    records = (*all_right(50).records, Record("q0", "A", "A", repeat="2"))
    old = Run(records, "v1")
    new = Run(seeded_order(old, SEED)[:3], "v2")
    with pytest.raises(UsageError, match="independent"):
        check_growing(old, new, Policy(max_nfr="0.5"), seed=SEED)


def test_a_metric_that_judges_old_otherwise_each_time_is_refused() -> None:
    calls = count()

    def moody(predictions: list[str], references: list[str]) -> list[float]:
        # Old is judged alone by the first call.
        return [float(next(calls) < 1)] * len(predictions)

    old = all_right(40)
    new = Run(seeded_order(old, SEED), "v2")
    with pytest.raises(InputError, match="judged alike every time"):
        check_growing(old, new, Policy(max_nfr="0.5"), seed=SEED, metric=moody, threshold=0.5)


@pytest.mark.parametrize("option", ["missing", "conflict", "unanswered"])
def test_a_score_may_be_called_as_an_option_is(option: str) -> None:
    # Only the options themselves lose items: a metric may have any name.
    old = Run(tuple(Record(f"q{i}", scores={"last": True}) for i in range(90)), "v1")
    new = Run(seeded_order(old, SEED), "v2")
    policy = Policy(max_nfr="0.05")
    assert check_growing(old, new, policy, seed=SEED, metric="last").verdict.outcome == "PASS"
    with pytest.raises(UsageError, match="lost"):
        check_growing(old, new, policy, seed=SEED, **{option: "drop"})
