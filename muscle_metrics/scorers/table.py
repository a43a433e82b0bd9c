"""The table of scorers, and the lookup of a scorer by name, function or dotted path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from math import inf
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.scorers.bert import bertscore, bertscore_both, essential_options, load_model
from muscle_metrics.scorers.custom import check_scores, import_function
from muscle_metrics.scorers.exact import exact_match
from muscle_metrics.scorers.options import (
    REQUIRED,
    bind_options,
    check_names,
    list_options,
    without_folders,
)
from muscle_metrics.scorers.rouge import ROUGE_VARIANTS, rouge
from muscle_metrics.scorers.sacre import bleu, chrf, essential_of_bleu, essential_of_chrf, ter
from muscle_metrics.scorers.signature import changed_options, describe, join_options
from muscle_metrics.scorers.texts import Scores, check_texts
from muscle_metrics.scorers.token_f1 import token_f1
from muscle_metrics.words.calls import Call, parse_call, write_call
from muscle_metrics.words.suggestion import nearest_name

__all__ = [
    "SCORERS",
    "Metric",
    "Scorer",
    "base_name",
    "find_scorer",
    "names_scorer",
    "resolve_scorer",
    "score",
    "score_both",
    "scorer_name",
]


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
    base : str, optional
        Name without options, where `name` has some.
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
    base: str | None = None

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
        base = self.base or self.name
        known = SCORERS.get(base)
        if known is not None and _extends(self, known):
            usual, head = known, base
            own = {name: value for name, value in self.options.items() if name not in known.options}
        else:
            usual, head = _custom(base, self.function), _head(base, self.function)
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
"""A name in `SCORERS` or ``package.module:function``, both also with options as in
``rouge1(stem=true)``; a function; or a `Scorer`."""


def _extends(scorer: Scorer, known: Scorer) -> bool:
    """Whether a scorer is one of the table, perhaps with more options."""
    return scorer.function is known.function and all(
        describe(scorer.options.get(name)) == describe(value)
        for name, value in known.options.items()
    )


def _head(name: str, function: Callable[..., Any]) -> str:
    """Name a scorer of a user by its function, and by its own name where that is another."""
    place = describe(function)
    same = name in (place, place.partition(":")[2])
    return place if same else f"{name}={place}"


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
        higher is taken as better, and 1e-6 as a tie. A name may have options behind it, which are
        part of the scorer's name: ``rouge1(stem=true, tokenizer=unicode)``.
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
    >>> resolve_scorer("rouge2(tokenizer=unicode, stem=true)").name
    'rouge2(stem=true, tokenizer=unicode)'
    """
    scorer = find_scorer(metric, options)
    known = list_options(scorer.function, scorer.options)
    check_names(options, known, scorer.name)
    for option in known or ():
        if option.default is REQUIRED and option.name not in options:
            base = scorer.base or scorer.name
            flag = f"write --metric '{base}({option.name}=...)' (metric=), or "
            raise UsageError(
                f"expected the option {option.name!r} for {scorer.name!r}, got none: "
                f"{flag if names_scorer(base) else ''}pass {option.name}= as well"
            )
    bound = replace(scorer, options={**scorer.options, **options})
    if scorer.unbounded_by and bound.options.get(scorer.unbounded_by):
        return replace(bound, low=-inf, high=inf)
    return bound


def names_scorer(text: str) -> bool:
    """Whether a text names a scorer of the table or of a module, perhaps with options.

    Examples
    --------
    >>> names_scorer("rouge1(stem=true)"), names_scorer("judge:rate"), names_scorer("gsm8k=acc")
    (True, True, False)
    """
    base = base_name(text)
    return base in SCORERS or (":" in base and "=" not in base)


def base_name(text: str) -> str:
    """Name in front of options.

    Examples
    --------
    >>> base_name("rouge1(stem=true)"), base_name("acc(norm)")
    ('rouge1', 'acc')
    """
    return text.partition("(")[0].strip()


def scorer_name(text: str) -> str:
    """Name of the scorer that a text means, its options in one spelling; any other text as it is.

    Examples
    --------
    >>> scorer_name("rouge1( stem = true )"), scorer_name("acc")
    ('rouge1(stem=true)', 'acc')
    """
    return find_scorer(text).name if "(" in text and names_scorer(text) else text


def find_scorer(metric: Metric, beside: Collection[str] = ()) -> Scorer:
    """Find a scorer, with no more options than its name has; one that it needs may be missing.

    Parameters
    ----------
    metric : str, callable or Scorer
        As in `resolve_scorer`.
    beside : collection of str
        Options that are bound later, and may not be in the name as well.

    Raises
    ------
    UsageError
        If the name, the module or an option is unknown.

    Examples
    --------
    >>> find_scorer("bertscore").name
    'bertscore'
    """
    if isinstance(metric, Scorer):
        return metric
    if isinstance(metric, str):
        return _called(metric, beside) if "(" in metric else _named(metric)
    if not callable(metric):
        raise UsageError(
            f"expected the name of a metric or a function, got {type(metric).__name__} {metric!r}: "
            f"pass a name, one of {list(SCORERS)}, or a function of predictions and references"
        )
    return _custom(getattr(metric, "__qualname__", type(metric).__name__), metric)


def _named(name: str) -> Scorer:
    if name in SCORERS:
        return SCORERS[name]
    if ":" not in name:
        near = nearest_name(name, SCORERS)
        raise UsageError(
            f"expected a metric to be one of {list(SCORERS)}, or 'package.module:function', "
            f"got {name!r}{f': did you mean {near!r}?' if near else ''}"
        )
    return _custom(name, import_function(name))


def _called(text: str, beside: Collection[str]) -> Scorer:
    """Scorer of a name with options; further options are given beside it."""
    call = parse_call(text, option="--metric (metric=)")
    for name in call.options:
        if name in beside:
            raise UsageError(
                f"expected the option {name!r} of {call.name} once, got it in {text!r} and beside "
                f"it: drop one of them"
            )
    scorer = _named(call.name)
    known = list_options(scorer.function, scorer.options)
    options = bind_options(call.options, known, scorer.name)
    name = write_call(Call(call.name, without_folders(options, known)))
    return replace(
        scorer,
        name=name,
        base=None if name == call.name else call.name,
        options={**scorer.options, **options},
    )


def _custom(name: str, function: Callable[..., Any]) -> Scorer:
    # Judges and neural metrics often count in 32 bits.
    return Scorer(name=name, function=function, tie=1e-6)


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
