"""What a model answers, as a run that `compare` and the gate read, from memory or from a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.adapter.config import CompatibilityConfig
from muscle_metrics.adapter.evaluation.validation import answer_items
from muscle_metrics.errors import UsageError
from muscle_metrics.runs.record import Record, Run
from muscle_metrics.scorers import SCORERS

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from muscle_metrics.adapter.data.examples import Example

__all__ = ["evaluate_model", "save_run"]


def evaluate_model(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    *,
    name: str,
    config: CompatibilityConfig | None = None,
    task: str | None = None,
) -> Run:
    """Let a model answer items, and record what it said.

    Parameters
    ----------
    model : transformers causal language model or Ensemble
    tokenizer : transformers tokenizer
    examples : sequence of Example, length N
        Of items with choices the most likely one is the answer, by the log-likelihood of the
        choice or, with `config.length_normalized`, by that per character. Others are answered in
        free text, greedily.
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
    if config.metric not in SCORERS:
        raise UsageError(f"expected metric to be one of {list(SCORERS)}, got {config.metric!r}")
    answers = answer_items(model, tokenizer, examples, config)
    references = [(example.completion or "").strip() for example in examples]
    free = [place for place, example in enumerate(examples) if not example.choices]
    scores: dict[int, dict[str, float]] = {}
    if free and config.metric != "exact_match":
        graded = SCORERS[config.metric](
            [answers[place] for place in free], [references[place] for place in free]
        )
        scores = {
            place: {config.metric: float(value)} for place, value in zip(free, graded, strict=True)
        }
    return Run(
        tuple(
            Record(
                id=example.id,
                prompt=example.prompt,
                prediction=answers[place].strip(),
                reference=references[place],
                scores=scores.get(place, {}),
                task=task,
            )
            for place, example in enumerate(examples)
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
    Path(path).write_text("".join(lines), encoding="utf-8")
