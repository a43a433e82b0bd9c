"""Score joined items in chunks: each chunk is compared, summed and dropped."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.comparison.comparison import Comparison
from muscle_metrics.comparison.flip_sample import FlipSample
from muscle_metrics.comparison.items import ItemTable
from muscle_metrics.comparison.metrics import EXACT_MATCH, check_scores
from muscle_metrics.comparison.scoring import grade_texts
from muscle_metrics.comparison.totals import Totals
from muscle_metrics.comparison.unanswered import UNBOUNDED, deny_unanswered, fill_missing
from muscle_metrics.errors import UsageError
from muscle_metrics.flips.changes import measure_changes
from muscle_metrics.flips.thresholds import RECORDED_TIE
from muscle_metrics.scale.database import reading
from muscle_metrics.scale.encoding import decode_reference, decode_value, split_key
from muscle_metrics.scorers import resolve_scorer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scorers import Metric, Scorer

__all__ = ["resolve_rowwise_scorer", "stream_totals"]

# Rows of a chunk, whose texts are in memory together.
CHUNK = 1 << 13
COLUMNS = (
    *("key", "slice", "cluster", "old", "new", "reference", "accepted"),
    *("old_score", "new_score", "old_right", "new_right", "changed"),
)

Chunk = dict[str, tuple[Any, ...]]


def stream_totals(database: Any, joining: Joining, *, is_graded: bool, worst: float) -> Totals:
    """Sum up the items that are compared, scored chunk by chunk in constant memory.

    `is_graded` says that the recorded scores are graded, without a threshold for correctness;
    `worst` is the recorded score of an item that has none.
    """
    choices = joining.choices
    scorers = [resolve_rowwise_scorer(one) for one in joining.judging.graders]
    # The model of a neural metric is loaded once, not with every chunk.
    loaded = [scorer.loaded() for scorer in scorers]
    query = f"SELECT {', '.join(COLUMNS)} FROM ({joining.items}) WHERE {joining.kept}"
    with reading(joining.old, joining.new):
        chunks = _chunks(database.execute(query))
    size, seed = choices.sample_size, choices.seed
    shards = (_compare(chunk, joining, loaded, is_graded, worst) for chunk in chunks)
    return reduce(
        add,
        (Totals.of(shard, sample_size=size, seed=seed) for shard in shards),
        Totals(items=0, cells={}, scores={}, sample=FlipSample(size=size, seed=seed, flips={})),
    )


def resolve_rowwise_scorer(metric: Metric, **options: Any) -> Scorer:
    """Find a scorer whose scores do not depend on which items are scored together.

    Raises
    ------
    UsageError
        If the metric or an option is unknown, or weighs tokens by the texts at hand.
    """
    scorer = resolve_scorer(metric, **options)
    if scorer.options.get("idf") is True:
        raise UsageError(
            "expected idf=False or a list of documents where texts are scored part by part, got "
            "True: its token weights would differ from part to part"
        )
    return scorer


def _chunks(result: Any) -> Iterator[Chunk]:
    while rows := result.fetchmany(CHUNK):
        yield dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))


def _compare(
    chunk: Chunk, joining: Joining, scorers: Sequence[Scorer], is_graded: bool, worst: float
) -> Comparison:
    choices, judging = joining.choices, joining.judging
    table = _table(chunk, joining)
    changes: dict[str, ScoreChanges] = {}
    if judging.by_score and (is_graded or choices.threshold is not None):
        low, high = choices.score_range
        for run, side in ((joining.old, "old_score"), (joining.new, "new_score")):
            check_scores(
                np.array(chunk[side], dtype=np.float64),
                table.ids,
                run=run.name,
                score_range=choices.score_range,
            )
        changes[str(judging.judge)] = measure_changes(
            old=fill_missing(chunk["old_score"], worst),
            new=fill_missing(chunk["new_score"], worst),
            tie=RECORDED_TIE if choices.tie is None else choices.tie,
            minimum_effect=choices.minimum_effect,
            low=low,
            high=high,
        )
    changes |= grade_texts(
        old=table.old,
        new=table.new,
        references=table.references,
        metrics=scorers,
        options={},
        tie=choices.tie,
        minimum_effect=choices.minimum_effect,
        score_range=choices.score_range if choices.unanswered == "wrong" else UNBOUNDED,
    )
    return Comparison(
        names=(joining.old.name, joining.new.name),
        table=table,
        correctness=_correctness(chunk, table, changes, joining, is_graded=is_graded),
        changes=changes,
        dropped={},
        fingerprints=({}, {}),
        recipe={},
    )


def _table(chunk: Chunk, joining: Joining) -> ItemTable:
    ids, repeats = zip(*map(split_key, chunk["key"]), strict=True)
    if joining.has_answers:
        old, new = (tuple(map(decode_value, chunk[side])) for side in ("old", "new"))
    else:
        old, new = chunk["old_score"], chunk["new_score"]
    return ItemTable(
        ids=ids,
        tasks=(None,) * len(ids),
        repeats=repeats,
        slices=chunk["slice"],
        groups=chunk["cluster"],
        old=old,
        new=new,
        references=tuple(map(decode_reference, chunk["reference"], chunk["accepted"])),
    )


def _correctness(
    chunk: Chunk,
    table: ItemTable,
    changes: Mapping[str, ScoreChanges],
    joining: Joining,
    *,
    is_graded: bool,
) -> Correctness | None:
    choices, judging = joining.choices, joining.judging
    judged_by_row = not is_graded if judging.by_score else judging.judge == EXACT_MATCH
    if judged_by_row:
        return Correctness(
            np.array(chunk["old_right"]),
            np.array(chunk["new_right"]),
            np.array(chunk["changed"]) if joining.has_answers else None,
        )
    if choices.threshold is None or not changes:
        return None
    first = next(iter(changes.values()))
    right = first.correctness(threshold=choices.threshold, strict=choices.strict_threshold)
    return deny_unanswered(right, table.old, table.new)
