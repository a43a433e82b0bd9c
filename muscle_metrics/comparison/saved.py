"""A comparison that was saved as JSON, read back: what it shows, without its items."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison import frames
from muscle_metrics.comparison.facts import most_lost_first
from muscle_metrics.comparison.items import Item, items_of_quadrants
from muscle_metrics.comparison.plain_data import SCHEMA_VERSION, described_rate, json_text
from muscle_metrics.errors import InputError
from muscle_metrics.flips.counts import FlipCounts, Quadrant
from muscle_metrics.runs.files.json_object import read_json_object
from muscle_metrics.runs.files.strict_json import BAD_JSON, decode
from muscle_metrics.words.escape import terminal, visible
from muscle_metrics.words.place import list_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

__all__ = ["SavedComparison", "read_saved"]

_TEXTS = ("signature", "old", "new")
_PARTS = ("slices", "tasks")


# Without slots, because a cached property lives in the `__dict__` of its instance.
@dataclass(frozen=True, eq=False)
class SavedComparison:
    """Counts, rates with their intervals, slices, tasks and flips of a comparison in a file.

    Items that did not flip are not in the file, nor are the facts that a gate asks of the runs. So
    it can be shown again, and not be judged again: compare the runs for that.

    Parameters
    ----------
    data : mapping
        What `Comparison.to_dict` gave.

    Examples
    --------
    >>> from muscle_metrics import Comparison, compare
    >>> text = compare(old=["A", "B"], new=["A", "C"], references=["A", "B"]).to_json()
    >>> saved = Comparison.from_json(text)
    >>> saved.counts.negative, [item.id for item in saved.flips()], saved.to_json() == text
    (1, ['1'], True)
    """

    data: Mapping[str, Any]

    @property
    def names(self) -> tuple[str, str]:
        """Names of the old and of the new run."""
        return self.data["old"], self.data["new"]

    @property
    def signature(self) -> str:
        """One line with the options and the input of the numbers."""
        return str(self.data["signature"])

    @property
    def is_judged(self) -> bool:
        """Whether it is known which items are right."""
        return "counts" in self.data

    @cached_property
    def counts(self) -> FlipCounts:
        """Numbers of items in the four quadrants."""
        if not self.is_judged:
            raise InputError(
                "expected counts of flips, got a saved comparison of graded scores without a "
                "threshold: compare the runs again with --threshold (threshold=)"
            )
        return FlipCounts(**self.data["counts"])

    @cached_property
    def slices(self) -> dict[str, FlipCounts]:
        """Counts of every slice, the one that lost most accuracy first."""
        return self._parts("slice")

    @cached_property
    def tasks(self) -> dict[str, FlipCounts]:
        """Counts of every task, the one that lost most accuracy first."""
        return self._parts("task")

    def flips(self, *quadrants: Quadrant | str) -> Iterator[Item]:
        """Items that broke, then those that got fixed; or those of the given quadrants.

        An engine saves a sample of the items that broke.

        Raises
        ------
        InputError
            If the file was written without its items.
        UsageError
            If a quadrant is unknown.
        """
        flips = self.data.get("flips", [])
        if flips is None:
            raise InputError(
                "expected saved flips, got a comparison that was saved without its items: write it "
                "again without --json-items none (items=)"
            )
        items = [
            Item._make(flip[name] for name in Item._fields)._replace(
                quadrant=Quadrant(flip["quadrant"])
            )
            for flip in flips
        ]
        return items_of_quadrants(items, quadrants)

    def rates_frame(self) -> pd.DataFrame:
        """Tabulate all rates, as `Comparison.rates_frame` does."""
        return frames.rates_frame(self.data)

    def slices_frame(self, by: str = "slice") -> pd.DataFrame:
        """One row for each slice or task, as `Comparison.slices_frame` does."""
        return frames.part_frame(self.data, by)

    def flips_frame(self, *quadrants: Quadrant | str) -> pd.DataFrame:
        """Tabulate the saved flips; without their scores, in the order of their ids."""
        frame = frames.described_flips(self.flips(*quadrants), quadrants)
        return frames.with_prompts(frame, self.data["flips"])

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as they were saved."""
        return dict(self.data)

    def to_json(self, indent: int | None = 2) -> str:
        """Write the same JSON again."""
        return json_text(self.to_dict(), indent)

    def __str__(self) -> str:
        from muscle_metrics.comparison.text import saved_text

        return saved_text(self)

    def __repr__(self) -> str:
        return f"<SavedComparison of {' -> '.join(self.names)}>"

    def _repr_html_(self) -> str:
        from muscle_metrics.words.escape import html

        lines = "\n".join(map(html, str(self).splitlines()))
        return f"<pre>{lines}</pre>"

    def _parts(self, kind: str) -> dict[str, FlipCounts]:
        parts = self.data.get(f"{kind}s", {})
        return most_lost_first({name: FlipCounts(**part["counts"]) for name, part in parts.items()})


