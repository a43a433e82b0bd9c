"""Chains of versions v1 -> v2 -> ... -> vT: effects of repeated updates on the same items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.columns import (
    answer_column,
    check_lengths,
    keyed_columns,
    reference_columns,
)
from muscle_metrics.answers.correctness import check_same_index, right_answers
from muscle_metrics.answers.reading.reading import Reading, with_answer
from muscle_metrics.comparison.chain_bounds import (
    SummaryRate,
    step_bounds,
    summary_bounds,
    survival_bounds,
)
from muscle_metrics.comparison.columns import labels_of
from muscle_metrics.comparison.items import joined_table
from muscle_metrics.comparison.judging import JudgedRuns, recorded_names
from muscle_metrics.comparison.keyed import KeyedAnswers
from muscle_metrics.comparison.measured import Settings
from muscle_metrics.comparison.metrics import EXACT_MATCH, choose_metrics
from muscle_metrics.comparison.plain_data import (
    SCHEMA_VERSION,
    described_counts,
    described_rate,
    json_text,
)
from muscle_metrics.comparison.reading_facts import ReadingFacts
from muscle_metrics.comparison.signature import (
    name_answer,
    name_directions,
    name_key,
    name_metric,
    name_recipe,
    name_recorded,
    signature_line,
)
from muscle_metrics.comparison.unanswered import UNBOUNDED
from muscle_metrics.comparison.versions import join_versions
from muscle_metrics.errors import UsageError
from muscle_metrics.evidence.units import number_labels
from muscle_metrics.flips.counting import tally_correctness
from muscle_metrics.flips.rates import Rate
from muscle_metrics.scorers import Scorer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from muscle_metrics.answers.columns import Key, Missing, Values
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.runs.joining.pairing import Conflict, MissingItems, Unanswered
    from muscle_metrics.runs.record import Run

__all__ = ["Chain", "compare_chain", "count_chain"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Chain:
    """Effects of T - 1 updates on the same N items.

    Parameters
    ----------
    names : tuple of str
        Names of the T versions.
    right : numpy.ndarray of bool, shape (T, N)
        Whether each version got each item right.
    steps : tuple of FlipCounts
        Counts of each update, in order.
    overall : FlipCounts
        Counts from the first version to the last.
    signature : str
        Options and input of the numbers, in one line.
    units : numpy.ndarray of int, shape (N,), optional
        Number of the group or prompt of each item; None where items are independent.
    unit : str
        "groups", "prompts" or "items".
    reading : ReadingFacts, optional
        In how many answers of each version readers found nothing.
    keys : tuple of str, shape (N,)
        Name of each item, as `ItemTable.keys` names it.

    Examples
    --------
    >>> chain = count_chain(versions=[["A", "B"], ["A", "A"], ["B", "B"]], references=["A", "A"])
    >>> print(chain.sum_negative_flip_rate)
    50.00% (2 of 4)
    """

    names: tuple[str, ...]
    right: npt.NDArray[np.bool_]
    steps: tuple[FlipCounts, ...]
    overall: FlipCounts
    signature: str
    units: npt.NDArray[np.intp] | None = None
    unit: str = "items"
    reading: ReadingFacts | None = None
    keys: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Number of items, N."""
        return int(self.right.shape[1])

    @property
    def sum_negative_flip_rate(self) -> Rate:
        """Negative flips of all updates over N times the updates (Traeuble et al. 2021)."""
        return Rate(sum(step.negative for step in self.steps), self.total * len(self.steps))

    @property
    def sum_positive_flip_rate(self) -> Rate:
        """Positive flips of all updates over N times the updates."""
        return Rate(sum(step.positive for step in self.steps), self.total * len(self.steps))

    @property
    def flip_flop_rate(self) -> Rate:
        """Share of all items that an update fixed and a later one broke again."""
        return Rate(int(np.count_nonzero(self.flip_flops)), self.total)

    @property
    def flip_flops(self) -> npt.NDArray[np.bool_]:
        """Whether each item was fixed by an update and broken again by a later one, shape (N,)."""
        fixed = np.logical_or.accumulate(~self.right[:-1] & self.right[1:])
        broken = self.right[:-1] & ~self.right[1:]
        again: npt.NDArray[np.bool_] = np.any(fixed[:-1] & broken[1:], axis=0)
        return again

    @property
    def survival(self) -> tuple[Rate, ...]:
        """By version: share of the first version's right items that no version so far broke."""
        surviving = np.count_nonzero(np.logical_and.accumulate(self.right), axis=1)
        return tuple(Rate(int(count), int(surviving[0])) for count in surviving)

    def __str__(self) -> str:
        from muscle_metrics.comparison.text import chain_text

        return chain_text(self)

    def __repr__(self) -> str:
        return f"<Chain of {len(self.names)} versions over {self.total} items>"

    def to_dict(self) -> dict[str, Any]:
        """Describe the chain as plain data: no nan, undefined is None.

        Returns
        -------
        dict
            With `schema_version`, which rises when a name changes its meaning.
        """
        last = len(self.steps)
        return {
            "schema_version": SCHEMA_VERSION,
            "signature": self.signature,
            "versions": list(self.names),
            "steps": [self._described(step, i, i + 1) for i, step in enumerate(self.steps)],
            "overall": self._described(self.overall, 0, last),
            "survival": [
                described_rate(rate, survival_bounds(self, i))
                for i, rate in enumerate(self.survival)
            ],
            **{
                name: described_rate(getattr(self, name), summary_bounds(self, name))
                for name in get_args(SummaryRate)
            },
        }

    def _described(self, counts: FlipCounts, first: int, last: int) -> dict[str, Any]:
        return described_counts(
            counts,
            lambda name: step_bounds(self, name, first, last),
            is_clustered=self.units is not None,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row for each update, and one from the first version to the last.

        Returns
        -------
        pandas.DataFrame
            Columns ``old`` and ``new``, then as `Comparison.slices_frame`, then ``surviving``: the
            share of the first version's right items that no version so far broke.
        """
        from muscle_metrics.comparison.frames import steps_frame

        return steps_frame(self)

    def _repr_html_(self) -> str:
        from muscle_metrics.comparison.notebook import chain_html

        return chain_html(self)

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON with sorted keys; the same chain gives the same bytes.

        Parameters
        ----------
        indent : int, optional
            As in `json.dumps`.

        Returns
        -------
        str
        """
        return json_text(self.to_dict(), indent)


def count_chain(
    *,
    versions: Sequence[Values],
    references: Values,
    key: Key = None,
    answer: str | None = None,
    missing: Missing = "error",
    groups: Sequence[object] | None = None,
    names: Sequence[str] | None = None,
) -> Chain:
    """Count the effects of a chain of updates on N items.

    Parameters
    ----------
    versions : sequence of T sequences or arrays, each of shape (N,)
        Answers of every version, oldest first.
    references : sequence or array, shape (N,)
        The right answer of every item, or a list of accepted ones.
    key : callable, optional
        Normalises answers and references before they are compared.
    answer : str, optional
        Readers of answers and references, such as "strip, casefold", as in `compare`.
    missing : {"error", "wrong"}
        Whether a None or NaN answer is refused or counts as a wrong answer.
    groups : sequence, shape (N,), optional
        The passage or prompt an item shares with others, over which intervals then go.
    names : sequence of str, optional
        Names of the versions; v1, v2, ... by default.

    Returns
    -------
    Chain

    Raises
    ------
    UsageError
        If there are fewer than two versions, or not one name for each.
    InputError
        If answers cannot be compared.

    Examples
    --------
    >>> chain = count_chain(versions=[["A"], ["B"], ["A"]], references=["A"])
    >>> [step.negative for step in chain.steps], chain.survival[-1]
    ([1, 0], Rate(0, 1))
    """
    labels = [f"v{i + 1}" for i in range(len(versions))] if names is None else list(names)
    if len(versions) < 2 or not len(set(labels)) == len(labels) == len(versions):
        raise UsageError(
            f"expected at least two versions, each with a name of its own, got {len(versions)} "
            f"and the names {labels}: pass one name for each version, oldest first"
        )
    key = with_answer(key, answer)
    check_same_index(*versions, references, groups)
    named = dict(zip(labels, versions, strict=True))
    facts = None
    if key is not None:
        keyed, references, read = keyed_columns(key, named, references)
        if isinstance(key, Reading):
            given: list[Any] = [*versions]
            facts = ReadingFacts.of(key, given, read)
        named = dict(zip(labels, keyed, strict=True))
    columns = {
        name: answer_column(version, name=name, missing=missing) for name, version in named.items()
    }
    items = check_lengths(**columns)
    accepted = reference_columns(references, items=items)
    check_lengths(**columns, references=range(accepted.items))
    right = tuple(right_answers(column, accepted, name=name) for name, column in columns.items())
    judged = JudgedRuns(EXACT_MATCH, right, None, tuple(columns.values()), ())
    keys = list(map(str, range(items)))
    recipe = name_recipe(EXACT_MATCH, name_key(key), **name_answer(key), missing=missing)
    chain = replace(_chain(labels, judged, keys, {}, recipe), reading=facts)
    if groups is None:
        return chain
    members = labels_of(groups)
    check_lengths(**columns, groups=members)
    # An item without a group is a group of its own.
    units = number_labels([item if name is None else (name,) for item, name in enumerate(members)])
    return replace(chain, units=units[0], unit="groups")


def compare_chain(
    runs: Sequence[Run],
    *,
    metric: str | None = None,
    key: Key = None,
    answer: str | None = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
    score_range: tuple[float, float] = UNBOUNDED,
) -> Chain:
    """Compare recorded runs of successive versions, joined by the ids of their items.

    Parameters and errors are those of `compare_runs`, over two or more runs, oldest first.

    Returns
    -------
    Chain

    Examples
    --------
    >>> from muscle_metrics.runs.record import Record, Run
    >>> runs = [Run(records=(Record(id="1", prediction=p, reference="A"),), name=p) for p in "ABA"]
    >>> [step.positive for step in compare_chain(runs).steps]
    [0, 1]
    """
    key = with_answer(key, answer)
    joined, metric = join_versions(
        runs,
        metric=metric,
        key=key,
        missing=missing,
        conflict=conflict,
        unanswered=unanswered,
    )
    chosen = choose_metrics(metric, recorded=recorded_names(joined), has_logs=joined.has_logs)
    settings = Settings(
        threshold=threshold,
        strict_threshold=strict_threshold,
        score_range=score_range,
        unanswered=unanswered,
    )
    settings.check(chosen)
    answers = KeyedAnswers(joined, key)
    key_name = answers.name_for(chosen)
    judged = settings.judge(answers, chosen[0], threshold)
    scorer = chosen[0]
    name = scorer.signature if isinstance(scorer, Scorer) else name_recorded(judged.metric)
    recipe = name_recipe(
        name_metric(
            name,
            threshold=threshold,
            strict=strict_threshold,
            higher_is_better=judged.higher_is_better,
        ),
        key_name,
        **answers.name_answer(judges=isinstance(chosen[0], Scorer)),
        missing=missing,
        conflict=conflict,
        unanswered=unanswered,
        **settings.effects,
        **name_directions([] if judged.higher_is_better else [judged.metric]),
    )
    table = joined_table(joined, ((), ()))
    chain = _chain(joined.names, judged, table.keys, joined.dropped, recipe)
    chain = replace(chain, reading=answers.facts)
    if not table.is_clustered:
        return chain
    return replace(chain, units=table.unit_numbers, unit=table.unit)


def _chain(
    names: Sequence[str],
    judged: JudgedRuns,
    keys: Sequence[str],
    dropped: Mapping[str, int],
    recipe: Mapping[str, str],
) -> Chain:
    last = len(names) - 1
    overall = judged.correctness(0, last)
    right = np.stack(judged.right or ())
    return Chain(
        names=tuple(names),
        right=right,
        steps=tuple(tally_correctness(judged.correctness(i, i + 1)) for i in range(last)),
        overall=tally_correctness(overall),
        signature=signature_line(recipe, keys=keys, columns=[right], dropped=dropped),
        keys=tuple(keys),
    )
