"""Whatever NEW lost, an engine and memory count the same losses and the same worst case."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics import Policy, check_gate, compare_runs, read_run
from muscle_metrics.errors import MuscleMetricsError, UsageError
from muscle_metrics.scale import Totals, compare_files

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics.comparison.facts import Facts

pytest.importorskip("duckdb", reason="the engine is behind an extra")

Row = dict[str, Any]

TEXTS = st.sampled_from(["A", "b", "да", "水 火", ""])
REFERENCES = st.one_of(TEXTS, st.lists(TEXTS, min_size=1, max_size=2, unique=True))
LABELS = st.sampled_from(["x", "y", None])
DAMAGES: dict[str, Callable[[Row, Row], list[Row]]] = {
    "drop": lambda row, other: [],
    "silence": lambda row, other: [{**row, "prediction": None}],
    "unscore": lambda row, other: [{**row, "judge": None}],
    "garble": lambda row, other: [{**row, "prediction": f"{row['prediction']} ж", "judge": 0.0}],
    "refer": lambda row, other: [{**row, "reference": row["prediction"] or "A"}],
    "accept": lambda row, other: [{**row, "reference": ["A", "b", "水 火"]}],
    "relabel": lambda row, other: [{**row, "topic": "x", "passage": "p"}],
    "unlabel": lambda row, other: [{**row, "topic": None, "passage": None}],
    "rename": lambda row, other: [{**row, "id": f"{row['id']}б"}],
    "repeat": lambda row, other: [{**row, "k": 2}, {**row, "k": 3}],
    "copy": lambda row, other: [{**other, "id": row["id"]}],
    "keep": lambda row, other: [row],
}


@st.composite
def damaged_runs(draw: Any) -> tuple[list[Row], list[Row]]:
    """OLD, and a NEW that was like it before some of its rows were damaged, never the first."""
    scores = draw(st.sampled_from([[0, 1], [0.0, 0.25, 1.0]]))
    drawn = st.fixed_dictionaries(
        {"prediction": st.one_of(TEXTS, st.none()), "reference": REFERENCES, "topic": LABELS,
         "passage": LABELS, "judge": st.sampled_from(scores), "answer": TEXTS,
         "damage": st.sampled_from(sorted(DAMAGES))}
    )  # fmt: skip
    # Labels may stand on items alone that NEW drops.
    topic, passage = draw(st.sampled_from([("y", "g"), (None, None)]))
    first = {"id": "q0", "k": 1, "prediction": "A", "reference": "A", "topic": topic,
             "passage": passage, "judge": scores[1]}  # fmt: skip
    old, new = [first], [first]
    for number, row in enumerate(draw(st.lists(drawn, min_size=1, max_size=7)), 1):
        damage, answer = DAMAGES[row.pop("damage")], row.pop("answer")
        row = {"id": f"q{number}", "k": 1, **row}
        old.append(row)
        new += damage({**row, "prediction": answer}, first)
    return [first, *draw(st.permutations(old[1:]))], [first, *draw(st.permutations(new[1:]))]


def outcome(compare: Callable[[], Facts], *, is_judged: bool) -> Any:
    """What a comparison counted and lost, or that it was refused."""
    try:
        found = compare()
    except MuscleMetricsError:
        return MuscleMetricsError
    cases = []
    for case in (found, found.worst_case, found.fixed_case):
        totals = getattr(case, "totals", None) or Totals.of(case)
        changes = {name: (of.total, of.negative, of.positive) for name, of in case.changes.items()}
        cases.append((totals.items, totals.cells, changes))
    return (
        cases,
        dict(found.lost),
        dict(found.dropped),
        found.labels_from_new,
        is_judged and found.is_judged and judged(found),
    )


def judged(comparison: Facts) -> Any:
    """Outcome of a gate and the words of its first line."""
    policy = Policy(
        max_nfr="0.9", max_flip_rate="0.95", max_accuracy_change="0.9", min_coverage="0.5"
    )
    try:
        verdict = check_gate(comparison, policy)
    except UsageError:
        return UsageError
    return verdict.outcome, verdict.notes, *((c.low, c.high) for c in verdict.checks)


METRICS = ["exact_match", "token_f1", "ter", ["exact_match", "token_f1"], None]


@pytest.mark.slow
@given(
    damaged_runs(),
    st.sampled_from(METRICS),
    st.sampled_from(["own", "first", "last", "drop"]),
    st.sampled_from(["wrong", "drop"]),
    st.sampled_from([None, 0.5]),
    st.sampled_from([(0.0, 500.0), (0.1, 1.0)]),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_lost_items_and_their_worst_case(
    runs, metric, conflict, unanswered, threshold, score_range, repeats
):
    reading = {"slice_field": "topic", "group_field": "passage"}
    reading |= {"score_field": "judge"} if metric is None else {}
    reading |= {"repeat_field": "k"} if repeats else {}
    if metric == "ter" and threshold:
        threshold = 50
    options = {
        "metric": metric, "missing": "drop", "conflict": conflict, "unanswered": unanswered,
        "threshold": None if metric in METRICS[::3] else threshold, "score_range": score_range,
    }  # fmt: skip
    if metric is not None and (metric, unanswered) != ("ter", "wrong"):
        del options["score_range"]
    with TemporaryDirectory() as folder:
        paths = [Path(folder, name).with_suffix(".jsonl") for name in ("v1", "v2")]
        for path, part in zip(paths, runs, strict=True):
            path.write_text("".join(f"{json.dumps(row)}\n" for row in part), encoding="utf-8")
        in_memory = outcome(
            lambda: compare_runs(*(read_run(path, **reading) for path in paths), **options),
            is_judged=not repeats,
        )
        counted = outcome(
            lambda: compare_files(
                *paths, old_options=reading, new_options=reading, threads=1, **options
            ),
            # An engine refuses to judge repeats.
            is_judged=not repeats,
        )
    assert counted == in_memory


BEYOND: list[tuple[object, object]] = [
    ("A", 5), (5, "A"), (True, "A"), ("A", []), ("A", ["A", 5]), (5, ["A", 5]), ("C", ["A", 5]),
]  # fmt: skip
JUDGED: list[tuple[object, object]] = [
    ("A", None), (None, "A"), ("A", ["A", "B"]), ("C", ["A", "B"]), ("A", "A"), ("A", "B"),
    (2, 2.0), (2, 3), (1, True),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "reference"), [*BEYOND, *JUDGED])
@pytest.mark.parametrize("unanswered", ["error", "wrong", "drop"])
def test_a_lost_answer_that_its_reference_cannot_judge_counts_as_broken(
    answer: object, reference: object, unanswered: str, tmp_path: Path
) -> None:
    """It may have been right; beside it, lost items that can be judged keep their verdicts."""
    kept = [
        {"id": 1, "prediction": 2, "reference": 2},
        {"id": 9, "prediction": "x", "reference": "x"},
    ]
    lost = [
        {"id": 2, "prediction": answer, "reference": reference},
        {"id": 3, "prediction": "да", "reference": "q"},
    ]
    paths = []
    for name, rows in (("old", [*kept, *lost]), ("new", kept)):
        paths.append(tmp_path / f"{name}.jsonl")
        text = "\n".join(map(json.dumps, rows))
        paths[-1].write_text(text, encoding="utf-8")
    options: Any = {"missing": "drop", "unanswered": unanswered}
    memory = compare_runs(*map(read_run, paths), **options).worst_case.counts
    assert compare_files(*paths, **options).worst_case.counts == memory
    if (answer, reference) in BEYOND:
        assert (memory.negative, memory.both_wrong) == (1, 1)


def test_a_lost_item_that_cannot_be_scored_is_no_error(tmp_path: Path) -> None:
    """The tokenizer of token_f1 loses a quotation mark; whether OLD had it right is unknown."""
    rows = [
        {"id": f"q{n}", "prediction": text, "reference": text}
        for n, text in enumerate(["red cat", "old dog", '"', "green bird"])
    ]
    runs = {"old": rows, "new": [rows[0], rows[3]]}
    paths = []
    for name, kept in runs.items():
        paths.append(tmp_path / f"{name}.jsonl")
        paths[-1].write_text("".join(f"{json.dumps(row)}\n" for row in kept), encoding="utf-8")
    options: dict[str, Any] = {"metric": "token_f1", "missing": "drop", "threshold": 0.5}
    in_memory = compare_runs(*map(read_run, paths), **options).worst_case.counts
    assert compare_files(*paths, threads=1, **options).worst_case.counts == in_memory
    assert in_memory.negative == 2
