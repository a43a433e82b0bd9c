"""Base of the metrics for Hugging Face `evaluate`; `evaluate_path` gives their folders."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from muscle_metrics.answers.arrays import flat_column, shown
from muscle_metrics.errors import InputError, require
from muscle_metrics.flips.counting import count_flips

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.answers.columns import Key, Missing, Values
    from muscle_metrics.flips.counts import FlipCounts

__all__ = ["FlipMetric"]

COLUMNS = ("old_predictions", "predictions", "references")
CITATION = (
    "Yan et al., Positive-congruent training, CVPR 2021, arXiv 2011.09161; "
    "Echterhoff et al., MUSCLE, Findings of EMNLP 2024, arXiv 2407.09435"
)
INPUTS = """
    old_predictions : answers of the old model: text, numbers or booleans
    predictions : answers of the new model to the same items
    references : the right answer of every item, or a list of accepted ones
    key : callable, optional; normalises answers and references before they are compared
    answer : str, optional; readers of answers and references, such as "strip, casefold"
    missing : "error" or "wrong"; whether an answer that is None is refused or counts as wrong
"""


class FlipMetric:
    """Base of every metric, beside `evaluate.Metric`.

    The columns pass through Arrow as JSON texts. evaluate would cast each of them to one type: 1.5
    to 1, or the text "1" to the number 1. Answers that differ would then be equal.
    """

    rates: ClassVar[tuple[str, ...]]

    def add(self, **answers: Any) -> None:
        """Add one item.

        Parameters
        ----------
        **answers
            ``old_prediction``, ``prediction`` and ``reference``; `evaluate.combine` passes these
            names in the plural.
        """
        self.add_batch(**{f"{name.removesuffix('s')}s": [one] for name, one in answers.items()})

    def add_batch(
        self, *, old_predictions: Values, predictions: Values, references: Values
    ) -> None:
        """Add some items; a batch may be empty.

        Parameters
        ----------
        old_predictions, predictions, references : sequence or array
            The answers of both models and the right ones.
        """
        columns = (old_predictions, predictions, references)
        texts = dict(zip(COLUMNS, map(_as_texts, columns, COLUMNS), strict=True))
        super().add_batch(**texts)  # type: ignore[misc]

    def _info(self) -> Any:
        datasets = require("datasets", "evaluate")
        return require("evaluate", "evaluate").MetricInfo(
            description=type(self).__doc__,
            citation=CITATION,
            inputs_description=INPUTS,
            features=datasets.Features({name: datasets.Value("string") for name in COLUMNS}),
        )

    def _compute(
        self,
        *,
        old_predictions: Sequence[str],
        predictions: Sequence[str],
        references: Sequence[str],
        key: Key = None,
        answer: str | None = None,
        missing: Missing = "error",
    ) -> dict[str, float]:
        counts = count_flips(
            old=[json.loads(text) for text in old_predictions],
            new=[json.loads(text) for text in predictions],
            references=[json.loads(text) for text in references],
            key=key,
            answer=answer,
            missing=missing,
        )
        return self._results(counts)

    def _results(self, counts: FlipCounts) -> dict[str, float]:
        return {name: getattr(counts, name) for name in self.rates}


def _as_texts(values: Any, name: str) -> list[str]:
    if hasattr(values, "__len__") and len(values) == 0:
        return []
    return [json.dumps(answer, default=_plain) for answer in flat_column(values, name)]


def _plain(value: Any) -> Any:
    """Value of a scalar or an array of numpy or torch."""
    if not hasattr(value, "tolist"):
        raise InputError(
            f"expected answers to be text, numbers or booleans, got {shown(value)}: "
            f"convert them, for example with str"
        )
    return value.tolist()
