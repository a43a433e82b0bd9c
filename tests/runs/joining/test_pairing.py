"""Joining runs: by id whatever the order, and every reason not to in one message."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import InputError, PairingError, UsageError
from muscle_metrics.runs.joining.pairing import JoinedRuns, join_runs, pair_runs
from muscle_metrics.runs.natural_order import natural_order, sort_naturally
from muscle_metrics.runs.read import read_run
from muscle_metrics.runs.record import Record, Run

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from pathlib import Path


def run_of(*ids: str, name: str = "a", **parts: Any) -> Run:
    return Run(tuple(Record(i, **{"prediction": "A", **parts}) for i in ids), name)


def message_of(*runs: Run, **options: Any) -> str:
    with pytest.raises(PairingError) as caught:
        join_runs(runs, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message


class TestJoining:
    def test_positions_do_not_matter(self) -> None:
        old = Run((Record("1", "B"), Record("2", "C")), name="old")
        new = Run((Record("2", "c"), Record("1", "b")), name="new")
        joined = pair_runs(old, new)
        assert joined.ids == ("1", "2")
        assert [[r.prediction for r in records] for records in joined.records] == [
            ["B", "C"],
            ["b", "c"],
        ]
        assert joined.names == ("old", "new")
        assert joined.dropped == {}
        assert len(joined) == 2

    def test_ids_stand_in_natural_order(self) -> None:
        ids = ["item 10", "item 9", "2", "01", "1", "10", "item", "é", "1.5", "9" * 5000]
        ordered = ("01", "1", "1.5", "2", "10", "9" * 5000, "item", "item 9", "item 10", "é")
        assert join_runs([run_of(*ids), run_of(*reversed(ids))]).ids == ordered

    @given(st.lists(st.integers(min_value=0)))
    def test_natural_order_of_numbers_is_theirs(self, numbers: list[int]) -> None:
        texts = sort_naturally([*map(str, numbers)])
        assert [int(text) for text in texts] == sorted(numbers)

    @given(
        st.sampled_from(["", "q", "q1", "q-01.", "é"]),
        st.lists(st.from_regex(r"[0-9]{0,20}", fullmatch=True) | st.text("01²x", max_size=3)),
    )
    def test_sorting_is_by_natural_order(self, prefix: str, ends: list[str]) -> None:
        texts = [prefix + end for end in ends]
        assert sort_naturally(texts) == sorted(texts, key=natural_order)

    def test_task_and_repeat_belong_to_the_key(self) -> None:
        records = [
            Record("1", str((task, repeat)), task=task, repeat=repeat)
            for task in (None, "b", "a")
            for repeat in ("1", None, "0")
        ]
        joined = pair_runs(Run(tuple(records), "old"), Run(tuple(reversed(records)), "new"))
        assert joined.ids == ("1",) * 9
        assert joined.records[0] == joined.records[1]
        assert joined.records[0][0] == Record("1", "(None, None)")

    def test_slices_are_those_of_the_first_run_that_has_them(self) -> None:
        old = Run((Record("1", "A", slice="x"), Record("2", "A"), Record("3", "A")), "old")
        new = Run((Record("1", "A", slice="y"), Record("2", "A", slice="z"), Record("3", "A")), "n")
        # The new run may not put more items into the slices of the old one.
        assert pair_runs(old, new).slices == ("x", None, None)
        unlabelled = replace(old, records=tuple(replace(record, slice=None) for record in old))
        joined = pair_runs(unlabelled, new)
        assert (joined.slices, joined.labels_from_new) == (("y", "z", None), {"slices"})

    def test_labels_of_new_do_not_replace_those_that_it_dropped(self) -> None:
        old = Run((Record("1", "A"), Record("2", "A", slice="x", group="g")), "old")
        new = Run((Record("1", "A", slice="y", group="h"), Record("3", "A", slice="z")), "new")
        joined = pair_runs(old, new, missing="drop")
        assert (joined.slices, joined.labels("group")) == ((None,), (None,))
        assert not joined.labels_from_new
        # Labels of items that are not compared are no labels of the comparison.
        joined = pair_runs(
            Run(old.records[:1], "old"),
            replace(new, records=(Record("1", "A"), new.records[1])),
            missing="drop",
        )
        assert not joined.labels_from_new

    @given(
        st.lists(st.sets(st.integers(0, 12), min_size=1), min_size=2, max_size=4),
        st.sampled_from(["drop", "own", "first", "last"]),
        st.sampled_from(["drop", "wrong"]),
        st.randoms(use_true_random=False),
    )
    def test_rows_may_be_shuffled_and_counts_add_up(
        self,
        ids: list[set[int]],
        conflict: Any,
        unanswered: Any,
        source: random.Random,
    ) -> None:
        runs = [
            Run(
                tuple(
                    Record(
                        str(number),
                        prediction=source.choice(["A", "B", "B", None]),
                        reference=source.choice(["A", "A", "A", "B"]),
                    )
                    for number in sorted(numbers)
                ),
                name=f"v{version}",
            )
            for version, numbers in enumerate(ids)
        ]
        shuffled = [Run(tuple(source.sample(run.records, len(run))), name=run.name) for run in runs]
        options = {"missing": "drop", "conflict": conflict, "unanswered": unanswered}
        joined, again = (outcome(given, options) for given in (runs, shuffled))
        assert joined == again
        if isinstance(joined, JoinedRuns):
            assert len(joined) + sum(joined.dropped.values()) == len(set.union(*ids))
            assert list(joined.ids) == sorted(joined.ids, key=int)
            for records in joined.records:
                assert tuple(record.id for record in records) == joined.ids


def outcome(runs: list[Run], options: Mapping[str, Any]) -> JoinedRuns | str:
    """Joined runs, or the message: neither may depend on the order of rows."""
    try:
        return join_runs(runs, **options)
    except PairingError as error:
        return str(error)


class TestMissing:
    def test_missing_items_are_named_on_each_side(self) -> None:
        old, new = run_of("1", "2", "3", name="x"), run_of("3", "10", *"456789", name="y")
        assert message_of(old, new) == (
            "expected the same items in old 'x' and new 'y', got 7 items missing in old 'x' "
            "(ids '4', '5', '6', '7', '8', ...), 2 items missing in new 'y' (ids '1', '2'): "
            '--missing drop (missing="drop") leaves them out'
        )

    def test_dropped_items_are_counted(self) -> None:
        joined = pair_runs(run_of("1", "2", "3"), run_of("3", "4"), missing="drop")
        assert joined.ids == ("3",)
        assert joined.dropped == {"only in new": 1, "only in old": 2}

    def test_three_runs(self) -> None:
        runs = [run_of("1", "2"), run_of("2", "3"), run_of("2")]
        assert "2 items missing in run 3 'a' (ids '1', '3')" in message_of(*runs)
        joined = join_runs(runs, missing="drop")
        assert (joined.ids, joined.dropped) == (("2",), {"not in every run": 2})

    @pytest.mark.parametrize("missing", ["error", "drop"])
    def test_no_overlap_shows_how_ids_look(self, missing: Any) -> None:
        message = message_of(run_of("q-1", "q-2"), run_of("1", "2"), missing=missing)
        assert "no id in all of them (such as 'q-1' in old and '1' in new)" in message
        assert "check --id-field (id_field)" in message

    @pytest.mark.parametrize("missing", ["error", "drop"])
    def test_an_empty_run(self, missing: Any) -> None:
        assert "no item in new 'a'" in message_of(run_of("1"), run_of(), missing=missing)

    def test_nothing_left(self) -> None:
        message = message_of(
            run_of("1", reference="A"), run_of("1", "2", reference="B"),
            missing="drop", conflict="drop",
        )  # fmt: skip
        counted = "all were left out (1 conflicting references, 1 only in new)"
        assert f"{counted}: drop fewer of them with --missing, --conflict" in message


class TestReferences:
    OLD = Run((Record("1", "A", "A"), Record("2", "A", "B")), "old")
    NEW = Run((Record("1", "A", "A"), Record("2", "A", "C")), "new")

    def test_conflicts_name_the_options(self) -> None:
        message = message_of(self.OLD, self.NEW)
        assert "different references for 1 item (id '2'), such as " in message
        assert "; --conflict own" in message

    @pytest.mark.parametrize(
        ("conflict", "references"),
        [
            ("own", (("A", "B"), ("A", "C"))),
            ("first", (("A", "B"), ("A", "B"))),
            ("last", (("A", "C"), ("A", "C"))),
            ("drop", (("A",), ("A",))),
        ],
    )
    def test_conflict_policies(self, conflict: Any, references: tuple[Any, ...]) -> None:
        joined = pair_runs(self.OLD, self.NEW, conflict=conflict)
        assert joined.references == references
        assert joined.dropped == ({"conflicting references": 1} if conflict == "drop" else {})

    @pytest.mark.parametrize(
        ("first", "second", "same"),
        [
            ("1", 1, False),
            (1, 1.0, True),
            (1, True, False),
            (0, False, False),
            ("A", ["A"], False),
            (["A", "B"], ["B", "A"], True),
            (["A", "A"], ["A"], False),
            (["1"], [1], False),
            (None, "A", False),
            (np.int64(1), 1, True),
            (np.float32(0.5), 0.5, True),
        ],
    )
    def test_which_references_are_the_same(self, first: Any, second: Any, same: bool) -> None:
        old, new = (
            Run((Record("1", "A", reference), Record("2", "A", "x")), "run")
            for reference in (first, second)
        )
        if same:
            assert len(pair_runs(old, new)) == 2
        else:
            assert "different references for 1 item (id '1')" in message_of(old, new)

    @pytest.mark.parametrize("conflict", ["error", "own", "first", "last", "drop"])
    def test_a_run_without_references_takes_those_of_the_other(self, conflict: Any) -> None:
        bare = run_of("1", "2")
        for runs in ([self.OLD, bare], [bare, self.OLD]):
            assert join_runs(runs, conflict=conflict).references == (("A", "B"), ("A", "B"))


class TestUnanswered:
    OLD = Run((Record("1", "A"), Record("2"), Record("3")), "old")
    NEW = Run((Record("1"), Record("2", ""), Record("3", "A")), "new")

    def test_nulls_are_counted_on_each_side(self) -> None:
        assert (
            "2 of 3 predictions null in old 'old' (ids '2', '3'), "
            "1 of 3 predictions null in new 'new' (id '1'): "
            '--unanswered wrong (unanswered="wrong") counts them as wrong, '
            "drop leaves them out"
        ) in message_of(self.OLD, self.NEW)

    def test_they_may_count_as_wrong(self) -> None:
        joined = pair_runs(self.OLD, self.NEW, unanswered="wrong")
        assert [record.prediction for record in joined.records[0]] == ["A", None, None]

    def test_they_may_be_left_out(self) -> None:
        new = Run((*self.NEW.records, Record("4", "A")), "new")
        old = Run((*self.OLD.records, Record("4", "A")), "old")
        joined = pair_runs(old, new, unanswered="drop")
        assert (joined.ids, joined.dropped) == (("4",), {"unanswered": 3})

    def test_a_score_is_an_answer(self) -> None:
        scored = run_of("1", prediction=None, scores={"correct": True})
        assert len(pair_runs(scored, scored)) == 1
        both = (frozenset({"score", "answer"}),) * 2
        again = replace(scored)
        assert "1 of 1 predictions null in new" in message_of(scored, again, needs=both)
        # A run that is judged alone is named once.
        alone = message_of(scored, scored, needs=both)
        assert alone.count("1 of 1 predictions null") == 1
        assert alone.count("'a'") == 2

    @pytest.mark.parametrize("unanswered", ["error", "wrong", "drop"])
    def test_scores_may_be_missing(self, unanswered: Any) -> None:
        old = Run((Record("1", scores={"s": 0.5}), Record("2"), Record("3", "A")), "old")
        new = Run(tuple(Record(str(n), scores={"s": True}) for n in (1, 2, 3)), "new")
        if unanswered == "error":
            assert "2 of 3 items without a score in old 'old' (ids '2', '3')" in message_of(
                old, new
            )
        else:
            joined = pair_runs(old, new, unanswered=unanswered)
            assert len(joined) == (1 if unanswered == "drop" else 3)


class TestFaults:
    def test_repeated_ids_are_counted(self) -> None:
        old = run_of(*"aabbbccddeeffg")
        message = message_of(old, run_of(*"abcdefg"))
        assert "6 ids more than once in old 'a' ('a' 2 times, 'b' 3 times, 'c' 2 times," in message
        assert "'e' 2 times, ...), 7 rows too many: check --id-field (id_field)" in message

    @pytest.mark.parametrize("score", [float("nan"), float("inf"), 10**400, "1", None, [1]])
    def test_scores_are_finite_numbers(self, score: Any) -> None:
        message = message_of(run_of("1", scores={"s": score}), run_of("1"))
        assert "scores that are no finite numbers for 1 item in old 'a' (id '1')" in message

    @pytest.mark.parametrize("score", [True, 0, -1.5, np.float32(1), np.int64(3)])
    def test_scores_of_every_number_type(self, score: Any) -> None:
        assert len(pair_runs(run_of("1", scores={"s": score}), run_of("1"))) == 1

    def test_other_prompts_under_one_id(self) -> None:
        old, new = run_of("1", "2", prompt="x"), run_of("1", "2", prompt="y")
        assert "different prompts for 2 ids (ids '1', '2')" in message_of(old, new)
        assert len(pair_runs(old, run_of("1", "2"))) == 2

    def test_every_reason_is_in_one_message(self) -> None:
        old = Run(
            (*run_of("1", "1", "2", "3", reference="A"), Record("4", scores={"s": 1e999})), ""
        )
        new = Run((*run_of("1", "4", reference="B"), Record("2", None, "A")), "")
        message = message_of(old, new)
        for reason in (
            "more than once",
            "no finite",
            "missing in",
            "references",
            "predictions null",
        ):
            assert message.count(reason) == 1, message

    @pytest.mark.parametrize("number", [1, 1.0, True, None, ""])
    def test_an_id_is_text(self, number: Any) -> None:
        with pytest.raises(InputError, match="expected text as id of a record, got"):
            Record(number)

    def test_unknown_options(self) -> None:
        run = run_of("1")
        for option in ("missing", "conflict", "unanswered"):
            with pytest.raises(
                UsageError, match=rf"expected {option} to be one of \['error', .*'x'"
            ):
                pair_runs(run, run, **{option: "x"})  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="expected two or more runs, got 1"):
            join_runs([run])

    def test_no_id_acts_in_a_message(self, hostile: list[str]) -> None:
        ids = [payload for payload in hostile if payload]
        for payload in ids:
            message = message_of(run_of(payload, "1", name=payload), run_of("1", "1", name=payload))
            assert message.replace("\u00a0", " ").isprintable()
            assert len(message) < 800
        assert len(message_of(run_of(*ids, *ids), run_of(*ids))) < 1000


def read_mmlu(shared: Path, name: str) -> Run:
    return read_run(
        shared / "data" / "mmlu_pro" / f"{name}.jsonl.gz",
        id_field="question_id",
        prediction_field="pred",
        reference_field="answer",
        slice_field="category",
    )


class TestRealRuns:
    def test_mmlu_pro_is_refused_for_two_reasons(self, shared: Path) -> None:
        runs = [read_mmlu(shared, f"Meta-Llama-{name}-8B") for name in ("3", "3_1")]
        message = message_of(*runs)
        assert "different references for 3 items (ids '143', '3983', '6392')" in message
        assert "1290 of 12032 predictions null in old 'Meta-Llama-3-8B'" in message
        assert "missing" not in message

    # Counted when the files were collected, null as wrong; pairing by position gives 2625.
    @pytest.mark.parametrize(
        ("conflict", "items", "negative", "positive"),
        [("own", 12032, 1022, 1301), ("drop", 12029, 1021, 1300)],
    )
    def test_mmlu_pro_flips(
        self, shared: Path, conflict: Any, items: int, negative: int, positive: int
    ) -> None:
        runs = [read_mmlu(shared, f"Meta-Llama-{name}-8B") for name in ("3", "3_1")]
        joined = join_runs(runs, conflict=conflict, unanswered="wrong")
        old, new = (
            [r.prediction == reference for r, reference in zip(records, references, strict=True)]
            for records, references in zip(joined.records, joined.references, strict=True)
        )
        flips = list(zip(old, new, strict=True))
        assert len(joined) == items
        assert (flips.count((True, False)), flips.count((False, True))) == (negative, positive)
        assert sum(joined.dropped.values()) == 12032 - items
        assert len(set(joined.slices)) == 14

    def test_phi_2_lacks_two_items(self, shared: Path) -> None:
        old, new = read_phi_2(shared, id_field="idx")
        assert (len(old), len(new)) == (803, 805)
        assert "2 items missing in old 'phi-2' (ids '803', '804')" in message_of(old, new)

    def test_prompts_tell_that_an_index_is_only_a_position(self, shared: Path) -> None:
        # Two items are missing in the middle, so later items have other positions.
        old, new = read_phi_2(shared, id_field="idx", prompt_field="instruction")
        assert "different prompts for 672 ids" in message_of(old, new, missing="drop")
        old, new = read_phi_2(shared, id_field="instruction", prompt_field="instruction")
        assert len(pair_runs(old, new, missing="drop")) == 803

    def test_opinionqa_repeats_ids(self, shared: Path) -> None:
        # Three ids, five times each: twelve surplus rows per model.
        old, new = (
            read_run(
                shared / "data" / "llm_drift" / "OPINIONQA_EVAL.csv.gz",
                prediction_field="answer",
                where={"model": f"openaichat/gpt-4-{version}"},
            )
            for version in ("0314", "0613")
        )
        assert len(old) == len(new) == 1506
        message = message_of(old, new)
        assert "3 ids more than once in old 'OPINIONQA_EVAL' ('IDIMPORT_W43' 5 times" in message
        assert message.count("12 rows too many") == 2

    def test_primes_have_answers_of_many_lines(self, shared: Path) -> None:
        old, new = (
            read_run(
                shared / "data" / "llm_drift" / "PRIME_FULL_EVAL.csv.gz",
                prediction_field="answer",
                reference_field="ref_answer",
                where={"model": f"openaichat/gpt-4-{version}"},
            )
            for version in ("0314", "0613")
        )
        joined = pair_runs(old, new)
        right = [
            [
                [word in str(record.prediction).lower() for word in ("[yes]", "[no]")]
                == [str(reference).lower() == word for word in ("yes", "no")]
                for record, reference in zip(records, references, strict=True)
            ]
            for records, references in zip(joined.records, joined.references, strict=True)
        ]
        # Strict parser of the brackets: 84.0 and 50.2 % of 1000.
        assert [sum(answers) for answers in right] == [840, 502]

    def test_gsm8k_fields_are_nested(self, shared: Path) -> None:
        path = shared / "data" / "gsm8k_example_solutions" / "example_model_solutions.jsonl.gz"
        fields = [
            f"{size}_{kind}" for size in ("6b", "175b") for kind in ("finetuning", "verification")
        ]
        runs = [
            read_run(path, id_field="question", score_field=f"{field}.is_correct")
            for field in fields
        ]
        joined = join_runs(runs)
        right = [
            sum(value for r in records for value in r.scores.values()) for records in joined.records
        ]
        assert right == [286, 515, 458, 742]


def read_phi_2(shared: Path, **fields: Any) -> list[Run]:
    folder = shared / "data" / "alpaca_eval"
    return [
        read_run(folder / f"{name}.jsonl.gz", score_field="preference_vs_gpt4_1106", **fields)
        for name in ("phi-2", "phi-2-sft")
    ]
