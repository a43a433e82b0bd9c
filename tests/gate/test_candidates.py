"""One gate for several candidates: each as alone, and the error over all of them together."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from muscle_metrics import (
    Outcome,
    Policy,
    Record,
    Run,
    UsageError,
    check_candidates,
    check_gate,
    compare_candidates,
    compare_runs,
)
from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.comparison.candidates import Candidates
from muscle_metrics.comparison.comparison import Comparison
from muscle_metrics.comparison.items import ItemTable
from muscle_metrics.gate import candidates as gate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics import Verdict

POLICY = Policy(max_nfr="0.1")
ITEMS = 200


def run_of(name: str, broken: int, items: int = ITEMS) -> Run:
    answers = ["нет"] * broken + ["да"] * (items - broken)
    return Run(tuple(Record(f"q{n}", a, "да") for n, a in enumerate(answers)), name)


def candidates_of(*broken: int) -> Candidates:
    return compare_candidates(
        run_of("old", 0), {f"n{n}": run_of("", number) for n, number in enumerate(broken)}
    )


def upper(broken: int, confidence: float) -> float:
    from scipy.stats import beta

    return float(beta.ppf(confidence, broken + 1, ITEMS - broken))


@pytest.mark.parametrize(
    "broken", [(0,), (12, 12), (0, 12, 13), (8, 10, 12), (0, 0, 0, 0, 12), (30, 10, 0, 12)]
)
def test_candidates_that_pass_are_those_of_holm_by_hand(broken: tuple[int, ...]) -> None:
    """The smallest upper bound first, each with the error that those before it left."""
    expected, left = [], [*sorted(range(len(broken)), key=broken.__getitem__)]
    while left and upper(broken[left[0]], 1 - 0.05 / len(left)) <= 0.1:
        expected.append(left.pop(0))
    found = check_candidates(candidates_of(*broken), POLICY)
    assert {*found.may_ship} == {f"n{n}" for n in expected}
    alone = {f"n{n}" for n, number in enumerate(broken) if upper(number, 0.95) <= 0.1}
    assert {*found.only_alone} == alone - {*found.may_ship}


def test_one_that_passes_leaves_its_share_to_the_others() -> None:
    # 12 of 200: the upper bound at .95 is .0955, at .975 .1022.
    assert check_candidates(candidates_of(12, 12), POLICY).may_ship == ()
    assert check_candidates(candidates_of(12, 0), POLICY).may_ship == ("n0", "n1")
    found = check_candidates(candidates_of(12, 12), POLICY)
    assert found.only_alone == ("n0", "n1")
    assert "alone n0, n1 would pass, but not as one of 2" in str(found)


def test_a_candidate_alone_is_judged_as_by_the_gate() -> None:
    for broken in (0, 12, 13, 60):
        candidates = candidates_of(broken)
        verdict = check_gate(candidates.comparisons["n0"], POLICY)
        assert check_candidates(candidates, POLICY).verdicts == {"n0": verdict}


@pytest.mark.parametrize(
    ("broken", "outcome"),
    [
        ((0, 60), Outcome.PASS),
        ((60, 15), Outcome.INCONCLUSIVE),
        ((60, 70), Outcome.FAIL),
    ],
)
def test_outcome_over_all(broken: tuple[int, ...], outcome: Outcome) -> None:
    assert check_candidates(candidates_of(*broken), POLICY).outcome is outcome


def test_what_cannot_be_judged_never_ships() -> None:
    """Lost items, another judge and no item that could break: each makes one candidate INVALID."""
    old = replace(run_of("old", 0), fingerprint={"judge": "m"})
    fine = replace(run_of("", 0), fingerprint={"judge": "m"})
    lost = replace(fine, records=fine.records[:150])
    other = replace(fine, fingerprint={"judge": "другой"})
    found = check_candidates(
        compare_candidates(old, {"fine": fine, "lost": lost, "other": other}, missing="drop"),
        POLICY,
    )
    assert found.may_ship == ("fine",)
    assert {found.verdicts[name].outcome for name in ("lost", "other")} == {"INVALID"}
    alone = compare_candidates(old, {"lost": lost, "other": other}, missing="drop")
    assert check_candidates(alone, POLICY).outcome is Outcome.INVALID


def test_losses_of_one_candidate_hide_no_break_of_another() -> None:
    """A candidate without the items that another breaks must not take them from its gate."""
    # The first 40 items break; the other candidate does not hold them.
    worse = run_of("", 40)
    short = replace(run_of("", 0), records=run_of("", 0).records[40:])
    found = compare_candidates(run_of("old", 0), {"worse": worse, "short": short}, missing="drop")
    verdict = check_candidates(found, Policy(max_nfr="0.1", missing="ignore"))
    assert verdict.verdicts["worse"].outcome is Outcome.FAIL
    assert verdict.may_ship == ("short",)


SLICED = Policy(max_nfr="0.2", max_accuracy_loss="0.2", slices={"ж": "0.3"}, missing="count")


@pytest.mark.parametrize("policy", [POLICY, SLICED, replace(SLICED, looks=2, look=2)])
def test_each_verdict_is_that_of_the_gate_at_its_level(policy: Policy) -> None:
    """Also of candidates that lost items, in whatever place they stand."""

    def run(broken: int, lost: int) -> Run:
        records = [replace(r, slice="цж"[n % 2]) for n, r in enumerate(run_of("", broken))]
        return Run(tuple(records[lost:]), "")

    old = replace(run(0, 0), name="old")
    new = {"a": run(4, 0), "b": run(60, 3), "ц": run(12, 1), "d": run(0, 30), "e": run(9, 2)}
    found = check_candidates(compare_candidates(old, new, missing="drop"), policy)
    levels = {1 - 0.05 / left for left in range(1, 6)}
    for name, verdict in found.verdicts.items():
        alone = compare_runs(old, replace(new[name], name=name), missing="drop")
        level = next(
            level
            for level in levels
            if replace(policy, confidence=level).look_confidence == verdict.confidence
        )
        assert verdict == check_gate(alone, replace(policy, confidence=level))
        assert found.alone[name] is check_gate(alone, policy).outcome


def test_more_candidates_never_help_one_of_them(fast_gate: None) -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        counts = rng.integers(0, 16, size=5).tolist()
        candidates = judged(
            np.ones(ITEMS, dtype=bool), np.array([np.arange(ITEMS) >= n for n in counts])
        )
        several = {*check_candidates(candidates, POLICY).may_ship}
        for name in candidates.names:
            fewer = {n: c for n, c in candidates.comparisons.items() if n != name}
            less = check_candidates(replace(candidates, comparisons=fewer), POLICY)
            assert several - {name} <= {*less.may_ship}, counts


@pytest.mark.parametrize("option", [{"on_inconclusive": "pass"}, {"noise_adjusted_pass": True}])
def test_nothing_passes_without_a_bound(option: dict[str, Any]) -> None:
    policy = Policy(max_nfr="0.1", **option)
    with pytest.raises(UsageError, match="by bounds alone"):
        check_candidates(candidates_of(0, 15), policy)
    assert check_candidates(candidates_of(15), policy).outcome is Outcome.INCONCLUSIVE


def test_too_few_items_for_so_many_candidates() -> None:
    # One needs 29 items at a limit of .1, three need 40: log(.05 / 3) / log(.9) = 38.9.
    few = {f"n{n}": run_of("", 0, 35) for n in range(3)}
    with pytest.raises(UsageError, match=r"3 candidates share the error.*--confidence 0.9833"):
        check_candidates(compare_candidates(run_of("old", 0, 35), few), POLICY)
    few.popitem(), few.popitem()
    assert check_candidates(compare_candidates(run_of("old", 0, 35), few), POLICY).may_ship


def judged(old: np.ndarray, right: np.ndarray) -> Candidates:
    """Candidates of verdicts, shape (K, N), without going through runs."""
    nothing = (None,) * len(old)
    table = ItemTable(
        ids=tuple(map(str, range(len(old)))),
        tasks=nothing,
        repeats=nothing,
        slices=nothing,
        groups=nothing,
        old=nothing,
        new=nothing,
        references=nothing,
    )
    comparisons = {
        f"n{n}": Comparison(
            names=("old", f"n{n}"),
            table=table,
            correctness=Correctness(old, new, None),
            changes={},
            dropped={},
            fingerprints=({}, {}),
            recipe={},
        )
        for n, new in enumerate(right)
    }
    return Candidates(
        old="old", comparisons=comparisons, table=table, old_right=old, right=right, dropped={}
    )


def drawn(seed: int, number: int, *, shared: float, rates: Sequence[float]) -> Candidates:
    """Candidates that break items at given rates; a share of their breaks is common to all."""
    rng = np.random.default_rng(seed)
    common, own = rng.random(ITEMS), rng.random((number, ITEMS))
    is_common = rng.random(ITEMS) < shared
    chance = np.where(is_common, common, own)
    return judged(np.ones(ITEMS, dtype=bool), chance >= np.array(rates)[:, None])


@pytest.fixture
def fast_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts on independent items hang on the number of broken ones: judge each number once."""
    known: dict[tuple[int, Policy], Verdict] = {}

    def check(comparison: Comparison, policy: Policy) -> Verdict:
        key = comparison.counts.negative, policy.confidence
        if key not in known:
            known[key] = check_gate(comparison, policy)
        return known[key]

    monkeypatch.setattr(gate, "check_gate", check)


