"""A model's answers as scores per item, or as a run that `compare` and the gate read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from muscle_metrics.adapter.config import CompatibilityConfig
from muscle_metrics.adapter.data.answering import answer_items
from muscle_metrics.errors import UsageError, check_choice
from muscle_metrics.reports.files import write_text
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scorers import SCORERS, resolve_scorer
from muscle_metrics.scorers.table import base_name

if TYPE_CHECKING:
    import os

    from muscle_metrics.adapter.data.examples import Example

__all__ = ["Evaluate", "evaluate_model", "make_evaluator", "save_run"]

Evaluate: TypeAlias = Callable[[Any, Any], Sequence[float]]
"""From a model and its tokenizer to one score per item, higher is better; 0 and 1, or booleans,
where an item is right or wrong. The order of the items is always the same."""


def make_evaluator(examples: Sequence[Example], config: CompatibilityConfig) -> Evaluate:
    """Make the default evaluator of items.

    Parameters
    ----------
    examples : sequence of Example, length N
        A choice is right if the most likely one is the completion; generated text is scored by
        `config.metric` against the completion.
    config : CompatibilityConfig

    Returns
    -------
    callable
        Of a model and its tokenizer, giving N scores.

    Raises
    ------
    UsageError
        If the metric is unknown.
    """
    if base_name(config.metric) not in SCORERS:
        raise UsageError(
            f"expected metric to be one of {list(SCORERS)}, got {config.metric!r}: for another, "
            "pass an evaluator"
        )
    sign = 1.0 if resolve_scorer(config.metric).higher_is_better else -1.0

    def evaluate(model: Any, tokenizer: Any) -> Sequence[float]:
        answers = answer_items(model, tokenizer, examples, config)
        graded = _grade_texts(examples, answers, config.metric)
        return [
            sign * graded[index] if index in graded else float(answers[index] == example.completion)
            for index, example in enumerate(examples)
        ]

    return evaluate


def _grade_texts(
    examples: Sequence[Example], answers: Sequence[str], metric: str
) -> dict[int, float]:
    """Score the generated answers by their completions; by the index of the item."""
    free = [index for index, example in enumerate(examples) if not example.choices]
    if not free:
        return {}
    graded = resolve_scorer(metric)(
        [answers[index] for index in free],
        [(examples[index].completion or "").strip() for index in free],
    )
    return {index: float(value) for index, value in zip(free, graded, strict=True)}


def evaluate_model(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    *,
    name: str,
    config: CompatibilityConfig | None = None,
    task: str | None = None,
) -> Run:
    """Let a model answer items, and record its answers.

    Parameters
    ----------
    model : transformers causal language model or Ensemble
    tokenizer : transformers tokenizer
    examples : sequence of Example, length N
        The answer to an item with choices is the most likely choice: by its log-likelihood or,
        with `config.length_normalized`, by its log-likelihood per character. Other items are
        answered by greedy generation.
    name : str
        Of the run.
    config : CompatibilityConfig, optional
        How items are answered; `config.metric` grades free text.
    task : str, optional
        Recorded with every item.

    Returns
    -------
    Run
        One record per item, in order, with prompt, prediction and reference; and the score of
        free text unless the metric is exact match, which answers alone decide.

    Raises
    ------
    UsageError
        If the metric is unknown.

    Examples
    --------
    See the how-to page of the adapter; a model is needed.

    >>> len(evaluate_model(None, None, [], name="empty"))
    0
    """
    config = config or CompatibilityConfig()
    check_choice("metric", base_name(config.metric), SCORERS)
    answers = answer_items(model, tokenizer, examples, config)
    graded = (
        {} if config.metric == "exact_match" else _grade_texts(examples, answers, config.metric)
    )
    return Run(
        tuple(
            Record(
                id=example.id,
                prompt=example.prompt,
                prediction=answers[index].strip(),
                reference=(example.completion or "").strip(),
                scores={config.metric: graded[index]} if index in graded else {},
                task=task,
            )
            for index, example in enumerate(examples)
        ),
        name=name,
    )


def save_run(run: Run, path: str | os.PathLike[str]) -> None:
    """Write a run as JSON Lines that `read_run` reads, scores as fields of their own.

    Parameters
    ----------
    run : Run
    path : str or path
        Overwritten.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> file = Path(tempfile.mkdtemp(), "old.jsonl")
    >>> save_run(Run((Record("1", prediction="a", reference="b"),), name="old"), file)
    >>> print(file.read_text(), end="")
    {"id": "1", "prediction": "a", "reference": "b"}
    """
    lines = []
    for record in run:
        row = {
            "id": record.id,
            "task": record.task,
            "prompt": record.prompt,
            "prediction": record.prediction,
            "reference": record.reference,
            **record.scores,
        }
        kept = {key: value for key, value in row.items() if value is not None}
        lines.append(json.dumps(kept, ensure_ascii=False) + "\n")
    write_text(path, "".join(lines))
