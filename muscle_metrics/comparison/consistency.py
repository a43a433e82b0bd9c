"""Generative consistency: similarity of the new answers to the old ones.

No reference is needed to say that two answers differ. With references each change has a quadrant,
which separates a new mistake from the same mistake in other words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.arrays import flat_column
from muscle_metrics.answers.columns import check_lengths
from muscle_metrics.answers.correctness import judge_answers
from muscle_metrics.answers.keys import apply_key
from muscle_metrics.answers.reading.reading import with_answer
from muscle_metrics.errors import UsageError, check_choice
from muscle_metrics.flips.counting import label_correctness
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.flips.rates import Rate
from muscle_metrics.flips.thresholds import reaches
from muscle_metrics.scorers import resolve_scorer, score
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from muscle_metrics.answers.columns import Key
    from muscle_metrics.scorers import Metric, Scorer

__all__ = ["Agreement", "Consistency", "consistency"]

Scores = npt.NDArray[np.float64]


class Agreement(StrEnum):
    """How a new answer relates to the old one."""

    SAME = "same"
    OTHER_WORDS = "other_words"
    OTHER_ANSWER = "other_answer"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Consistency:
    """Agreement of the new answer with the old one, item by item.

    Made by `consistency`.

    Parameters
    ----------
    similarities : mapping of str to numpy.ndarray, shape (N,)
        By metric, the score of the new answer against the old one.
    agreement : numpy.ndarray of str, shape (N,)
        Same text, other words for the same answer, or another answer.
    quadrants : numpy.ndarray of str, shape (N,), or None
        The quadrant of every item, where references were given.

    Examples
    --------
    >>> result = consistency(old=["a cat", "a dog"], new=["a cat", "no idea"])
    >>> print(result.rate("same"))
    50.00% (1 of 2)
    """

    similarities: Mapping[str, Scores]
    agreement: npt.NDArray[np.str_]
    quadrants: npt.NDArray[np.str_] | None

    @property
    def total(self) -> int:
        """Number of items, N."""
        return len(self.agreement)

    def mean(self, metric: str) -> float:
        """Mean similarity by a metric, in units of its score."""
        return float(self.similarities[metric].mean())

    def quantiles(
        self, metric: str, levels: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95)
    ) -> Scores:
        """Quantiles of the similarity by a metric.

        Parameters
        ----------
        metric : str
            One of `similarities`.
        levels : sequence of float, shape (K,)
            Shares of the items, in [0, 1].

        Returns
        -------
        numpy.ndarray, shape (K,)
        """
        quantiles: Scores = np.quantile(self.similarities[metric], np.asarray(levels))
        return quantiles

    def rate(self, agreement: Agreement | str, quadrant: Quadrant | str | None = None) -> Rate:
        """Share of items with this agreement, among all items or those of one quadrant.

        Parameters
        ----------
        agreement : Agreement or str
            "same", "other_words" or "other_answer".
        quadrant : Quadrant or str, optional
            The quadrant that is the denominator.

        Returns
        -------
        Rate

        Raises
        ------
        UsageError
            If a name is unknown, or a quadrant is given and there are no references.
        """
        chosen = self.agreement == _known(Agreement, agreement)
        if quadrant is None:
            return Rate(int(np.count_nonzero(chosen)), self.total)
        if self.quadrants is None:
            raise UsageError(
                "expected references to tell quadrants apart, got none: pass references="
            )
        inside = self.quadrants == _known(Quadrant, quadrant)
        return Rate(int(np.count_nonzero(chosen & inside)), int(np.count_nonzero(inside)))

    @property
    def same_mistake_rate(self) -> Rate:
        """Share of the items wrong before and after whose answer is the same, or only reworded."""
        new = self.new_mistake_rate
        return Rate(new.total - (new.count or 0), new.total)

    @property
    def new_mistake_rate(self) -> Rate:
        """Share of the items wrong before and after that are wrong in another way."""
        return self.rate(Agreement.OTHER_ANSWER, Quadrant.BOTH_WRONG)

    def __str__(self) -> str:
        lines = [f"{name}: mean {self.mean(name):.4f}" for name in self.similarities]
        lines += [f"{kind.replace('_', ' ')}: {self.rate(kind)}" for kind in Agreement]
        if self.quadrants is not None:
            lines.append(f"same mistake: {self.same_mistake_rate} wrong twice")
        return "\n".join(lines)


def consistency(
    *,
    old: Sequence[str],
    new: Sequence[str],
    references: Sequence[str | Sequence[str]] | None = None,
    metrics: Sequence[Metric] = ("exact_match", "rougeL"),
    similar: float = 0.7,
    key: Key = None,
    answer: str | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Consistency:
    """Compare the new answers with the old ones, as if the old ones were references.

    Parameters
    ----------
    old, new : sequence of str, shape (N,)
        Texts of the old and of the new model.
    references : sequence, shape (N,), optional
        The right text of every item, or a list of accepted ones; they give quadrants.
    metrics : sequence of str or callable
        Scorers of similarity; the last one separates other words from another answer.
    similar : float
        Two different texts of at least this similarity are one answer in other words; of at most
        this distance, where lower is better. Choose the value with the metric.
    key : callable, optional
        Normalises texts before they are compared or scored.
    answer : str, optional
        Readers of answers and references, such as "strip, casefold", after the key.
    options : mapping of str to mapping, optional
        Options by metric, such as ``{"rougeL": {"stem": True}}``.

    Returns
    -------
    Consistency

    Raises
    ------
    InputError
        If texts cannot be compared, or a metric does not read them: name a metric or a tokenizer
        of their language.
    UsageError
        If a metric is unknown, or none is given; if options name a metric that is not used; or if
        `similar` is no score of the last metric.

    Examples
    --------
    >>> result = consistency(
    ...     old=["the cat sat on a mat", "rome"], new=["the cat sat on the mat", "oslo"]
    ... )
    >>> result.agreement.tolist()
    ['other_words', 'other_answer']
    """
    key = with_answer(key, answer)
    if not metrics:
        raise UsageError(
            "expected at least one metric of similarity, got none: name one, such as 'rougeL'"
        )
    unused = [name for name in options or {} if name not in metrics]
    if unused:
        raise UsageError(
            f"expected options of {list(map(str, metrics))} only, got options of "
            f"{list_names(unused)}: add the metric or drop its options"
        )
    items = check_lengths(old=old, new=new)
    scorers = [resolve_scorer(metric, **_options_of(metric, options)) for metric in metrics]
    scorer = scorers[-1]
    _check_similar(similar, scorer)
    before, after = _keyed(old, key, "old"), _keyed(new, key, "new")
    similarities = {one.name: score(one, after, before) for one in scorers}
    accepted = old if references is None else references
    correctness = judge_answers(old=old, new=new, references=accepted, key=key)
    changed = np.zeros(items, dtype=bool) if correctness.changed is None else correctness.changed
    is_similar = reaches(
        similarities[scorer.name],
        similar,
        tie=scorer.tie,
        higher_is_better=scorer.higher_is_better,
    )
    of_changed = np.where(is_similar, Agreement.OTHER_WORDS, Agreement.OTHER_ANSWER)
    return Consistency(
        similarities=similarities,
        agreement=np.where(changed, of_changed, Agreement.SAME).astype(str),
        quadrants=None if references is None else label_correctness(correctness).quadrants,
    )


def _check_similar(similar: float, scorer: Scorer) -> None:
    if not scorer.low <= similar <= scorer.high:
        raise UsageError(
            f"expected similar= among the scores of {scorer.name}, which lie from "
            f"{scorer.low:g} to {scorer.high:g}, got {similar!r}: choose one between them"
        )


def _keyed(texts: Sequence[str], key: Key, name: str) -> Sequence[Any]:
    return texts if key is None else apply_key(key, flat_column(texts, name), name=name)


def _options_of(
    metric: Metric, options: Mapping[str, Mapping[str, Any]] | None
) -> Mapping[str, Any]:
    return (options or {}).get(metric, {}) if isinstance(metric, str) else {}


def _known(names: type[StrEnum], name: str) -> str:
    check_choice(names.__name__.lower(), name, [member.value for member in names])
    return str(name)