def read_saved(source: str | os.PathLike[str]) -> SavedComparison:
    """Read the JSON of a comparison, from a file or from its text.

    Raises
    ------
    FileError
        If the file cannot be read.
    InputError
        If it is no such JSON, or its counts and rates disagree.
    """
    text = source.lstrip() if isinstance(source, str) else ""
    place = "the text" if text.startswith("{") else visible(os.fspath(source))
    try:
        data: Any = decode(text)[0] if text.startswith("{") else read_json_object(Path(source))
    except BAD_JSON as error:
        if isinstance(error, InputError):
            raise
        raise _refusal(place, f"JSON that is not whole ({visible(str(error))})") from error
    _check(data, place)
    return SavedComparison(data)


def _check(data: Mapping[str, Any], place: str) -> None:
    if "outcome" in data:
        raise _refusal(place, "the JSON of a verdict")
    if "versions" in data:
        raise _refusal(place, "the JSON of a chain")
    texts = all(isinstance(data.get(name), str) for name in _TEXTS)
    if not texts or not isinstance(data.get("scores"), dict):
        raise _refusal(place, f"the keys {list_names(list(data)[:5]) or 'none'}")
    if data.get("schema_version") != SCHEMA_VERSION:
        raise _refusal(place, f"version {data.get('schema_version')!r} of it")
    try:
        wholes = [data] if "counts" in data else []
        parts = [part for kind in _PARTS for part in data.get(kind, {}).values()]
        sound = all(_agrees(part) for part in [*wholes, *parts])
        rates = [rate for part in parts for rate in part["rates"].values()]
        sound = sound and all(map(_can_be_shown, [*frames.rate_rows(data), *rates]))
        list(map(terminal, data.get("notes", [])))
        if data.get("flips", []) is not None:
            list(SavedComparison(data).flips())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _refusal(place, "one with fields of other kinds") from error
    if not sound:
        raise _refusal(place, "counts that disagree with their rates")


def _agrees(part: Mapping[str, Any]) -> bool:
    """Whether the rates of saved counts are those that follow from them."""
    rates = FlipCounts(**part["counts"]).rates()
    described = {name: described_rate(rate, None) for name, rate in rates.items()}
    return all(
        {key: part["rates"][name][key] for key in rate} == rate for name, rate in described.items()
    )


def _can_be_shown(rate: Mapping[str, Any]) -> bool:
    """Whether a rate or mean holds numbers, and both ends where a method gave an interval."""
    method, ends = rate.get("method"), [rate.get("low"), rate.get("high")]
    numbers = [rate["value"], rate.get("count"), rate.get("total"), *ends]
    if not all(one is None or isinstance(one, int | float) for one in numbers):
        return False
    return ends == [None, None] if method is None else isinstance(method, str) and None not in ends


def _refusal(place: str, given: str) -> InputError:
    return InputError(
        f"{place}: expected the JSON of a comparison of two runs, got {given}: write it with "
        f"'muscle-metrics compare OLD NEW --json FILE' (to_json)"
    )
