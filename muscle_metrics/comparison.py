"""Old against new over the same items: counts, rates, slices and the items that flipped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from muscle_metrics.answers import check_lengths, is_missing
from muscle_metrics.counting import label_verdicts, tally_verdicts
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.flips import FlipCounts, Quadrant
from muscle_metrics.runs.judging import judge_runs
from muscle_metrics.runs.natural_order import natural_order
from muscle_metrics.runs.pairing import pair_runs
from muscle_metrics.signature import choices, signature_line
from muscle_metrics.summary import SCHEMA_VERSION, described_counts, json_text
from muscle_metrics.verdicts import Verdicts, judge_answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from muscle_metrics.answers import Key, Missing, Values
    from muscle_metrics.runs.pairing import Conflict, JoinedRuns, Unanswered
    from muscle_metrics.runs.pairing import Missing as MissingItems
    from muscle_metrics.runs.record import Run

__all__ = ["Comparison", "Item", "compare", "compare_runs"]


class Item(NamedTuple):
    """One item of a comparison, as a person reads it."""

    id: str
    slice: str | None
    old: Any
    new: Any
    reference: Any
    quadrant: Quadrant
    changed: bool | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """What an update changed: every count, the rates derived from them, and the items.

    Made by `compare` and `compare_runs`. Items stand in the natural order of their ids, so that
    the order of rows in a file changes nothing.

    Parameters
    ----------
    names : tuple of str
        What the old and the new run are called.
    ids : tuple of str
        Ids of the N items.
    verdicts : Verdicts
        Rightness and change of every item.
    old, new, references : tuple
        What each item shows; references are None where none were recorded.
    item_slices : tuple of str or None
        The slice of every item.
    dropped : mapping of str to int
        How many items were left out, by reason.
    recipe : mapping of str to str
        The choices the numbers depend on; part of the signature.

    Examples
    --------
    >>> comparison = compare(old=["A", "B"], new=["A", "C"], references=["A", "B"])
    >>> comparison.counts.negative, [item.id for item in comparison.flips()]
    (1, ['1'])
    """

    names: tuple[str, str]
    ids: tuple[str, ...]
    verdicts: Verdicts
    old: tuple[Any, ...]
    new: tuple[Any, ...]
    references: tuple[Any, ...]
    item_slices: tuple[str | None, ...]
    dropped: Mapping[str, int]
    recipe: Mapping[str, str]

    @property
    def counts(self) -> FlipCounts:
        """Numbers of items in the four quadrants."""
        return tally_verdicts(self.verdicts)

    @property
    def slices(self) -> dict[str, FlipCounts]:
        """Counts of every slice, the one that lost most accuracy first; empty without slices."""
        members: dict[str, list[int]] = {}
        for position, name in enumerate(self.item_slices):
            if name is not None:
                members.setdefault(name, []).append(position)
        counts = {
            name: tally_verdicts(_subset(self.verdicts, positions))
            for name, positions in members.items()
        }
        return dict(
            sorted(counts.items(), key=lambda pair: (float(pair[1].accuracy_change), pair[0]))
        )

    @property
    def signature(self) -> str:
        """One line that says how the numbers were made, and from what."""
        return signature_line(self.recipe, ids=self.ids, flags=self.verdicts, dropped=self.dropped)

    def items(self) -> Iterator[Item]:
        """Every item, in the natural order of ids."""
        labels = label_verdicts(self.verdicts)
        changed = [None] * len(self.ids) if labels.changed is None else labels.changed.tolist()
        rows = zip(
            self.ids,
            self.item_slices,
            self.old,
            self.new,
            self.references,
            map(Quadrant, labels.quadrants.tolist()),
            changed,
            strict=True,
        )
        return map(Item._make, rows)

    def flips(self, *quadrants: Quadrant | str) -> Iterator[Item]:
        """Items in the given quadrants; by default those that broke, then those that got fixed.

        Parameters
        ----------
        *quadrants : Quadrant or str
            Names such as "negative".

        Yields
        ------
        Item

        Raises
        ------
        UsageError
            If a quadrant is unknown.
        """
        known = [quadrant.value for quadrant in Quadrant]
        for quadrant in quadrants:
            if quadrant not in known:
                raise UsageError(f"expected a quadrant among {known}, got {quadrant!r}")
        wanted = [str(q) for q in quadrants or (Quadrant.NEGATIVE, Quadrant.POSITIVE)]
        found = [item for item in self.items() if item.quadrant in wanted]
        return iter(sorted(found, key=lambda item: wanted.index(item.quadrant)))

    def to_frame(self) -> pd.DataFrame:
        """One row per item: id, slice, old, new, reference, quadrant, changed.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        frame = pd.DataFrame.from_records(list(self.items()), columns=list(Item._fields))
        return frame.assign(quadrant=[str(quadrant) for quadrant in frame["quadrant"]])

    def to_dict(self) -> dict[str, Any]:
        """Everything but the items that did not flip, as plain data: no nan, undefined is None.

        Returns
        -------
        dict
            With `schema_version`, which rises when a name changes its meaning.
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "signature": self.signature,
            "old": self.names[0],
            "new": self.names[1],
            "dropped": dict(self.dropped),
            **described_counts(self.counts),
            "slices": {name: described_counts(counts) for name, counts in self.slices.items()},
            "flips": [{**item._asdict(), "quadrant": item.quadrant.value} for item in self.flips()],
        }

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON with sorted keys; the same comparison gives the same bytes.

        Parameters
        ----------
        indent : int, optional
            As in `json.dumps`.

        Returns
        -------
        str
        """
        return json_text(self.to_dict(), indent)

    def __str__(self) -> str:
        from muscle_metrics.reports.text import comparison_text

        return comparison_text(self)

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.ids)} items: NFR {self.counts.negative_flip_rate}>"

    def _repr_html_(self) -> str:
        from muscle_metrics.reports.notebook import comparison_html

        return comparison_html(self)


