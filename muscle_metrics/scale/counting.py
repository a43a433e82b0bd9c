"""Count joined items in one query, by slice, group and marks."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muscle_metrics.comparison.digest import DIGITS, digest
from muscle_metrics.comparison.flip_sample import FlipSample
from muscle_metrics.comparison.items import Item
from muscle_metrics.comparison.reading_facts import ReadingFacts
from muscle_metrics.comparison.totals import Cell, Totals
from muscle_metrics.flips.counting import tally_flips
from muscle_metrics.flips.counts import Quadrant
from muscle_metrics.runs.joining.losses import CONFLICTING, ONLY_IN_NEW, ONLY_IN_OLD, UNANSWERED
from muscle_metrics.runs.natural_order import sort_naturally
from muscle_metrics.scale.answers import MARKS as OF_READING
from muscle_metrics.scale.database import reading
from muscle_metrics.scale.encoding import decode_label, decode_reference, decode_value, split_key
from muscle_metrics.scale.joining import FLAWS
from muscle_metrics.scale.losses import LOSSES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from muscle_metrics.flips.counts import FlipCounts
    from muscle_metrics.scale.joining import Joining

__all__ = ["ListedFlips", "Tally", "count_items", "list_flips"]

# Conditions that may hold for an item; every name is a column of the judged items.
MARKS = (
    *FLAWS, *LOSSES, "in_old", "in_new", "old_right", "new_right", "right_by_own", "changed",
    "old_graded", "new_graded", "old_scored", "new_scored", "old_answered", "new_answered",
    "old_referenced", "new_referenced", "old_prompted", "new_prompted", "listed",
    "slice_differs", "group_differs", "other_form", *OF_READING,
)  # fmt: skip
OF_JUDGEMENT = frozenset({"unreferenced", "unaccepted", "kinds_differ"})
SHOWN = ("key", "old", "new", "old_score", "new_score", "reference", "accepted", "changed")
# An item's name as `rank_of` joins it: id and repeat.
NAME = "CASE WHEN contains(key, chr(31)) THEN replace(key, chr(31), '/') ELSE key || '/' END"

Marks = frozenset[str]
Carried = tuple[str | None, str | None, Marks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Joined items counted by their labels and marks; `a + b` holds the items of both.

    Parameters
    ----------
    items : mapping of (slice, group, marks) to int
        How many items of a slice and a group carry exactly these marks.
    recorded : tuple of int
        How many rows the old and the new run have.
    sample : FlipSample
        Some of the negative flips.
    numbers : mapping of (slice, group, marks) to int
        Sums of the numbers of these items, as in `comparison.digest`.
    """

    items: Mapping[Carried, int]
    recorded: tuple[int, int]
    sample: FlipSample
    numbers: Mapping[Carried, int]

    def __add__(self, other: Tally) -> Tally:
        old, new = (
            mine + theirs for mine, theirs in zip(self.recorded, other.recorded, strict=True)
        )
        return Tally(
            items=Counter(self.items) + Counter(other.items),
            recorded=(old, new),
            sample=self.sample + other.sample,
            numbers=Counter(self.numbers) + Counter(other.numbers),
        )

    def count(self, *marks: str, without: Iterable[str] = ()) -> int:
        """Count items that carry all of `marks` and none of `without`."""
        wanted, unwanted = frozenset(marks), frozenset(without)
        return sum(
            items
            for (*_, held), items in self.items.items()
            if wanted <= held and not held & unwanted
        )

    def flaws(self, joining: Joining) -> frozenset[str]:
        """Flaws that any item carries; those of a judgement only if it is judged."""
        carried = {name for name in FLAWS if self.count(name)} - OF_JUDGEMENT
        # Graded scores have no correctness, so answer types are not checked.
        if not self.is_graded(joining):
            carried |= {name for name in OF_JUDGEMENT if self.count(name, without=joining.left_out)}
        # In memory, references of items that are left out are not read.
        if not self.count("unread", without=joining.left_out):
            carried.discard("unread")
        return frozenset(carried)

    def is_graded(self, joining: Joining) -> bool:
        """Whether items are compared by graded scores, without a threshold for correctness."""
        is_open = joining.judging.by_score and joining.choices.threshold is None
        return is_open and self.holds_grades(joining)

    def holds_grades(self, joining: Joining, *, old_alone: bool = False) -> bool:
        """Whether any compared score is neither 0 nor 1, in any run or in the old one."""
        marks = ("old_graded",) if old_alone else ("old_graded", "new_graded")
        return any(self.count(mark, without=joining.left_out) for mark in marks)

    @property
    def shared(self) -> int:
        """Number of items that both runs have."""
        return self.count("in_old", "in_new")

    @property
    def may_repeat(self) -> bool:
        """Whether ids may repeat within a run.

        An id that repeats in one run multiplies its row in the other. Ids of one run only may
        repeat unseen.
        """
        joined = (self.count("in_old"), self.count("in_new"))
        return joined != self.recorded or bool(self.count("only_old") or self.count("only_new"))

    def dropped(self, joining: Joining) -> dict[str, int]:
        """How many items the options leave out, by reason."""
        counts = {ONLY_IN_NEW: self.count("only_new"), ONLY_IN_OLD: self.count("only_old")}
        conflicting = {"conflicting"} & joining.left_out
        if conflicting:
            counts[CONFLICTING] = self.count("conflicting")
        if "unanswered" in joining.left_out:
            counts[UNANSWERED] = self.count("unanswered", without=conflicting)
        return {reason: count for reason, count in sorted(counts.items()) if count}

    def labels(self, *marks: str, without: Iterable[str] = ()) -> set[str]:
        """Which of slice and group any item has that carries `marks` and none of `without`."""
        wanted, unwanted = frozenset(marks), frozenset(without)
        chosen = [item for item in self.items if wanted <= item[2] and not item[2] & unwanted]
        columns = {
            "slice": (label for label, *_ in chosen),
            "group": (group for _, group, _ in chosen),
        }
        return {part for part, column in columns.items() if any(one is not None for one in column)}

    def lost(self) -> dict[str, int]:
        """How many items of the old run are lost, by reason."""
        counts = {reason: self.count(name) for name, reason in LOSSES.items()}
        return {reason: count for reason, count in sorted(counts.items()) if count}

    def reading_facts(self, joining: Joining) -> ReadingFacts | None:
        """Count the answers in which readers found nothing; None without readers."""
        reading = joining.choices.reading
        if reading is None:
            return None

        def counts(mark: str) -> tuple[int, ...]:
            return tuple(
                self.count(f"{run}_{mark}", without=joining.left_out) for run in ("old", "new")
            )

        return ReadingFacts(
            reading.name, counts("answered"), counts("unread"), sum(counts("reread")), reading
        )

    def digest(self, joining: Joining) -> str:
        """Hash the items that are compared and their correctness, as memory does."""
        sums: dict[str, tuple[int, int]] = {}
        for carried, items in self.items.items():
            held = carried[2]
            if held & joining.left_out:
                continue
            flags = [str(int(name in held)) for name in ("old_right", "new_right", "changed")]
            marks = "".join(flags if joining.has_answers else [*flags[:2], "?"])
            count, total = sums.get(marks, (0, 0))
            sums[marks] = count + items, total + self.numbers[carried]
        return digest(sums)

    def totals(self, joining: Joining) -> Totals:
        """Count the items that are compared, by slice and group."""
        return self._totals(joining, lambda marks: None if marks & joining.left_out else marks)

    def worst(self, joining: Joining) -> Totals:
        """Count the items that are compared, and every lost one as one that NEW got wrong."""

        def lost(marks: Marks) -> Marks:
            return frozenset({"changed", "old_right"} if "right_by_own" in marks else {"changed"})

        return self._with_lost(joining, lost)

    def fixed(self, joining: Joining) -> Totals:
        """Count the items that are compared, and every lost one as wrong before and right now."""
        return self._with_lost(joining, lambda marks: frozenset({"changed", "new_right"}))

    def _with_lost(self, joining: Joining, lost: Callable[[Marks], Marks]) -> Totals:
        def counted(marks: Marks) -> Marks | None:
            if marks & LOSSES.keys():
                return lost(marks)
            return None if marks & joining.left_out else marks

        return self._totals(joining, counted)

    def _totals(self, joining: Joining, counted: Callable[[Marks], Marks | None]) -> Totals:
        kept: dict[Cell, list[tuple[Marks, int]]] = defaultdict(list)
        for (label, group, held), items in self.items.items():
            marks = counted(held)
            if marks is not None:
                kept[Cell(None, label, group)].append((marks, items))
        cells = {cell: _counts(held, joining.has_answers) for cell, held in kept.items()}
        total = sum(counts.total for counts in cells.values())
        return Totals(items=total, cells=cells, scores={}, sample=self.sample)


