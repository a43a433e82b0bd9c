"""The table of scorers, and the lookup of a scorer by name, function or dotted path."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers.bert import bertscore, bertscore_both, essential_options, load_model
from muscle_metrics.scorers.custom import check_scores, import_function
from muscle_metrics.scorers.exact import exact_match, token_f1
from muscle_metrics.scorers.rouge import ROUGE_VARIANTS, rouge
from muscle_metrics.scorers.sacre import bleu, chrf, essential_of_bleu, essential_of_chrf, ter
from muscle_metrics.scorers.signature import changed_options, describe, join_options
from muscle_metrics.scorers.texts import Scores, check_texts
from muscle_metrics.words.suggestion import nearest_name

__all__ = ["SCORERS", "Metric", "Scorer", "resolve_scorer", "score", "score_both"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """A function ``(predictions, references) -> one score per item``, and its properties.

    Attributes
    ----------
    name : str
        Name in reports.
    function : callable
        Takes predictions and item-major references, and `options` by name.
    low, high : float
        Bounds of the scores; infinite where there are none.
    tie : float
        Two scores that differ by at most this are the same score: numerical noise.
    kind : {"verdict", "graded"}
        Whether every score is 0 or 1, wrong or right.
    higher_is_better : bool
        False for a rate of errors.
    options : mapping
        Bound options, part of the recipe of a result.
    unbounded_by : str, optional
        The option that lifts the bounds.
    both : callable, optional
        Takes old predictions, new predictions and references, and gives both scores in one pass.
        By default the function is called once for the old and the changed new predictions.
    load : callable, optional
        Takes options, and gives them with the model that they name loaded.
    trusted : bool
        Whether the function checks its own texts and scores; those of others are checked.
    essential : callable, optional
        Takes options, and describes those that a score depends on, defaults that matter among
        them. By default the options that differ from the defaults of the function.
    """

    name: str
    function: Callable[..., Any]
    low: float = -inf
    high: float = inf
    tie: float = 1e-9
    kind: Literal["verdict", "graded"] = "graded"
    higher_is_better: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    unbounded_by: str | None = None
    both: Callable[..., tuple[Scores, Scores]] | None = None
    load: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None
    trusted: bool = False
    essential: Callable[[Mapping[str, Any]], Mapping[str, str]] | None = None

    @property
    def signature(self) -> str:
        """Name of the metric and every option that its scores depend on.

        Two scorers with one signature give the same scores. A scorer that is not in `SCORERS` is
        named by its function, too.

        Examples
        --------
        >>> resolve_scorer("rouge1", stem=True).signature
        'rouge1(stem=True)'
        """
        known = SCORERS.get(self.name)
        if known is not None and _extends(self, known):
            usual, head = known, self.name
            own = {name: value for name, value in self.options.items() if name not in known.options}
        else:
            usual, head = _custom(self.name, self.function), _head(self)
            own = dict(self.options)
        if usual.essential is not None:
            options = usual.essential({**usual.options, **own})
        else:
            options = changed_options(self.function, own)
        bounds = ("low", "high") if usual.unbounded_by not in self.options else ()
        other = {
            name: describe(getattr(self, name))
            for name in (*bounds, "tie", "higher_is_better")
            if getattr(self, name) != getattr(usual, name)
        }
        return join_options(head, options) + (join_options(" and ", other) if other else "")

    def loaded(self) -> Scorer:
        """Load the model that the options name, to share it between calls."""
        return self if self.load is None else replace(self, options=self.load(self.options))

    def __call__(self, predictions: Any, references: Any) -> Scores:
        """Score one column of predictions.

        Raises
        ------
        InputError
            If the texts are no texts or do not pair up, or a custom function returns anything
            but one finite score per item.
        """
        if self.trusted:
            scores: Scores = self.function(predictions, references, **self.options)
            return scores
        predictions, _ = check_texts(predictions, references)
        scores = self.function(predictions, list(references), **self.options)
        return check_scores(self.name, scores, len(predictions))


Metric: TypeAlias = str | Callable[..., Any] | Scorer
"""A name in `SCORERS`, ``package.module:function``, a function, or a `Scorer`."""


def _extends(scorer: Scorer, known: Scorer) -> bool:
    """Whether a scorer is one of the table, perhaps with more options."""
    return scorer.function is known.function and all(
        describe(scorer.options.get(name)) == describe(value)
        for name, value in known.options.items()
    )


def _head(scorer: Scorer) -> str:
    """Name a scorer of a user by its function, and by its own name where that is another."""
    place = describe(scorer.function)
    same = scorer.name in (place, place.partition(":")[2])
    return place if same else f"{scorer.name}={place}"


def _table(*scorers: Scorer) -> Mapping[str, Scorer]:
    return MappingProxyType({scorer.name: replace(scorer, trusted=True) for scorer in scorers})


SCORERS: Mapping[str, Scorer] = _table(
    Scorer(name="exact_match", function=exact_match, low=0, high=1, kind="verdict"),
    Scorer(name="token_f1", function=token_f1, low=0, high=1),
    *(
        Scorer(name=variant, function=rouge, low=0, high=1, options={"variant": variant})
        for variant in ROUGE_VARIANTS
    ),
    Scorer(name="bleu", function=bleu, low=0, high=100, essential=essential_of_bleu),
    Scorer(name="chrf", function=chrf, low=0, high=100, essential=essential_of_chrf),
    Scorer(
        name="chrf++",
        function=chrf,
        low=0,
        high=100,
        options={"word_order": 2},
        essential=essential_of_chrf,
    ),
    Scorer(name="ter", function=ter, low=0, higher_is_better=False),
    Scorer(
        name="bertscore",
        function=bertscore,
        low=-1,
        high=1,
        tie=1e-4,
        unbounded_by="rescale_with_baseline",
        both=bertscore_both,
        load=load_model,
        essential=essential_options,
    ),
)
"""Every scorer this package knows by name; scores of one item, on the scale of their library."""


def resolve_scorer(metric: Metric, **options: Any) -> Scorer:
    """Find a scorer by name, path or function, and bind its options.

    Parameters
    ----------
    metric : str, callable or Scorer
        A name in `SCORERS`, ``package.module:function``, or a function
        ``(predictions, references) -> one score per item``. A custom score has no known range;
        higher is taken as better, and 1e-6 as a tie.
    **options
        Passed to the function on every call.

    Raises
    ------
    UsageError
        If the name, the module or an option is unknown, or a required option is missing.

    Examples
    --------
    >>> resolve_scorer("rouge2", stem=True).options
    {'variant': 'rouge2', 'stem': True}
    """
    scorer = _find(metric)
    _check_options(scorer, options)
    bound = replace(scorer, options={**scorer.options, **options})
    if scorer.unbounded_by and options.get(scorer.unbounded_by):
        return replace(bound, low=-inf, high=inf)
    return bound


def _find(metric: Metric) -> Scorer:
    if isinstance(metric, Scorer):
        return metric
    if isinstance(metric, str):
        if metric in SCORERS:
            return SCORERS[metric]
        if ":" not in metric:
            near = nearest_name(metric, SCORERS)
            raise UsageError(
                f"expected a metric to be one of {list(SCORERS)}, or 'package.module:function', "
                f"got {metric!r}{f': did you mean {near!r}?' if near else ''}"
            )
        return _custom(metric, import_function(metric))
    if not callable(metric):
        raise UsageError(
            f"expected the name of a metric or a function, got {type(metric).__name__} {metric!r}: "
            f"pass a name, one of {list(SCORERS)}, or a function of predictions and references"
        )
    return _custom(getattr(metric, "__qualname__", type(metric).__name__), metric)


def _custom(name: str, function: Callable[..., Any]) -> Scorer:
    # Judges and neural metrics often count in 32 bits.
    return Scorer(name=name, function=function, tie=1e-6)


def _check_options(scorer: Scorer, options: Mapping[str, Any]) -> None:
    try:
        parameters = inspect.signature(scorer.function).parameters
    except ValueError:  # some functions written in C have none
        return
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    free = [name for name in list(parameters)[2:] if name not in scorer.options]
    unknown = [name for name in options if name not in free]
    if unknown:
        near = nearest_name(str(unknown[0]), free)
        raise UsageError(
            f"expected options of {scorer.name!r} to be one of {free}, "
            f"got {', '.join(map(repr, unknown))}{f': did you mean {near!r}?' if near else ''}"
        )
    missing = [
        name
        for name in free
        if name not in options and parameters[name].default is inspect.Parameter.empty
    ]
    if missing:
        raise UsageError(
            f"expected the option {missing[0]!r} for {scorer.name!r}, got none: "
            f"pass {missing[0]}= as well"
        )


def score(metric: Metric, predictions: Any, references: Any, **options: Any) -> Scores:
    """Score every item of one column of predictions.

    Parameters
    ----------
    metric : str, callable or Scorer
        As in `resolve_scorer`.
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        Item-major: one reference per item, or one list of references per item, of which the
        best counts as the metric defines it.
    **options
        Those of the metric.

    Returns
    -------
    numpy.ndarray
        One score per item, in the range given by the scorer's `low` and `high`.

    Raises
    ------
    UsageError
        If the metric or an option is unknown.
    InputError
        If the texts are no texts or do not pair up, or a custom function returns anything but
        one finite score per item.

    Examples
    --------
    >>> score("rouge1", ["the cat sat"], ["the cat"])
    array([0.8])
    """
    return resolve_scorer(metric, **options)(predictions, references)


# Words of errors that count or number the texts of one pass.
_OF_POSITIONS = ("position", " scores from ")


def score_both(
    metric: Metric, *, old: Any, new: Any, references: Any, **options: Any
) -> tuple[Scores, Scores]:
    """Score the old and the new predictions of the same items in one pass.

    An unchanged prediction keeps its score: it is scored once, also by a judge whose answers vary.

    Returns
    -------
    tuple of numpy.ndarray
        The old scores and the new scores, one per item each.

    Raises
    ------
    UsageError, InputError
        As `score`.
    """
    scorer = resolve_scorer(metric, **options)
    before, _ = check_texts(old, references)
    after, _ = check_texts(new, references)
    expected = list(references)
    if scorer.both is not None:
        return scorer.both(before, after, expected, **scorer.options)
    changed = [k for k, text in enumerate(after) if text != before[k]]
    together = [*before, *(after[k] for k in changed)]
    try:
        scores = scorer(together, [*expected, *(expected[k] for k in changed)])
    except InputError as error:
        if not any(word in error.message for word in _OF_POSITIONS):
            raise
        raise InputError(
            f"{error.message} (positions from {len(before)} on are the changed new predictions)",
            in_python=error.in_python,
        ) from error
    old_scores, new_scores = scores[: len(before)], scores[: len(before)].copy()
    new_scores[changed] = scores[len(before) :]
    return old_scores, new_scores
