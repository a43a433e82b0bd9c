"""Stages of a Ray Data pipeline: score the texts of every batch, or count the flips in it."""

from __future__ import annotations

import pickle
from functools import partial, reduce
from operator import add
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.compare import compare
from muscle_metrics.comparison.totals import Totals
from muscle_metrics.errors import InputError, require
from muscle_metrics.scale.streaming import resolve_rowwise_scorer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.scorers import Metric, Scorer

__all__ = ["Scoring", "count_flips_dataset", "score_dataset"]

BATCH = 1 << 14
TOTALS = "totals"


def score_dataset(
    ds: Any,
    *,
    metric: Metric,
    predictions: str = "prediction",
    references: str = "reference",
    column: str | None = None,
    workers: int | None = None,
    num_gpus: float = 0,
    batch_size: int = 1024,
    **options: Any,
) -> Any:
    """Add a column with the score of every row; nothing runs until the rows are consumed.

    Parameters
    ----------
    ds : ray.data.Dataset
        One row per item.
    metric : str or callable
        As in `score_flips`.
    predictions, references : str
        Columns of texts; a reference may be a list of texts.
    column : str, optional
        Name of the new column; by default that of the metric.
    workers : int, optional
        Number of actors, each of which loads a model once. By default tasks score the rows;
        BERTScore always uses one actor or more.
    num_gpus : float
        Share of a GPU, or number of GPUs, of every worker.
    batch_size : int
        How many rows are scored together.
    **options
        Those of the metric, such as ``model=`` for BERTScore.

    Returns
    -------
    ray.data.Dataset

    Raises
    ------
    UsageError
        If the metric or an option is unknown, or weighs tokens by batches.
    MissingDependencyError
        If Ray is not installed: ``pip install 'muscle-metrics[ray]'``.

    Notes
    -----
    For example, over eight GPUs::

        rows = ray.data.read_parquet("s3://runs/v2")
        score_dataset(rows, metric="bertscore", model="roberta-large", workers=8, num_gpus=1)

    Examples
    --------
    >>> score_dataset(None, metric="bertscore", model="roberta-large", idf=True)
    Traceback (most recent call last):
    muscle_metrics.errors.UsageError: expected idf=False or a list of documents where ...
    """
    scorer = resolve_rowwise_scorer(metric, **options)
    require("ray.data", "ray")
    columns = {"predictions": predictions, "references": references}
    column = column or scorer.name
    batches = {
        "batch_format": "pyarrow", "batch_size": batch_size, "num_gpus": num_gpus or None,
    }  # fmt: skip
    if workers is None and scorer.name != "bertscore":
        stage = partial(_scored, scorer=scorer, columns=columns, column=column)
        return ds.map_batches(stage, **batches)
    return ds.map_batches(
        Scoring,
        fn_constructor_args=(scorer, columns, column),
        concurrency=workers or 1,
        **batches,
    )


class Scoring:
    """A worker of `score_dataset` that keeps its model."""

    def __init__(self, scorer: Scorer, columns: Mapping[str, str], column: str) -> None:
        self._scorer = scorer.loaded()
        self._columns, self._column = columns, column

    def __call__(self, rows: Any) -> Any:
        """Score one batch."""
        return _scored(rows, scorer=self._scorer, columns=self._columns, column=self._column)


def count_flips_dataset(
    ds: Any,
    *,
    old: str = "old",
    new: str = "new",
    references: str = "reference",
    ids: str | None = None,
    slices: str | None = None,
    groups: str | None = None,
    sample_size: int = 10,
    seed: int = 0,
    batch_size: int = BATCH,
    **choices: Any,
) -> Totals:
    """Count the flips of a Ray data set whose rows hold the answers of both models.

    Parameters
    ----------
    ds : ray.data.Dataset
        One row per item. Items that occur twice are not noticed.
    old, new, references : str
        Columns of the answers and of the reference (an answer or a list of accepted ones).
    ids, slices, groups : str, optional
        Columns of the id, of the slice, and of the group, such as the passage that items share.
        Without ids no flips are sampled.
    sample_size, seed : int
        How many negative flips of every slice to keep, and the seed of that sample.
    batch_size : int
        How many rows are counted together.
    **choices
        Those of `compare`: ``metric``, ``threshold``, ``key`` and so on.

    Returns
    -------
    Totals
        ``counts`` of all items, ``slices``, exact ``scores``; it adds to others.

    Raises
    ------
    InputError
        As `compare`; or if there are no rows.

    Notes
    -----
    For example::

        rows = ray.data.read_parquet("s3://runs/both")
        print(count_flips_dataset(rows, slices="topic").counts.negative_flip_rate)

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> empty = SimpleNamespace(map_batches=lambda *_, **__: empty, iter_rows=lambda: iter([]))
    >>> count_flips_dataset(empty)
    Traceback (most recent call last):
    muscle_metrics.errors.InputError: expected rows in the data set, got none: name another
    """
    named = {"old": old, "new": new, "references": references}
    named |= {
        part: column
        for part, column in (("ids", ids), ("slices", slices), ("groups", groups))
        if column is not None
    }
    stage = partial(
        _counted, columns=named, choices=choices, size=sample_size if ids else 0, seed=seed
    )
    parts = ds.map_batches(stage, batch_format="pyarrow", batch_size=batch_size)
    totals: list[Totals] = [pickle.loads(part[TOTALS]) for part in parts.iter_rows()]  # noqa: S301
    if not totals:
        raise InputError("expected rows in the data set, got none: name another")
    return reduce(add, totals)


def _scored(rows: Any, *, scorer: Scorer, columns: Mapping[str, str], column: str) -> Any:
    texts = {part: rows.column(name).to_pylist() for part, name in columns.items()}
    scores = scorer(**texts)
    return rows.append_column(column, [scores])


def _counted(
    rows: Any, *, columns: Mapping[str, str], choices: Mapping[str, Any], size: int, seed: int
) -> dict[str, list[bytes]]:
    values = {part: rows.column(name).to_pylist() for part, name in columns.items()}
    totals = Totals.of(compare(**values, **choices), sample_size=size, seed=seed)
    # This pickle is made and read within one run of the cluster.
    return {TOTALS: [pickle.dumps(totals)]}
