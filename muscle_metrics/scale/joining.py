"""Two runs joined by a database that spills to disk: the SQL of their items, judged one by one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from muscle_metrics.scale.encoding import UNREADABLE_SQL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from muscle_metrics.runs.joining.pairing import Conflict, MissingItems, Unanswered
    from muscle_metrics.scale.encoding import Source

__all__ = ["FLAWS", "Joining"]

TYPES = {"accepted": "VARCHAR[]", "score": "DOUBLE"}
LABELS = {"slice": ("slice",), "group": ("cluster",), "prompt": ("old_prompt", "new_prompt")}
# What no option makes good comes first; every name is a column of the judged items.
FLAWS = (
    "nameless",
    "strange",
    "unscored",
    "prompts_differ",
    "only_old",
    "only_new",
    "conflicting",
    "unanswered",
    "unreferenced",
    "kinds_differ",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """How two sources are joined and judged.

    Parameters
    ----------
    old, new : Source
        The runs.
    by_score : bool
        Whether a recorded score judges, and not the answers.
    threshold : float, optional
        A score of at least this much is right; without one, a score of 1.
    strict_threshold : bool
        Whether a score must exceed it.
    missing, conflict, unanswered
        As in `join_runs`.
    has_lists : bool
        Whether some references are lists of accepted answers, which makes the join slower.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from muscle_metrics.scale.sources import open_source
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "v1.jsonl")
    ...     _ = path.write_text('{"id": 1, "prediction": "A", "reference": "A"}')
    ...     source = open_source(path, {})
    >>> "FULL JOIN" in Joining(old=source, new=source, by_score=False).items()
    True
    """

    old: Source
    new: Source
    by_score: bool
    threshold: float | None = None
    strict_threshold: bool = False
    missing: MissingItems = "error"
    conflict: Conflict = "error"
    unanswered: Unanswered = "error"
    has_lists: bool = False

    @property
    def has_answers(self) -> bool:
        """Whether both runs tell their answers, and not only scores."""
        return "prediction" in self.old.fields and "prediction" in self.new.fields

    def items(self, extra: Sequence[str] = ()) -> str:
        """Write the SQL of all items: what they show, what is wrong with them, who is right."""
        flaws = {name: getattr(self, f"_{name}")() for name in FLAWS}
        columns = ", ".join(f"coalesce({flaw}, FALSE) AS {name}" for name, flaw in flaws.items())
        return f"""
            SELECT key, slice, cluster, old, new, reference, accepted, old_score, new_score,
                   in_old, in_new, {", ".join([*extra, columns])},
                   coalesce({self._right("old")}, FALSE) AS old_right,
                   coalesce({self._right("new")}, FALSE) AS new_right,
                   {"old IS DISTINCT FROM new" if self.has_answers else "FALSE"} AS changed,
                   coalesce(old_score NOT IN (0, 1) OR new_score NOT IN (0, 1), FALSE) AS graded
            FROM ({self._paired()})
        """

    def kept(self) -> str:
        """Write the SQL that tells whether an item is compared."""
        return f"NOT ({' OR '.join(sorted(self.left_out()))})"

    def left_out(self) -> set[str]:
        """Flaws of items that are not compared."""
        return {
            *("only_old", "only_new"),
            *(["conflicting"] if self.conflict == "drop" else []),
            *(["unanswered"] if self.unanswered == "drop" else []),
        }

    def tolerated(self) -> set[str]:
        """Flaws that the options make good."""
        return {
            *(["only_old", "only_new"] if self.missing == "drop" else []),
            *(["conflicting"] if self.conflict != "error" else []),
            *(["unanswered"] if self.unanswered != "error" else []),
        }

    def parts(self) -> set[str]:
        """Parts of the rows that are looked at."""
        parts = {"prediction", "reference", "slice", "group"}
        parts |= {"score"} if "score" in {*self.old.fields, *self.new.fields} else set()
        parts |= {"accepted"} if self.has_lists else set()
        prompted = "prompt" in self.old.fields and "prompt" in self.new.fields
        return parts | ({"prompt"} if prompted else set())

    def _paired(self) -> str:
        parts = self.parts()
        judges = self._judges()

        def pair(part: str, names: tuple[str, str], sides: tuple[str, str] = ("o", "n")) -> str:
            places = [
                f"{side}.{part}" if part in parts else f"NULL::{TYPES.get(part, 'VARCHAR')}"
                for side in sides
            ]
            return ", ".join(
                f"{place} AS {name}" for place, name in zip(places, names, strict=True)
            )

        rows = [
            f"(SELECT *, TRUE AS present FROM ({source.table(parts)}))"
            for source in (self.old, self.new)
        ]
        return f"""
            SELECT coalesce(o.key, n.key) AS key, coalesce(o.present, FALSE) AS in_old,
                   coalesce(n.present, FALSE) AS in_new,
                   coalesce(o.slice, n.slice) AS slice,
                   coalesce(o."group", n."group") AS cluster,
                   {pair("prediction", ("old", "new"))},
                   {pair("reference", ("own_old", "own_new"))},
                   {pair("accepted", ("list_old", "list_new"))},
                   {pair("reference", ("reference", "new_reference"), judges)},
                   {pair("accepted", ("accepted", "new_accepted"), judges)},
                   {pair("prompt", ("old_prompt", "new_prompt"))},
                   {pair("score", ("old_score", "new_score"))}
            FROM {rows[0]} AS o FULL JOIN {rows[1]} AS n ON o.key = n.key
        """

    def _judges(self) -> tuple[str, str]:
        """Which of both rows holds the reference of the old, and which that of the new answer."""
        referring = [side for side, source in (("o", self.old), ("n", self.new))
                     if "reference" in source.fields] or ["o", "n"]  # fmt: skip
        if self.conflict == "first":
            return referring[0], referring[0]
        if self.conflict == "last":
            return referring[-1], referring[-1]
        return referring[0], referring[-1]

    def _right(self, side: str) -> str:
        if self.by_score:
            sign = ">" if self.strict_threshold else ">="
            limit = 1.0 if self.threshold is None else float(self.threshold)
            return f"{side}_score {sign} {limit!r}::DOUBLE"
        prefix = "" if side == "old" else "new_"
        if not self.has_lists:
            return f"{side} = {prefix}reference"
        return (
            f"CASE WHEN {prefix}accepted IS NULL THEN {side} = {prefix}reference "
            f"ELSE list_contains({prefix}accepted, {side}) END"
        )

    def _nameless(self) -> str:
        # An empty id is one even if a repeat follows.
        return "key IS NULL OR key = '' OR ascii(key) = 31"

    def _strange(self) -> str:
        """Values that cannot be compared: nested, not finite, too large to be exact."""
        unlisted = "" if self.has_lists else " OR ascii(own_old) = 91 OR ascii(own_new) = 91"
        lists = "".join(
            f" OR len(list_filter({column}, lambda x: x IS NULL OR ascii(x) IN (63, 91))) > 0 "
            f"OR len({column}) = 0"
            for column in ("list_old", "list_new")
            if self.has_lists
        )
        values = self._unless_text(
            f"ascii(old) IN (63, 91) OR ascii(new) IN (63, 91) OR ascii(own_old) = 63 "
            f"OR ascii(own_new) = 63{unlisted}{lists}"
        )
        labels = [
            name
            for part, names in LABELS.items()
            for name in names
            if self.old.may_be_unreadable(part) or self.new.may_be_unreadable(part)
        ]
        unreadable = f"{UNREADABLE_SQL} IN ({', '.join(labels)})" if labels else "FALSE"
        return f"{values} OR {unreadable}"

    def _unscored(self) -> str:
        return " OR ".join(
            [
                f"(in_{side} AND {self.lacks_score(side)})"
                for side, source in (("old", self.old), ("new", self.new))
                if "score" in source.fields
            ]
            or ["FALSE"]
        )

    def lacks_score(self, side: str) -> str:
        """Write the SQL that tells whether the row of a side has no score that counts."""
        return f"({side}_score IS NULL OR NOT isfinite({side}_score))"

    def _prompts_differ(self) -> str:
        return "old_prompt <> new_prompt"

    def _only_old(self) -> str:
        return "NOT in_new"

    def _only_new(self) -> str:
        return "NOT in_old"

    def _conflicting(self) -> str:
        if not ("reference" in self.old.fields and "reference" in self.new.fields):
            return "FALSE"
        lists = "list_sort(list_old) IS DISTINCT FROM list_sort(list_new)"
        differ = "own_old IS DISTINCT FROM own_new" + f" OR {lists}" * self.has_lists
        return f"in_old AND in_new AND ({differ})"

    def _unanswered(self) -> str:
        if self.by_score:
            return "FALSE"
        return "in_old AND in_new AND (old IS NULL OR new IS NULL)"

    def _unreferenced(self) -> str:
        if self.by_score:
            return "FALSE"
        return "in_old AND in_new AND (reference IS NULL OR new_reference IS NULL)"

    def _kinds_differ(self) -> str:
        judging = () if self.by_score else (("old", "reference"), ("new", "new_reference"))
        pairs = (("old", "new"), *judging)
        singles = " OR ".join(
            f"({one} <> '[' AND {other} <> '[' AND {one} <> {other})"
            for one, other in ((_kind(a), _kind(b)) for a, b in pairs)
        )
        lists = "".join(
            f" OR len(list_filter({accepted}, lambda x: {_kind('x')} <> {_kind(side)})) > 0"
            for side, accepted in (("old", "accepted"), ("new", "new_accepted"))
            if self.has_lists and not self.by_score
        )
        return self._unless_text(singles + lists)

    def _unless_text(self, condition: str) -> str:
        """Look closer only where something is not plain text, which is rare."""
        plain = " AND ".join(f"ascii({x}) = 34" for x in ("old", "new", "own_old", "own_new"))
        return f"CASE WHEN {plain} THEN FALSE ELSE {condition} END"


def _kind(place: str) -> str:
    """Write the SQL of the kind of an encoded value: text, a list, true or false, or a number."""
    first = f"left({place}, 1)"
    return (
        f"CASE WHEN {place} IS NULL THEN NULL WHEN {first} IN ('\"', '[') THEN {first} "
        f"WHEN {first} IN ('t', 'f') THEN 't' ELSE '0' END"
    )
