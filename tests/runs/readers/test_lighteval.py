"""Details of lighteval: real ones, and the traps in them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs
from muscle_metrics.errors import FileError
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.files.parquet import read_parquet
from muscle_metrics.runs.harnesses import recognise_harness
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path

pyarrow = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

STAMP = "2026-11-23T07-40-17.215230"
LATER = "2026-11-24T07-40-17"


@pytest.fixture
def details(shared: Path) -> Path:
    return shared / "logs" / "lighteval"


def row(name: str, **parts: Any) -> dict[str, Any]:
    document = {"id": name, "query": f"q{name}", "choices": ["A", "B"], "gold_index": 1}
    response = {"text": ["B"], "text_post_processed": None, "logprobs": []}
    return {
        "doc": {**document, "task_name": "sums|0", **parts.get("doc", {})},
        "metric": parts.get("metric", {"em": 1}),
        "model_response": {**response, **parts.get("response", {})},
    }


def write(folder: Path, *rows: dict[str, Any], task: str = "sums|0", stamp: str = STAMP) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"details_{task}_{stamp}.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), path)
    return path


def test_real_details_agree_with_themselves(details: Path) -> None:
    run = read_run(details)
    assert {record.task for record in run} == {"tinygen|0", "tinymc|0"}
    chosen = [record for record in run if record.task == "tinymc|0"]
    # The likeliest of the choices is the answer, and that is what lighteval scored.
    assert [record.scores["acc"] for record in chosen] == [
        record.prediction == record.reference for record in chosen
    ]
    assert sum(record.scores["acc"] for record in chosen) == 3
    generated = [record for record in run if record.task == "tinygen|0"]
    assert [set(record.scores) for record in generated] == [{"em", "rouge1"}] * 5


def test_rows_are_shuffled_and_the_id_is_the_key(details: Path) -> None:
    path = next(details.glob("details_tinymc*"))
    run = read_run(path)
    assert [record.id for record in run] != sorted(record.id for record in run)
    numbers = {record.id: record.prompt for record in run}
    assert numbers["0"] == "Question: What is 0 + 1?\nAnswer:"
    assert {name: int(prompt.split()[3]) for name, prompt in numbers.items() if prompt}["5"] == 5


def test_one_task_of_a_folder(details: Path) -> None:
    run = read_run(details, task="tinymc|0")
    assert len(run) == 7
    path = next(details.glob("details_tinymc*"))
    assert run.records == read_run(path).records


def test_tokens_are_not_even_decoded(details: Path) -> None:
    path = next(details.glob("details_tinygen*"))
    _, first = next(read_parquet(path, ["model_response.text", "doc.id"]))
    assert first == {
        "doc": {"id": "3"},
        "model_response": {"text": first["model_response"]["text"]},
    }


class TestReferences:
    @pytest.mark.parametrize(
        ("gold", "expected"), [(0, "A"), ([1], "B"), ([0, 1], ["A", "B"]), (-1, None), (None, None)]
    )
    def test_one_several_or_none(self, tmp_path: Path, gold: object, expected: object) -> None:
        path = write(tmp_path, row("1", doc={"gold_index": gold}))
        assert read_run(path).records[0].reference == expected

    def test_beyond_the_choices(self, tmp_path: Path) -> None:
        path = write(tmp_path, row("1"), row("2", doc={"gold_index": 2}))
        message = r"row 2: expected gold_index to be below 2, the number of choices, got 2: run"
        with pytest.raises(FileError, match=message):
            read_run(path)


class TestAnswers:
    def test_the_processed_text_comes_first(self, tmp_path: Path) -> None:
        path = write(tmp_path, row("1", response={"text": ["x B"], "text_post_processed": ["B"]}))
        assert read_run(path).records[0].prediction == "B"

    @pytest.mark.parametrize(
        ("logprobs", "expected"),
        [([-3.0, -1.0], "B"), ([-1.0, -3.0], "A"), ([-1.0], None), ([-1.0, float("nan")], None)],
    )
    def test_the_likeliest_choice(
        self, tmp_path: Path, logprobs: list[float], expected: str | None
    ) -> None:
        path = write(tmp_path, row("1", response={"text": [], "logprobs": logprobs}))
        assert read_run(path).records[0].prediction == expected

    def test_an_empty_answer_is_an_answer(self, tmp_path: Path) -> None:
        assert (
            read_run(write(tmp_path, row("1", response={"text": [""]}))).records[0].prediction == ""
        )


def test_undefined_scores_are_no_scores(tmp_path: Path) -> None:
    rows = [
        row(str(number), metric={"em": 1, "f1": score, "golds": ["x"]})
        for number, score in enumerate([0.5, None, float("nan"), float("inf")])
    ]
    scores = [record.scores for record in read_run(write(tmp_path, *rows))]
    assert scores == [{"em": 1.0, "f1": 0.5}, {"em": 1.0}, {"em": 1.0}, {"em": 1.0}]


class TestFolders:
    def test_the_newest_details_of_a_task_count(self, tmp_path: Path) -> None:
        model = tmp_path / "details" / "org" / "tiny"
        write(model / STAMP, row("1", response={"text": ["old"]}))
        write(model / LATER, row("1", response={"text": ["new"]}), stamp=LATER)
        results = tmp_path / "results" / "org" / "tiny"
        results.mkdir(parents=True)
        for stamp in (STAMP, LATER):
            general = {"model_name": "org/tiny"}
            content = json.dumps({"config_general": general})
            (results / f"results_{stamp}.json").write_text(content, encoding="utf-8")
        for folder in (tmp_path, tmp_path / "details" / "org", model, model / LATER):
            assert [record.prediction for record in read_run(folder)] == ["new"]
        assert [record.prediction for record in read_run(model / STAMP)] == ["old"]

    def test_two_models_are_not_guessed_between(self, tmp_path: Path) -> None:
        for model in ("tiny", "small"):
            write(tmp_path / "details" / model / STAMP, row("1"))
        with pytest.raises(
            FileError, match=r"got .details/small., .details/tiny.: choose one with --model"
        ):
            read_run(tmp_path)
        for chosen in ("tiny", "details/tiny"):
            assert len(read_run(tmp_path, model=chosen)) == 1

    def test_no_details(self, tmp_path: Path) -> None:
        with pytest.raises(FileError, match="expected details of one model, got none: name the f"):
            read_run(tmp_path, format="lighteval")

    def test_a_parquet_file_of_something_else(self, tmp_path: Path) -> None:
        parquet.write_table(pyarrow.table({"id": [1], "doc": ["x"]}), tmp_path / "a.parquet")
        assert recognise_harness(Glimpse(tmp_path / "a.parquet")) is None
        with pytest.raises(FileError, match=r"row 1: expected an object in the field 'doc'"):
            read_run(tmp_path / "a.parquet", format="lighteval")

    def test_a_task_that_two_files_hold(self, tmp_path: Path) -> None:
        write(tmp_path, row("1"))
        write(tmp_path, row("2"), task="a copy")
        with pytest.raises(FileError, match=r"one file of the task 'sums\|0', got 'details_a copy"):
            read_run(tmp_path)

    def test_every_time_describes_its_tasks(self, tmp_path: Path) -> None:
        for stamp, task in ((STAMP, "sums"), (LATER, "summen")):
            named = row("1", doc={"task_name": f"{task}|0"})
            write(tmp_path / "details" / "tiny" / stamp, named, task=f"{task}|0", stamp=stamp)
            content = {
                "config_general": {"model_name": "tiny"},
                "config_tasks": {f"{task}|0": {"effective_num_docs": 2, "hf_repo": task}},
                "versions": {f"{task}|0": 1},
            }
            results = tmp_path / "results" / "tiny" / f"results_{stamp}.json"
            results.parent.mkdir(parents=True, exist_ok=True)
            results.write_text(json.dumps(content), encoding="utf-8")
        fingerprint = read_run(tmp_path).fingerprint
        assert fingerprint["partial"] == "summen:0 1 of 2, sums:0 1 of 2"
        assert fingerprint["scorer"] == "summen:0 1, sums:0 1"
        assert fingerprint["date"] == f"{LATER}, {STAMP}"


class TestFirstLeaderboard:
    """Details of the first Open LLM Leaderboard: no ids, but hashes of the examples."""

    @staticmethod
    def details(folder: Path, *scores: float, stamp: str = STAMP) -> Path:
        rows = [
            {
                "example": f"вопрос {number}",
                "full_prompt": f"few вопрос {number}",
                "choices": ["a", "b"],
                "gold": [" A"],
                "gold_index": 0,
                "predictions": [-1.0, -2.0] if score else [-2.0, -1.0],
                "metrics": {"acc": score, "acc_norm": score},
                "hashes": {"example": f"{number:x}", "full_prompt": "x"},
                "cont_tokens": [[1], [2]],
            }
            for number, score in enumerate(scores)
        ]
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"details_harness|arc:challenge|25_{stamp}.parquet"
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path

    def test_two_runs_are_compared(self, tmp_path: Path) -> None:
        old = self.details(tmp_path / "old" / STAMP, 1.0, 1.0, 0.0)
        new = self.details(tmp_path / "new" / LATER, 1.0, 0.0, 1.0, stamp=LATER)
        assert str(recognise_harness(Glimpse(old))).startswith("lighteval (its columns are those")
        for paths in ((old, new), (tmp_path / "old", tmp_path / "new")):
            runs = [read_run(path) for path in paths]
            counts = compare_runs(*runs, metric="acc_norm").counts
            assert (counts.total, counts.negative, counts.positive) == (3, 1, 1)
        assert {record.task for record in runs[0]} == {"harness|arc:challenge|25"}
        assert [record.prediction for record in runs[0]] == ["a", "a", "b"]
        assert {record.reference for record in runs[0]} == {"a"}

    def test_generated_text_has_its_gold(self, tmp_path: Path) -> None:
        path = tmp_path / "v1.parquet"
        one = {
            "example": "q",
            "gold": ["18", "восемнадцать"],
            "predictions": ["18"],
            "metrics": {"em": 1.0},
            "hashes": {"example": "h"},
        }
        parquet.write_table(pyarrow.Table.from_pylist([one]), path)
        (record,) = read_run(path)
        assert (record.task, record.prediction) == (None, "18")
        assert record.reference == ["18", "восемнадцать"]


class TestBefore09:
    """Details of versions 0.4 to 0.8: no hashes (huggingface/lighteval 010dc62, info_loggers.py).

    `EvaluationTracker.save` wrote every field as text where Parquet had no type for one of them,
    such as pairs of a log-probability and a truth value.
    """

    @staticmethod
    def details(path: Path, *choices: int, as_text: bool) -> Path:
        rows = [
            {
                "example": f"вопрос {number}",
                "full_prompt": f"few вопрос {number}",
                "choices": [" a", " b"],
                "gold": [],
                "gold_index": [0],
                "num_asked_few_shots": 0,
                "predictions": [(-float(n != choice), n == choice) for n in range(2)],
                "metrics": {"acc": int(choice == 0)},
            }
            for number, choice in enumerate(choices)
        ]
        if as_text:
            rows = [{name: str(value) for name, value in row.items()} for row in rows]
        else:
            for row in rows:
                row["predictions"] = [value for value, _ in row["predictions"]]
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        return path

    @pytest.mark.parametrize("as_text", [True, False])
    def test_examples_are_items(self, tmp_path: Path, as_text: bool) -> None:
        old = read_run(self.details(tmp_path / "a.parquet", 0, 0, 1, as_text=as_text))
        new = read_run(self.details(tmp_path / "b.parquet", 0, 1, 0, as_text=not as_text))
        counts = compare_runs(old, new).counts
        assert (counts.total, counts.negative, counts.positive) == (3, 1, 1)
        assert [record.prediction for record in old] == [" a", " a", " b"]
        assert {record.reference for record in old} == {" a"}
        assert old.records[1].prompt == "few вопрос 1"

    def test_text_that_is_cut(self, tmp_path: Path) -> None:
        path = self.details(tmp_path / "a.parquet", 0, 0, as_text=True)
        rows = parquet.read_table(path).to_pylist()
        rows[1]["metrics"] = rows[1]["metrics"][:-1]
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        with pytest.raises(FileError, match=r"row 2: expected a list or an object as text of Pyth"):
            read_run(path)


class TestResults:
    @pytest.fixture
    def output(self, tmp_path: Path) -> Path:
        write(tmp_path / "details" / "org" / "tiny" / STAMP, row("1"), row("2"))
        config = {
            "hf_repo": "sums",
            "hf_subset": "easy",
            "hf_revision": None,
            "evaluation_splits": ["test"],
            "metrics": [
                {"metric_name": "em", "higher_is_better": True},
                {"metric_name": "ppl", "higher_is_better": False},
                {"metric_name": ["a", "b"], "higher_is_better": {"a": True, "b": False}},
                "a name alone",
            ],
            "effective_num_docs": 2,
        }
        content = {
            "config_general": {"model_name": "org/tiny", "lighteval_sha": "?", "max_samples": 2},
            "results": {"sums:0": {"em": float("nan")}},
            "versions": {"sums:0": 3, "other:0": 1},
            "config_tasks": {"sums:0": config},
        }
        folder = tmp_path / "results" / "org" / "tiny"
        folder.mkdir(parents=True)
        (folder / f"results_{STAMP}.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path

    def test_they_give_the_fingerprint(self, output: Path) -> None:
        run = read_run(output)
        assert run.name == "org/tiny"
        assert run.lower_is_better == {"ppl", "b"}
        assert dict(run.fingerprint) == {
            "format": "lighteval (it holds details_*.parquet)",
            "harness": "lighteval",
            "model": "org/tiny",
            "date": STAMP,
            "dataset": 'sums:0 ["sums","easy",null,["test"]]',
            "scorer": "sums:0 3",
            "max_samples": "2",
        }

    def test_documents_may_be_missing(self, output: Path) -> None:
        write(output / "details" / "org" / "tiny" / STAMP, row("1"))
        assert read_run(output).fingerprint["partial"] == "sums:0 1 of 2"

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"config_general": 7}'])
    def test_damaged_ones_are_named(self, output: Path, content: str) -> None:
        path = output / "results" / "org" / "tiny" / f"results_{STAMP}.json"
        path.write_text(content, encoding="utf-8")
        with pytest.raises(FileError, match=rf"results_{STAMP}\.json(:1)?: expected"):
            read_run(output)

    def test_results_of_another_time_do_not_count(self, output: Path) -> None:
        shutil.move(
            output / "results" / "org" / "tiny" / f"results_{STAMP}.json",
            output / "results" / "org" / "tiny" / f"results_{LATER}.json",
        )
        assert "model" not in read_run(output).fingerprint
