"""lm-evaluation-harness: every trap of its logs, on made rows and on stored real ones."""

from __future__ import annotations

import hashlib
import json
import math
import random
import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs, read_run
from muscle_metrics.errors import FileError, InputError, UsageError
from muscle_metrics.runs.readers.lm_eval import run_from_lm_eval
from muscle_metrics.runs.readers.lm_eval_rows import read_sample_lines

if TYPE_CHECKING:
    from pathlib import Path

TIME = "2026-11-23T07-13-39.347285"
LATER = "2026-11-24T07-13-39.347285"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def sample(number: int, answer: Any = "4", target: str = "4", **fields: Any) -> dict[str, Any]:
    """A row as the harness writes it, its fields in the harness's order."""
    row = {
        "doc_id": number,
        "doc": {"question": f"What is {number}?", "target": "a field of the document"},
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": f"What is {number}?", "arg_1": {"until": ["\n"]}}},
        "resps": [[answer]],
        "filtered_resps": [answer],
        "filter": "none",
        "metrics": ["exact_match"],
        "doc_hash": digest(f"What is {number}?"),
        "prompt_hash": digest(f"{number}"),
        "target_hash": digest(target),
        "exact_match": float(answer == target),
    }
    return {**row, **fields}


def choice(number: int, likelihoods: list[float], target: int, **fields: Any) -> dict[str, Any]:
    texts = ["1", "22", "three"]
    pairs = [[str(value), "False"] for value in likelihoods]
    right = float(likelihoods.index(max(likelihoods)) == target)
    return sample(
        number,
        target=str(target),
        arguments={
            f"gen_args_{n}": {"arg_0": "Q", "arg_1": f" {text}"} for n, text in enumerate(texts)
        },
        resps=[[pair] for pair in pairs],
        filtered_resps=pairs,
        **{"metrics": ["acc"], "acc": right, **fields},
    )


