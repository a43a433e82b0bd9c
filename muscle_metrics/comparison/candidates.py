"""Several candidates for one update: each against the old run, and all of them in pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from muscle_metrics.answers.reading.reading import with_answer
from muscle_metrics.comparison.baseline import match_baseline
from muscle_metrics.comparison.candidate_pairs import PairedDifference, paired_differences
from muscle_metrics.comparison.compare import compare_runs, read_sources
from muscle_metrics.comparison.items import ItemTable, joined_table
from muscle_metrics.comparison.methods import call_method
from muscle_metrics.comparison.per_task import settle_scores
from muscle_metrics.comparison.plain_data import SCHEMA_VERSION, described_rate, json_text
from muscle_metrics.comparison.ranking import undominated
from muscle_metrics.comparison.signature import signature_line
from muscle_metrics.comparison.unanswered import UNBOUNDED
from muscle_metrics.comparison.versions import join_versions
from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.evidence.units import Cells
from muscle_metrics.statistics.multiplicity import indistinct_groups
from muscle_metrics.words.place import item_name, list_ids, list_names, show

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from typing import Unpack

    import pandas as pd

    from muscle_metrics.answers.columns import Key
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.runs.joining.pairing import Conflict, MissingItems, Unanswered
    from muscle_metrics.runs.read import ReadOptions, Source
    from muscle_metrics.runs.record import Run
    from muscle_metrics.scorers import Metric

    Flags = npt.NDArray[np.bool_]

__all__ = ["Candidates", "compare_candidates"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Candidates:
    """Effects of K candidates for one update, on the N items that all of them hold.

    Made by `compare_candidates`. Each comparison is that of `compare_runs`, so a gate judges each
    candidate as if it were alone; differences and lists of items are over the N shared items.

    Parameters
    ----------
    old : str
        Name of the old run.
    comparisons : mapping of str to Comparison
        Old against each candidate, by its name.
    table : ItemTable
        The N items, without answers.
    old_right : numpy.ndarray of bool, shape (N,)
        Whether the old run got each item right.
    right : numpy.ndarray of bool, shape (K, N)
        Whether each candidate got each item right.
    dropped : mapping of str to int
        How many items are not shared, by reason.

    Examples
    --------
    >>> from muscle_metrics import compare_candidates
    >>> old, a, b = ([{"id": 1, "prediction": p, "reference": "A"}] for p in "ABA")
    >>> compare_candidates(old, {"a": a, "b": b}).front
    ('b',)
    """

    old: str
    comparisons: Mapping[str, Comparison]
    table: ItemTable
    old_right: Flags
    right: Flags
    dropped: Mapping[str, int]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the candidates."""
        return tuple(self.comparisons)

    @property
    def total(self) -> int:
        """Number of items that all runs hold, N."""
        return len(self.old_right)

    @property
    def broken(self) -> Flags:
        """Whether each candidate broke each item, shape (K, N)."""
        return self.old_right & ~self.right

    @cached_property
    def broken_by(self) -> npt.NDArray[np.intp]:
        """How many candidates broke each item, shape (N,)."""
        number: npt.NDArray[np.intp] = self.broken.sum(axis=0, dtype=np.intp)
        return number

    @cached_property
    def pairs(self) -> tuple[PairedDifference, ...]:
        """Paired differences of the negative flip rate, one for every two candidates."""
        return tuple(paired_differences(self.names, self.broken, self.table))

    @property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Groups of candidates that cannot be told apart, those that broke fewest items first."""
        broken = dict(zip(self.names, self.broken.sum(axis=1).tolist(), strict=True))
        order = sorted(self.names, key=broken.__getitem__)
        distinct = [(pair.first, pair.second) for pair in self.pairs if pair.is_distinct]
        return tuple(map(tuple, indistinct_groups(order, distinct)))

    @property
    def front(self) -> tuple[str, ...]:
        """Candidates of which no other gained as much and broke as little, and one of it better."""
        counts = [one.counts for one in self.comparisons.values()]
        places = [(float(c.accuracy_change), float(c.negative_flip_rate)) for c in counts]
        best = undominated(places)
        return tuple(name for name, is_best in zip(self.names, best, strict=True) if is_best)

    def broken_by_all(self) -> list[str]:
        """Names of the items that every candidate broke."""
        return self._names(self.broken_by == len(self.names))

    def broken_only_by(self, name: str) -> list[str]:
        """Names of the items that one candidate broke, and no other.

        Raises
        ------
        UsageError
            If no candidate has this name.
        """
        if name not in self.names:
            raise UsageError(
                f"expected the name of a candidate, got {show(name)}: there is "
                f"{list_names(self.names)}"
            )
        return self._names(self.broken[self.names.index(name)] & (self.broken_by == 1))

    def _names(self, flags: Flags) -> list[str]:
        tasks, ids, repeats = self.table.tasks, self.table.ids, self.table.repeats
        rows = np.flatnonzero(flags).tolist()
        return [item_name(tasks[row], ids[row], repeats[row]) for row in rows]

    @cached_property
    def signature(self) -> str:
        """One line with the options and the input of the numbers."""
        return signature_line(
            next(iter(self.comparisons.values())).recipe,
            keys=self.table.keys,
            columns=[self.old_right, *self.right],
            dropped=self.dropped,
        )

    def __str__(self) -> str:
        from muscle_metrics.comparison.candidate_text import candidates_text

        return candidates_text(self)

    def __repr__(self) -> str:
        return f"<Candidates {len(self.names)} over {self.total} items>"

    def _repr_html_(self) -> str:
        from muscle_metrics.comparison.notebook import candidates_html

        return candidates_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Describe the candidates as plain data: no nan, undefined is None.

        Returns
        -------
        dict
            With `schema_version`, which rises when a name changes its meaning. Under "candidates"
            stands each comparison as `Comparison.to_dict` gives it, without its items.
        """
        return {
            "schema_version": SCHEMA_VERSION,
            "signature": self.signature,
            "old": self.old,
            "items": self.total,
            "dropped": dict(self.dropped),
            "candidates": {
                name: one.to_dict(items="none") for name, one in self.comparisons.items()
            },
            "pairs": list(map(_described, self.pairs)),
            "groups": list(map(list, self.groups)),
            "front": list(self.front),
            "broken": {
                "right_before": int(np.count_nonzero(self.old_right)),
                "by_number": np.bincount(
                    self.broken_by[self.old_right], minlength=len(self.names) + 1
                ).tolist(),
                "by_all": self.broken_by_all(),
                "only_by": {name: self.broken_only_by(name) for name in self.names},
            },
        }

    def to_json(self, indent: int | None = 2) -> str:
        """`to_dict` as JSON with sorted keys; the same candidates give the same bytes.

        Parameters
        ----------
        indent : int, optional
            As in `json.dumps`.

        Returns
        -------
        str
        """
        return json_text(self.to_dict(), indent)

    def to_frame(self) -> pd.DataFrame:
        """One row for each candidate.

        Returns
        -------
        pandas.DataFrame
            Column ``candidate``, then as `Comparison.slices_frame`, then ``is_on_front``.
        """
        from muscle_metrics.comparison.frames import candidates_frame

        return candidates_frame(self)

    def gate(self, policy: Any) -> Any:
        """Judge every candidate by one `Policy`, as `check_candidates` does.

        Parameters
        ----------
        policy : Policy
            Limits of the update.

        Returns
        -------
        CandidatesVerdict

        Raises
        ------
        UsageError
            If the policy does not fit the data.

        Examples
        --------
        >>> from muscle_metrics import Policy, compare_candidates
        >>> rows = [{"id": i, "prediction": "A", "reference": "A"} for i in range(99)]
        >>> candidates = compare_candidates(rows, {"a": rows, "b": rows})
        >>> candidates.gate(Policy(max_nfr="0.05")).may_ship
        ('a', 'b')
        """
        return call_method("gate_candidates", self, policy)

    def report(self, path: str | PathLike[str], *, verdict: Any = None, **options: Any) -> None:
        """Write a report, whose format the ending of its name says.

        Parameters
        ----------
        path : str or path
            A file ``.html`` (one page), ``.md`` or ``.json``.
        verdict : CandidatesVerdict, optional
            What `gate` returned, to be shown too.
        **options
            Those of `candidates_page` for a page.

        Raises
        ------
        UsageError
            If the ending is none of these, or the file cannot be written.
        """
        call_method("report_candidates", self, path, verdict=verdict, **options)


