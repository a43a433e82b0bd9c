"""Scores of joined items as they stream by: a chunk is compared, summed and forgotten."""

from __future__ import annotations

import math
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.answers.correctness import Correctness
from muscle_metrics.comparison.comparison import Comparison
from muscle_metrics.comparison.flip_sample import FlipSample
from muscle_metrics.comparison.items import ItemTable
from muscle_metrics.comparison.judging import EXACT_MATCH
from muscle_metrics.comparison.scoring import grade_texts
from muscle_metrics.comparison.totals import Totals
from muscle_metrics.errors import UsageError
from muscle_metrics.flips.changes import measure_changes
from muscle_metrics.scale.counting import run_query
from muscle_metrics.scale.encoding import decoded, split_key
from muscle_metrics.scorers import resolve_scorer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from muscle_metrics.flips.changes import ScoreChanges
    from muscle_metrics.scale.joining import Joining
    from muscle_metrics.scorers import Metric, Scorer

__all__ = ["Grading", "stream_totals", "streamed"]

# DuckDB hands out vectors of 2048 rows. What is scored together is held: long texts add up.
VECTORS = 4
COLUMNS = (
    "key",
    "slice",
    "cluster",
    "old",
    "new",
    "reference",
    "accepted",
    "old_score",
    "new_score",
    "old_right",
    "new_right",
    "changed",
)


class Grading(NamedTuple):
    """How items are graded; `judge` is "exact_match", the recorded score, or None."""

    judge: str | None
    graders: tuple[Metric, ...]
    options: Mapping[str, Mapping[str, Any]]
    is_by_score: bool = False
    is_graded: bool = False
    threshold: float | None = None
    strict_threshold: bool = False
    tie: float | None = None
    minimum_effect: float = 0.0
    score_range: tuple[float, float] = (-math.inf, math.inf)

    def scorers(self) -> tuple[Scorer, ...]:
        """Find the scorers that read texts, their models loaded."""
        named = [
            (metric, self.options.get(metric, {}) if isinstance(metric, str) else {})
            for metric in self.graders
        ]
        return tuple(streamed(metric, **options).loaded() for metric, options in named)

    @property
    def is_needed(self) -> bool:
        """Whether there are scores to sum, and not only verdicts to count."""
        recorded = self.is_by_score and (self.is_graded or self.threshold is not None)
        return bool(self.graders) or recorded

    @property
    def judges_alone(self) -> bool:
        """Whether rightness is known without a threshold on texts."""
        if self.is_by_score:
            return not self.is_graded
        return self.judge == EXACT_MATCH


def stream_totals(
    database: Any, joining: Joining, grading: Grading, *, size: int, seed: int
) -> Totals:
    """Sum up the items that are compared, scored chunk by chunk in constant memory.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from muscle_metrics.scale.counting import open_database
    >>> from muscle_metrics.scale.joining import Joining
    >>> from muscle_metrics.scale.sources import open_source
    >>> with tempfile.TemporaryDirectory() as folder, open_database("500MB", 1) as database:
    ...     path = Path(folder, "v1.jsonl")
    ...     _ = path.write_text('{"id": 1, "prediction": "A", "reference": "A"}')
    ...     source = open_source(path, {})
    ...     joining = Joining(old=source, new=source, by_score=False)
    ...     grading = Grading(judge=None, graders=("rouge1",), options={})
    ...     stream_totals(database, joining, grading, size=1, seed=0).scores.keys()
    dict_keys(['rouge1'])
    """
    query = f"SELECT {', '.join(COLUMNS)} FROM ({joining.items()}) WHERE {joining.kept()}"
    grading = grading._replace(graders=grading.scorers(), options={})
    chunks = _chunks(run_query(database, joining, query))
    return reduce(
        add,
        (
            Totals.of(_compared(chunk, joining, grading), sample_size=size, seed=seed)
            for chunk in chunks
        ),
        Totals(items=0, cells={}, scores={}, sample=FlipSample(size=size, seed=seed, flips={})),
    )


def streamed(metric: Metric, **options: Any) -> Scorer:
    """Find a scorer whose scores do not depend on which items are scored together.

    Raises
    ------
    UsageError
        If the metric or an option is unknown, or weighs tokens by the texts at hand.

    Examples
    --------
    >>> streamed("rouge1").name
    'rouge1'
    """
    scorer = resolve_scorer(metric, **options)
    if scorer.options.get("idf") is True:
        raise UsageError(
            "expected idf=False or a list of documents where texts are scored part by part, got "
            "True: its token weights would differ from part to part"
        )
    return scorer


def _chunks(result: Any) -> Iterator[pd.DataFrame]:
    while len(chunk := result.fetch_df_chunk(VECTORS)):
        yield chunk


def _compared(chunk: pd.DataFrame, joining: Joining, grading: Grading) -> Comparison:
    table = _table(chunk, joining)
    changes: dict[str, ScoreChanges] = {}
    if grading.is_by_score and (grading.is_graded or grading.threshold is not None):
        low, high = grading.score_range
        changes[str(grading.judge)] = measure_changes(
            old=chunk["old_score"].to_numpy(np.float64),
            new=chunk["new_score"].to_numpy(np.float64),
            tie=1e-6 if grading.tie is None else grading.tie,
            minimum_effect=grading.minimum_effect,
            low=low,
            high=high,
        )
    changes |= grade_texts(
        old=table.old,
        new=table.new,
        references=table.references,
        metrics=grading.graders,
        options=grading.options,
        tie=grading.tie,
        minimum_effect=grading.minimum_effect,
    )
    return Comparison(
        names=(joining.old.name, joining.new.name),
        table=table,
        correctness=_verdicts(chunk, changes, grading, joining),
        changes=changes,
        dropped={},
        fingerprints=({}, {}),
        recipe={},
    )


def _table(chunk: pd.DataFrame, joining: Joining) -> ItemTable:
    keys = [split_key(key) for key in chunk["key"]]
    shown = [
        tuple(map(decoded, _texts(chunk[side])))
        if joining.has_answers
        else tuple(chunk[f"{side}_score"])
        for side in ("old", "new")
    ]
    references = tuple(
        [decoded(x) for x in many] if many is not None else decoded(one)
        for one, many in zip(_texts(chunk["reference"]), _texts(chunk["accepted"]), strict=True)
    )
    nothing = (None,) * len(chunk)
    return ItemTable(
        ids=tuple(name for name, _ in keys),
        tasks=nothing,
        repeats=tuple(repeat for _, repeat in keys),
        slices=tuple(_texts(chunk["slice"])),
        groups=tuple(_texts(chunk["cluster"])),
        old=shown[0],
        new=shown[1],
        references=references,
    )


def _verdicts(
    chunk: pd.DataFrame,
    changes: Mapping[str, ScoreChanges],
    grading: Grading,
    joining: Joining,
) -> Correctness | None:
    if grading.judges_alone:
        return Correctness(
            chunk["old_right"].to_numpy(bool),
            chunk["new_right"].to_numpy(bool),
            chunk["changed"].to_numpy(bool) if joining.has_answers else None,
        )
    if grading.threshold is None or not changes:
        return None
    first = next(iter(changes.values()))
    return first.correctness(threshold=grading.threshold, strict=grading.strict_threshold)


def _texts(column: pd.Series[Any]) -> list[Any]:
    # A null comes as None, nan or NA; everything else here is text, or a list of texts.
    return [value if isinstance(value, (str, list, np.ndarray)) else None for value in column]
