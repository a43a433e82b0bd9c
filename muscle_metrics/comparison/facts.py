"""Facts of every comparison, whether its items are in memory or an engine counted them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from muscle_metrics.comparison.listed import texts_of
from muscle_metrics.comparison.macro import macro_averages
from muscle_metrics.comparison.methods import call_method
from muscle_metrics.comparison.plain_data import (
    SCHEMA_VERSION,
    described_changes,
    described_counts,
    described_noise,
    json_text,
)
from muscle_metrics.comparison.remarks import remark_lines
from muscle_metrics.comparison.signature import has_threshold
from muscle_metrics.comparison.uncertainty import (
    counts_of_part,
    decoding_noise,
    rate_bounds,
    score_bounds,
)
from muscle_metrics.comparison.worst import (
    ONCE_IN_MEMORY,
    changed_items,
    check_listed_once,
    described_prompt,
)
from muscle_metrics.errors import UsageError, check_choice
from muscle_metrics.evidence.repeats import noise_parts
from muscle_metrics.evidence.units import Part
from muscle_metrics.flips.rates import Rate
from muscle_metrics.statistics.interval import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

    import pandas as pd

    from muscle_metrics.comparison.answer_forms import AnswerForms
    from muscle_metrics.comparison.comparison import Comparison
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.prompts import Prompts
    from muscle_metrics.comparison.reading_facts import ReadingFacts
    from muscle_metrics.evidence.evidence import Bounds
    from muscle_metrics.evidence.labels import LabelSample
    from muscle_metrics.evidence.units import Event, Kind, Units
    from muscle_metrics.flips.changes import ScoreFacts
    from muscle_metrics.flips.counts import FlipCounts, Quadrant

__all__ = [
    "UNKNOWN_ANSWERS",
    "Facts",
    "JsonItems",
    "most_lost_first",
    "no_threshold",
]

JsonItems = Literal["all", "none"]

# Rates of one slice or task that tables and pages show with an interval.
RATES_OF_PARTS = ("negative_flip_rate", "accuracy_change")

UNKNOWN_ANSWERS = (
    "expected recorded answers for --max-nfr-mc (max_nfr_mc) and --max-churn (max_churn), got "
    "verdicts or scores only: which answers changed is not known; record answers, or drop the limit"
)


class Facts(ABC):
    """Counts, rates, scores and flips of an update, and how they are written.

    Comparisons are frozen, so results are cached. This class has no slots, because a cached
    property needs a `__dict__`. Copies and pickles drop the cache.
    """

    names: tuple[str, str]
    dropped: Mapping[str, int]
    recipe: Mapping[str, str]
    lost: Mapping[str, int]
    labels_from_new: frozenset[str]
    relabelled: Mapping[str, int]
    reading: ReadingFacts | None

    @property
    @abstractmethod
    def total(self) -> int:
        """Number of items, N."""

    @property
    @abstractmethod
    def is_judged(self) -> bool:
        """Whether it is known which items are right."""

    @property
    @abstractmethod
    def is_repeated(self) -> bool:
        """Whether any prompt was answered several times."""

    @property
    @abstractmethod
    def is_clustered(self) -> bool:
        """Whether rows depend on each other, as repeats of a prompt or items of a group do."""

    @property
    @abstractmethod
    def knows_units(self) -> bool:
        """Whether `units` can count over all that makes rows depend on each other."""

    @property
    @abstractmethod
    def changes(self) -> Mapping[str, ScoreFacts]:
        """Changes of graded scores, by metric."""

    @property
    @abstractmethod
    def fingerprints(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Other facts that the runs recorded, such as model and dataset."""

    @property
    @abstractmethod
    def signature(self) -> str:
        """One line with the options and the input of the numbers."""

    @property
    @abstractmethod
    def in_memory(self) -> Comparison | None:
        """The comparison itself if its items are in memory; None if an engine counted them."""

    @property
    @abstractmethod
    def worst_case(self) -> Facts:
        """The comparison in which the new model got every lost item wrong."""

    @property
    @abstractmethod
    def fixed_case(self) -> Facts:
        """The comparison in which every lost item was wrong, and got fixed."""

    @property
    def prompts(self) -> Prompts | None:
        """Prompts that were answered several times; None without repeats, and on an engine."""
        return None

    @property
    def is_thresholded(self) -> bool:
        """Whether a threshold on a graded score decides which items are right."""
        return has_threshold(self.recipe)

    @property
    def accepting_losses(self) -> Facts:
        """The worst case where lost items are accepted: only rows without a label are broken."""
        return self

    @property
    def sample(self) -> LabelSample | None:
        """Labels of a sample of the items; None where all items are judged, or graded."""
        return None

    @property
    def judge_bias(self) -> str | None:
        """On which model labels show a judge to be lenient; None where they show no difference."""
        return None

    @property
    def has_flips(self) -> bool:
        """Whether items are right or wrong, all of them or those of a sample; else graded."""
        return self.is_judged or self.sample is not None

    @property
    def coverage(self) -> Rate:
        """Share of the items of the old run that are compared, by its own references."""
        total = self.worst_case.total
        return Rate(total - sum(self.lost.values()), total)

    @property
    def possible_negative_flip_rates(self) -> Interval | None:
        """Negative flip rates that the lost items allow (Manski); None if nothing is lost."""
        worst = self.worst_case
        if worst is self or not self.is_judged:
            return None
        low, high = sorted((self.counts.negative, worst.counts.negative))
        return Interval(low / worst.total, high / worst.total)

    @cached_property
    def counts(self) -> FlipCounts:
        """Numbers of items in the four quadrants."""
        return self._count()

    @cached_property
    def slices(self) -> dict[str, FlipCounts]:
        """Counts of every slice, the one that lost most accuracy first; empty without slices."""
        return most_lost_first(self._count_by("slice"))

    @cached_property
    def tasks(self) -> dict[str, FlipCounts]:
        """Counts of every task, the one that lost most accuracy first; empty without tasks."""
        return most_lost_first(self._count_by("task"))

    @property
    @abstractmethod
    def answer_forms(self) -> AnswerForms | None:
        """Forms of both runs' answers, and in which form items broke; None without answers."""

    @abstractmethod
    def part_names(self, kind: Kind) -> list[str]:
        """Names of all slices or tasks, sorted."""

    @abstractmethod
    def units(self, event: Event, part: Part | None = None) -> Units:
        """Count an event over independent units, in all items or in one part."""

    @abstractmethod
    def flips(self, *quadrants: Quadrant | str) -> Iterator[Item]:
        """Items in the given quadrants, as many as are known."""

    @abstractmethod
    def _count(self) -> FlipCounts:
        """Count all items."""

    @abstractmethod
    def _count_by(self, kind: Kind) -> dict[str, FlipCounts]:
        """Count the items of every slice or task."""

    def to_dict(self, *, items: JsonItems = "all") -> dict[str, Any]:
        """Describe the comparison and its flips as plain data: no nan, undefined is None.

        Parameters
        ----------
        items : {"all", "none"}
            Whether to list every item that flipped, or none: then "flips" is None. Of repeats each
            prompt that changed is listed once, the surest first.

        Returns
        -------
        dict
            With `schema_version`, which rises when a name changes its meaning.
        """
        check_choice("items", items, get_args(JsonItems))
        possible = self.possible_negative_flip_rates
        lists_items = self.is_judged and items == "all"
        notes = remark_lines(self)
        if lists_items and self.in_memory is None and self.is_repeated:
            lists_items, notes = False, [*notes, f"flips are not listed: {ONCE_IN_MEMORY}"]
        flips = changed_items(self) if lists_items else []
        listed = texts_of(self, flips)
        content: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "signature": self.signature,
            "old": self.names[0],
            "new": self.names[1],
            "dropped": dict(self.dropped),
            "lost": dict(self.lost),
            "coverage": float(self.coverage),
            "answer_forms": None if self.answer_forms is None else self.answer_forms.described(),
            "notes": [*notes, *([listed.problem] if listed.problem else [])],
            "possible_negative_flip_rates": None if possible is None else list(possible),
            "scores": {
                name: described_changes(changes, partial(score_bounds, self, name))
                for name, changes in self.changes.items()
            },
        }
        if not self.is_judged and self.prompts is None:
            return content
        content |= {
            "decoding_noise": described_noise(noise_parts(decoding_noise(self))),
            "prompts": None if self.prompts is None else self.prompts.described(items=items),
        }
        if not self.is_judged:
            return content
        return {
            **content,
            **self._described(None),
            "slices": {name: self._described(Part("slice", name)) for name in self.slices},
            "tasks": {name: self._described(Part("task", name)) for name in self.tasks},
            "macro": macro_averages(self.tasks) or None,
            "flips": None
            if not lists_items
            else [
                {
                    **item._asdict(),
                    "quadrant": str(item.quadrant),
                    **texts.described(),
                    **described_prompt(self, item),
                }
                for item, texts in zip(flips, listed.items, strict=True)
            ],
        }

    def bounds(
        self, rate: str, part: Part | None = None, *, confidence: float = 0.95
    ) -> Bounds | None:
        """Two-sided interval of a rate, with the name of its method.

        Parameters
        ----------
        rate : str
            Name of a rate of `FlipCounts`, such as "negative_flip_rate".
        part : Part, optional
            One task or slice, such as ``Part("slice", "math")``.
        confidence : float
            Level in (0, 1).

        Returns
        -------
        Bounds or None
            Over groups or prompts where rows share them: there the interval of the rate itself,
            which takes items as independent, is too narrow. None where the rate is unknown,
            undefined or no share of items, and where an engine did not count these units.

        Raises
        ------
        UsageError
            If there is no such rate.
        """
        return rate_bounds(self, rate, part, confidence=confidence)

    def _described(self, part: Part | None) -> dict[str, Any]:
        """Describe all items or one part: counts, and rates with intervals.

        Those of dependent rows take time, so a part has them only for what its reports show.
        """

        def bounds(rate: str) -> Bounds | None:
            if part is not None and self.is_clustered and rate not in RATES_OF_PARTS:
                return None
            return self.bounds(rate, part)

        counts = counts_of_part(self, part)
        return described_counts(counts, bounds, is_clustered=self.is_clustered)

    def to_json(self, indent: int | None = 2, *, items: JsonItems = "all") -> str:
        """`to_dict` as JSON with sorted keys; the same comparison gives the same bytes.

        Parameters
        ----------
        indent : int, optional
            As in `json.dumps`.
        items : {"all", "none"}
            As in `to_dict`.

        Returns
        -------
        str
        """
        return json_text(self.to_dict(items=items), indent)

    def to_text(self, *, flips: int = 0, all_rates: bool = False, all_slices: bool = False) -> str:
        """Tables as plain text, as `print` and ``compare`` show them.

        Parameters
        ----------
        flips : int
            How many items to list that broke, the largest loss first.
        all_rates : bool
            Whether to show every rate, and not only four.
        all_slices : bool
            Whether to show every slice and task, and not only ten.

        Returns
        -------
        str

        Examples
        --------
        >>> from muscle_metrics import compare
        >>> comparison = compare(old=["A"], new=["B"], references=["A"])
        >>> "McNemar" in str(comparison), "McNemar" in comparison.to_text(all_rates=True)
        (False, True)
        """
        from muscle_metrics.comparison.text import comparison_text

        return comparison_text(self, flips=flips, all_rates=all_rates, all_slices=all_slices)

    def rates_frame(self) -> pd.DataFrame:
        """Tabulate every rate, and the rates and means of graded scores.

        Returns
        -------
        pandas.DataFrame
            Columns ``metric`` (None for correctness), ``rate``, ``value``, ``count``, ``total``,
            ``low``, ``high`` and ``method`` of the 95 % interval; undefined is NaN.
        """
        from muscle_metrics.comparison.frames import rates_frame

        return rates_frame(self.to_dict())

    def slices_frame(self, by: str = "slice") -> pd.DataFrame:
        """One row for each slice, the one that lost most accuracy first.

        Parameters
        ----------
        by : {"slice", "task"}
            What the rows are.

        Returns
        -------
        pandas.DataFrame
            Items, accuracies, their change with ``change_low`` and ``change_high``, numbers of
            flips, and the negative flip rate with ``low``, ``high`` and ``method``.
        """
        from muscle_metrics.comparison.frames import part_frame

        return part_frame(self.to_dict(), by)

    def flips_frame(self, *quadrants: Quadrant | str) -> pd.DataFrame:
        """Items that broke, the worst first, then those that got fixed; of repeats prompts.

        Parameters
        ----------
        *quadrants : Quadrant or str
            Other quadrants, such as "negative" alone.

        Returns
        -------
        pandas.DataFrame
            Columns as in `to_frame`. Items of one loss, as all are without graded scores, come in
            the natural order of their ids. Counted runs give their sample. Of repeats there is one
            row for each prompt, with ``right_before``, ``right_now``, ``generations``, ``p_value``
            and ``sureness``, the surest change first.

        Raises
        ------
        UsageError
            If scores are graded without a threshold, a quadrant is unknown, or an engine counted
            repeats.
        """
        from muscle_metrics.comparison import frames

        if not self.is_judged and self.prompts is None:
            raise no_threshold()
        held = self.in_memory
        if held is None:
            check_listed_once(self)
            return frames.described_flips(self.flips(*quadrants), quadrants)
        return frames.flips_frame(held, quadrants)

    def gate(self, policy: Any) -> Any:
        """Judge the comparison by a `Policy`, as `check_gate` does, and return its `Verdict`.

        Parameters
        ----------
        policy : Policy
            Limits of the update.

        Returns
        -------
        Verdict

        Raises
        ------
        UsageError
            If the policy does not fit the data.

        Examples
        --------
        >>> from muscle_metrics import Policy, compare
        >>> comparison = compare(old=["A"] * 99, new=["A"] * 99, references=["A"] * 99)
        >>> print(comparison.gate(Policy(max_nfr="0.05")).outcome)
        PASS
        """
        return call_method("gate", self, policy)

    def report(self, path: str | PathLike[str], *, verdict: Any = None, **options: Any) -> None:
        """Write a report, whose format the ending of its name says.

        Parameters
        ----------
        path : str or path
            A file ``.html`` (one page), ``.csv`` (all items) or ``.json``; with a verdict also
            ``.md`` or ``.xml`` (JUnit).
        verdict : Verdict, optional
            What `gate` returned, to be shown too.
        **options
            Those of `html_report` for a page; for a verdict ``examples``, in Markdown ``like``.

        Raises
        ------
        UsageError
            If the ending is none of these, the file cannot be written, or the format needs items
            that an engine did not keep.

        Examples
        --------
        >>> import tempfile
        >>> from muscle_metrics import compare
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     compare(old=["A"], new=["B"], references=["A"]).report(f"{folder}/v2.html")
        """
        call_method("report", self, path, verdict=verdict, **options)

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        counted = ", counted" if self.in_memory is None else ""
        rate = f"NFR {self.counts.negative_flip_rate}" if self.is_judged else "graded"
        return f"<Comparison of {self.total} items{counted}: {rate}>"


def no_threshold() -> UsageError:
    """Error for flips of graded scores without a threshold."""
    return UsageError(
        "expected a threshold that makes graded scores right or wrong, got none: pass "
        "--threshold (threshold=), or read the score changes"
    )


def most_lost_first(counts: Mapping[str, FlipCounts]) -> dict[str, FlipCounts]:
    """Sort counts by their change of accuracy, then by name."""
    pairs = sorted(counts.items(), key=lambda pair: (float(pair[1].accuracy_change), pair[0]))
    return dict(pairs)
