"""Two runs and the labels of a sample of their items: what a gate and a report ask of them."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, get_args

from muscle_metrics.comparison.facts import Facts, JsonItems
from muscle_metrics.comparison.items import Item
from muscle_metrics.comparison.plain_data import json_text
from muscle_metrics.comparison.signature import join_facts, name_recipe
from muscle_metrics.errors import InputError, UsageError, check_choice
from muscle_metrics.evidence.evidence import Bounds
from muscle_metrics.evidence.labels import LabelSample, label_evidence
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.labels.design import Design, read_key
from muscle_metrics.labels.items import LabelItems, join_for_labels
from muscle_metrics.labels.judge import JudgeErrors, Verdicts, read_verdicts
from muscle_metrics.labels.outcomes import errors_of, quadrant_of, sample_of
from muscle_metrics.labels.sheet import LABELS, Sheet, key_path, read_labels
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Run
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike
    from typing import Unpack

    from muscle_metrics.comparison.reading_facts import ReadingFacts
    from muscle_metrics.evidence.labels import LabelEvent
    from muscle_metrics.evidence.units import Event, Kind, Part, Units
    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.runs.joining.pairing import Conflict, MissingItems, Unanswered
    from muscle_metrics.runs.read import ReadOptions, Source

__all__ = [
    "LabelledComparison",
    "compare_labelled",
    "read_design",
    "read_source",
]

SCHEMA_VERSION = 1
DIGEST_LENGTH = 12
RATES: dict[str, LabelEvent] = {
    "negative_flip_rate": "negative",
    "positive_flip_rate": "positive",
    "inconsistency_flip_rate": "inconsistent",
    "accuracy_change": "loss",
}
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LabelledComparison(Facts):
    """Changes by an update, from labels of a sample of the items whose answers differ.

    Made by `compare_labelled`. It has bounds of rates, and no counts: most items have no label.

    Parameters
    ----------
    names : tuple of str
        Names of the old and of the new run.
    items : LabelItems
        Both runs.
    design : Design
        How the rows of the sheet were drawn.
    sheet : Sheet
        The rows and their labels.
    sample : LabelSample
        Outcomes of the labels, by stratum.
    recipe : mapping of str to str
        Options that the numbers depend on; the signature lists them.
    dropped, lost : mapping of str to int
        Items that were left out, and items of the old run that the new run lost, by reason.
    verdicts : Verdicts, optional
        What a judge says of all items; labels correct it.

    Examples
    --------
    >>> "negative_flip_rate" in RATES
    True
    """

    names: tuple[str, str]
    items: LabelItems
    design: Design
    sheet: Sheet
    sample: LabelSample = field()
    recipe: Mapping[str, str]
    dropped: Mapping[str, int]
    lost: Mapping[str, int]
    labels_from_new: frozenset[str] = frozenset()
    relabelled: Mapping[str, int] = field(default_factory=dict)
    reading: ReadingFacts | None = None
    verdicts: Verdicts | None = None

    @property
    def total(self) -> int:
        """Number of items, N."""
        return self.sample.total

    @property
    def is_judged(self) -> bool:
        """No: it is known of labelled items alone which are right."""
        return False

    @property
    def is_repeated(self) -> bool:
        """No: repeats are refused."""
        return False

    @property
    def is_clustered(self) -> bool:
        """No: items in groups are refused."""
        return False

    @property
    def knows_units(self) -> bool:
        """Every item is a unit."""
        return True

    @property
    def changes(self) -> Mapping[str, Any]:
        """No graded scores."""
        return _NOTHING

    @property
    def fingerprints(self) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Other facts that the runs recorded, such as model and dataset."""
        return self.items.fingerprints

    @property
    def in_memory(self) -> None:
        """None: there is no correctness of all items."""

    @property
    def answers_changed(self) -> int:
        """How many items have answers that differ."""
        return self.sample.differing

    @cached_property
    def worst_case(self) -> LabelledComparison:
        """The comparison in which items without a label, and lost ones, are broken."""
        lost = sum(self.lost.values())
        return replace(self, sample=replace(self.sample, lost=lost, is_worst=True))

    @property
    def fixed_case(self) -> LabelledComparison:
        """None can be made: limits of equivalence are refused beside labels."""
        raise _no_counts()

    @cached_property
    def accepting_losses(self) -> LabelledComparison:
        """The comparison in which items without a label are broken, and lost ones do not count."""
        return replace(self, sample=replace(self.sample, is_worst=True))

    @cached_property
    def signature(self) -> str:
        """One line with the options and the input of the numbers."""
        labels = [(one.old, one.new) for one in self.sheet.labels]
        cells = [] if self.verdicts is None else self.verdicts.cells.tolist()
        content = json.dumps([self.items.digest, self.design.digest, labels, *cells])
        digest = hashlib.sha256(content.encode()).hexdigest()[:DIGEST_LENGTH]
        return join_facts(self.recipe, self.items.total, self.dropped, input=digest)

    @cached_property
    def judge_errors(self) -> JudgeErrors | None:
        """How often the judge is right about labelled answers; None without a judge."""
        if self.verdicts is None:
            return None
        return errors_of(self.design, self.sheet, self.verdicts)

    @property
    def judge_finding(self) -> str | None:
        """Whether the judge is lenient on one of the models, in a sentence."""
        errors = self.judge_errors
        if errors is None or self.verdicts is None:
            return None
        return f"judge {show(self.verdicts.name)}: {errors.finding}"

    @property
    def judge_bias(self) -> str | None:
        """On which model the judge is lenient; None where labels show no difference."""
        errors = self.judge_errors
        return self.judge_finding if errors is not None and errors.is_biased else None

    @property
    def answer_forms(self) -> None:
        """None: labels tell of few items in which form they broke."""
        return None

    def part_names(self, kind: Kind) -> list[str]:
        """No parts: labels of a sample do not decide them."""
        return []

    def units(self, event: Event, part: Part | None = None) -> Units:
        """No units can be counted: see `sample`."""
        raise _no_counts()

    def flips(self, *quadrants: Quadrant | str) -> Iterator[Item]:
        """Labelled items in the given quadrants; by default those that broke or got fixed."""
        wanted = [str(one) for one in quadrants or (Quadrant.NEGATIVE, Quadrant.POSITIVE)]
        pairs = list(zip(self.sheet.rows, self.sheet.labels, strict=True))
        for name in wanted:
            for row, label in sorted(pairs, key=lambda pair: pair[0].position):
                if quadrant_of(label) == name:
                    yield self._item(row.position, Quadrant(name))

    def bounds(self, rate: str, part: Part | None = None, *, confidence: float = 0.95) -> Bounds:
        """Two-sided interval of a rate; items without a label may have broken, or not.

        Raises
        ------
        UsageError
            If labels do not give such a rate.
        """
        if rate not in RATES or part is not None:
            raise UsageError(
                f"expected one of {[*RATES]} of all items, got {rate!r}: labels of a sample give "
                f"no others"
            )
        event = RATES[rate]
        worst = self.worst_case.sample
        low = label_evidence(self.sample, event).interval(confidence, "two-sided")
        high = label_evidence(worst, event).interval(confidence, "two-sided")
        if event == "loss":
            return Bounds(-high.high, -low.low, low.below, low.below)
        return Bounds(low.low, high.high, low.below, low.below)

    def value(self, rate: str) -> float:
        """Estimate of a rate; nan where a stratum has no label."""
        found = self.sample.estimate(RATES[rate])
        return -found if rate == "accuracy_change" else found

    def to_dict(self, *, items: JsonItems = "all") -> dict[str, Any]:
        """Describe the labels and what they say as plain data: no nan, undefined is None.

        Parameters
        ----------
        items : {"all", "none"}
            Whether to list every labelled item that flipped, or none: then "flips" is None.
        """
        check_choice("items", items, get_args(JsonItems))
        sample = self.sample
        rates = {}
        for name in RATES:
            value, bounds = self.value(name), self.bounds(name)
            rates[name] = {
                "value": None if math.isnan(value) else value,
                "interval": list(bounds.ends),
                "method": bounds.method,
            }
        return {
            "schema_version": SCHEMA_VERSION,
            "signature": self.signature,
            "old": self.names[0],
            "new": self.names[1],
            "items": self.total,
            "dropped": dict(self.dropped),
            "lost": dict(self.lost),
            "differing": sample.differing,
            "most_without_labels": sample.differing / sample.total,
            "seed": self.design.seed,
            "strata_by": self.design.strata_by,
            "strata": [one._asdict() for one in sample.strata],
            "equal": sample.equal._asdict(),
            "rates": rates,
            "judge": self._judge_data(),
            "flips": None
            if items == "none"
            else [{**item._asdict(), "quadrant": str(item.quadrant)} for item in self.flips()],
        }

    def to_json(self, indent: int | None = 2, *, items: JsonItems = "all") -> str:
        """`to_dict` as JSON with sorted keys."""
        return json_text(self.to_dict(items=items), indent)

    def __str__(self) -> str:
        from muscle_metrics.labels.text import labelled_text

        return labelled_text(self)

    def __repr__(self) -> str:
        return f"<LabelledComparison of {self.total} items by {self.sample.labels} labels>"

    def _judge_data(self) -> dict[str, Any] | None:
        if self.verdicts is None or self.judge_errors is None:
            return None
        unknown = int((~self.verdicts.known).sum())
        about = {"name": self.verdicts.name, "alone": self.verdicts.rates(), "unknown": unknown}
        return {**about, **self.judge_errors.to_dict()}

    def _item(self, position: int, quadrant: Quadrant) -> Item:
        old, new = (records[position] for records in self.items.joined.records)
        return Item(
            old.id,
            old.task,
            None,
            self.items.joined.slices[position],
            old.prediction,
            new.prediction,
            self.items.joined.references[0][position],
            quadrant,
            changed=True,
        )

    def _count(self) -> FlipCounts:
        raise _no_counts()

    def _count_by(self, kind: Kind) -> dict[str, FlipCounts]:
        return {}


