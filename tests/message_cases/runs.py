"""Messages about recorded runs: how they are joined, and how their items are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics import compare
from muscle_metrics.comparison.baseline import make_baseline
from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.comparison.judging import judge_runs
from muscle_metrics.runs.joining.pairing import join_runs, pair_runs
from muscle_metrics.runs.joining.references import with_references
from muscle_metrics.runs.record import Record, Run

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "comparison/judging",
    "comparison/unanswered",
    "runs/joining/mismatches",
    "runs/natural_order",
    "runs/joining/pairing",
    "words/place",
    "runs/record",
    "runs/joining/references",
]

FIRST, SECOND = Record("1", "A", "A"), Record("2", "B", "B")


def run(*records: Record, name: str = "v1") -> Run:
    return Run(records, name)


def pair(*new: Record, **options: object) -> object:
    return pair_runs(run(FIRST, SECOND), run(*new, name="v2"), **options)


def pair_logs(*new: Record) -> object:
    old = Run((FIRST, SECOND), "v1", is_log=True)
    return pair_runs(old, Run(new, "v2", is_log=True))


def judge(*records: Record, **options: object) -> object:
    joined = pair_runs(
        run(*records),
        run(*records, name="v2"),
        unanswered=options.get("unanswered", "error"),
    )
    return judge_runs(joined, **options)


def scored(id_: str, **scores: float) -> Record:
    return Record(id_, scores=scores)


CASES: dict[str, Callable[[], object]] = {
    "record: a number as id": lambda: Record(7),
    "runs: one": lambda: join_runs([run(FIRST)]),
    "runs: unknown missing": lambda: pair(missing="wrong"),
    "runs: unknown conflict": lambda: pair(conflict="new"),
    "runs: unknown unanswered": lambda: pair(unanswered="right"),
    "runs: no item": lambda: pair(),
    "runs: no item in common": lambda: pair(Record("q1", "A", "A")),
    "runs: missing items": lambda: pair(FIRST, Record("3", "C", "C")),
    "runs: many missing items": lambda: pair(*(Record(f"{n}", "A", "A") for n in range(9))),
    "runs: no item in common of two logs": lambda: pair_logs(Record("q1", "A", "A")),
    "runs: repeated ids in a log": lambda: pair_logs(FIRST, FIRST, SECOND),
    "runs: no item in common of a log and a file": lambda: pair_runs(
        Run((FIRST,), "v1", is_log=True), Run((Record("q1", "A", "A"),), "v2")
    ),
    "references: missing for an item of a log": lambda: with_references(
        Run((FIRST,), "v1", is_log=True), {}
    ),
    "runs: repeated ids": lambda: pair(FIRST, FIRST, SECOND),
    "runs: other references": lambda: pair(FIRST, Record("2", "B", "C")),
    "runs: no answer": lambda: pair(FIRST, Record("2", None, "B")),
    "runs: undefined scores": lambda: pair(FIRST, Record("2", "B", "B", {"f1": float("nan")})),
    "runs: other prompts": lambda: pair_runs(
        run(Record("1", "A", prompt="Who?")), run(Record("1", "A", prompt="What?"), name="v2")
    ),
    "runs: several faults in three": lambda: join_runs(
        [run(FIRST, SECOND), run(FIRST, FIRST, name="v2"), run(SECOND, name="v3")]
    ),
    "runs: all left out": lambda: pair(
        Record("1", "A", "B"), Record("2", None, "B"), conflict="drop", unanswered="drop"
    ),
    "references: missing for an item": lambda: with_references(run(FIRST, SECOND), {"1": "A"}),
    "references: other already": lambda: with_references(run(FIRST), {"1": "B"}),
    "references: both": lambda: with_references(run(FIRST, SECOND), {"1": "B"}),
    "judging: threshold for answers": lambda: judge(FIRST, threshold=0.5),
    "judging: two scores": lambda: judge(scored("1", f1=1.0, em=0.0)),
    "judging: unknown score": lambda: judge(scored("1", f1=1.0), metric="em"),
    "judging: another score": lambda: compare_runs(
        Run((scored("1", f1=1.0),), "old"), Run((scored("1", em=1.0),), "new"), metric="f1"
    ),
    "judging: verdicts that become grades": lambda: compare_runs(
        Run((scored("1", f1=1.0), scored("2", f1=0.0)), "old"),
        Run((scored("1", f1=1.0), scored("2", f1=0.5)), "new"),
    ),
    "judging: a score of one run": lambda: compare_runs(
        Run((scored("1", f1=1.0),), "old"), Run((Record("1", "A", "A"),), "new"), metric="f1"
    ),
    "judging: options beside a baseline": lambda: compare_runs(
        make_baseline(Run((Record("1", "A", "A"),), "old")),
        Run((Record("1", "A", "A"),), "new"),
        metric="exact_match",
        options={"exact_match": {"strip": True}},
    ),
    "judging: no score": lambda: judge(Record("1", "A", "A"), metric="em"),
    "judging: a score missing": lambda: judge(
        scored("1", f1=1.0, em=1.0), scored("2", em=1.0), metric="f1"
    ),
    "judging: a task without a score": lambda: judge(
        Record("1", scores={"f1": 1.0}, task="a"), Record("2", task="b"), unanswered="wrong"
    ),
    "judging: no worst score": lambda: judge(scored("1", f1=0.5), Record("2"), unanswered="wrong"),
    "judging: no worst text": lambda: compare(
        old=["a"], new=[None], references=["a"], metric="ter", missing="wrong"
    ),
    "judging: no reference": lambda: judge(Record("1", "A")),
    "judging: graded": lambda: judge(scored("1", f1=0.5)).correctness(0, 1),
}
