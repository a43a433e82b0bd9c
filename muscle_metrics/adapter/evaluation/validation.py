"""Judging a model on items: the default evaluator, and the type of any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from muscle_metrics.adapter.data.answering import choice_log_likelihoods, generate_answers
from muscle_metrics.errors import UsageError
from muscle_metrics.scorers import SCORERS

if TYPE_CHECKING:
    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.data.examples import Example

__all__ = ["Evaluate", "answer_items", "make_evaluator"]

Evaluate: TypeAlias = Callable[[Any, Any], Sequence[float]]
"""From a model and its tokenizer to one score per item, higher is better; 0 and 1, or booleans,
where an item is right or wrong. The order of the items is always the same."""


def answer_items(
    model: Any, tokenizer: Any, examples: Sequence[Example], config: CompatibilityConfig
) -> list[str]:
    """Let a model answer items: the most likely choice, or greedily generated text.

    Parameters
    ----------
    model, tokenizer
    examples : sequence of Example, length N
    config : CompatibilityConfig

    Returns
    -------
    list of str, length N
        Texts, without white space around generated ones.

    Examples
    --------
    >>> from muscle_metrics.adapter.config import CompatibilityConfig
    >>> answer_items(None, None, [], CompatibilityConfig())
    []
    """
    answers = [""] * len(examples)
    offered = [place for place, example in enumerate(examples) if example.choices]
    free = [place for place, example in enumerate(examples) if not example.choices]
    if offered:
        scores = choice_log_likelihoods(
            model,
            tokenizer,
            [examples[place].prompt for place in offered],
            [examples[place].choices for place in offered],
            batch_size=config.evaluation_batch_size,
            delimiter=config.delimiter,
        )
        for place, score in zip(offered, scores, strict=True):
            best = score.best(length_normalized=config.length_normalized)
            answers[place] = examples[place].choices[best]
    if free:
        texts = generate_answers(
            model,
            tokenizer,
            [examples[place].prompt for place in free],
            max_new_tokens=config.max_new_tokens,
            batch_size=config.evaluation_batch_size,
            stop=config.stop,
        )
        for place, text in zip(free, texts, strict=True):
            answers[place] = text.strip()
    return answers


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

    Examples
    --------
    >>> from muscle_metrics.adapter.config import CompatibilityConfig
    >>> make_evaluator([], CompatibilityConfig())(None, None)
    []
    """
    if config.metric not in SCORERS:
        raise UsageError(
            f"expected metric to be one of {list(SCORERS)}, got {config.metric!r}: for another, "
            "pass an evaluator"
        )
    scorer = SCORERS[config.metric]

    def evaluate(model: Any, tokenizer: Any) -> Sequence[float]:
        answers = answer_items(model, tokenizer, examples, config)
        scores = [0.0] * len(answers)
        free = [place for place, example in enumerate(examples) if not example.choices]
        if free:
            sign = 1.0 if scorer.higher_is_better else -1.0
            graded = scorer(
                [answers[place] for place in free],
                [str(examples[place].completion).strip() for place in free],
            )
            for place, value in zip(free, graded, strict=True):
                scores[place] = sign * float(value)
        for place, example in enumerate(examples):
            if example.choices:
                scores[place] = float(answers[place] == example.completion)
        return scores

    return evaluate