def write_samples(
    folder: Path, rows: list[dict[str, Any]], *, task: str = "sums", when: str = TIME
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"samples_{task}_{when}.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def write_results(folder: Path, results: dict[str, Any], when: str = TIME) -> None:
    (folder / f"results_{when}.json").write_text(json.dumps(results, indent=2))


def test_a_folder_and_a_file_give_the_same_records(tmp_path):
    path = write_samples(tmp_path / "org__model", [sample(1), sample(2, "5")])
    whole = read_run(tmp_path / "org__model")
    assert whole.records == read_run(path).records
    assert whole.records == read_run(tmp_path).records
    assert [record.scores for record in whole] == [{"exact_match": 1.0}, {"exact_match": 0.0}]
    assert {record.task for record in whole} == {"sums"}
    assert whole.fingerprint["format"] == "lm-eval (it holds samples_*.jsonl)"


def test_a_folder_of_several_models_is_ambiguous(tmp_path):
    for model in ("a__one", "b__two"):
        write_samples(tmp_path / model, [sample(1)])
    with pytest.raises(FileError, match=r"folder of one model.*'a__one', 'b__two'"):
        read_run(tmp_path)


def test_filters_are_never_mixed(tmp_path):
    rows = [
        sample(n, answer, filter=name)
        for name, answer in (("strict-match", "[invalid]"), ("flexible-extract", "4"))
        for n in range(3)
    ]
    write_samples(tmp_path, rows)
    with pytest.raises(UsageError, match=r"'strict-match', 'flexible-extract'.*--filter"):
        read_run(tmp_path)
    chosen = read_run(tmp_path, filter="flexible-extract")
    assert [record.prediction for record in chosen] == ["4"] * 3
    assert {record.filter for record in chosen} == {None}
    with pytest.raises(UsageError, match=r"--filter .*'loose'.*'flexible-extract', 'strict-match'"):
        read_run(tmp_path, filter="loose")


def test_files_before_filters_had_names(tmp_path):
    rows = [sample(n, answer) for answer in ("[invalid]", "4") for n in range(3)]
    for row in rows:
        del row["filter"], row["metrics"]
    path = write_samples(tmp_path, rows)
    with pytest.raises(UsageError, match=r"'#1', '#2'"):
        read_run(path)
    assert [record.scores["exact_match"] for record in read_run(path, filter="#2")] == [1.0] * 3
    path = write_samples(tmp_path, rows[:3])
    assert [record.scores for record in read_run(path)] == [{"exact_match": 0.0}] * 3


def test_the_oldest_files_hold_no_hash_and_pair_with_the_newest(tmp_path):
    new = sample(1)
    new["doc_hash"] = digest(json.dumps(new["doc"], indent=2, ensure_ascii=False))
    old = {key: value for key, value in new.items() if not key.endswith("hash")}
    first = read_run(write_samples(tmp_path / "old", [old]))
    second = read_run(write_samples(tmp_path / "new", [new]))
    assert first.records[0].id == second.records[0].id


def test_mislabelled_numbers_pair_by_hash(tmp_path):
    old = read_run(write_samples(tmp_path / "v1", [sample(n) for n in (1, 3, 4)]))
    moved = [sample(n, "5" if n == 3 else "4") | {"doc_id": 9 - n} for n in (4, 1, 3)]
    new = read_run(write_samples(tmp_path / "v2", moved))
    (flip,) = compare_runs(old, new).flips()
    assert flip.id == digest("What is 3?")


def test_unsorted_samples_of_the_real_harness_pair_by_hash(shared):
    logs = shared / "logs" / "lm_eval"
    (unsorted,) = (logs / "unsorted").iterdir()
    some = read_run(unsorted, metric="acc")
    whole = read_run(logs / "v1", task="tiny_mc", metric="acc")
    by_id = {record.id: record for record in whole}
    rows = [json.loads(line) for line in unsorted.read_text().splitlines()]
    documents = {
        row["doc_hash"]: row["doc"]["id"]
        for path in (logs / "v1").glob("samples_tiny_mc_2026*.jsonl")
        for row in map(json.loads, path.read_text().splitlines())
    }
    assert any(f"mc-{row['doc_id']}" != row["doc"]["id"] for row in rows)
    assert [documents[record.id] for record in some] == [row["doc"]["id"] for row in rows]
    assert all(by_id[record.id].reference == record.reference for record in some)


def test_equal_documents_are_numbered_whatever_the_order(tmp_path):
    rows = [sample(1) | {"doc_id": number} for number in (2, 10, 7)]
    rows[1]["exact_match"] = 0.0
    first = read_run(write_samples(tmp_path / "v1", rows))
    second = read_run(write_samples(tmp_path / "v2", rows[::-1]))
    name = digest("What is 1?")
    assert [record.id for record in first] == [name, f"{name}#3", f"{name}#2"]
    assert compare_runs(first, second).counts.negative == 0


def test_a_document_twice_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"each document once per filter in the task 'sums'"):
        read_run(write_samples(tmp_path, [sample(1), sample(1)]))


def test_repeats_inside_responses_are_one_item(tmp_path):
    path = write_samples(tmp_path, [sample(1, resps=[["4", "5", "6"]])])
    assert [record.prediction for record in read_run(path)] == ["4"]
    several = sample(1, filtered_resps=[["4", "5"]])
    assert read_run(write_samples(tmp_path, [several])).records[0].prediction is None


def test_choices_are_the_largest_likelihood(tmp_path):
    path = write_samples(tmp_path, [choice(1, [-9.0, -3.0, -4.0], 1), choice(2, [-1.0, -3, -4], 2)])
    assert [record.prediction for record in read_run(path)] == ["1", "0"]
    assert [record.reference for record in read_run(path)] == ["1", "2"]


def test_normalised_choices_divide_by_the_length(tmp_path):
    # -4 over five letters beats -1 over one and -3 over two.
    row = choice(1, [-1.0, -3.0, -4.0], 2, metrics=["acc", "acc_norm"], acc=0.0, acc_norm=1.0)
    path = write_samples(tmp_path, [row])
    assert read_run(path, metric="acc").records[0].prediction == "0"
    assert read_run(path, metric="acc_norm").records[0].prediction == "2"


