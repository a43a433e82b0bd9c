"""An old run reduced to the input of a gate: correctness or scores, and no texts.

A baseline records its metric, its key and a hash of its references. A new run gets the same facts
before it is gated, so that a gate sees every difference between the two.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from muscle_metrics.answers.reading.reading import Reading, option_of, with_answer
from muscle_metrics.comparison.judging import judge_runs
from muscle_metrics.comparison.keyed import with_silence
from muscle_metrics.comparison.metrics import EXACT_MATCH
from muscle_metrics.comparison.per_task import settle_scores
from muscle_metrics.comparison.signature import name_answer, name_key
from muscle_metrics.comparison.unanswered import needs_of
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.runs.joining.pairing import join_runs
from muscle_metrics.runs.record import JUDGING, OF_ANSWERS, Record, Run
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from muscle_metrics.answers.columns import Key
    from muscle_metrics.runs.joining.pairing import Unanswered

__all__ = ["make_baseline", "match_baseline"]

REFERENCES = "references"
DIGEST_LENGTH = 16


def make_baseline(
    run: Run,
    *,
    metric: str | None = None,
    key: Key = None,
    answer: str | None = None,
    unanswered: Unanswered = "error",
) -> Run:
    """Reduce a run to ids, labels and correctness, or to the scores that it recorded.

    Parameters
    ----------
    run : Run
        As read by `read_run`.
    metric : str, optional
        A score that the run recorded, or "exact_match"; by default all of its scores, else
        "exact_match".
    key : callable, optional
        Normalises answers and references before they are compared; recorded scores take none.
    answer : str, optional
        Readers of answers and references, such as "strip, casefold", after the key.
    unanswered : {"error", "wrong", "drop"}
        What to do with items to which the run recorded no answer: wrong answers are written as
        wrong, and an item without a recorded score stays without one.

    Returns
    -------
    Run
        Without predictions, references and prompts; in natural order.

    Raises
    ------
    InputError
        If ids repeat, or answers, references or scores are missing.
    UsageError
        If the metric is not recorded, or a key has no answers to apply to.
    """
    key = with_answer(key, answer)
    if metric is not None:
        (run,), metric = settle_scores([run], metric)
    (run,) = with_silence([run], key)
    needs = needs_of((run, run), metric)
    joined = join_runs((run, run), unanswered=unanswered, needs=needs)
    kept = joined.records[0]
    by_answers = _by_answers(kept, metric)
    if key is not None and not by_answers:
        raise UsageError(
            f"expected answers to judge for {option_of(key)}, got recorded scores of "
            f"{show(run.name)}: drop it, or name another metric with --metric (metric=)"
        )
    if by_answers:
        judged = judge_runs(joined, metric=EXACT_MATCH, key=key)
        right = judged.correctness(0, 0).old_right.tolist()
        scores: list[Mapping[str, float]] = [{EXACT_MATCH: is_right} for is_right in right]
    elif metric is None:
        scores = [record.scores for record in kept]
    elif metric.partition("(")[0] == EXACT_MATCH and not any(metric in r.scores for r in kept):
        raise UsageError(
            f"expected exact_match without options, or a recorded score, for a baseline, got "
            f"{show(metric)}: normalise answers with --key (key=), or gate against the run itself"
        )
    else:
        # Only the check of the metric is used, so any range will do.
        judge_runs(joined, metric=metric, unanswered=unanswered, score_range=(0.0, 0.0))
        scores = [
            {metric: record.scores[metric]} if metric in record.scores else {} for record in kept
        ]
    records = tuple(
        replace(record, prediction=None, reference=None, prompt=None, scores=score)
        for record, score in zip(kept, scores, strict=True)
    )
    fingerprint = {**run.fingerprint, JUDGING: _judging(kept, metric, key)}
    if all(record.reference is not None for record in kept):
        fingerprint[REFERENCES] = _digest(kept)
    return Run(records, run.name, MappingProxyType(fingerprint), run.lower_is_better)


def match_baseline(
    old: Run,
    new: Run,
    *,
    metric: str | Sequence[str] | None = None,
    key: Key = None,
    answer: str | None = None,
    growing: bool = False,
) -> tuple[Run, Run]:
    """Add the facts that a baseline records to a new run, so that a gate sees differences.

    Parameters
    ----------
    old, new : Run
        A baseline and a run to be gated against it. If `old` is no baseline, both are returned
        unchanged.
    metric, key, answer
        How the new run will be judged.
    growing : bool
        Whether the new run may be incomplete. References are compared once it is complete, or at
        once if the baseline was given those of a separate file.

    Returns
    -------
    old, new : Run
        The same records; only the fingerprints differ.

    Raises
    ------
    InputError
        If the new run is a baseline: its verdicts would vouch for themselves.
    """
    if JUDGING in new.fingerprint:
        raise InputError(
            f"expected the answers of a new run, got the baseline {show(new.name)}: gate the run "
            f"from which 'muscle-metrics baseline' made it"
        )
    if JUDGING not in old.fingerprint:
        return old, new
    same_items = sorted(map(_identity, old)) == sorted(map(_identity, new))
    before, now = dict(old.fingerprint), dict(new.fingerprint)
    now[JUDGING] = _judging(new.records, metric, with_answer(key, answer))
    if growing and not same_items and all(record.reference is not None for record in old):
        # References of a separate file: joining compares those of the new run with them.
        now[REFERENCES] = _digest(old)
    elif all(record.reference is None for record in new) or (growing and not same_items):
        before.pop(REFERENCES, None)
    elif REFERENCES in before:
        now[REFERENCES] = _digest(new) if same_items else "unknown, as the items differ"
    return replace(old, fingerprint=before), replace(new, fingerprint=now)


def _by_answers(records: Iterable[Record], metric: object) -> bool:
    """Whether answers are compared: no score is recorded, or none of the name exact_match."""
    recorded = {name for record in records for name in record.scores}
    return not recorded if metric is None else metric == EXACT_MATCH and metric not in recorded


def _judging(
    records: Iterable[Record],
    metric: str | Sequence[str] | None,
    key: Callable[[Any], Any] | None,
) -> str:
    if _by_answers(records, metric):
        # A hash of code differs between versions of Python, and a committed baseline outlives one.
        takes_choices = isinstance(key, Reading) and key.takes_choices
        by_item = takes_choices and any(record.choices for record in records)
        named = name_answer(key, by_item=by_item)
        readers = "".join(f", {option} {name}" for option, name in named.items())
        return f"{OF_ANSWERS} {name_key(key).partition('@')[0]}{readers}"
    if metric is None:
        metric = sorted({name for record in records for name in record.scores})
    return f"score {metric if isinstance(metric, str) else ', '.join(map(str, metric))}"


def _digest(records: Iterable[Record]) -> str:
    """Hash of the references; it ignores their order, and takes 1 and 1.0 as equal."""
    rows = sorted((*_identity(record), _canonical(record.reference)) for record in records)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:DIGEST_LENGTH]


def _canonical(reference: object) -> str:
    if isinstance(reference, list | tuple):
        return json.dumps(["any of", *sorted(map(_canonical, reference))])
    if isinstance(reference, int | float) and not isinstance(reference, bool):
        whole = isinstance(reference, float) and reference.is_integer()
        return json.dumps(["number", str(int(reference) if whole else reference)])
    return json.dumps([type(reference).__name__, str(reference)])


def _identity(record: Record) -> tuple[str, str, str]:
    return record.task or "", record.id, record.repeat or ""
