"""Chains of versions against counts made by hand and against their steps."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import (
    InputError,
    Record,
    Run,
    UsageError,
    compare_chain,
    compare_runs,
    count_chain,
    count_flips,
)

# Five items, right is "A".   stays, lost,  flip-flop, regained, never
VERSIONS = [
    ["A", "A", "B", "A", "B"],
    ["A", "B", "A", "B", "C"],
    ["A", "B", "B", "A", "C"],
]  # fmt: skip
REFERENCES = ["A"] * 5


def test_counted_by_hand() -> None:
    chain = count_chain(versions=VERSIONS, references=REFERENCES)
    assert [(step.negative, step.positive) for step in chain.steps] == [(2, 1), (1, 1)]
    assert (chain.overall.negative, chain.overall.positive) == (1, 0)
    assert chain.sum_negative_flip_rate == 3 / 10
    assert chain.sum_positive_flip_rate == 2 / 10
    # Item 2 was fixed, then broken again; item 3 was broken, then fixed.
    assert (chain.flip_flop_rate.count, chain.flip_flop_rate.total) == (1, 5)
    assert [(rate.count, rate.total) for rate in chain.survival] == [(3, 3), (1, 3), (1, 3)]


def test_two_versions_are_one_comparison() -> None:
    chain = count_chain(versions=VERSIONS[:2], references=REFERENCES)
    counts = count_flips(old=VERSIONS[0], new=VERSIONS[1], references=REFERENCES)
    assert chain.steps == (counts,)
    assert chain.overall == counts
    assert chain.flip_flop_rate.count == 0


columns = st.integers(1, 12).flatmap(
    lambda size: st.lists(
        st.lists(st.sampled_from("ABC"), min_size=size, max_size=size), min_size=2, max_size=5
    )
)


@given(columns)
def test_laws(versions: list[list[str]]) -> None:
    references = ["A"] * len(versions[0])
    chain = count_chain(versions=versions, references=references)
    steps = [
        count_flips(old=old, new=new, references=references)
        for old, new in itertools.pairwise(versions)
    ]
    assert list(chain.steps) == steps
    # Triangle inequality: some step broke each item that is broken in the end.
    assert chain.overall.negative <= sum(step.negative for step in steps)
    assert chain.sum_negative_flip_rate == float(
        Fraction(sum(step.negative for step in steps), len(references) * len(steps))
    )
    survivors = [rate.count for rate in chain.survival]
    assert survivors == sorted(survivors, reverse=True)
    never_broken = sum(all(v[i] == "A" for v in versions) for i in range(len(references)))
    assert survivors[-1] == never_broken
    flip_flops = sum(
        "WRW" in squeezed("".join("R" if v[i] == "A" else "W" for v in versions))
        for i in range(len(references))
    )
    assert chain.flip_flop_rate.count == flip_flops


def squeezed(history: str) -> str:
    """Drop repeats: fixed and broken again is W, R, W with any number of each in a row."""
    return "".join(c for i, c in enumerate(history) if i == 0 or history[i - 1] != c)


def test_runs_are_joined_by_id_over_all_versions() -> None:
    runs = [
        Run(
            records=tuple(Record(id=str(i), prediction=p, reference="A") for i, p in rows),
            name=name,
        )
        for name, rows in (
            ("v1", [(1, "A"), (2, "B")]),
            ("v2", [(2, "A"), (1, "B")]),
            ("v3", [(1, "A"), (2, "A")]),
        )
    ]
    chain = compare_chain(runs)
    assert [(step.negative, step.positive) for step in chain.steps] == [(1, 1), (0, 1)]
    assert chain.steps[0] == compare_runs(runs[0], runs[1]).counts
    content = json.loads(chain.to_json())
    assert content["versions"] == ["v1", "v2", "v3"]
    assert content["survival"][-1]["count"] == 0
    assert "first to last" in str(chain)


def test_what_cannot_be_a_chain() -> None:
    with pytest.raises(UsageError, match="at least two versions"):
        count_chain(versions=VERSIONS[:1], references=REFERENCES)
    with pytest.raises(UsageError, match="a name of its own"):
        count_chain(versions=VERSIONS, references=REFERENCES, names=["a", "a", "b"])
    with pytest.raises(InputError, match="v1 5, v2 4"):
        count_chain(versions=[VERSIONS[0], VERSIONS[1][:4]], references=REFERENCES)


def test_a_chain_says_in_how_many_answers_readers_found_nothing() -> None:
    versions = [["5", "нет", "7"], ["5", "6", "seven"], ["five", "6", "7"]]
    names = ["а", "b", "c"]
    chain = count_chain(versions=versions, references=["5", "6", "7"], answer="number", names=names)
    runs = [
        Run(tuple(Record(str(n), a, "567"[n]) for n, a in enumerate(column)), name)
        for name, column in zip(names, versions, strict=True)
    ]
    for one in (chain, compare_chain(runs, answer="number")):
        text = str(one)
        assert "warning: number found nothing in 1 of 3 answers of а, which count as wrong" in text
        assert "answers of b, which count as wrong, so that they cannot break" in text
        assert "note: number found nothing in 1 of 3 answers of c, which count as wrong\n" in text