def compare(
    *,
    old: Values,
    new: Values,
    references: Values,
    key: Key = None,
    missing: Missing = "error",
    ids: Sequence[object] | None = None,
    slices: Sequence[object] | None = None,
    names: tuple[str, str] = ("old", "new"),
) -> Comparison:
    """Compare the answers of two models to the same items.

    Parameters
    ----------
    old, new : sequence or array, shape (N,)
        Answers of the old and of the new model; entry i of both belongs to item i.
    references : sequence or array, shape (N,)
        The right answer of every item, or a list of accepted ones.
    key : callable, optional
        Normalises answers and references before they are compared.
    missing : {"error", "wrong"}
        Whether a None or NaN answer is refused or counts as a wrong answer.
    ids : sequence, shape (N,), optional
        What items are called; their positions by default.
    slices : sequence, shape (N,), optional
        The slice each item belongs to, such as its category.
    names : tuple of str
        What the two models are called.

    Returns
    -------
    Comparison
        Prints as a table.

    Raises
    ------
    InputError
        If the columns cannot be compared, or ids repeat.

    Examples
    --------
    >>> answers = {"old": ["A", "B"], "new": ["A", "C"], "references": ["A", "B"]}
    >>> list(compare(**answers, slices=["x", "y"]).slices)
    ['y', 'x']
    """
    verdicts = judge_answers(old=old, new=new, references=references, key=key, missing=missing)
    total = len(verdicts.old_right)
    texts = [str(identifier) for identifier in (range(total) if ids is None else ids)]
    labels = [None] * total if slices is None else [_slice_name(value) for value in slices]
    check_lengths(old=range(total), ids=texts, slices=labels)
    if len(set(texts)) < total:
        repeated, times = Counter(texts).most_common(1)[0]
        raise InputError(
            f"expected one id per item, got {repeated!r} {times} times and {len(set(texts))} "
            f"different ids for {total} items: give repeats of an item ids of their own"
        )
    order = sorted(range(total), key=lambda position: natural_order(texts[position]))
    return Comparison(
        names=names,
        ids=tuple(texts[position] for position in order),
        verdicts=_subset(verdicts, order),
        old=_picked(old, order),
        new=_picked(new, order),
        references=_picked(references, order),
        item_slices=tuple(labels[position] for position in order),
        dropped={},
        recipe=choices("exact_match", key, missing=missing),
    )


def compare_runs(
    old: Run,
    new: Run,
    *,
    metric: str | None = None,
    key: Key = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
) -> Comparison:
    """Compare two recorded runs, joined by the ids of their items.

    Parameters
    ----------
    old, new : Run
        As read by `read_run`.
    metric : str, optional
        "exact_match", or a score that the runs recorded.
    key : callable, optional
        Normalises answers and references before they are compared.
    threshold : float, optional
        A recorded score of at least this much is right.
    strict_threshold : bool
        Whether a score must exceed the threshold instead.
    missing : {"error", "drop"}
        What to do with items that only one run holds.
    conflict : {"error", "drop", "own", "first", "last"}
        Which reference judges items whose references differ between the runs.
    unanswered : {"error", "wrong", "drop"}
        What to do with items to which a run recorded no answer.

    Returns
    -------
    Comparison
        Prints as a table; what was dropped is counted in it.

    Raises
    ------
    InputError
        If the runs cannot be compared.
    UsageError
        If options do not fit the runs.

    Examples
    --------
    >>> from muscle_metrics.runs import Record, Run
    >>> old = Run(records=(Record(id="q1", prediction="A", reference="A"),), name="v1")
    >>> new = Run(records=(Record(id="q1", prediction="B", reference="A"),), name="v2")
    >>> compare_runs(old, new).counts.negative
    1
    """
    joined = pair_runs(old, new, missing=missing, conflict=conflict, unanswered=unanswered)
    judged = judge_runs(
        joined, metric=metric, key=key, threshold=threshold, strict_threshold=strict_threshold
    )
    if threshold is not None:
        judged = judged._replace(
            metric=f"{judged.metric} {'>' if strict_threshold else '>='} {threshold!r}"
        )
    return Comparison(
        names=(joined.names[0], joined.names[1]),
        ids=joined.ids,
        verdicts=judged.verdicts(0, 1),
        old=judged.shown[0],
        new=judged.shown[1],
        references=joined.references[0],
        item_slices=_joined_slices(joined),
        dropped=joined.dropped,
        recipe=choices(
            judged.metric, key, missing=missing, conflict=conflict, unanswered=unanswered
        ),
    )


def _joined_slices(joined: JoinedRuns) -> tuple[str | None, ...]:
    """Slices as the first run that recorded any has them."""
    of_runs = [tuple(record.slice for record in records) for records in joined.records]
    return next((slices for slices in of_runs if any(slices)), of_runs[0])


def _subset(verdicts: Verdicts, positions: Sequence[int]) -> Verdicts:
    chosen = np.asarray(positions, dtype=np.intp)
    return Verdicts(*(None if flags is None else flags[chosen] for flags in verdicts))


def _picked(values: Any, order: Sequence[int]) -> tuple[Any, ...]:
    plain = values.tolist() if hasattr(values, "tolist") else list(values)
    return tuple(None if is_missing(plain[p]) else plain[p] for p in order)


def _slice_name(value: object) -> str | None:
    return None if is_missing(value) else str(value)