def compare_labelled(
    old: Source,
    new: Source,
    labels: str | PathLike[str],
    *,
    judge: str | None = None,
    threshold: float | None = None,
    strict_threshold: bool = False,
    missing: MissingItems = "error",
    conflict: Conflict = "error",
    unanswered: Unanswered = "error",
    names: tuple[str, str] | None = None,
    **reading: Unpack[ReadOptions],
) -> LabelledComparison:
    """Compare two runs by the labels of a sheet that `plan_labels` planned.

    Parameters
    ----------
    old, new : Run, str, path or table
        The runs that the sheet was made of.
    labels : str or path
        The filled sheet; its key lies beside it.
    judge : str, optional
        Score of a judge that both runs recorded. Its verdicts on all items narrow the intervals,
        and the labels correct them. Name it before the labels are looked at.
    threshold : float, optional
        Least score of the judge that is right; not needed for verdicts of 0 and 1.
    strict_threshold : bool
        Whether the score must be better than the threshold.
    missing, conflict, unanswered
        As in `compare_runs`; the same as for the sheet.
    names : tuple of str, optional
        Names of the runs.
    **reading
        Options of `read_run` for runs that are not read yet.

    Returns
    -------
    LabelledComparison
        `check_gate` judges it, and it prints as a table.

    Raises
    ------
    InputError
        If the sheet is not one of these runs, was changed, or has no labels.
    UsageError
        If the judge is not recorded in both runs, or graded and without a threshold.

    Examples
    --------
    >>> import tempfile
    >>> from muscle_metrics.labels.plan import plan_labels
    >>> old = [{"id": str(k), "prediction": "yes"} for k in range(100)]
    >>> new = [{**row, "prediction": "no"} if k < 20 else row for k, row in enumerate(old)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "sheet.csv")
    ...     plan_labels(old, new, budget=20, seed=7).write(file)
    ...     filled = file.read_text().replace(",,,,", ",yes,yes,,")
    ...     _ = file.write_text(filled)
    ...     comparison = compare_labelled(old, new, file)
    >>> comparison.sample.labels, comparison.value("negative_flip_rate")
    (15, 0.0)
    """
    runs = [read_source(one, place, names, reading) for place, one in enumerate((old, new))]
    items = join_for_labels(
        runs[0], runs[1], missing=missing, conflict=conflict, unanswered=unanswered
    )
    design = read_design(labels, items)
    sheet = read_labels(Path(labels), items, design)
    if all(label.old is None for label in sheet.labels):
        raise InputError(
            f"expected labels in {show(str(labels))}, got none in {len(sheet.rows)} rows: write "
            f"yes or no into {LABELS[0]} and {LABELS[1]}"
        )
    verdicts = _verdicts(items, judge, threshold, strict=strict_threshold)
    return LabelledComparison(
        names=(items.joined.names[0], items.joined.names[1]),
        items=items,
        design=design,
        sheet=sheet,
        sample=sample_of(items, design, sheet, verdicts),
        verdicts=verdicts,
        dropped=items.joined.dropped,
        lost=items.joined.losses.reasons,
        recipe=name_recipe(
            "labels",
            missing=missing,
            conflict=conflict,
            unanswered=unanswered,
            sheet=design.digest,
            labels=str(sum(label.old is not None for label in sheet.labels)),
            **({} if verdicts is None else {"judge": verdicts.name}),
        ),
    )


