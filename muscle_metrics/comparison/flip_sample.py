"""A bounded sample of flips that does not depend on how the items were split or ordered."""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from muscle_metrics.comparison.items import Item

__all__ = ["FlipSample", "RankedFlip", "rank_of"]

RankedFlip = tuple[float, str, "Item"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipSample:
    """At most `size` negative flips of every slice; `a + b` samples the flips of both.

    A hash of the seed and of its name draws an item, never its position: shards give the same
    sample in any order.

    Parameters
    ----------
    size : int
        Largest number of flips kept per slice.
    seed : int
        Seed of the draw.
    flips : mapping of (str or None) to tuple of RankedFlip
        By slice: the negated size of the loss, the rank in the draw, and the item.

    Examples
    --------
    >>> from muscle_metrics import compare
    >>> items = compare(old=["A"] * 9, new=["B"] * 9, references=["A"] * 9).items()
    >>> sample = FlipSample.draw(((0.0, item) for item in items), size=2, seed=7)
    >>> [item.id for item in sample.items()]
    ['0', '3']
    """

    size: int
    seed: int
    flips: Mapping[str | None, tuple[RankedFlip, ...]]

    @classmethod
    def draw(cls, flips: Iterable[tuple[float, Item]], *, size: int, seed: int) -> FlipSample:
        """Draw from flips, each with the size of its loss: larger ones come first."""
        by_slice: dict[str | None, list[RankedFlip]] = {}
        for loss, item in flips:
            by_slice.setdefault(item.slice, []).append((-loss, rank_of(seed, item), item))
        kept = {name: _least(ranked, size) for name, ranked in by_slice.items()}
        return cls(size=size, seed=seed, flips=kept)

    def __add__(self, other: FlipSample) -> FlipSample:
        if (self.size, self.seed) != (other.size, other.seed):
            raise UsageError(
                f"expected samples of one size and seed, got {self.size}, {self.seed} and "
                f"{other.size}, {other.seed}: draw all shards alike"
            )
        merged = {
            name: _least([*self.flips.get(name, ()), *other.flips.get(name, ())], self.size)
            for name in {*self.flips, *other.flips}
        }
        return FlipSample(size=self.size, seed=self.seed, flips=merged)

    def items(self) -> list[Item]:
        """Give the sampled items, the worst first, then in the order of the draw."""
        everything = [flip for flips in self.flips.values() for flip in flips]
        return [item for _, _, item in sorted(everything, key=lambda flip: flip[:2])]


def rank_of(seed: int, item: Item) -> str:
    """Rank of an item in the draw: a hash of the seed, task, id and repeat."""
    name = "/".join([str(seed), item.task or "", item.id, item.repeat or ""])
    # JSON may hold lone surrogates, which UTF-8 has no bytes for.
    content = name.encode("utf-8", "surrogatepass")
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _least(ranked: list[RankedFlip], size: int) -> tuple[RankedFlip, ...]:
    return tuple(heapq.nsmallest(size, ranked, key=lambda flip: flip[:2]))