def test_choices_that_contradict_the_score_are_unknown(tmp_path):
    rows = [choice(1, [-1.0, -3, -4], 0), choice(2, [-1.0, -3, -4], 0, acc=0.0)]
    assert {record.prediction for record in read_run(write_samples(tmp_path, rows))} == {None}


def test_corpus_metrics_are_no_scores_of_items(tmp_path):
    fields = {"metrics": ["bleu", "ter"], "bleu": ["4", "5"], "ter": ["4", "5"]}
    path = write_samples(tmp_path, [sample(1, **fields), sample(2, **fields)])
    run = read_run(path)
    assert [record.scores for record in run] == [{}, {}]
    with pytest.raises(UsageError, match=r"expected a score for every item.*--metric"):
        compare_runs(run, run)
    assert list(compare_runs(run, run, metric="chrf").changes) == ["chrf"]


def test_predict_only_has_no_scores(tmp_path):
    run = read_run(write_samples(tmp_path, [sample(1, metrics=["bypass"], bypass=999)]))
    assert run.records[0].scores == {}
    assert compare_runs(run, run, metric="exact_match").counts.both_right == 1


def test_perplexity_of_one_item_is_lower_the_better(tmp_path):
    def rows(likelihood: float) -> list[dict[str, Any]]:
        pairs = {"word_perplexity": [likelihood, 10], "metrics": ["word_perplexity"]}
        return [sample(1, filtered_resps=[str(likelihood)], **pairs)]

    old = read_run(write_samples(tmp_path / "v1", rows(-20.0)))
    new = read_run(write_samples(tmp_path / "v2", rows(-30.0)))
    assert old.records[0].scores["word_perplexity"] == math.exp(2)
    assert old.records[0].prediction is None
    comparison = compare_runs(old, new)
    assert comparison.changes["word_perplexity"].negative_flip_rate == 1
    assert "lower is better word_perplexity" in comparison.signature


def test_the_direction_stands_in_the_results(tmp_path):
    for version, value in (("v1", 0.0), ("v2", 1.0)):
        row = sample(1, metrics=["edits"], edits=value)
        write_samples(tmp_path / version, [row])
        write_results(tmp_path / version, {"higher_is_better": {"sums": {"edits": False}}})
    old, new = read_run(tmp_path / "v1"), read_run(tmp_path / "v2")
    assert old.lower_is_better == {"edits"}
    counts = compare_runs(old, new).counts
    assert (counts.negative, counts.positive) == (1, 0)
    assert compare_runs(old, new, threshold=0.5).counts.negative == 1
    unknown = read_run(write_samples(tmp_path / "v3", [sample(1, metrics=["edits"], edits=1.0)]))
    with pytest.raises(
        InputError, match=r"better when lower in one run and when higher in another"
    ):
        compare_runs(old, unknown)


OPTIONS = [
    ({"options": ["w", "x", "y", "z"]}, "ABCD"),
    ({"choices": ["w"] * 10, "target": ', "target": "'}, "ABCDEFGHIJ"),
    ({"choices": {"text": ["w", "x"], "label": ["A", "B"]}}, "AB"),
    ({"choices": {"text": ["w", "x"], "label": ["1", "2"]}}, None),
    ({"options": "a ) 38 , b ) 27"}, None),
    ({"choices": ["w", None]}, None),
    ({"question": '"choices": ["w"]'}, None),
    ({}, None),
]


@pytest.mark.parametrize("spacing", [(", ", ": "), (",", ":")], ids=["cut", "whole"])
def test_options_of_a_document_are_those_of_its_item(tmp_path, spacing):
    rows = [sample(n, "Answer: B", "B", doc=doc) for n, (doc, _) in enumerate(OPTIONS)]
    path = write_samples(tmp_path, rows)
    lines = (json.dumps(row, separators=spacing) + "\n" for row in rows)
    path.write_text("".join(lines))
    assert [record.choices for record in read_run(path)] == [letters for _, letters in OPTIONS]


def test_choices_that_are_scored_have_no_letters(tmp_path):
    row = choice(1, [-1.0, -2.0, -3.0], 0, doc={"choices": ["w", "x", "y"]})
    assert read_run(write_samples(tmp_path, [row])).records[0].choices is None


