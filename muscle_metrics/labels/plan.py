"""Plan which items a person should label, within a budget."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError
from muscle_metrics.evidence.labels import label_evidence
from muscle_metrics.labels.design import Design, check_seed, draw, key_text
from muscle_metrics.labels.items import LabelItems, expect_breaks, join_for_labels
from muscle_metrics.labels.labelled import read_design, read_source
from muscle_metrics.labels.outcomes import sample_of
from muscle_metrics.labels.sheet import Sheet, make_sheet, read_labels, sheet_files
from muscle_metrics.statistics.strata import Stratum, allocate_labels, needed_spread
from muscle_metrics.words.numbers import counted, percent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike
    from typing import Unpack

    from muscle_metrics.labels.sheet import Label
    from muscle_metrics.runs.joining.pairing import Conflict, MissingItems, Unanswered
    from muscle_metrics.runs.read import ReadOptions, Source
    from muscle_metrics.runs.record import Run

__all__ = ["LabelPlan", "plan_labels"]

# One row in 16 is of an item with equal answers. Labels of those that differ do not show whether
# old was right at all: of two different answers to a question of choice at most one is.
MOST_CHECKS, LEAST_CHECKS, CHECKS_SHARE = 20, 5, 16
LEAST_PER_STRATUM = 5
# How much more an item of the last stratum is expected to vary than one of the first.
LAST_SPREAD = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class LabelPlan:
    """Which items to label; made by `plan_labels`.

    Parameters
    ----------
    items : LabelItems
        Both runs.
    design : Design
        Strata, stages and seed.
    earlier : Sheet, optional
        The sheet that was extended: its rows come first, with their labels.
    """

    items: LabelItems
    design: Design
    earlier: Sheet | None = None

    @property
    def rows(self) -> int:
        """Number of rows of the sheet."""
        return sum(self.design.drawn) + sum(self.design.checks)

    @property
    def probabilities(self) -> list[float]:
        """Chance that an item of each stratum was drawn."""
        pairs = zip(self.design.drawn, self.design.sizes, strict=True)
        return [drawn / size for drawn, size in pairs]

    def sheet(self) -> str:
        """Write the sheet as CSV; it does not say which answer is new."""
        return make_sheet(self.items, self.design, self._known())

    def page(self, *, file: str = "sheet.csv") -> str:
        """Write the page on which a person fills the sheet; it does not say either.

        Parameters
        ----------
        file : str
            Name of the sheet that the page exports.

        Raises
        ------
        MissingDependencyError
            If jinja2 is not installed: ``pip install 'muscle-metrics[report]'``.
        """
        from muscle_metrics.labels.page import label_page

        return label_page(self.items, self.design, self._known(), file=file)

    def _known(self) -> dict[int, tuple[Label, str]]:
        """Labels and notes of the sheet that was extended, by the position of their item."""
        triples = zip(*(self.earlier or ([], [], [])), strict=True)
        return {row.position: (label, note) for row, label, note in triples}

    def write(self, path: str | PathLike[str]) -> None:
        """Write the sheet, and beside it the key that says which answers are new.

        Parameters
        ----------
        path : str or path
            The sheet; the key gets this name and ``.key``. Those who label must not see the key.
            With the ending ``.html`` the page to label on, and beside it the sheet and its key.
        """
        from muscle_metrics.reports.files import write_text

        sheet, key, *pages = sheet_files(path)
        texts = [self.page(file=sheet.name) for _ in pages]
        # The key first: a sheet without one would be labelled in vain.
        write_text(key, key_text(self.design))
        write_text(sheet, self.sheet())
        for page, text in zip(pages, texts, strict=True):
            write_text(page, text)

    def __str__(self) -> str:
        items, design = self.items, self.design
        names, differing = " -> ".join(items.joined.names), len(design.levels)
        most = percent(differing / items.total)
        lines = [
            f"{names}: {counted(items.total, 'item')}, {differing} with answers that differ",
            f"without any label: at most {most} of these items broke, or got fixed",
            f"{counted(self.rows, 'row')} to label, seed {design.seed}:",
        ]
        for level, (drawn, size) in enumerate(zip(design.drawn, design.sizes, strict=True)):
            where = f" of stratum {level + 1} by {design.strata_by}" if design.strata_by else ""
            lines.append(f"  {drawn} of the {size} items that differ{where}")
        if checks := sum(design.checks):
            equal = items.total - differing
            lines.append(f"  {checks} of the {equal} items with equal answers, as a check")
        lines.append(
            f"if all of them are labelled and none is broken, NFR is at most "
            f"{percent(self._least_bound())} (one-sided 95 %)"
        )
        return "\n".join(lines)

    def _least_bound(self) -> float:
        from muscle_metrics.labels.sheet import Label

        rows = draw(self.design, self.items)
        right = Sheet(rows, [Label(old=True, new=True)] * len(rows), [""] * len(rows))
        return label_evidence(sample_of(self.items, self.design, right), "negative").upper(0.95)


def plan_labels(
    old: Source,
    new: Source,
    *,
    budget: int,
    seed: int | None = None,
    extend: str | PathLike[str] | None = None,
    judge: str | None = None,
    candidates: Sequence[Run] = (),
    confidence: Run | None = None,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
    names: tuple[str, str] | None = None,
    **reading: Unpack[ReadOptions],
) -> LabelPlan:
    """Choose the items that a person should label, so that few labels bound the flips of all.

    Items whose answers are exactly equal cannot flip. Of the others a random sample is drawn, more
    of those that a judge, other models or the confidence of the old model expect to break.

    Parameters
    ----------
    old, new : Run, str, path or table
        Runs, or whatever `read_run` reads; they need no references.
    budget : int
        Number of rows to label in all, those of an extended sheet included.
    seed : int, optional
        Decides the draws and the sides; needed for a new sheet.
    extend : str or path, optional
        A sheet that is filled in part, to add rows to: more where its labels vary more.
    judge : str, optional
        Score that both runs recorded, such as that of an LLM judge.
    candidates : sequence of Run
        Answers of other models to the same items.
    confidence : Run, optional
        A run whose only score is how sure the old model was of each answer.
    missing, conflict, unanswered
        As in `compare_runs`.
    names : tuple of str, optional
        Names of the runs.
    **reading
        Options of `read_run` for runs that are not read yet.

    Returns
    -------
    LabelPlan
        Prints what is known without any label, and what the labels can show.

    Raises
    ------
    InputError
        If the runs cannot be joined, or items depend on each other.
    UsageError
        If the budget is too small, or nothing differs.

    References
    ----------
    Neyman, "On the Two Different Aspects of the Representative Method", Journal of the Royal
    Statistical Society 97 (1934), 558-625.

    Examples
    --------
    >>> old = [{"id": str(k), "prediction": "yes"} for k in range(100)]
    >>> new = [{**row, "prediction": "no"} if k < 40 else row for k, row in enumerate(old)]
    >>> plan = plan_labels(old, new, budget=20, seed=7)
    >>> plan.rows, plan.probabilities
    (20, [0.375])
    """
    runs = [read_source(one, place, names, reading) for place, one in enumerate((old, new))]
    items = join_for_labels(
        runs[0], runs[1], missing=missing, conflict=conflict, unanswered=unanswered
    )
    if isinstance(budget, bool) or not isinstance(budget, int) or budget < 1:
        raise UsageError(
            f"expected a whole number of labels as --budget (budget=), got {budget!r}: such as 200"
        )
    if extend is not None:
        if seed is not None or judge or candidates or confidence is not None:
            raise UsageError(
                "expected only a budget beside --extend (extend=), got a seed or signals too: the "
                "key of the sheet holds them, so drop them"
            )
        return _extended(items, extend, budget)
    if seed is None:
        raise UsageError(
            "expected a seed for a new sheet, got none: choose one with --seed (seed=), such as 7"
        )
    check_seed(seed)
    if not items.differs.any():
        raise UsageError(
            f"expected answers that differ, got equal ones for all {items.total} items: nothing "
            f"can have flipped, so there is nothing to label"
        )
    votes = expect_breaks(items, judge=judge, candidates=candidates, confidence=confidence)
    return _planned(
        items,
        budget,
        seed,
        votes[items.differs].tolist(),
        [
            *([f"judge {judge}"] if judge else []),
            *([counted(len(candidates), "other model")] if candidates else []),
            *(["confidence of old"] if confidence is not None else []),
        ],
    )


def _planned(
    items: LabelItems, budget: int, seed: int, votes: Sequence[int], signals: Sequence[str]
) -> LabelPlan:
    kinds = sorted(set(votes))
    levels = tuple(map(kinds.index, votes))
    sizes = [levels.count(level) for level in range(len(kinds))]
    last = max(len(kinds) - 1, 1)
    spreads = [1 + (LAST_SPREAD - 1) * level / last for level in range(len(kinds))]
    checks = _checks(items, budget)
    drawn = allocate_labels(sizes, spreads, budget - checks, least=LEAST_PER_STRATUM, spent=checks)
    design = Design(
        seed=seed,
        runs=items.digest,
        levels=levels,
        strata_by=" and ".join(signals) if len(kinds) > 1 else "",
        stages=(tuple(drawn),),
        checks=(checks,),
    )
    return LabelPlan(items, design)


def _checks(items: LabelItems, budget: int) -> int:
    """How many items with equal answers to draw: they show that old was right at all."""
    wanted = min(max(budget // CHECKS_SHARE, LEAST_CHECKS), MOST_CHECKS)
    return min(wanted, int((~items.differs).sum()))


def _extended(items: LabelItems, path: str | PathLike[str], budget: int) -> LabelPlan:
    """Add a stage to a sheet, by the labels that it has so far (Neyman)."""
    earlier = read_design(path, items)
    sheet = read_labels(Path(path), items, earlier)
    before, checked = sum(earlier.drawn), sum(earlier.checks)
    checks = max(_checks(items, budget) - checked, 0)
    more = min(budget - checked - checks, len(earlier.levels)) - before
    if more < 1:
        raise UsageError(
            f"expected a budget above the {before + checked} rows of the sheet, and items "
            f"that are left, got {budget} of {len(earlier.levels)} items that differ: raise "
            f"--budget (budget=)"
        )
    outcomes = sample_of(items, earlier, sheet).strata
    labelled = [Stratum(one.size, one.negative, 0, one.labelled - one.negative) for one in outcomes]
    wanted = allocate_labels(earlier.sizes, needed_spread(labelled), before + more)
    lacking = [max(goal - drawn, 0) for goal, drawn in zip(wanted, earlier.drawn, strict=True)]
    added = allocate_labels(lacking, [1.0] * len(lacking), more, least=0)
    design = Design(
        seed=earlier.seed,
        runs=earlier.runs,
        levels=earlier.levels,
        strata_by=earlier.strata_by,
        stages=(*earlier.stages, tuple(added)),
        checks=(*earlier.checks, checks),
    )
    return LabelPlan(items, design, sheet)
