"""Stream of a sequential gate: the items of a seeded order that are known so far.

An item that the old model got wrong cannot be a negative flip. Such an item is known without a run
of the new model, and counts in its place of the order. Skipping it changes no decision, because the
stream is the same as if it had been run.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.errors import InputError, PairingError, UsageError
from muscle_metrics.words.place import item_name, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.runs.record import Record, Run

__all__ = [
    "Seen",
    "check_independent",
    "flips_of",
    "not_independent",
    "right_in",
    "see_items",
    "seeded_order",
]

Flags = npt.NDArray[np.bool_]


class Seen(NamedTuple):
    """The first items of an order, up to the first one that is not known.

    Parameters
    ----------
    records : tuple of Record, length K
        Records of the old run, in the order.
    was_run : numpy.ndarray of bool, shape (K,)
        Whether the new run holds the item; the old model got every other one wrong.
    """

    records: tuple[Record, ...]
    was_run: Flags


def seeded_order(run: Run, seed: int) -> tuple[Record, ...]:
    """Put records in a random order that only their ids and the seed decide.

    Parameters
    ----------
    run : Run
        The items; their order in the file does not matter.
    seed : int
        Another seed gives another order.

    Returns
    -------
    tuple of Record

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> run = Run(tuple(Record(name) for name in "abcd"), "v1")
    >>> [record.id for record in seeded_order(run, 1)]
    ['b', 'c', 'd', 'a']
    """

    def rank(record: Record) -> bytes:
        name = json.dumps([seed, record.task, record.id, record.repeat])
        return hashlib.sha256(name.encode()).digest()

    return tuple(sorted(run, key=rank))


def right_in(run: Run, records: Sequence[Record], **options: Any) -> Flags:
    """Which items a run got right, judged by its own references.

    Parameters
    ----------
    run : Run
        All items.
    records : sequence of Record, length K
        The same items in the order of the result.
    **options
        Those of `compare_runs`.

    Returns
    -------
    numpy.ndarray of bool, shape (K,)

    Raises
    ------
    InputError
        If the run cannot be judged.
    UsageError
        If scores are graded and no threshold is given, an option does not fit, or one would lose
        items.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> run = Run((Record("q1", "A", "A"), Record("q2", "B", "A")), "v1")
    >>> right_in(run, run.records).tolist()
    [True, False]
    """
    _refuse_losses(options)
    judged = compare_runs(run, run, **options)
    if judged.correctness is None:
        raise _graded()
    return _in_order(judged, judged.correctness.old_right, records)


def see_items(order: Sequence[Record], right: Flags, new: Run, seed: int) -> Seen:
    """Find the items of an order that are known: the new run holds them, or old got them wrong.

    Parameters
    ----------
    order : sequence of Record, length N
        All items of the old run.
    right : numpy.ndarray of bool, shape (N,)
        Which of them the old model got right.
    new : Run
        The run that grows.
    seed : int
        Seed of the order, for messages.

    Raises
    ------
    PairingError
        If the new run holds another item, or leaves out one that old got right: that one could be
        the flip that decides.

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> order = tuple(Record(name) for name in "abcd")
    >>> right = np.array([False, True, False, True])
    >>> seen = see_items(order, right, Run((Record("b"),), "v2"), seed=1)
    >>> [record.id for record in seen.records], seen.was_run.tolist()
    (['a', 'b', 'c'], [False, True, False])
    """
    was_run: list[bool] = []
    held = 0
    for record, is_right in zip(order, right.tolist(), strict=True):
        is_next = held < len(new) and _name(new.records[held]) == _name(record)
        if is_right and not is_next:
            break
        was_run.append(is_next)
        held += is_next
    if held < len(new):
        raise _out_of_order(order[len(was_run) :], new, held, seed)
    return Seen(tuple(order[: len(was_run)]), np.array(was_run, dtype=bool))


def flips_of(comparison: Comparison, seen: Seen, right: Flags) -> Flags:
    """Whether each item of the stream flipped; an item that was not run did not.

    Parameters
    ----------
    comparison : Comparison
        Of the items that were run.
    seen : Seen
        The K items of the stream.
    right : numpy.ndarray of bool, shape (K,)
        Which of them the old model got right when it was judged alone.

    Raises
    ------
    InputError
        If an item of old is judged otherwise beside the new run than alone.
    UsageError
        If items are not independent, or scores are graded and no threshold is given.
    """
    correctness, table = comparison.correctness, comparison.table
    if correctness is None:
        raise _graded()
    if table.is_repeated or any(table.groups):
        raise not_independent()
    held = [record for record, ran in zip(*seen, strict=True) if ran]
    before, now = (_in_order(comparison, flags, held) for flags in correctness[:2])
    different = np.flatnonzero(before != right[seen.was_run])
    if different.size:
        raise InputError(
            f"expected each item of {show(comparison.names[0])} to be judged alike every time, "
            f"got another verdict for {show(_name(held[different[0]]))} the second time: judge by "
            f"a --metric that always gives the same score"
        )
    flips = np.zeros(len(seen.records), dtype=bool)
    flips[seen.was_run] = before & ~now
    return flips


def check_independent(run: Run) -> None:
    """Refuse repeats and groups: a sequential gate takes its items as independent.

    Raises
    ------
    UsageError
        If the run has any.
    """
    prompts = {(record.task, record.id) for record in run}
    if len(prompts) < len(run) or any(record.group is not None for record in run):
        raise not_independent()


def not_independent() -> UsageError:
    """Make the error for items that are not independent."""
    return UsageError(
        "expected independent items for --sequential, got repeats or groups: gate the whole run"
    )


def _refuse_losses(options: Mapping[str, Any]) -> None:
    """Refuse options that leave items out, or judge them by references of the new run."""
    losing = [
        f"{name}={options[name]}"
        for name in ("missing", "conflict", "unanswered")
        if options.get(name) in ("drop", "own", "last")
    ]
    if losing:
        raise UsageError(
            f"expected every item to count by the references of old for --sequential, got "
            f"{losing}: an item that is lost could be the flip that decides; leave these out, or "
            f"gate the whole run"
        )


def _graded() -> UsageError:
    return UsageError(
        "expected right and wrong answers for --sequential or --skip-wrong, got graded scores: "
        "pass --threshold"
    )


def _in_order(comparison: Comparison, flags: Flags, records: Sequence[Record]) -> Flags:
    table = comparison.table
    names = zip(table.tasks, table.ids, table.repeats, strict=True)
    by_name = dict(zip(names, flags.tolist(), strict=True))
    return np.array([by_name[r.task, r.id, r.repeat] for r in records], dtype=bool)


def _out_of_order(left: Sequence[Record], new: Run, held: int, seed: int) -> PairingError:
    given, where = show(_name(new.records[held])), f"at place {held + 1} of {show(new.name)}"
    if not left:
        return PairingError(
            f"expected only the items of old in its order, got {given} {where}, after the last of "
            f"them: leave out items that old lacks, and second rows of an item"
        )
    return PairingError(
        f"expected item {show(_name(left[0]))} {where}, got {given}: evaluate items in the order "
        f"that 'muscle-metrics order' prints for seed {seed}, and drop none that old got right"
    )


def _name(record: Record) -> str:
    return item_name(record.task, record.id, record.repeat)
