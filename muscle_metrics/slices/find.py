"""Find slices on one half of the items, and test them on the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muscle_metrics.comparison.facts import no_threshold
from muscle_metrics.comparison.listed import log_texts
from muscle_metrics.errors import UsageError
from muscle_metrics.evidence.rates import rate
from muscle_metrics.evidence.units import Units, number_labels
from muscle_metrics.flips.rates import Rate
from muscle_metrics.slices.conditions import LEAST_ITEMS, Conditions, conditions_of
from muscle_metrics.slices.facets import Facet, answer_facets, item_facets
from muscle_metrics.slices.found import FoundSlice, FoundSlices
from muscle_metrics.slices.search import Candidate, search_slices
from muscle_metrics.statistics.excess import excess_p_value
from muscle_metrics.statistics.multiplicity import benjamini_hochberg_adjusted, shrunken_rates
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.facts import Facts

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.intp]

__all__ = ["IN_MEMORY", "Outcomes", "find_slices", "search_and_test"]

ERROR_RATE = 0.05
CONFIDENCE = 0.95
# The test of clustered items errs where a slice holds more than half of them.
_MOST_OF_CLUSTERED = 0.5

# Items of one prompt, on average, from which on the prompt is taken for an instruction.
_MOST_ALIKE = 20

IN_MEMORY = (
    "expected runs in memory for --find-slices (find_slices), got counts of an engine or a saved "
    "comparison, which hold no texts: leave out --engine, or compare a part of the items"
)


class Outcomes(NamedTuple):
    """Which items broke, the cluster of each, and which half each is in.

    `clusters` numbers groups or prompts from 0; None where items are independent.
    """

    broke: Flags
    clusters: Numbers | None
    is_tested: Flags

    @classmethod
    def of(cls, broke: Flags, clusters: Numbers | None, seed: int) -> Outcomes:
        """Split items into halves by a seed; a cluster stays whole."""
        numbers = np.arange(len(broke)) if clusters is None else clusters
        units = int(numbers.max()) + 1
        order = np.random.default_rng(seed).permutation(units)
        return cls(broke, clusters, (order < units // 2)[numbers])


class _Tested(NamedTuple):
    """A candidate, its items, the items that no earlier one holds, and its p-value."""

    candidate: Candidate
    inside: Flags
    left: Flags
    p_value: float


def find_slices(
    comparison: Facts,
    *,
    fields: Mapping[str, Mapping[str, object]] | None = None,
    seed: int = 0,
) -> FoundSlices:
    """Find kinds of items, and kinds of answers, in which the negative flip rate stands out.

    One or two conditions make a slice: task, slice, repeat and further fields; the reference where
    there are few; length, script and first words of the prompt; forms of both answers, and
    changes of form. One half of the items is searched, and what is found is tested on the other
    half. No model is called.

    Parameters
    ----------
    comparison : Comparison
        Old against new, with its items in memory.
    fields : mapping of str to mapping of str to object, optional
        Further fields of the items, such as ``{"level": {"q1": 3, "q2": 1}}``: a value by the name
        of each item, which is its id, with task and repeat where it has them (`Item.name`).
    seed : int
        Draws the halves. Groups of items, and repeats of a prompt, stay in one half.

    Returns
    -------
    FoundSlices
        Prints as tables. On average at most 5 % of the slices that it lists are there by chance.

    Raises
    ------
    UsageError
        If an engine counted the items, the comparison was read from a file, scores are graded and
        there is no threshold, or `fields` names no item.

    Notes
    -----
    Every slice is tested among the items that no earlier slice holds, so that a slice within, or
    around, another one is not listed beside it. Independent items are tested by Fisher's exact
    test, items in groups by `muscle_metrics.statistics.excess.excess_p_value`; p-values are
    adjusted by Benjamini and Hochberg.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> topics = ["law", "art", "sport", "tax"] * 100
    >>> comparison = compare(
    ...     old=["A"] * 400, references=["A"] * 400, slices=topics,
    ...     new=["B" if topic == "law" and n % 3 else "A" for n, topic in enumerate(topics)],
    ... )
    >>> find_slices(comparison).items[0].name
    'slice is law'
    """
    # A comparison that was read from a file holds no items either.
    items: Comparison | None = getattr(comparison, "in_memory", None)
    if items is None:
        raise UsageError(IN_MEMORY)
    if items.correctness is None:
        raise no_threshold()
    broke = items.correctness.old_right & ~items.correctness.new_right
    unit, clusters = _clusters(items)
    outcomes = Outcomes.of(broke, clusters, seed)
    facets, notes = _facets(items, _checked(items, fields or {}))
    if unit != items.table.unit:
        notes.append("some items have the same prompt: they stay in one half, as repeats do")
    conditions = conditions_of(facets, items.total)
    tested = search_and_test(conditions, outcomes)
    adjusted = benjamini_hochberg_adjusted([one.p_value for one in tested])
    shrunken = _shrunken(tested, outcomes)
    broken = [item.name for item in items.flips("negative")]
    found = [
        _found(broken, unit, conditions, outcomes, one, float(p_value), float(drawn))
        for one, p_value, drawn in zip(tested, adjusted, shrunken, strict=True)
        if p_value <= ERROR_RATE
    ]
    found.sort(key=lambda one: (-one.shrunken, one.name))
    if min(int(outcomes.is_tested.sum()), int((~outcomes.is_tested).sum())) < 2 * LEAST_ITEMS:
        notes.append(f"halves of fewer than {2 * LEAST_ITEMS} items show nothing")
    return FoundSlices(
        items=tuple(one for one in found if not one.is_of_answers),
        answers=tuple(one for one in found if one.is_of_answers),
        forms=items.answer_forms,
        notes=tuple(notes),
        signature=_signature(items, unit, conditions, outcomes, len(tested), seed),
    )


def search_and_test(conditions: Conditions, outcomes: Outcomes) -> list[_Tested]:
    """Search one half for kinds of items and for kinds of answers, and test them on the other.

    Parameters
    ----------
    conditions : Conditions
        What describes the items.
    outcomes : Outcomes
        Which items broke, and the halves.

    Returns
    -------
    list of tuple
        Candidates with their p-values on the other half, not adjusted.
    """
    of_answer = np.array([one.of_answer for one in conditions.conditions], dtype=bool)
    most_share = 1.0 if outcomes.clusters is None else _MOST_OF_CLUSTERED
    searched = ~outcomes.is_tested
    tested: list[_Tested] = []
    pairs = of_answer[:, None] | of_answer[None, :]
    for allowed in (~pairs, pairs):
        if not allowed.any():
            continue
        candidates = search_slices(
            conditions.met[searched], outcomes.broke[searched], allowed, most_share
        )
        left: Flags = outcomes.is_tested
        for candidate in candidates:
            inside: Flags = np.all(conditions.met[:, candidate.conditions], axis=1)
            tested.append(_test(candidate, inside, left, outcomes, most_share))
            left = left & ~inside
    return tested


def _test(
    candidate: Candidate, inside: Flags, left: Flags, outcomes: Outcomes, most_share: float
) -> _Tested:
    clusters = outcomes.clusters
    p_value = 1.0
    if inside[left].sum() <= most_share * left.sum():
        p_value = excess_p_value(
            broke=outcomes.broke[left],
            inside=inside[left],
            clusters=None if clusters is None else number_labels(clusters[left])[0],
        )
    return _Tested(candidate, inside, left, p_value)


def _clusters(comparison: Comparison) -> tuple[str, Numbers | None]:
    """Units of the items, and the unit of each: items with one prompt depend on each other too."""
    table = comparison.table
    if comparison.is_clustered:
        return table.unit, table.unit_numbers
    if table.asked is None:
        return table.unit, None
    # A missing prompt is a unit of its own.
    labels = [row if prompt is None else prompt for row, prompt in enumerate(table.asked)]
    numbers, sizes = number_labels(labels)
    # Prompts that nearly all items share, such as one instruction, name no unit.
    if len(sizes) == comparison.total or len(sizes) * _MOST_ALIKE < comparison.total:
        return table.unit, None
    return "prompts", numbers


def _checked(
    comparison: Comparison, fields: Mapping[str, Mapping[str, object]]
) -> Mapping[str, Mapping[str, object]]:
    names = {item.name for item in comparison.items()} if fields else set()
    for field, values in fields.items():
        if not isinstance(values, Mapping):
            raise UsageError(
                f"expected values by the names of items for the field {show(field)}, got "
                f"{type(values).__name__}: pass fields={{{field!r}: dict(zip(ids, values))}}"
            )
        if names.isdisjoint(values):
            raise UsageError(
                f"expected values of items of the comparison for the field {show(field)}, got "
                f"values of {len(values)} other names: name items as Item.name does, by their ids"
            )
    return fields


def _facets(
    comparison: Comparison, fields: Mapping[str, Mapping[str, object]]
) -> tuple[list[Facet], list[str]]:
    """Everything that describes the items, and what is not known."""
    listed = log_texts(comparison, list(comparison.items()))
    facets = item_facets(comparison, listed.items, fields)
    notes = [listed.problem] if listed.problem else []
    if not any(facet.name == "length of prompt" for facet in facets):
        notes.append(
            "no prompts: name their field with --prompt-field (prompts=) to look at them too"
        )
    if comparison.answer_forms is None:
        notes.append("no answers, but verdicts or scores alone: forms of answers are not known")
    else:
        facets += answer_facets(comparison, listed.items)
    return facets, notes


def _shrunken(tested: Sequence[_Tested], outcomes: Outcomes) -> NDArray[np.float64]:
    """Rates of the tested half, drawn towards each other and that of the items in no slice."""
    if not tested:
        return np.zeros(0)
    rest = outcomes.is_tested.copy()
    for one in tested:
        rest &= ~one.inside
    rows = [one.inside & outcomes.is_tested for one in tested] + [rest]
    broken = [int(outcomes.broke[flags].sum()) for flags in rows]
    return shrunken_rates(broken, [int(flags.sum()) for flags in rows])[:-1]


def _found(
    broken: Sequence[str],
    unit: str,
    conditions: Conditions,
    outcomes: Outcomes,
    one: _Tested,
    p_value: float,
    shrunken: float,
) -> FoundSlice:
    broke, inside = outcomes.broke, one.inside
    half, rest = inside & outcomes.is_tested, one.left & ~inside
    chosen = inside[np.flatnonzero(broke)].tolist()
    labels = () if outcomes.clusters is None else outcomes.clusters[half]
    evidence = rate(Units.of(broke[half], labels, unit))
    return FoundSlice(
        conditions=tuple(conditions.conditions[number] for number in one.candidate.conditions),
        rate=_rate(broke, inside),
        tested=_rate(broke, half),
        bounds=evidence.interval(CONFIDENCE, "two-sided"),
        shrunken=shrunken,
        rest=_rate(broke, rest),
        p_value=p_value,
        broken=tuple(name for name, is_inside in zip(broken, chosen, strict=True) if is_inside),
    )


def _rate(broke: Flags, rows: Flags) -> Rate:
    return Rate(int(broke[rows].sum()), int(rows.sum()))


def _signature(
    comparison: Comparison,
    unit: str,
    conditions: Conditions,
    outcomes: Outcomes,
    tested: int,
    seed: int,
) -> str:
    half = int(outcomes.is_tested.sum())
    facts = (
        f"seed {seed}",
        f"searched {comparison.total - half} items and tested {half}, split by {unit}",
        f"conditions {len(conditions.conditions)}",
        f"slices tested {tested}",
        f"Benjamini-Hochberg {ERROR_RATE:g}",
        comparison.signature,
    )
    return "; ".join(facts)