def _counts(kept: Iterable[tuple[Marks, int]], has_answers: bool) -> FlipCounts:
    marks, items = zip(*kept, strict=True)

    def column(mark: str) -> list[bool]:
        return [mark in held for held in marks]

    return tally_flips(
        old_right=column("old_right"),
        new_right=column("new_right"),
        changed=column("changed") if has_answers else None,
        weights=items,
    )


def count_items(database: Any, joining: Joining) -> Tally:
    """Count the joined items by slice, group and marks, and sample the negative flips."""
    size, seed = joining.choices.sample_size, joining.choices.seed
    # Grouping by one number for all marks scans the items once.
    code = " | ".join(f"({name}::BIGINT << {bit})" for bit, name in enumerate(MARKS))
    # Arguments of an aggregate are computed for every row; a CASE limits them to the flips.
    negative = f"{joining.kept} AND old_right AND NOT new_right"
    rank = f"CASE WHEN {negative} THEN md5('{int(seed)}//' || {NAME}) END"
    shown = ", ".join(f"'{name}': {name}" for name in SHOWN)
    flip = f"CASE WHEN {negative} THEN {{{shown}}} END"
    sample = f"min_by({flip}, {rank}, {int(size)}) FILTER ({negative})" if size else "NULL"
    # An item's number as in `comparison.digest`.
    number = f"('0x' || substr(sha256(key), 1, {DIGITS}))::UBIGINT"
    query = f"""
        SELECT slice, cluster, {code} AS code, count(*), sum({number}), {sample}
        FROM ({joining.items}) GROUP BY slice, cluster, code
    """
    items: dict[Carried, int] = {}
    numbers: dict[Carried, int] = {}
    sampled = []
    with reading():
        rows = database.execute(query).fetchall()
        recorded = (joining.old.count_rows(database), joining.new.count_rows(database))
    for label, group, held, count, total, flips in rows:
        marks = frozenset(name for bit, name in enumerate(MARKS) if held >> bit & 1)
        label = decode_label(label)
        carried = (label, decode_label(group), marks)
        items[carried], numbers[carried] = count, int(total)
        sampled += [(0.0, _item(label, flip, joining)) for flip in flips or ()]
    return Tally(
        items=items,
        recorded=recorded,
        sample=FlipSample.draw(sampled, size=size, seed=seed),
        numbers=numbers,
    )


