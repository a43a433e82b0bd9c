"""Several verdicts of a judge on one answer, made into one: they are no generations."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

from muscle_metrics.errors import InputError, check_choice
from muscle_metrics.runs.fingerprints import JUDGE_NOISE
from muscle_metrics.words.numbers import counted
from muscle_metrics.words.place import item_name, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.runs.record import Record, Run

__all__ = ["JudgeRepeats", "settle_verdicts"]

JudgeRepeats = Literal["majority", "share"]
"""Whether the verdict of most repeats counts, or the mean of their scores."""

_IDENTITY = attrgetter("task", "id", "repeat", "filter")
_SHARED = ("prediction", "reference", "choices", "slice", "group", "prompt")


def settle_verdicts(run: Run, how: JudgeRepeats) -> Run:
    """Make one record of the rows that hold several verdicts on one answer.

    Parameters
    ----------
    run : Run
        Rows of one task, id and repeat are verdicts on one answer.
    how : {"majority", "share"}
        The verdict of most of them, for scores of 0 and 1; or the mean of their scores.

    Returns
    -------
    Run
        One record per answer; its fingerprint says how many verdicts were made into one, and on
        how many answers they differ. An answer with fewer verdicts than others has none: what the
        lost ones said decides. A baseline, whose verdicts are settled, stays as it is.

    Raises
    ------
    InputError
        If no id repeats, rows of one id hold different answers, verdicts are graded, or as many
        of them say right as wrong.

    Examples
    --------
    >>> from muscle_metrics import Record, Run
    >>> rows = tuple(Record("q1", "A", scores={"judge": v}) for v in (1.0, 0.0, 1.0))
    >>> run = settle_verdicts(Run(rows, "v1"), "majority")
    >>> run.records[0].scores, run.fingerprint["judge_noise"]
    ({'judge': 1.0}, '1 of 1 answer with several verdicts got different ones')
    """
    check_choice("judge_repeats", how, get_args(JudgeRepeats))
    if "judge_repeats" in run.fingerprint:
        return run
    rows: dict[tuple[object, ...], list[Record]] = defaultdict(list)
    for record in run:
        rows[_IDENTITY(record)].append(record)
    several = [found for found in rows.values() if len(found) > 1]
    if not several:
        raise InputError(
            f"expected several rows of some id in {show(run.name)} for --judge-repeats "
            f"(judge_repeats=), got each of {counted(len(run), 'row')} once: drop it, or judge the "
            f"answers of both runs as often"
        )
    apart = sum(len({tuple(sorted(one.scores.items())) for one in found}) > 1 for found in several)
    noise = f"{apart} of {counted(len(several), 'answer')} with several verdicts got different ones"
    most = max(map(len, several))
    facts = {**run.fingerprint, "judge_repeats": f"{how} of {most}", JUDGE_NOISE: noise}
    records = tuple(_one(found, most, how, run.name) for found in rows.values())
    return replace(run, records=records, fingerprint=MappingProxyType(facts))


def _one(rows: Sequence[Record], most: int, how: JudgeRepeats, run: str) -> Record:
    first = rows[0]
    place = show(item_name(first.task, first.id, first.repeat))
    for name in _SHARED:
        texts = {repr(getattr(row, name)) for row in rows}
        if len(texts) > 1:
            raise InputError(
                f"expected one {name} of {place} in {show(run)} for --judge-repeats "
                f"(judge_repeats=), got {len(texts)}: rows of one id are verdicts on one answer; "
                f"number generations with --repeat-field (repeat_field=)"
            )
    names = dict.fromkeys(name for row in rows for name in row.scores)
    scores = {}
    for name in names:
        found = [float(row.scores[name]) for row in rows if name in row.scores]
        if len(found) < most:
            # Verdicts that are lost would be outvoted by those that are left.
            continue
        scores[name] = sum(found) / len(found)
        if how == "majority":
            scores[name] = _majority(found, name, f"{place} in {show(run)}")
    return replace(first, scores=scores)


def _majority(found: Sequence[float], name: str, place: str) -> float:
    if not {*found} <= {0.0, 1.0}:
        raise InputError(
            f"expected verdicts of 0 and 1 as {name!r} of {place} for --judge-repeats majority "
            f"(judge_repeats=), got {found[0]:g} and others: take their mean with --judge-repeats "
            f"share, and say which are right with --threshold"
        )
    right = sum(found)
    if 2 * right == len(found):
        raise InputError(
            f"expected more verdicts of one kind as {name!r} of {place}, got {right:g} of each: "
            f"judge once more, or count shares with --judge-repeats share (judge_repeats=) and "
            f"--threshold"
        )
    return float(2 * right > len(found))