def error_of(runs: int) -> float:
    """Largest share that 5 % gives in a simulation."""
    return 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_bad_candidates_rarely_pass_though_one_is_chosen(fast_gate: None, shared: float) -> None:
    """Five at the limit: without a correction one of them would pass in up to a fifth of all."""
    runs, passed, alone = 1000, 0, 0
    for seed in range(runs):
        verdict = check_candidates(drawn(seed, 5, shared=shared, rates=[0.1] * 5), POLICY)
        passed += bool(verdict.may_ship)
        alone += Outcome.PASS in verdict.alone.values()
    print(f"shared {shared}: {passed / runs:.3f} of runs ship a bad one, {alone / runs:.3f} alone")
    assert passed / runs <= error_of(runs)
    assert alone / runs > 0.08


@pytest.mark.slow
def test_bad_candidates_share_the_error_that_good_ones_left(fast_gate: None) -> None:
    """Two that break nothing pass first; the three at the limit share all of the error."""
    runs = 1000
    wrong = sum(
        bool({*check_candidates(found, POLICY).may_ship} - {"n0", "n1"})
        for found in (drawn(s, 5, shared=0.0, rates=[0, 0, 0.1, 0.1, 0.1]) for s in range(runs))
    )
    print(f"{wrong / runs:.3f} of runs ship a bad one beside good ones")
    assert wrong / runs <= error_of(runs)


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_equal_candidates_are_rarely_told_apart(shared: float) -> None:
    runs = 300
    found = (drawn(seed, 5, shared=shared, rates=[0.1] * 5) for seed in range(runs))
    distinct = sum(any(pair.is_distinct for pair in one.pairs) for one in found)
    print(f"shared {shared}: {distinct / runs:.3f} of runs tell equal candidates apart")
    assert distinct / runs <= error_of(runs)


def test_pairs_of_the_simulation_are_those_of_the_flags() -> None:
    found = drawn(7, 3, shared=0.3, rates=[0.1, 0.2, 0.3])
    for pair, (one, other) in zip(found.pairs, combinations(~found.right, 2), strict=True):
        assert (pair.only_first, pair.only_second) == ((one & ~other).sum(), (other & ~one).sum())