def compare_candidates(
    old: Source,
    candidates: Mapping[str, Source],
    *,
    metric: Metric | Sequence[Metric] | Mapping[str, str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    key: Key = None,
    answer: str | None = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    tie: float | None = None,
    minimum_effect: float = 0.0,
    score_range: tuple[float, float] = UNBOUNDED,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
    **reading: Unpack[ReadOptions],
) -> Candidates:
    """Compare several candidates with one old run, and with each other.

    What `compare_runs` refuses is refused for each candidate, and also where two candidates differ:
    they must hold the same items, asked and judged in the same way.

    Parameters
    ----------
    old : Run, str, path or table
        The old run, or whatever `read_run` reads.
    candidates : mapping of str to (Run, str, path or table)
        The candidates by their names.
    metric, options, key, answer, threshold, strict_threshold, tie, minimum_effect, score_range
        As in `compare_runs`.
    missing, conflict, unanswered
        As in `compare_runs`. With ``missing="drop"`` each candidate is compared on the items that
        it shares with the old run, and pairs of candidates on those that all of them hold.
    **reading
        Options of `read_run` for runs that are not read yet, such as ``id_field="id"``.

    Returns
    -------
    Candidates
        Prints as tables.

    Raises
    ------
    InputError
        If a run cannot be compared with the others.
    UsageError
        If there is no candidate, names repeat, scores are graded without a threshold, or options do
        not fit the runs.

    Examples
    --------
    >>> rows = {p: [{"id": i, "prediction": p, "reference": "A"} for i in "12"] for p in "AB"}
    >>> candidates = compare_candidates(rows["A"], {"same": rows["A"], "worse": rows["B"]})
    >>> [pair.difference for pair in candidates.pairs]
    [1.0]
    """
    is_named = isinstance(candidates, Mapping) and all(isinstance(n, str) for n in candidates)
    if not is_named or not candidates:
        raise UsageError(
            f"expected candidates by their names, got {type(candidates).__name__} of "
            f"{len(candidates)}: pass {{'name': run}}, or name OLD NEW1 NEW2 in 'muscle-metrics "
            f"candidates'"
        )
    if conflict == "last" and len(candidates) > 1:
        raise UsageError(
            "expected all candidates to be judged by one reference, got the last run's, which is "
            "another for each: judge by those of old with --conflict first (conflict=)"
        )
    key = with_answer(key, answer)
    runs = read_sources([old, *candidates.values()], [None, *candidates], metric, key, reading)
    if runs[0].name in candidates:
        raise UsageError(
            f"expected a candidate to have another name than the old run, got "
            f"{show(runs[0].name)} for both: name it as in NEW=PATH"
        )
    joining: dict[str, Any] = {"missing": missing, "conflict": conflict, "unanswered": unanswered}
    joined, _ = join_versions(runs, metric=metric, key=key, **joining)
    judging = {
        "options": options,
        "threshold": threshold,
        "strict_threshold": strict_threshold,
        "tie": tie,
        "minimum_effect": minimum_effect,
        "score_range": score_range,
        **joining,
    }
    comparisons = {run.name: _compare(runs[0], run, metric, key, judging) for run in runs[1:]}
    table = joined_table(joined, ((None,) * len(joined), (None,) * len(joined)))
    before, after = zip(*(_shared(one, table) for one in comparisons.values()), strict=True)
    _check_old(list(comparisons), before, table)
    return Candidates(
        old=runs[0].name,
        comparisons=comparisons,
        table=table,
        old_right=before[0],
        right=np.stack(after),
        dropped=joined.dropped,
    )


def _compare(
    old: Run,
    new: Run,
    metric: Metric | Sequence[Metric] | Mapping[str, str] | None,
    key: Key,
    options: Mapping[str, Any],
) -> Comparison:
    """Compare one candidate as a gate does: a baseline tells how it judged."""
    (old, new), chosen = settle_scores([old, new], metric)
    names: Any = chosen
    old, new = match_baseline(old, new, metric=names, key=key)
    return compare_runs(old, new, metric=chosen, key=key, **options)


def _shared(comparison: Comparison, table: ItemTable) -> tuple[Flags, Flags]:
    """Correctness of the items that all runs hold, in their order."""
    positions = {key: row for row, key in enumerate(comparison.table.keys)}
    rows = np.array([positions[key] for key in table.keys], dtype=np.intp)
    before = comparison.values("right before")
    after = comparison.values(Cells(("both_right", "positive")))
    return before.astype(bool)[rows], after.astype(bool)[rows]


def _check_old(names: Sequence[str], before: Sequence[Flags], table: ItemTable) -> None:
    """Refuse candidates beside which the old run is judged in different ways."""
    for name, right in zip(names, before, strict=True):
        differs = np.flatnonzero(right != before[0]).tolist()
        if differs:
            ids = list_ids([table.ids[row] for row in differs])
            raise InputError(
                f"expected old to be judged alike beside every candidate, got items that are right "
                f"beside one of {show(names[0])} and {show(name)} alone ({ids}): judge all runs by "
                f"one file of right answers with --reference FILE, or by those of old with "
                f"--conflict first (conflict=)"
            )


def _described(pair: PairedDifference) -> dict[str, Any]:
    return {
        "first": pair.first,
        "second": pair.second,
        "only_first": pair.only_first,
        "only_second": pair.only_second,
        "both": pair.both,
        "items": pair.total,
        "difference": described_rate(pair.difference, pair.bounds),
        "z": None if pair.z != pair.z else pair.z,
        "p_value": pair.p_value,
        "is_distinct": pair.is_distinct,
    }