def test_a_row_without_a_hash_is_refused_where_answers_are_written(tmp_path):
    rows = [sample(n, doc={"choices": ["w", "x"]}) for n in (1, 2)]
    del rows[1]["doc_hash"]
    whole = read_run(write_samples(tmp_path / "a", rows[:1]))
    assert len(whole) == 1
    with pytest.raises(FileError, match="jsonl:2: expected the field 'doc_hash'"):
        read_run(write_samples(tmp_path / "b", rows))


def test_targets_that_are_lists_accept_any(tmp_path):
    targets = ["['Paris', \"l'Aÿ\"]", "[0, 2]", "[x", "['a'] and more"]
    path = write_samples(tmp_path, [sample(n, target=text) for n, text in enumerate(targets)])
    assert [record.reference for record in read_run(path)] == [
        ["Paris", "l'Aÿ"],
        ["0", "2"],
        "[x",
        "['a'] and more",
    ]


def test_nan_is_a_missing_score(tmp_path):
    path = write_samples(tmp_path, [sample(1), sample(2) | {"exact_match": math.nan}])
    assert "NaN" in path.read_text()
    run = read_run(path)
    assert run.records[1].scores == {}
    with pytest.raises(InputError, match=r"1 of 2 items without a score in old"):
        compare_runs(run, run)
    assert dict(compare_runs(run, run, unanswered="drop").dropped) == {"unanswered": 1}


def test_a_rerun_adds_files_and_the_newest_counts(tmp_path):
    write_samples(tmp_path, [sample(1), sample(2)])
    write_samples(tmp_path, [sample(1, "5"), sample(2)], when=LATER)
    write_samples(tmp_path, [sample(3)], task="other")
    for when in (TIME, LATER):
        write_results(tmp_path, {"model_name": "org/model"}, when)
    run = read_run(tmp_path)
    skipped = f"1 older file of a rerun ('samples_sums_{TIME}.jsonl')"
    assert run.fingerprint["skipped"] == skipped
    assert [(r.task, r.scores["exact_match"]) for r in run] == [
        ("other", 1.0),
        ("sums", 0.0),
        ("sums", 1.0),
    ]


def test_tasks_are_compared_one_by_one_and_together(tmp_path):
    for version, answer in (("v1", "4"), ("v2", "5")):
        write_samples(tmp_path / version, [sample(1), sample(2, answer)])
        write_samples(tmp_path / version, [choice(1, [-1.0, -3, -4], 0)], task="choices")
    comparison = compare_runs(read_run(tmp_path / "v1"), read_run(tmp_path / "v2"))
    assert {task: counts.negative for task, counts in comparison.tasks.items()} == {
        "sums": 1,
        "choices": 0,
    }
    assert comparison.counts.negative == 1
    assert "metric recorded acc, exact_match" in comparison.signature
    one = read_run(tmp_path / "v1", task="choices")
    assert {record.task for record in one} == {"choices"}
    with pytest.raises(UsageError, match=r"--task .*'nope'.*'choices', 'sums'"):
        read_run(tmp_path / "v1", task="nope")


def test_the_first_of_several_metrics_decides_and_is_named(tmp_path):
    row = choice(1, [-1.0, -3, -4], 0, metrics=["acc", "acc_norm"], acc_norm=0.0)
    run = read_run(write_samples(tmp_path, [row]))
    comparison = compare_runs(run, run)
    assert comparison.counts.old_right == 1
    assert "by acc (also acc_norm)" in str(comparison)


def test_a_partial_run_is_said_so(tmp_path):
    write_samples(tmp_path / "v1", [sample(1)])
    sizes = {"sums": {"original": 100, "effective": 1}, "lost": {"original": 5, "effective": 5}}
    write_results(tmp_path / "v1", {"n-samples": sizes, "lm_eval_version": "0.4.13"})
    run = read_run(tmp_path / "v1")
    assert run.fingerprint["partial"] == "lost without samples; sums 1 of 100 items"
    assert run.fingerprint["harness_version"] == "0.4.13"
    assert "warning: run" in str(compare_runs(run, run))