@dataclass(frozen=True, slots=True)
class ListedFlips:
    """Every flip among joined items; `a + b` lists those of both."""

    items: tuple[Item, ...]

    def __add__(self, other: ListedFlips) -> ListedFlips:
        return ListedFlips(self.items + other.items)

    @property
    def holds_numbers(self) -> bool:
        """Whether any answer or reference is a number."""
        values = (value for item in self.items for value in (item.old, item.new, item.reference))
        flat = (one for value in values for one in (value if isinstance(value, list) else [value]))
        return any(type(one) in {int, float} for one in flat)

    def in_order(self) -> tuple[Item, ...]:
        """Flips in the natural order of their ids, as in memory."""
        by_id = {item.id: item for item in self.items}
        return tuple(map(by_id.__getitem__, sort_naturally(list(by_id))))


def list_flips(database: Any, joining: Joining) -> ListedFlips:
    """Fetch every item that broke or got fixed; none may have repeats."""
    flipped = f"{joining.kept} AND old_right <> new_right"
    query = f"SELECT slice, old_right, {', '.join(SHOWN)} FROM ({joining.items}) WHERE {flipped}"
    with reading():
        rows = database.execute(query).fetchall()
    flips = []
    for label, broke, *shown in rows:
        quadrant = Quadrant.NEGATIVE if broke else Quadrant.POSITIVE
        flip = dict(zip(SHOWN, shown, strict=True))
        flips.append(_item(decode_label(label), flip, joining, quadrant))
    return ListedFlips(tuple(flips))


def _item(
    label: str | None,
    flip: dict[str, Any],
    joining: Joining,
    quadrant: Quadrant = Quadrant.NEGATIVE,
) -> Item:
    name, repeat = split_key(flip["key"])
    has_answers = joining.has_answers
    old, new = (
        decode_value(flip[side]) if has_answers else flip[f"{side}_score"]
        for side in ("old", "new")
    )
    return Item(
        id=name,
        task=None,
        repeat=repeat,
        slice=label,
        old=old,
        new=new,
        reference=decode_reference(flip["reference"], flip["accepted"]),
        quadrant=quadrant,
        changed=flip["changed"] if has_answers else None,
    )
