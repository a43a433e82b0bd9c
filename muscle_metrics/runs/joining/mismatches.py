"""Reasons why runs cannot be joined as they are, with advice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, compress
from numbers import Real
from operator import attrgetter, methodcaller
from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from muscle_metrics.answers.scores import is_score
from muscle_metrics.runs.joining.references import differing_references, same_reference
from muscle_metrics.runs.natural_order import sort_naturally
from muscle_metrics.words.numbers import counted
from muscle_metrics.words.place import describe, item_name, list_ids, list_names, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from muscle_metrics.runs.record import Record, Run

__all__ = [
    "Excerpt",
    "Identity",
    "LabelledRun",
    "Mismatches",
    "Need",
    "is_unanswered",
    "sort_items",
]

# Task, id and repeat.
Identity: TypeAlias = tuple[str | None, str, str | None]
Need = Literal["score", "answer"]

_IDENTITY = attrgetter("task", "id", "repeat")
_MOST_SHOWN = 5


@dataclass(frozen=True)
class LabelledRun:
    """One of the runs to join, its label in messages, and its records by identity.

    `chosen` is what an item must hold to be judged; None where no metric was chosen. `held` names
    what other records of the run hold, if this is an excerpt.
    """

    label: str
    run: Run
    records: Mapping[Identity, Record]
    chosen: frozenset[Need] | None = None
    held: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.label} {show(self.run.name)}"

    @cached_property
    def is_scored(self) -> bool:
        """Whether any record holds a score."""
        return any(_column(self.run.records, "scores"))

    @property
    def needs(self) -> frozenset[Need]:
        """What an item must hold: as chosen, else a score in a run of scores, else an answer."""
        if self.chosen is not None:
            return self.chosen
        return frozenset({"score" if self.is_scored else "answer"})

    @cached_property
    def has_references(self) -> bool:
        """Whether any record holds a reference; else references of another run are used."""
        return "reference" in self.held or not _is_empty(_column(self.run.records, "reference"))

    @cached_property
    def has_prompts(self) -> bool:
        """Whether any record holds a prompt; else there is nothing to compare it with."""
        return "prompt" in self.held or not _is_empty(_column(self.run.records, "prompt"))


class Excerpt(NamedTuple):
    """True numbers of the items of two runs, of which only a part is at hand.

    Parameters
    ----------
    shared : int
        How many items both runs have.
    numbers : mapping of str to int
        Numbers of items, if not all flawed ones are at hand: "conflicting", "moved" (other
        prompts), and "missing", "no score", "no answer", "repeated" and "surplus" (rows) in old or
        new, such as "missing in new".
    held : sequence of frozenset of str
        For each run which of "reference" and "prompt" any item of the whole run holds.
    """

    shared: int
    numbers: Mapping[str, int]
    held: Sequence[frozenset[str]]


class Mismatches:
    """Obstacles to joining some runs, one list of reasons per kind.

    Parameters
    ----------
    runs : sequence of Run
        The runs; two of them are called old and new.
    excerpt : Excerpt, optional
        True numbers of items, if `runs` are excerpts of longer runs.
    needs : sequence of frozenset, optional
        For each run what an item must hold to be judged: a score, an answer, or both. By default
        a score in a run that has scores, else an answer.

    Attributes
    ----------
    runs : list of LabelledRun
        One per run.
    distinct : list of LabelledRun
        The same without a run that is given again.
    items, shared : list of Identity
        Items of any run and of all runs, in natural order.
    records : list of list of Record
        For each run its records of the shared items.
    silent : list of (LabelledRun, str, list of Identity)
        Of every run and every need, the shared items that lack it.
    conflicting, unanswered : list of Identity
        Shared items whose references differ, and those that lack a need in a run.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        excerpt: Excerpt | None = None,
        needs: Sequence[frozenset[Need]] | None = None,
    ) -> None:
        held = [frozenset[str]()] * len(runs) if excerpt is None else excerpt.held
        self.runs = _label_runs(runs, needs or [None] * len(runs), held)
        # A run that is judged alone is joined with itself, and named once.
        self.distinct = [
            run
            for number, run in enumerate(self.runs)
            if not any(
                run.run is earlier.run and run.chosen == earlier.chosen
                for earlier in self.runs[:number]
            )
        ]
        first, *others = (list(run.records) for run in self.runs)
        is_same = all(items == first for items in others)
        self.items = sort_items(first if is_same else list(dict.fromkeys(chain(first, *others))))
        self.shared = self.items
        if any(len(run.records) < len(self.items) for run in self.runs):
            self.shared = [
                item for item in self.items if all(item in run.records for run in self.runs)
            ]
        self.records = [list(map(run.records.__getitem__, self.shared)) for run in self.runs]
        self._excerpt = excerpt
        self.total = len(self.shared) if excerpt is None else excerpt.shared
        self.conflicting = self._find_conflicting()
        self.silent = [
            (run, need, _find_unanswered(self.shared, records, need))
            for run, records in zip(self.runs, self.records, strict=True)
            for need in sorted(run.needs)
        ]
        silent = set[Identity]().union(*(items for *_, items in self.silent))
        self.unanswered = [item for item in self.shared if item in silent] if silent else []

    def explain_faults(self) -> list[str]:
        """Faults that no option repairs: repeated ids, unusable scores, other prompts."""
        problems = [reason for run in self.distinct for reason in self._explain_faults(run)]
        problems += self._explain_directions()
        moved = self._find_moved()
        if moved:
            problems.append(
                f"different prompts for {self._count('moved', moved, 'id')} ({_list(moved)}): "
                f"an id that names another item in each run pairs answers to different questions: "
                f"{_advise_ids(self.runs)}"
            )
        return problems

    def explain_missing(self) -> list[str]:
        """Items that some runs lack; if no item is shared, one id of each run as a sample."""
        empty = [run for run in self.distinct if not run.records]
        if empty:
            return [f"no item in {run}: check what its records were read from" for run in empty]
        if not self.shared:
            firsts = [next(item for item in self.items if item in r.records) for r in self.runs]
            samples = " and ".join(
                f"{show(item_name(*item))} in {run.label}"
                for item, run in zip(firsts, self.runs, strict=True)
            )
            return [
                f"no id in all of them (such as {samples}): compare runs of one benchmark, or "
                f"{_advise_ids(self.runs)}"
            ]
        if len(self.shared) == len(self.items):
            return []
        lacking = [
            (run, [item for item in self.items if item not in run.records]) for run in self.runs
        ]
        return _one_problem(
            [
                f"{self._count(f'missing in {run.label}', items, 'item')} missing in {run} "
                f"({_list(items)})"
                for run, items in lacking
                if items
            ],
            '--missing drop (missing="drop") leaves them out',
        )

    def explain_conflicting(self) -> list[str]:
        """Items whose references differ."""
        items = self.conflicting
        if not items:
            return []
        advice = (
            '--conflict own (conflict="own") judges each run by its own, first or last all by '
            "those of that run, drop leaves them out"
        )
        if self._has_row_numbers():
            advice = (
                f"the ids are row numbers, and name other items if a file was sorted or cut, so "
                f"{_advise_ids(self.runs)} first; {advice}"
            )
        number = self._count("conflicting", items, "item")
        found = f"different references for {number} ({_list(items)})"
        return [f"{found}, {self._differing(items[0])}: {advice}"]

    def explain_unanswered(self) -> list[str]:
        """Items without an answer: whether they are wrong is for the user to say."""
        given = {"score": "items without a score", "answer": "predictions null"}
        found = []
        for run, need, items in self.silent:
            if items and run in self.distinct:
                number = self._number(f"no {need} in {run.label}", len(items))
                found.append(f"{number} of {self.total} {given[need]} in {run} ({_list(items)})")
        return _one_problem(
            found,
            '--unanswered wrong (unanswered="wrong") counts them as wrong, drop leaves them out',
        )

    def _explain_faults(self, run: LabelledRun) -> list[str]:
        problems = []
        if len(run.records) < len(run.run):
            counts = Counter(map(_IDENTITY, run.run))
            repeated = sort_items([item for item, count in counts.items() if count > 1])
            named = [
                f"{show(item_name(*item))} {counts[item]} times" for item in repeated[:_MOST_SHOWN]
            ]
            more = ["..."] * (len(repeated) > _MOST_SHOWN)
            advice = (
                "choose a task with --task (task=) if its ids are those of another, or evaluate "
                "again"
                if run.run.is_log
                else "check --id-field (id_field), name the number of the generation with "
                "--repeat-field (repeat_field), or make one of several verdicts of a judge with "
                "--judge-repeats (judge_repeats)"
            )
            surplus = self._number(f"surplus in {run.label}", len(run.run) - len(counts))
            problems.append(
                f"{self._count(f'repeated in {run.label}', repeated, 'id')} more than once in "
                f"{run} ({', '.join(named + more)}), {surplus} rows too many: {advice}"
            )
        unusable = _find_unusable(run)
        if unusable:
            problems.append(
                f"scores that are no finite numbers for {counted(len(unusable), 'item')} in {run} "
                f"({_list(unusable)}): score these items again"
            )
        return problems

    def _count(self, kind: str, items: Sequence[object], noun: str) -> str:
        return counted(self._number(kind, len(items)), noun)

    def _number(self, kind: str, found: int) -> int:
        """Give the true number of items of a kind, of which `found` are at hand."""
        return found if self._excerpt is None else self._excerpt.numbers.get(kind, found)

    def _explain_directions(self) -> list[str]:
        """Metrics that are better when lower in one run, and when higher in another."""
        lower = sorted(set().union(*(run.run.lower_is_better for run in self.runs)))
        mixed = [
            metric
            for metric in lower
            for run in self.runs
            if metric not in run.run.lower_is_better
            and any(metric in record.scores for record in run.run)
        ]
        return [
            f"scores {list_names(mixed)} better when lower in one run and when higher in another: "
            f"evaluate both in the same way"
        ] * bool(mixed)

    def _find_conflicting(self) -> list[Identity]:
        columns = [
            _column(records, "reference")
            for run, records in zip(self.runs, self.records, strict=True)
            if run.has_references
        ]
        positions = {
            position
            for others in columns[1:]
            for position in differing_references(columns[0], others)
        }
        return [self.shared[position] for position in sorted(positions)]

    def _find_moved(self) -> list[Identity]:
        """Shared items with two prompts or more; where a run has prompts, null is one of them."""
        columns = [
            _column(records, "prompt")
            for run, records in zip(self.runs, self.records, strict=True)
            if run.has_prompts
        ]
        if all(column == columns[0] for column in columns[1:]):
            return []
        return [
            item
            for item, prompts in zip(self.shared, zip(*columns, strict=True), strict=True)
            if len({*prompts}) > 1
        ]

    def _differing(self, item: Identity) -> str:
        first, *others = [run for run in self.runs if run.has_references]
        reference = first.records[item].reference
        other = next(
            run for run in others if not same_reference(reference, run.records[item].reference)
        )
        return (
            f"such as {describe(reference)} in {first.label} and "
            f"{describe(other.records[item].reference)} in {other.label}"
        )

    def _has_row_numbers(self) -> bool:
        """Whether the ids of every run are its row numbers, from 0 or 1; never in an excerpt."""
        if self._excerpt is not None:
            return False
        for run in self.runs:
            ids, rows = {id_ for _, id_, _ in run.records}, len(run.run)
            if ids not in ({*map(str, range(rows))}, {*map(str, range(1, rows + 1))}):
                return False
        return True