def test_arguments_that_may_hold_secrets_are_left_out(tmp_path):
    write_samples(tmp_path, [sample(1)])
    results = {"model_name": "org/model", "config": {"model_args": "api_key=sk-secret"}}
    write_results(tmp_path, results)
    run = read_run(tmp_path)
    assert run.name == "org/model"
    assert "sk-secret" not in repr(run)


def test_results_in_memory_are_read_alike(tmp_path):
    rows = [choice(n, [-1.0, -3.0, -4.0], n % 3) for n in range(3)]
    memory = [
        row
        | {
            "target": int(row["target"]),
            "filtered_resps": [(float(a), b == "True") for a, b in row["filtered_resps"]],
            "arguments": [("Q", " 1"), ("Q", " 22"), ("Q", " three")],
        }
        for row in rows
    ]
    run = run_from_lm_eval({"samples": {"sums": memory}}, name="v1")
    assert run.records == read_run(write_samples(tmp_path, rows)).records
    with pytest.raises(InputError, match=r"log_samples=True"):
        run_from_lm_eval({"results": {}})


@pytest.mark.parametrize(
    ("fields", "prediction", "reference"),
    [
        ({"target": ["Paris", 7]}, "4", ["Paris", "7"]),
        ({"target": "['Paris', 'paris']"}, "4", ["Paris", "paris"]),
        ({"target": "[x] done"}, "4", "[x] done"),
        # Not a list in Python's syntax: a number cannot start with 0.
        ({"target": "[01]"}, "4", "[01]"),
        ({"filtered_resps": [["4"]]}, "4", "4"),
        ({"filtered_resps": [["4", "5"]]}, None, "4"),
    ],
)
def test_texts_and_lists_in_memory(fields, prediction, reference):
    (record,) = run_from_lm_eval({"samples": {"sums": [sample(1) | fields]}}).records
    assert (record.prediction, record.reference) == (prediction, reference)


@pytest.mark.parametrize(
    "arguments",
    [
        None,
        [("Q", " 1")],
        [("Q", " 1"), ("Q", ""), ("Q", " 2")],
        # Damaged ones among them.
        [("Q", " 1"), None, ("Q", " 2")],
        [("Q", " 1"), ("Q", " 2"), ("Q", {"until": []})],
    ],
)
def test_no_choice_is_shown_where_the_texts_of_choices_are_unknown(arguments):
    row = choice(1, [-1.0, -3.0, -4.0], 0, metrics=["acc_norm"], acc_norm=1.0)
    row["arguments"] = arguments
    (record,) = run_from_lm_eval({"samples": {"sums": [row]}}).records
    assert (record.prediction, record.scores) == (None, {"acc_norm": 1.0})


def test_a_perplexity_out_of_range_is_no_score():
    row = sample(1, metrics=["perplexity", "word_perplexity"], perplexity=-1e6)
    row["word_perplexity"] = [-3.0, 0]
    (record,) = run_from_lm_eval({"samples": {"sums": [row]}}).records
    assert record.scores == {}


def test_lines_cut_short_read_like_whole_ones(tmp_path):
    shuffled = dict(random.Random(1).sample(list(sample(3).items()), len(sample(3))))
    rows = [sample(1), sample(2, '], "filtered_resps": [4'), shuffled, choice(4, [-1.0, -2, -3], 1)]
    path = write_samples(tmp_path, rows)
    kept = [
        {key: row[key] for key in row if key not in {"doc", "arguments", "resps"}}
        for _, row in read_sample_lines(path, whole=False)
    ]
    whole = [
        {key: row[key] for key in row if key not in {"doc", "arguments", "resps"}}
        for _, row in read_sample_lines(path, whole=True)
    ]
    assert kept == whole


