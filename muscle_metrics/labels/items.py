"""Items of two runs whose answers have no key: which of them differ, and how likely they broke."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.runs.joining.pairing import check_joining, pair_runs
from muscle_metrics.words.place import list_ids, list_names, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.runs.joining.mismatches import Need
    from muscle_metrics.runs.joining.pairing import Conflict, JoinedRuns, MissingItems, Unanswered
    from muscle_metrics.runs.record import Record, Run

__all__ = ["LabelItems", "check_judge", "expect_breaks", "join_for_labels"]

Identity = tuple[str | None, str]
DIGEST_LENGTH = 16


@dataclass(frozen=True, eq=False)
class LabelItems:
    """Items of two runs, and which of them differ.

    Parameters
    ----------
    joined : JoinedRuns
        The old run and the new one.
    fingerprints : tuple of mapping
        Other facts that both runs recorded.
    """

    joined: JoinedRuns
    fingerprints: tuple[Mapping[str, str], Mapping[str, str]]

    @property
    def total(self) -> int:
        """Number of joined items."""
        return len(self.joined)

    @cached_property
    def identities(self) -> list[Identity]:
        """Task and id of every item."""
        return [(record.task, record.id) for record in self.joined.records[0]]

    @cached_property
    def prompts(self) -> tuple[str | None, ...]:
        """Prompt of every item, by the first run that holds any."""
        return self.joined.labels("prompt")

    @cached_property
    def differs(self) -> npt.NDArray[np.bool_]:
        """Which items have two answers that are not exactly equal."""
        pairs = zip(*self.joined.records, strict=True)
        return np.array([not _same(old.prediction, new.prediction) for old, new in pairs])

    @cached_property
    def digest(self) -> str:
        """Hash of ids, slices, prompts and both answers of every item, and of what was lost."""
        rows = [
            (*identity, slice_, old.prompt, old.prediction, new.prediction)
            for identity, slice_, old, new in zip(
                self.identities, self.joined.slices, *self.joined.records, strict=True
            )
        ]
        lost = [(record.task, record.id) for record in self.joined.losses.records]
        text = json.dumps([rows, lost], default=repr)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def join_for_labels(
    old: Run,
    new: Run,
    *,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
) -> LabelItems:
    """Join two runs whose answers people will label; references are not needed.

    Raises
    ------
    InputError
        If the runs do not hold the same items, an answer is missing or no plain data, or items
        depend on each other.
    UsageError
        If missing answers are to count as wrong.
    """
    check_joining(missing=missing, conflict=conflict, unanswered=unanswered)
    if unanswered == "wrong":
        raise UsageError(
            "expected answers that a person can judge, got missing ones that count as wrong: leave "
            "them out with --unanswered drop (unanswered=), which counts them as lost"
        )
    answers: frozenset[Need] = frozenset({"answer"})
    joined = pair_runs(
        old,
        new,
        missing=missing,
        # No reference judges these items, so it does not matter whose counts; none is lost by it.
        conflict="first" if conflict in {"own", "last"} else conflict,
        # Missing answers are refused below: advice of the join would let them count as wrong.
        unanswered="wrong" if unanswered == "error" else unanswered,
        needs=(answers, answers),
    )
    for run, column in zip((old, new), joined.records, strict=True):
        _check_answers(run, column)
    records = joined.records[0]
    for name, what in (("repeat", "several generations of a prompt"), ("group", "items in groups")):
        if any(getattr(record, name) is not None for record in (*records, *joined.records[1])):
            raise InputError(
                f"expected independent items for labels, got {what}: labels of a sample do not "
                f"bound them; judge all of them with --reference FILE or --score-field"
            )
    return LabelItems(joined, (old.fingerprint, new.fingerprint))


def expect_breaks(
    items: LabelItems,
    *,
    judge: str | None = None,
    candidates: Sequence[Run] = (),
    confidence: Run | None = None,
) -> npt.NDArray[np.int64]:
    """Say of every item whether its signals expect it to break (1), to get fixed (-1), or neither.

    Each signal is one vote: a judge's score of old against that of new, the answers of other
    models, and the confidence of the old model against its median.

    Parameters
    ----------
    items : LabelItems
        Old and new answers.
    judge : str, optional
        Name of a score that both runs recorded.
    candidates : sequence of Run
        Other models. Where more of them agree with old than with new, new may be wrong.
    confidence : Run, optional
        A run whose only score is how sure the old model was. A sure answer has more to lose.

    Raises
    ------
    InputError
        If a run of confidences does not hold one score of each item.
    UsageError
        If the judge is not recorded in both runs.
    """
    votes = np.zeros(items.total, dtype=np.int64)
    if judge is not None:
        votes += np.sign(_judged(items, judge))
    if candidates:
        votes += np.sign(sum(_agreement(items, run) for run in candidates))
    if confidence is not None:
        sure = _confidences(items, confidence)
        votes += np.sign(sure - np.median(sure)).astype(np.int64)
    return np.sign(votes)


def _check_answers(run: Run, records: Sequence[Record]) -> None:
    """Refuse answers that nobody can judge: missing ones, and those whose text may be cut."""
    if missing := [record.id for record in records if record.prediction is None]:
        raise InputError(
            f"expected answers that a person can judge, got none for {len(missing)} of "
            f"{len(records)} items in {show(run.name)} ({list_ids(missing)}): leave them out with "
            f"--unanswered drop (unanswered=), which counts them as lost"
        )
    for record in records:
        if (strange := _strange_type(record.prediction)) is not None:
            raise InputError(
                f"expected text, a number, true, false, or lists and objects of them as answers of "
                f"{show(run.name)}, got {strange} for {show(record.id)}: turn it into text, or "
                f"into a list"
            )


def _strange_type(value: Any) -> str | None:
    """Name of a type inside a value that JSON does not have; None for plain data."""
    if isinstance(value, (list, tuple, dict)):
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        return next(filter(None, map(_strange_type, inner)), None)
    # Numbers of numpy are plain; its arrays are not: they compare item by item, and print cut.
    is_plain = value is None or isinstance(value, (str, Real, np.bool_))
    return None if is_plain else type(value).__name__


def _same(old: Any, new: Any) -> bool:
    """Whether answers are equal, and of one type; nan equals nothing, so a person looks at it."""
    if type(old) is not type(new) or old != new:
        return False
    # What lists and objects hold has types too: [1] equals [True].
    return isinstance(old, str) or repr(old) == repr(new)


def check_judge(items: LabelItems, judge: str) -> None:
    """Refuse a judge whose score is not recorded in both runs.

    Raises
    ------
    UsageError
        If it is missing.
    """
    for run, records in zip(items.joined.names, items.joined.records, strict=True):
        names = sorted({name for record in records for name in record.scores})
        if judge not in names:
            raise UsageError(
                f"expected a score {judge!r} in both runs for --judge (judge=), got "
                f"{list_names(names) or 'none'} in {show(run)}: name its field with --score-field"
            )


def _judged(items: LabelItems, judge: str) -> npt.NDArray[np.int64]:
    check_judge(items, judge)
    sign = -1 if judge in items.joined.lower_is_better else 1
    # Without one of the scores the judge has no vote.
    pairs = [
        (old.scores[judge], new.scores[judge])
        if judge in old.scores and judge in new.scores
        else (0.0, 0.0)
        for old, new in zip(*items.joined.records, strict=True)
    ]
    before, after = np.array(pairs, dtype=np.float64).T
    # Scores are often rounded to 32 bits.
    close = np.isclose(before, after, rtol=1e-6, atol=1e-9)
    return np.where(close, 0, sign * np.sign(before - after)).astype(np.int64)


def _agreement(items: LabelItems, run: Run) -> npt.NDArray[np.int64]:
    """1 where a run agrees with old, -1 where it agrees with new, and 0 elsewhere."""
    _check_answers(run, [record for record in run if record.prediction is not None])
    known = _by_identity(run)
    votes = []
    for identity, old, new in zip(items.identities, *items.joined.records, strict=True):
        record = known.get(identity)
        answer = None if record is None else record.prediction
        of_old, of_new = _same(answer, old.prediction), _same(answer, new.prediction)
        votes.append(int(of_old) - int(of_new))
    if not any(identity in known for identity in items.identities):
        raise InputError(
            f"expected answers to the same items in --candidate (candidates=) {show(run.name)}, "
            f"got none of them: check --id-field"
        )
    return np.array(votes, dtype=np.int64)


def _confidences(items: LabelItems, run: Run) -> npt.NDArray[np.float64]:
    known = _by_identity(run)
    values = [[*known[one].scores.values()] if one in known else [] for one in items.identities]
    lacking = sum(len(found) != 1 for found in values)
    if lacking:
        raise InputError(
            f"expected one confidence of every item in {show(run.name)}, got none or several for "
            f"{lacking} of {items.total}: name one field with --confidence-field (confidence=)"
        )
    return np.array(values, dtype=np.float64)[:, 0]


def _by_identity(run: Run) -> dict[Identity, Record]:
    return {(record.task, record.id): record for record in run}