def _label_runs(
    runs: Sequence[Run],
    needs: Sequence[frozenset[Need] | None],
    held: Sequence[frozenset[str]],
) -> list[LabelledRun]:
    labels = ["old", "new"] if len(runs) == 2 else [f"run {n}" for n in range(1, len(runs) + 1)]
    return [
        LabelledRun(
            label,
            run,
            dict(zip(map(_IDENTITY, run.records), run.records, strict=True)),
            chosen,
            known,
        )
        for label, run, chosen, known in zip(labels, runs, needs, held, strict=True)
    ]


def sort_items(items: Sequence[Identity]) -> list[Identity]:
    """Sort by task, then id, then repeat, each in natural order, and none before any text."""
    ids = [id_ for _, id_, _ in items]
    if len({(task, repeat) for task, _, repeat in items}) == 1:
        # Fast path: only the ids differ, as in any plain file.
        in_order = sort_naturally(ids)
        by_id = dict(zip(ids, items, strict=True))
        return list(items) if in_order == ids else list(map(by_id.__getitem__, in_order))
    tasks, repeats = _rank(task for task, _, _ in items), _rank(repeat for _, _, repeat in items)
    ranks = _rank(ids)
    return sorted(items, key=lambda item: (tasks[item[0]], ranks[item[1]], repeats[item[2]]))


