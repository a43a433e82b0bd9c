"""Join the answers of two or more models to the same items: by id, never by position."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

from muscle_metrics.errors import PairingError, UsageError, check_choice
from muscle_metrics.runs.joining.losses import (
    CONFLICTING,
    NO_LOSSES,
    ONLY_IN_NEW,
    ONLY_IN_OLD,
    UNANSWERED,
    Losses,
    find_losses,
)
from muscle_metrics.runs.joining.mismatches import Mismatches
from muscle_metrics.words.numbers import counted
from muscle_metrics.words.place import list_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from muscle_metrics.runs.joining.mismatches import Excerpt, Identity, LabelledRun, Need
    from muscle_metrics.runs.record import Record, Run


__all__ = [
    "Conflict",
    "JoinedRuns",
    "MissingItems",
    "Unanswered",
    "check_joining",
    "join_runs",
    "nothing_left",
    "pair_runs",
]

MissingItems = Literal["error", "drop"]
Conflict = Literal["error", "drop", "own", "first", "last"]
Unanswered = Literal["error", "wrong", "drop"]

_LABELS = ("task", "repeat", "slice", "group", "prompt", "reference")


@dataclass(frozen=True)
class JoinedRuns:
    """Items that several runs share, in one order.

    Parameters
    ----------
    names : tuple of str
        Name of each run.
    ids : tuple of str
        Id of each item; 2 comes before 10, whatever the order of the files.
    records : tuple of tuple of Record
        For each run the record of each item.
    references : tuple of tuple of object
        For each run the references that judge its answers.
    dropped : mapping of str to int
        How many items were left out, by reason. Each counts once: kept and dropped items together
        are all items of the runs.
    has_logs : bool
        Whether a harness recorded any of the runs, so that scores are to be expected.
    lower_is_better : frozenset of str
        Recorded metrics whose smaller score is better.
    has_verdicts : tuple of bool
        For each run whether its only score is this package's own verdict on the answers, as in a
        committed baseline.
    losses : Losses
        Items of the old run that the new one lost, where two runs were joined.
    labellers : mapping of str to int
        By attribute of a record the position of the first run that names any, also on items that
        are not compared.
    """

    names: tuple[str, ...]
    ids: tuple[str, ...]
    records: tuple[tuple[Record, ...], ...]
    references: tuple[tuple[object, ...], ...]
    dropped: Mapping[str, int]
    has_logs: bool = False
    lower_is_better: frozenset[str] = frozenset()
    has_verdicts: tuple[bool, ...] = ()
    losses: Losses = NO_LOSSES
    labellers: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def slices(self) -> tuple[str | None, ...]:
        """Slice of each item, by the first run that names any."""
        return self.labels("slice")

    def labels(self, name: str) -> tuple[str | None, ...]:
        """Task, repeat, slice, group or prompt of each item, by the first run that names any.

        A new run cannot move items between the slices or groups of the old run, nor add to them.
        """
        return tuple(map(attrgetter(name), self.records[self.labellers.get(name, 0)]))

    @cached_property
    def choices(self) -> tuple[str | None, ...]:
        """Letters of the options of each item, by the first run that names them.

        Raises
        ------
        PairingError
            If runs name different ones.
        """
        columns = [list(map(attrgetter("choices"), records)) for records in self.records]
        items = [list(dict.fromkeys(filter(None, one))) for one in zip(*columns, strict=True)]
        differing = [number for number, found in enumerate(items) if len(found) > 1]
        if differing:
            raise PairingError(
                f"expected the same options for every item in all runs, got "
                f"different ones for {counted(len(differing), 'item')} "
                f"({list_ids([self.ids[number] for number in differing])}), such as "
                f"{' and '.join(items[differing[0]])}: correct them, or give the letters of all "
                f"items with --answer 'letter(choices=ABCD)' (answer=)"
            )
        return tuple(found[0] if found else None for found in items)

    @cached_property
    def relabelled(self) -> Mapping[str, int]:
        """How many items have another slice or another group in the newest run."""
        counts = {}
        for name in ("slice", "group"):
            ours, theirs = self.labels(name), map(attrgetter(name), self.records[-1])
            pairs = zip(ours, theirs, strict=True)
            counts[name] = sum(None not in pair and pair[0] != pair[1] for pair in pairs)
        return {name: count for name, count in counts.items() if count}

    @cached_property
    def labels_from_new(self) -> frozenset[str]:
        """Which of references, slices and groups the old run lacks, and a newer run names."""
        parts = {"references": "reference", "slices": "slice", "groups": "group"}
        return frozenset(
            part
            for part, name in parts.items()
            if self.labellers.get(name, 0) and _names_any(name, self.records[-1])
        )


def pair_runs(
    old: Run,
    new: Run,
    *,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
    needs: Sequence[frozenset[Need]] | None = None,
) -> JoinedRuns:
    """Join the answers of two models, old first; `join_runs` says how.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> old = Run((Record("1", "B", "A"), Record("2", "C", "C")), name="old")
    >>> new = Run((Record("2", "C", "C"), Record("1", "A", "A")), name="new")
    >>> [record.prediction for record in pair_runs(old, new).records[1]]
    ['A', 'C']
    """
    return join_runs(
        (old, new), missing=missing, conflict=conflict, unanswered=unanswered, needs=needs
    )


def join_runs(
    runs: Sequence[Run],
    *,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
    excerpt: Excerpt | None = None,
    needs: Sequence[frozenset[Need]] | None = None,
) -> JoinedRuns:
    """Join the answers of two or more models to the same items.

    An item is known by its task, id and repeat. Nothing is left out, filled in or judged
    differently unless an option says so, and dropped items are counted.

    Parameters
    ----------
    runs : sequence of Run
        Two or more, oldest first.
    missing : {"error", "drop"}
        What to do with items that are not in every run.
    conflict : {"error", "drop", "own", "first", "last"}
        What to do with items whose references differ: leave them out, or judge each run by its
        own, or all runs by that of the first or last. A run that holds no reference at all is
        judged by those of the others.
    unanswered : {"error", "wrong", "drop"}
        What to do with items without an answer, or without a score in a run that has scores:
        keep them, to count as the worst score, or leave them out of every run.
    excerpt : Excerpt, optional
        True numbers of items, if `runs` are excerpts of longer runs.
    needs : sequence of frozenset, optional
        For each run what an item must hold to be judged: "score", "answer", or both. By default a
        score in a run that has scores, else an answer.

    Returns
    -------
    JoinedRuns
        The items in an order that does not depend on that of the records.

    Raises
    ------
    PairingError
        If the runs do not hold the same items; the message names every reason.
    UsageError
        If there are fewer than two runs, or an option is unknown.
    """
    check_joining(missing=missing, conflict=conflict, unanswered=unanswered)
    if len(runs) < 2:
        raise UsageError(f"expected two or more runs, got {len(runs)}: pass the old run first")
    found = Mismatches(runs, excerpt, needs)
    problems = found.explain_faults()
    if missing == "error" or not found.shared:
        problems += found.explain_missing()
    if conflict == "error":
        problems += found.explain_conflicting()
    if unanswered == "error":
        problems += found.explain_unanswered()
    if problems:
        named = " and ".join(map(str, found.distinct))
        raise PairingError(f"expected the same items in {named}, got {'; '.join(problems)}")

    # An item counts once, under the first reason that applies.
    reasons = _reasons_missing(found)
    if conflict == "drop":
        reasons = dict.fromkeys(found.conflicting, CONFLICTING) | reasons
    if unanswered == "drop":
        reasons = dict.fromkeys(found.unanswered, UNANSWERED) | reasons
    dropped = dict(sorted(Counter(reasons.values()).items()))
    kept, columns = found.shared, found.records
    if reasons:
        is_kept = [item not in reasons for item in kept]
        kept = list(compress(kept, is_kept))
        columns = [list(compress(column, is_kept)) for column in columns]
    if not kept:
        raise nothing_left(dropped)
    losses = NO_LOSSES
    if len(runs) == 2:
        losses = find_losses(
            found,
            left_out=reasons,
            drops_unanswered=unanswered == "drop",
            is_rejudged=conflict in {"own", "last"},
            kept=kept,
        )
    return JoinedRuns(
        names=tuple(run.run.name for run in found.runs),
        ids=tuple([id_ for _, id_, _ in kept]),
        records=tuple(map(tuple, columns)),
        references=tuple(
            tuple(map(attrgetter("reference"), columns[position]))
            for position in _sources_of_references(found.runs, conflict)
        ),
        dropped=MappingProxyType(dropped),
        has_logs=any(run.is_log for run in runs),
        lower_is_better=frozenset().union(*(run.lower_is_better for run in runs)),
        has_verdicts=tuple(run.has_verdicts for run in runs),
        losses=losses,
        labellers=MappingProxyType({name: _labeller(name, runs) for name in _LABELS}),
    )


def _labeller(name: str, runs: Sequence[Run]) -> int:
    """Position of the first run that labels any item; 0 if none does."""
    named = (position for position, run in enumerate(runs) if _names_any(name, run.records))
    return next(named, 0)


def _names_any(name: str, records: Iterable[Record]) -> bool:
    return any(label is not None for label in map(attrgetter(name), records))


def _reasons_missing(found: Mismatches) -> dict[Identity, str]:
    """Reason for leaving out each item that some run lacks."""
    if len(found.shared) == len(found.items):
        return {}
    absent = set(found.items).difference(found.shared)
    if len(found.runs) > 2:
        return dict.fromkeys(absent, "not in every run")
    old = found.runs[0]
    return {item: ONLY_IN_OLD if item in old.records else ONLY_IN_NEW for item in absent}


def _sources_of_references(runs: Sequence[LabelledRun], conflict: Conflict) -> list[int]:
    """Position of the run whose references judge each run."""
    referring = [position for position, run in enumerate(runs) if run.has_references] or [0]
    if conflict == "last":
        return [referring[-1]] * len(runs)
    if conflict == "first":
        return [referring[0]] * len(runs)
    return [position if position in referring else referring[0] for position in range(len(runs))]


def check_joining(*, missing: str, conflict: str, unanswered: str) -> None:
    """Check the options `missing`, `conflict` and `unanswered`.

    Raises
    ------
    UsageError
        If an option is unknown.
    """
    for name, given, known in (
        ("missing", missing, MissingItems),
        ("conflict", conflict, Conflict),
        ("unanswered", unanswered, Unanswered),
    ):
        check_choice(name, given, get_args(known))


def nothing_left(dropped: Mapping[str, int]) -> PairingError:
    """Make the error for runs whose items were all left out, with the reasons."""
    counted = ", ".join(f"{count} {reason}" for reason, count in dropped.items())
    return PairingError(
        f"expected at least one item to compare, got none: all were left out ({counted}): "
        f"drop fewer of them with --missing, --conflict or --unanswered (missing=, conflict=, "
        f"unanswered=)"
    )
