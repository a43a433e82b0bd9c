"""The design of a sample for labels: strata, stages and draws that a seed decides."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.words.escape import json_source
from muscle_metrics.words.place import show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.labels.items import Identity, LabelItems

__all__ = [
    "CHECKED",
    "Design",
    "Row",
    "check_seed",
    "draw",
    "key_text",
    "new_is_first",
    "read_key",
]

FORMAT = "muscle-metrics labels, version 1"
DIGEST_LENGTH = 12
CHECKED = -1
"""Stratum of items whose answers are equal, of which a few are drawn as a check."""
# One character per item: the votes of signals are -1, 0 or 1.
_LEVELS = "012"
_FIELDS = {"format", "seed", "runs", "levels", "strata_by", "stages", "checks"}


@dataclass(frozen=True, slots=True)
class Design:
    """What decides the rows of a sheet, and which side of each is new.

    Parameters
    ----------
    seed : int
        Decides every draw and every side.
    runs : str
        Digest of both runs.
    levels : tuple of int
        Stratum of every item that differs, in the order of the joined items.
    strata_by : str
        Signals of the strata, in words; empty for one stratum.
    stages : tuple of tuple of int
        For each stage the number of items drawn from each stratum.
    checks : tuple of int
        For each stage the number of items with equal answers that are drawn as a check.
    """

    seed: int
    runs: str
    levels: tuple[int, ...]
    strata_by: str
    stages: tuple[tuple[int, ...], ...]
    checks: tuple[int, ...]

    @property
    def sizes(self) -> list[int]:
        """Number of items of each stratum."""
        return [self.levels.count(level) for level in range(max(self.levels, default=-1) + 1)]

    @property
    def drawn(self) -> list[int]:
        """Number of items drawn from each stratum, over all stages."""
        return [sum(counts) for counts in zip(*self.stages, strict=True)]

    @property
    def digest(self) -> str:
        """Hash of the design; every row of a sheet holds it."""
        return hashlib.sha256(key_text(self).encode()).hexdigest()[:DIGEST_LENGTH]


class Row(NamedTuple):
    """One row of a sheet: the position of its item, and its stratum."""

    position: int
    stratum: int


def draw(design: Design, items: LabelItems) -> list[Row]:
    """Draw the items of a design, in the order of the rows of its sheet.

    In every stratum and stage each item that is left has the same chance. With slices the draws
    are spread over them (systematic sampling with a random start).

    Raises
    ------
    InputError
        If the design is not one of these items.
    """
    differing = [int(position) for position in items.differs.nonzero()[0]]
    equal = [int(position) for position in (~items.differs).nonzero()[0]]
    sizes = design.sizes
    fits = all(len(stage) == len(sizes) and min(stage, default=0) >= 0 for stage in design.stages)
    if (
        len(differing) != len(design.levels)
        or sum(design.checks) > len(equal)
        or len(design.checks) != len(design.stages)
        or not fits
        or any(n > size for n, size in zip(design.drawn, sizes, strict=True))
    ):
        raise InputError(
            "expected a sheet of these two runs, got one whose key counts other items: compare the "
            "runs that 'muscle-metrics label' was given"
        )
    left = {
        level: _shuffled(
            design,
            items,
            [p for p, one in zip(differing, design.levels, strict=True) if one == level],
        )
        for level in range(len(sizes))
    }
    checked = iter(sorted(equal, key=lambda p: _of_item(design.seed, "check", items.identities[p])))
    rows: list[Row] = []
    for number, (stage, checks) in enumerate(zip(design.stages, design.checks, strict=True)):
        chosen = []
        for level, count in enumerate(stage):
            start = _number(design.seed, "start", str(number), str(level))
            picked = _systematic(left[level], count, start)
            chosen += [Row(position, level) for position in picked]
            taken = set(picked)
            left[level] = [position for position in left[level] if position not in taken]
        chosen += [Row(position, CHECKED) for position in islice(checked, checks)]
        chosen.sort(key=lambda row: _of_item(design.seed, "row", items.identities[row.position]))
        rows += chosen
    return rows


def new_is_first(seed: int, identity: Identity) -> bool:
    """Whether the first answer of a row is that of the new model."""
    return _of_item(seed, "side", identity) % 2 == 1


def key_text(design: Design) -> str:
    """Text of the key of a sheet: with the runs it says which side of a row is new."""
    content = {
        "format": FORMAT,
        "seed": design.seed,
        "runs": design.runs,
        "levels": "".join(_LEVELS[level] for level in design.levels),
        "strata_by": design.strata_by,
        "stages": [list(stage) for stage in design.stages],
        "checks": list(design.checks),
    }
    return json_source(json.dumps(content, sort_keys=True, indent=1)) + "\n"


def read_key(text: str, name: str) -> Design:
    """Read the key of a sheet.

    Raises
    ------
    InputError
        If it is no such key.
    """
    try:
        content = json.loads(text)
        return _design(content)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"expected the key that 'muscle-metrics label' wrote beside its sheet in {show(name)}, "
            f"got something else: restore it, or write a new sheet"
        ) from error


def _design(content: dict[str, Any]) -> Design:
    if {*content} != _FIELDS or content["format"] != FORMAT:
        raise ValueError(content["format"])
    stages = tuple(tuple(map(_count, stage)) for stage in content["stages"])
    if not stages:
        raise ValueError(stages)
    return Design(
        seed=_whole(content["seed"]),
        runs=str(content["runs"]),
        levels=tuple(map(_LEVELS.index, content["levels"])),
        strata_by=str(content["strata_by"]),
        stages=stages,
        checks=tuple(map(_count, content["checks"])),
    )


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(value)
    return value


def _count(value: Any) -> int:
    if _whole(value) < 0:
        raise ValueError(value)
    return int(value)


def check_seed(seed: int) -> int:
    """Return a seed if it is a whole number.

    Raises
    ------
    UsageError
        If it is not.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise UsageError(f"expected a whole number as --seed (seed=), got {seed!r}: such as 7")
    return seed


def _shuffled(design: Design, items: LabelItems, positions: Sequence[int]) -> list[int]:
    """Positions by slice, in random order within each."""
    slices = items.joined.slices

    def place(position: int) -> tuple[str, int]:
        return slices[position] or "", _of_item(design.seed, "item", items.identities[position])

    return sorted(positions, key=place)


def _systematic(positions: Sequence[int], count: int, start: int) -> list[int]:
    """Choose a number of positions at equal distances, from ``start / 2**64`` of one distance."""
    # Whole numbers: a rounded place could be chosen twice.
    places = (((k << 64) + start) * len(positions) // (count << 64) for k in range(count))
    return [positions[place] for place in places]


def _of_item(seed: int, use: str, identity: Identity) -> int:
    task, name = identity
    return _number(seed, use, "" if task is None else f"task {task}", name)


def _number(seed: int, *parts: str) -> int:
    """Give the number below 2**64 that a seed and some names decide."""
    text = json.dumps([seed, *parts])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