HOSTILE = {
    "duplicate key": '{"doc_id": 0, "doc_id": 1, "target": "4", "filtered_resps": ["4"]}',
    "duplicate score": json.dumps(sample(1))[:-1] + ', "exact_match": 1.0}',
    "long integer": '{"doc_id": ' + "9" * 5000 + ', "target": "4", "filtered_resps": ["4"]}',
    "deep nesting": '{"doc_id": 0, "target": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "deep answers": json.dumps(sample(1)).replace(
        '"filtered_resps": [', '"filtered_resps": ' + "[" * 100_000
    ),
    "text as score": json.dumps(sample(1) | {"metrics": "exact_match"}),
    "infinite score": json.dumps(sample(1) | {"exact_match": math.inf}),
    "answers no list": json.dumps(sample(1) | {"filtered_resps": "4"}),
    "no hash": json.dumps({k: v for k, v in sample(1).items() if k not in ("doc_hash", "doc")}),
    "not JSON": "{]",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_rows_are_refused_with_their_line(tmp_path, name):
    path = write_samples(tmp_path, [sample(7)])
    with path.open("a") as file:
        file.write(HOSTILE[name] + "\n")
    begin = time.process_time()
    with pytest.raises(FileError, match=rf"{path.name}:2: expected"):
        read_run(path)
    assert time.process_time() - begin < 5


def test_lone_surrogates_stay_visible(tmp_path):
    path = write_samples(tmp_path, [])
    path.write_text(json.dumps(sample(1, "\ud800")))
    run = read_run(path)
    assert run.records[0].prediction == "\ud800"
    assert "\ud800" not in str(compare_runs(run, run))


def test_files_cut_short_at_any_byte(tmp_path):
    content = write_samples(tmp_path, [sample(1), choice(2, [-1.0, -2.0, -3.0], 1)]).read_bytes()
    path = tmp_path / "cut.jsonl"
    # Only a cut between rows leaves whole rows; joining the runs then reports the missing items.
    whole = {content.index(b"\n"), content.index(b"\n") + 1, len(content) - 1}
    for length in range(len(content)):
        path.write_bytes(content[:length])
        if length in whole:
            read_run(path, format="lm-eval")
        else:
            with pytest.raises(FileError, match=re.escape(str(path))):
                read_run(path, format="lm-eval")


def test_results_cut_short_at_any_byte(tmp_path):
    path = write_samples(tmp_path, [sample(1)])
    write_results(tmp_path, {"versions": {"sums": 1.0}, "n-samples": {"sums": {"original": 1}}})
    results = tmp_path / f"results_{TIME}.json"
    content = results.read_bytes()
    for length in range(len(content)):
        results.write_bytes(content[:length])
        with pytest.raises(FileError, match=results.name):
            read_run(path)


def test_options_of_plain_files_are_refused(tmp_path):
    path = write_samples(tmp_path, [sample(1)])
    with pytest.raises(UsageError, match=r"no --id-field .*lm-eval"):
        read_run(path, id_field="doc_id")
    with pytest.raises(UsageError, match=r"no --where .*lm-eval"):
        read_run(path, where={"filter": "none"})
    # The user names a plain format, so the log is read as a plain file.
    run = read_run(path, format="jsonl", id_field="doc_id", prediction_field="target")
    assert run.records[0].id == "1"


def test_plain_files_name_no_task(tmp_path):
    path = tmp_path / "v1.jsonl"
    path.write_text('{"id": 1, "prediction": "A"}')
    for option in ({"task": "sums"}, {"filter": "strict"}):
        with pytest.raises(UsageError, match=r"log of a harness, got a plain file"):
            read_run(path, **option)


def test_real_runs_give_the_counts_of_the_raw_rows(shared):
    logs = shared / "logs" / "lm_eval"
    for task, name, metric in (
        ("tiny_gsm", "maj@3", "exact_match"),
        ("tiny_mc", None, "acc"),
        ("tiny_mc_b", None, "acc_norm"),
    ):
        right = []
        for version in ("v1", "v2"):
            (path,) = (logs / version).glob(f"samples_{task}_2026*.jsonl")
            rows = map(json.loads, path.read_text().splitlines())
            right.append(
                {r["doc_hash"]: r[metric] for r in rows if name is None or r["filter"] == name}
            )
        runs = [read_run(logs / v, task=task, filter=name, metric=metric) for v in ("v1", "v2")]
        counts = compare_runs(*runs, metric=metric).counts
        old, new = right
        assert counts.negative == sum(old[key] > new[key] for key in old)
        assert counts.positive == sum(old[key] < new[key] for key in old)
