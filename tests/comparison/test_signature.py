"""Law: two computations that differ in an option that can change a number have two signatures."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Record, Run, compare, compare_runs
from muscle_metrics.comparison.chains import compare_chain
from muscle_metrics.comparison.signature import name_key


def cut(text: str, most: int = 3) -> str:
    return text[:most]


def longest(most: int) -> Any:
    return lambda text: text[:most]


OPTIONS: dict[str, dict[str, list[Any]]] = {
    "exact_match": {
        "extract": ["choice"],
        "strip": [True],
        "ignore_case": [True],
        "unicode_form": ["NFC", "NFKC"],
    },
    "token_f1": {},
    "rouge1": {
        "stem": [True],
        "statistic": ["recall", "precision"],
        "tokenizer": [str.split, list],
    },
    "rougeL": {"stem": [True]},
    "bleu": {"tokenize": ["char", "intl"], "lowercase": [True], "smooth_method": ["add-k"]},
    "chrf": {"char_order": [3, 4], "word_order": [1], "beta": [1], "whitespace": [True]},
    "ter": {"normalized": [True], "case_sensitive": [True]},
}
C, D = "C) red cat", "D) old dog"
KEYS = [
    None, str.lower, str.strip, cut, longest(1), longest(2), partial(cut, most=1),
    partial(cut, most=2), {C: C, D: D}.get, {C: D, D: C}.get,
    lambda text: text, lambda text: text + "",
]  # fmt: skip
# Answers equal each other, so that no number differs by chance, and letters can be extracted.
COLUMNS = {"old": [C, D], "new": [C, D], "references": [C, D]}


@st.composite
def computations(draw: st.DrawFn) -> dict[str, Any]:
    """Arguments of `compare` that fit together; an option is there only if it is not the usual."""
    metric = draw(st.sampled_from(sorted(OPTIONS)))
    chosen: dict[str, Any] = {"metric": metric}
    names = draw(st.lists(st.sampled_from(sorted(OPTIONS[metric]) or ["none"]), unique=True))
    own = {name: draw(st.sampled_from(OPTIONS[metric][name])) for name in names if name != "none"}
    if "tokenizer" in own:
        own.pop("stem", None)
    if own:
        chosen["options"] = {metric: own}
    key = draw(st.sampled_from(range(len(KEYS))))
    if KEYS[key] is not None:
        chosen["key"] = KEYS[key]
    if draw(st.booleans()):
        chosen["missing"] = "wrong"
    if metric == "exact_match":
        return chosen
    if draw(st.booleans()):
        chosen["threshold"] = draw(st.sampled_from([0.25, 0.5]))
        if draw(st.booleans()):
            chosen["strict_threshold"] = True
    for name in ("tie", "minimum_effect"):
        if draw(st.booleans()):
            chosen[name] = draw(st.sampled_from([0.125, 0.25]))
    return chosen


def signature(chosen: dict[str, Any]) -> str:
    return compare(**COLUMNS, **{"missing": "error", **chosen}).signature


@given(computations(), computations())
def test_no_two_computations_share_a_signature(one: dict[str, Any], other: dict[str, Any]) -> None:
    # Equal digests: only the options of both lines are compared.
    lines = [signature(chosen).partition("; items")[0] for chosen in (one, other)]
    assert (lines[0] == lines[1]) == (one == other), lines


@pytest.mark.parametrize(("metric", "text"), [("ter", "ter.* <= 0.5"), ("rouge2", "rouge2 >= 0.5")])
def test_a_threshold_is_printed_in_the_direction_in_which_it_judges(metric: str, text: str) -> None:
    assert re.search(f"metric {text};", signature({"metric": metric, "threshold": 0.5}))


def test_only_what_applied_is_named() -> None:
    line = signature({"metric": "rouge1"})
    for word in ("tie", "minimum effect", "score range", "stem", "tokenizer"):
        assert word not in line
    assert "key none;" in line


def scored(name: str, **scores: float) -> Run:
    return Run((Record("1", "a", "a", scores), Record("2", "b", "b", scores)), name)


def test_recorded_and_computed_metrics_of_one_name_differ() -> None:
    names = ("v1", "v2")
    recorded = compare_runs(*(scored(name, exact_match=1) for name in names))
    computed = compare_runs(*(scored(name) for name in names))
    assert recorded.counts == computed.counts
    assert "metric recorded exact_match;" in recorded.signature
    assert "metric exact_match;" in computed.signature


def test_recorded_scores_of_several_tasks_are_no_scorers() -> None:
    runs = [
        Run(
            (
                Record("1", "a", "a", {"rouge1": 1.0}, task="x"),
                Record("2", "a", "a", {"rouge2": 1.0}, task="y"),
            ),
            name,
        )
        for name in ("v1", "v2")
    ]
    assert "metric recorded rouge1, rouge2;" in compare_runs(*runs).signature


def test_ranges_and_thresholds_of_recorded_scores_are_named() -> None:
    runs = [scored(name, judge=0.5) for name in ("v1", "v2")]
    plain = compare_runs(*runs)
    ranged = compare_runs(*runs, score_range=(0, 1), threshold=0.25)
    assert "metric judge;" in plain.signature
    assert "metric judge >= 0.25;" in ranged.signature
    assert "score range 0.0 to 1.0;" in ranged.signature
    chain = compare_chain(runs, threshold=0.25, strict_threshold=True)
    assert "metric judge > 0.25;" in chain.signature


def test_functions_are_named_by_what_they_do() -> None:
    assert name_key(str.strip) == "builtins:str.strip"
    assert name_key(longest(1)) != name_key(longest(2))
    assert name_key(longest(1)) == name_key(longest(1))
    assert name_key(partial(cut, most=1)) != name_key(partial(cut, most=2))
    assert name_key({"A": "B"}.get) != name_key({"A": "C"}.get)