def _verdicts(
    items: LabelItems, judge: str | None, threshold: float | None, *, strict: bool
) -> Verdicts | None:
    if judge is not None:
        return read_verdicts(items, judge, threshold=threshold, strict=strict)
    if threshold is not None or strict:
        raise UsageError(
            "expected the score of a judge for --threshold (threshold=) beside labels, got none: "
            "name it with --judge (judge=)"
        )
    return None


def read_source(
    source: Source, place: int, names: tuple[str, str] | None, reading: ReadOptions
) -> Run:
    """Read the old run (0) or the new one (1), unless it is read."""
    if isinstance(source, Run):
        return source
    is_path = isinstance(source, (str, Path)) or hasattr(source, "__fspath__")
    name = None if is_path else ("old", "new")[place]
    return read_run(source, name=names[place] if names else name, **reading)


def read_design(labels: str | PathLike[str], items: LabelItems) -> Design:
    """Read the key beside a sheet, and refuse one of other runs.

    Raises
    ------
    InputError
        If there is none, or it belongs to other runs.
    """
    path = key_path(Path(labels))
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(
            f"expected the key of the sheet in {show(str(path))}, got "
            f"{getattr(error, 'strerror', None) or 'bytes that are not UTF-8'}: keep it beside the "
            f"sheet, but not with those who label"
        ) from error
    design = read_key(text, str(path))
    if design.runs != items.digest:
        raise InputError(
            f"expected a sheet of these two runs, got the one in {show(str(path))} of other "
            f"answers, ids or slices: name the runs and options that 'muscle-metrics label' was "
            f"given"
        )
    return design


def _no_counts() -> UsageError:
    return UsageError(
        "expected labels of every item for counts, got those of a sample: read .bounds() and "
        ".sample, or compare with --reference FILE"
    )
