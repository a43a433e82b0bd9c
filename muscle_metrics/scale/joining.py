"""The SQL that joins two runs, judges every item and marks its flaws."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muscle_metrics.flips.thresholds import RECORDED_TIE
from muscle_metrics.runs.joining.references import refuse_own_answers
from muscle_metrics.scale.answers import MARKS, TEXTS
from muscle_metrics.scale.encoding import sql_null
from muscle_metrics.scale.form_marks import other_form
from muscle_metrics.scale.losses import loss_columns

if TYPE_CHECKING:
    from muscle_metrics.scale.choices import Choices, Judging
    from muscle_metrics.scale.sources import Source

__all__ = ["FLAWS", "Joining"]

FALSE = "FALSE"
DIGEST_LENGTH = 16
# Every name is a column of the judged items.
FLAWS = (
    "prompts_differ",
    "only_old",
    "only_new",
    "conflicting",
    "unanswered",
    "unreferenced",
    "unaccepted",
    "kinds_differ",
    "unread",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Two sources, and how they are joined and judged.

    Parameters
    ----------
    old, new : Source
        The runs.
    choices : Choices
        The user's choices.
    judging : Judging
        The metric that the rows decide without their texts, and the metrics of texts.
    has_lists : bool
        Whether some references are lists of accepted answers, which makes the join slower.
    """

    old: Source
    new: Source
    choices: Choices
    judging: Judging
    has_lists: bool = False

    @classmethod
    def of(cls, old: Source, new: Source, choices: Choices) -> Joining:
        """Join two sources, whose fields decide which metric judges.

        Raises
        ------
        UsageError
            If the metrics or the threshold do not fit the fields, or answers of the new run are
            their own references.
        """
        refuse_own_answers(new.name, new.own_field)
        fields = [source.fields.get("score") for source in (old, new)]
        judging = choices.judging(fields, (old.name, new.name))
        # Readers see lists of references, so these are read at once.
        has_lists = choices.reading is not None
        return cls(old=old, new=new, choices=choices, judging=judging, has_lists=has_lists)

    @property
    def has_answers(self) -> bool:
        """Whether both runs hold answers, and not only scores."""
        return self._both_have("prediction")

    @property
    def parts(self) -> set[str]:
        """Parts of the rows that are read."""
        parts = {"prediction", "reference", "slice", "group"}
        parts |= {"score", "prompt"} & {*self.old.fields, *self.new.fields}
        return parts | ({"accepted"} if self.has_lists else set())

    @property
    def left_out(self) -> set[str]:
        """Flaws of items that are not compared."""
        return {
            *("only_old", "only_new"),
            *(["conflicting"] if self.choices.conflict == "drop" else []),
            *(["unanswered"] if self.choices.unanswered == "drop" else []),
        }

    @property
    def tolerated(self) -> set[str]:
        """Flaws that the options repair."""
        return {
            *(["only_old", "only_new"] if self.choices.missing == "drop" else []),
            *(["conflicting"] if self.choices.conflict != "error" else []),
            *(["unanswered"] if self.choices.unanswered != "error" else []),
        }

    @property
    def kept(self) -> str:
        """SQL of the condition that an item is compared."""
        return f"NOT ({' OR '.join(sorted(self.left_out))})"

    @property
    def judges_by_own(self) -> bool:
        """Whether each run is judged by references of its own."""
        return self.choices.conflict == "own" and self._both_have("reference")

    @property
    def items(self) -> str:
        """SQL of all items: their values, flaws and losses, and which model is right."""
        conditions = self._flaws()
        flaws = ", ".join(f"coalesce({conditions[name]}, FALSE) AS {name}" for name in FLAWS)
        old, new = self.read("old"), self.read("new")
        marks = ", ".join(MARKS if self.choices.reading else (f"FALSE AS {one}" for one in MARKS))
        read = "".join(f", {column}" for column in self.columns_read)
        judged = f"""
            SELECT key, slice, cluster, old, new, reference, accepted, old_score, new_score,
                   own_old, list_old, in_old, in_new, {flaws}, {self._references_of_new()},
                   coalesce({self._right("old", "reference", "accepted")}, FALSE) AS old_right,
                   coalesce({self._right("new", "new_reference", "new_accepted")}, FALSE)
                       AS new_right,
                   coalesce({self._right_by_own()}, FALSE) AS right_by_own,
                   {self._silent("old")} AS old_silent,
                   {f"{old} IS DISTINCT FROM {new}" if self.has_answers else "FALSE"} AS changed,
                   coalesce(old_score NOT IN (0, 1), FALSE) AS old_graded,
                   coalesce(new_score NOT IN (0, 1), FALSE) AS new_graded,
                   old_score IS NOT NULL AS old_scored, new_score IS NOT NULL AS new_scored,
                   {old} IS NOT NULL AS old_answered, {new} IS NOT NULL AS new_answered,
                   old_prompt IS NOT NULL AS old_prompted, new_prompt IS NOT NULL AS new_prompted,
                   coalesce(ascii(own_old) = 91 OR ascii(own_new) = 91, FALSE) AS listed,
                   own_old IS NOT NULL AS old_referenced, own_new IS NOT NULL AS new_referenced,
                   slice_differs, group_differs, {other_form(self)}, {marks}{read}
            FROM {self.relation if self.choices.reading else f"({self.pairs})"}
        """
        return f"SELECT *, {loss_columns(self)} FROM ({judged})"

    def _both_have(self, part: str) -> bool:
        return part in self.old.fields and part in self.new.fields

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns that hold what readers read; none without readers."""
        return () if self.choices.reading is None else tuple(f"read_{part}" for part in TEXTS)

    def read(self, column: str) -> str:
        """Name of the column that holds what readers read of another column of texts."""
        return column if self.choices.reading is None else f"read_{column}"

    @property
    def relation(self) -> str:
        """Name of the joined items with what readers read of them."""
        return f"read_{hashlib.sha256(self.pairs.encode()).hexdigest()[:DIGEST_LENGTH]}"

    @property
    def pairs(self) -> str:
        """SQL of the joined items as they were recorded."""
        parts = self.parts
        old_judge, new_judge = self._judges()

        def column(alias: str, part: str) -> str:
            return f'{alias}."{part}"' if part in parts else sql_null(part)

        old, new = (
            f"(SELECT *, TRUE AS present FROM ({source.table(parts)}))"
            for source in (self.old, self.new)
        )
        return f"""
            SELECT coalesce(o.key, n.key) AS key, coalesce(o.present, FALSE) AS in_old,
                   coalesce(n.present, FALSE) AS in_new,
                   {self._labelling("slice")}.slice AS slice,
                   {self._labelling("group")}."group" AS cluster,
                   coalesce(o.slice <> n.slice, FALSE) AS slice_differs,
                   coalesce(o."group" <> n."group", FALSE) AS group_differs,
                   o.prediction AS old, n.prediction AS new,
                   o.reference AS own_old, n.reference AS own_new,
                   {old_judge}.reference AS reference, {new_judge}.reference AS new_reference,
                   {column("o", "accepted")} AS list_old, {column("n", "accepted")} AS list_new,
                   {column(old_judge, "accepted")} AS accepted,
                   {column(new_judge, "accepted")} AS new_accepted,
                   {column("o", "prompt")} AS old_prompt, {column("n", "prompt")} AS new_prompt,
                   {column("o", "score")} AS old_score, {column("n", "score")} AS new_score
            FROM {old} AS o FULL JOIN {new} AS n ON o.key = n.key
        """

    def _references_of_new(self) -> str:
        """Write the SQL of the references of the new answers, where they are others."""
        return ", ".join(
            f"{f'new_{part}' if self.judges_by_own else 'NULL'} AS {part}_of_new"
            for part in ("reference", "accepted")
        )

    def _judges(self) -> tuple[str, str]:
        """Aliases of the tables whose references judge the old answers, and the new answers."""
        sources = {"o": self.old, "n": self.new}
        referring = [alias for alias, source in sources.items() if "reference" in source.fields]
        first, last = (referring[0], referring[-1]) if referring else ("o", "n")
        if self.choices.conflict == "first":
            return first, first
        return (last, last) if self.choices.conflict == "last" else (first, last)

    def _labelling(self, part: str) -> str:
        """Alias of the table whose labels count: the old run, if it has the field at all."""
        return "o" if part in self.old.fields else "n"

    def _right(self, run: str, reference: str = "", accepted: str = "") -> str:
        if self.judging.by_score:
            return self._reaches(f"{run}_score")
        answer = self.read("old_by_own" if reference == "own_old" and self.choices.reading else run)
        reference, accepted = self.read(reference), self.read(accepted)
        is_equal = f"{answer} = {reference}"
        if not self.has_lists:
            return is_equal
        is_accepted = f"list_contains({accepted}, {answer})"
        return f"CASE WHEN {accepted} IS NULL THEN {is_equal} ELSE {is_accepted} END"

    def _silent(self, run: str) -> str:
        """Write the SQL of whether a run left an item without an answer or a score it needs."""
        columns = {"score": f"{run}_score", "answer": self.read(run)}
        lacking = " OR ".join(f"{columns[need]} IS NULL" for need in sorted(self.judging.needs))
        return f"({lacking})"

    def _right_by_own(self) -> str:
        """Write the SQL of whether the old answer is right by the old run's own facts."""
        if self.judging.by_score:
            # A lost score between 0 and 1 had something to lose.
            is_right = "old_score > 0" if self.choices.threshold is None else self._right("old")
        else:
            is_right = self._right("old", "own_old", "list_old")
        # An answer that cannot be judged counts as right, because NEW may have broken it.
        silent = f"{'old_score' if self.judging.by_score else self.read('old')} IS NULL"
        unknown = FALSE if self.judging.by_score else self._beyond_judging()
        if self.choices.unanswered != "wrong":
            return f"{silent} OR {unknown} OR {is_right}"
        return f"NOT {silent} AND ({unknown} OR {is_right})"

    def _beyond_judging(self) -> str:
        """Write the SQL of whether the own reference of an old answer cannot judge it."""
        if self.choices.reading is not None:
            return "own_unread"
        old, own = _kind("old"), _kind("own_old")
        unlike = [f"({old} <> '[' AND {own} <> '[' AND {old} <> {own})"]
        if self.has_lists:
            others = f"list_filter(list_old, lambda x: {_kind('x')} <> {old})"
            unlike += ["len(list_old) = 0", f"len({others}) > 0"]
        plain = "ascii(old) = 34 AND ascii(own_old) = 34"
        return (
            f"own_old IS NULL OR CASE WHEN {plain} THEN FALSE "
            f"ELSE coalesce({' OR '.join(unlike)}, FALSE) END"
        )

    def _reaches(self, score: str) -> str:
        """Write `flips.thresholds.reaches` in SQL; without a threshold only 1 is right."""
        choices = self.choices
        if choices.threshold is None:
            return f"{score} >= 1"
        tie = float(RECORDED_TIE if choices.tie is None else choices.tie)
        ahead = f"{score} - {float(choices.threshold)!r}::DOUBLE"
        if choices.strict_threshold:
            return f"{ahead} > {tie!r}::DOUBLE"
        return f"{ahead} >= {-tie!r}::DOUBLE"

    def _flaws(self) -> dict[str, str]:
        """Write the SQL of the condition of each flaw."""
        both, by_score = "in_old AND in_new", self.judging.by_score
        return {
            "prompts_differ": (
                f"{both} AND old_prompt IS DISTINCT FROM new_prompt"
                if self._both_have("prompt")
                else FALSE
            ),
            "only_old": "NOT in_new",
            "only_new": "NOT in_old",
            "conflicting": self._conflicting(),
            "unanswered": f"{both} AND ({self._silent('old')} OR {self._silent('new')})",
            "unreferenced": (
                FALSE if by_score else f"{both} AND (reference IS NULL OR new_reference IS NULL)"
            ),
            "unaccepted": (
                FALSE
                if by_score or not self.has_lists
                else f"{both} AND ({self._empty('accepted')} OR {self._empty('new_accepted')})"
            ),
            # Readers give nothing but texts.
            "kinds_differ": FALSE if self.choices.reading else self._kinds_differ(),
            "unread": (
                f"{both} AND reference_unread"
                if self.choices.reading and (self.judging.graders or not by_score)
                else FALSE
            ),
        }

    def _empty(self, accepted: str) -> str:
        """Write the SQL of whether a list has no answer, nor is one to the readers."""
        return f"(len({accepted}) = 0 AND len({self.read(accepted)}) = 0)"

    def _conflicting(self) -> str:
        if not self._both_have("reference"):
            return FALSE
        differ = "own_old IS DISTINCT FROM own_new"
        if self.has_lists:
            differ += " OR list_sort(list_old) IS DISTINCT FROM list_sort(list_new)"
        return f"in_old AND in_new AND ({differ})"

    def _kinds_differ(self) -> str:
        judging = () if self.judging.by_score else (("old", "reference"), ("new", "new_reference"))
        differ = [
            f"({one} <> '[' AND {other} <> '[' AND {one} <> {other})"
            for one, other in ((_kind(a), _kind(b)) for a, b in (("old", "new"), *judging))
        ]
        if self.has_lists and not self.judging.by_score:
            differ += [
                f"len(list_filter({accepted}, lambda x: {_kind('x')} <> {_kind(run)})) > 0"
                for run, accepted in (("old", "accepted"), ("new", "new_accepted"))
            ]
        return _unless_text(" OR ".join(differ))


def _unless_text(condition: str) -> str:
    """Write the SQL that tests a condition only where a value is not plain text, which is rare."""
    plain = " AND ".join(f"ascii({x}) = 34" for x in ("old", "new", "own_old", "own_new"))
    return f"CASE WHEN {plain} THEN FALSE ELSE {condition} END"


def _kind(sql: str) -> str:
    """Write the SQL of the kind of an encoded value: text, a list, true or false, or a number."""
    first = f"left({sql}, 1)"
    return (
        f"CASE WHEN {sql} IS NULL THEN NULL WHEN {first} IN ('\"', '[') THEN {first} "
        f"WHEN {first} IN ('t', 'f') THEN 't' ELSE '0' END"
    )