def _rank(names: Iterable[str | None]) -> dict[str | None, int]:
    """Rank of every name in natural order; None has the first rank."""
    ordered = sort_naturally(list({name for name in names if name is not None}))
    return {None: -1, **{name: rank for rank, name in enumerate(ordered)}}


def _column(records: Iterable[Record], name: str) -> list[Any]:
    return list(map(attrgetter(name), records))


def _is_empty(column: Iterable[object]) -> bool:
    """Whether every value of a column is None; comparing arrays with None would be slow."""
    return {*map(type, column)} <= {NoneType}


def is_unanswered(run: LabelledRun, item: Identity) -> bool:
    """Whether the record of an item lacks a score or an answer that judging it needs."""
    record = run.records[item]
    return any(_find_unanswered([item], [record], need) for need in run.needs)


def _find_unanswered(
    items: Sequence[Identity], records: Sequence[Record], need: Need
) -> list[Identity]:
    if need == "score":
        return list(compress(items, map(_has_no_score, records)))
    answers = _column(records, "prediction")
    if NoneType not in {*map(type, answers)}:
        return []
    return [item for item, answer in zip(items, answers, strict=True) if answer is None]


def _has_no_score(record: Record) -> bool:
    return not record.scores


def _advise_ids(runs: Sequence[LabelledRun]) -> str:
    """Advice where ids name no items, or other ones: fields of a log cannot be chosen."""
    logs = [run.run.is_log for run in runs]
    if not any(logs):
        return "check --id-field (id_field)"
    if all(logs):
        return (
            "choose one task and filter of both with --task (task=) and --filter (filter=), or "
            "name one log of each"
        )
    return (
        "write the ids of the log into the other file, or name its field with --id-field "
        "(id_field) once per run, which is id for a log"
    )


def _find_unusable(run: LabelledRun) -> list[Identity]:
    """Items with a score that is not finite, or no number."""
    if not run.is_scored:
        return []
    scores = _column(run.records.values(), "scores")
    values = list(chain.from_iterable(map(methodcaller("values"), scores)))
    if {*map(type, values)} <= {bool, float} and all(map(is_score, values)):
        return []
    return sort_items(
        [
            item
            for item, record in run.records.items()
            if not all(map(_is_finite, record.scores.values()))
        ]
    )


def _is_finite(score: object) -> bool:
    return isinstance(score, Real) and is_score(score.item() if hasattr(score, "item") else score)


def _one_problem(found: Sequence[str], advice: str) -> list[str]:
    """One problem for the findings in all runs, with its advice once; none without findings."""
    return [f"{', '.join(found)}: {advice}"] if found else []


def _list(items: Sequence[Identity]) -> str:
    return list_ids([item_name(*item) for item in items])
