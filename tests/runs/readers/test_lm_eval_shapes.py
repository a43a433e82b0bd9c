"""Shapes in which files of lm-evaluation-harness and its relatives reach people."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs, read_run
from muscle_metrics.cli import main
from muscle_metrics.errors import FileError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD_TIME, NEW_TIME = "2024-06-17T17-37-25.144953", "2024-06-18T03-11-02.000111"


def generated(number: int, answer: str, target: str = "4", **fields: Any) -> dict[str, Any]:
    row = {
        "doc_id": number,
        "target": target,
        "filtered_resps": [answer],
        "filter": "none",
        "metrics": ["exact_match"],
        "doc_hash": f"hash {number}",
        "exact_match": float(answer == target),
    }
    return {**row, **fields}


def chosen(number: int, choice: int, gold: int = 0) -> dict[str, Any]:
    """A row of multiple choice before the harness named filters, metrics and hashes."""
    likelihoods = [[-1.0 if place == choice else -3.0, False] for place in range(2)]
    return {
        "doc_id": number,
        "doc": {"query": f"вопрос {number}", "gold": gold},
        "target": gold,
        "arguments": [["q", " aa"], ["q", " bbbb"]],
        "resps": [[pair] for pair in likelihoods],
        "filtered_resps": likelihoods,
        "acc": float(choice == gold),
        "acc_norm": float(choice == gold),
    }


def lines(path: Path, *rows: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def table(old: Path, new: Path, **options: Any) -> tuple[int, int, int]:
    """Items, items that broke, and items that got fixed."""
    runs = [read_run(path) for path in (old, new)]
    counts = compare_runs(*runs, **options).counts
    return counts.total, counts.negative, counts.positive


def test_the_name_of_a_file_is_no_task(tmp_path: Path) -> None:
    old = lines(tmp_path / "base.jsonl", generated(0, "4"), generated(1, "4"))
    new = lines(tmp_path / "дообученная.jsonl", generated(1, "5"), generated(0, "4"))
    assert {record.task for record in read_run(old)} == {None}
    assert table(old, new) == (2, 1, 0)


def test_files_of_the_second_leaderboard(tmp_path: Path) -> None:
    names = [f"samples_leaderboard_arc_challenge_{time}.json" for time in (OLD_TIME, NEW_TIME)]
    old = lines(tmp_path / "a" / names[0], chosen(0, 0), chosen(1, 0), chosen(2, 1))
    new = lines(tmp_path / "b" / names[1], chosen(2, 0), chosen(1, 1), chosen(0, 0))
    assert {record.task for record in read_run(old)} == {"leaderboard_arc_challenge"}
    assert table(old, new, metric="acc_norm") == (3, 1, 1)
    assert table(old.parent, new.parent, metric="acc_norm") == (3, 1, 1)
    # Both in one folder, without results: two models, or a rerun of one.
    new.rename(old.with_name(new.name))
    with pytest.raises(FileError, match=rf"may hold several models, got none for '{names[0]}'"):
        read_run(old.parent)


@pytest.mark.parametrize("ending", ["jsonl", "json"])
@pytest.mark.parametrize("indent", [None, 2])
def test_samples_as_one_json_list(tmp_path: Path, ending: str, indent: int | None) -> None:
    files = []
    for version, choices in (("v1", (0, 1)), ("v2", (1, 0))):
        rows = [chosen(number, choice) for number, choice in enumerate(choices)]
        files.append(tmp_path / f"{version}_hellaswag.{ending}")
        files[-1].write_text(json.dumps(rows, ensure_ascii=False, indent=indent), encoding="utf-8")
    run = read_run(files[0])
    assert [record.reference for record in run] == ["0", "0"]
    assert [record.prediction for record in read_run(files[0], metric="acc")] == ["0", "1"]
    assert table(*files, metric="acc") == (2, 1, 1)


def test_a_row_of_a_list_that_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "v1.jsonl"
    rows = [chosen(0, 0), chosen(1, 0) | {"filtered_resps": "4"}]
    path.write_text(json.dumps(rows), encoding="utf-8")
    with pytest.raises(FileError, match=r"v1\.jsonl, row 2: expected the list filtered_resps"):
        read_run(path)
    # A file of something else stays a plain file.
    path.write_text('[{"id": 1, "prediction": "filtered_resps"}]', encoding="utf-8")
    assert "harness" not in read_run(path, format="json").fingerprint


def test_files_of_lmms_eval(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = []
    for time, answers in (("20250101_000000", "ABC"), ("20250102_000000", "BBD")):
        rows = []
        for number, (answer, target) in enumerate(zip(answers, "ABD", strict=True)):
            # Metrics of lmms-eval hold what a whole set of answers is scored by.
            judged = {"id": f"v{number}", "answer": target, "parsed_pred": answer}
            row = generated(number, answer, target, mmmu_acc=judged)
            rows.append({k: v for k, v in row.items() if k not in {"exact_match", "metrics"}})
        folders.append(tmp_path / time / "org__model")
        lines(folders[-1] / f"{time}_samples_mmmu_val.jsonl", *rows)
        (folders[-1] / f"{time}_results.json").write_text('{"model_name": "m"}', encoding="utf-8")
    old, new = folders
    assert {record.task for record in read_run(old)} == {"mmmu_val"}
    assert read_run(old / "20250101_000000_results.json").records == read_run(old).records
    assert table(old, new, metric="exact_match") == (3, 1, 1)
    assert main(["compare", str(old), str(new)]) == 2
    assert "--metric (metric=), such as exact_match" in capsys.readouterr().err


def suite(folder: Path, *, last: str) -> Path:
    """Three tasks with different metrics, as a leaderboard evaluates them."""
    both = [
        generated(n, answer if n else "4", filter=name)
        for name, answer in (("strict-match", last), ("flexible-extract", last))
        for n in range(2)
    ]
    lines(folder / f"samples_gsm8k_{OLD_TIME}.jsonl", *both)
    lines(folder / f"samples_arc_challenge_{OLD_TIME}.jsonl", chosen(0, 0), chosen(1, 0))
    strict = {"metrics": ["prompt_level_strict_acc"], "prompt_level_strict_acc": True}
    followed = generated(0, "Dear all", "0", **strict)
    del followed["exact_match"]
    lines(folder / f"samples_ifeval_{OLD_TIME}.jsonl", followed)
    return folder


@pytest.mark.parametrize("metric", ["acc", "exact_match"])
def test_tasks_with_different_metrics_are_told_by_flags(tmp_path: Path, metric: str) -> None:
    runs = [
        read_run(suite(tmp_path / version, last=last), filter="strict-match")
        for version, last in (("v1", "4"), ("v2", "5"))
    ]
    with pytest.raises(UsageError) as caught:
        compare_runs(*runs, metric=metric)
    advice = (
        "choose one for each task, with --metric arc_challenge=acc (or acc_norm) "
        "--metric gsm8k=exact_match --metric ifeval=prompt_level_strict_acc "
    )
    assert advice in str(caught.value)


def test_a_suite_is_one_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = (
        suite(tmp_path / version, last=last) for version, last in (("v1", "4"), ("v2", "5"))
    )
    assert main(["compare", str(old), str(new)]) == 2
    message = capsys.readouterr().err
    flag = "--filter gsm8k=strict-match"
    assert flag in message
    assert main(["compare", str(old), str(new), *flag.split()]) == 0
    table = capsys.readouterr().out
    counted = re.findall(r"^(arc_challenge|gsm8k|ifeval) +(\d) .* (\d) +(\d) ", table, re.MULTILINE)
    assert sorted(counted) == [
        ("arc_challenge", "2", "0", "0"),
        ("gsm8k", "2", "1", "0"),
        ("ifeval", "1", "0", "0"),
    ]
    assert "arc_challenge by acc (also acc_norm)" in table
    # One task of the suite by a pattern, with a score of its own.
    named = ["--task", "arc_*", "--metric", "arc_*=acc_norm"]
    assert main(["compare", str(old), str(new), *named]) == 0
    assert ": 2 items" in capsys.readouterr().out


def test_two_models_in_one_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for version, last in (("base", "4"), ("tuned", "5")):
        suite(tmp_path / "out" / version, last=last)
    folder, chosen = str(tmp_path / "out"), ["--filter", "gsm8k=strict-match"]
    assert main(["compare", folder, folder, *chosen]) == 2
    assert "expected two different runs" in capsys.readouterr().err
    with pytest.raises(FileError, match="got 'base', 'tuned': choose one with --model"):
        read_run(folder)
    both = ["--old-model", "base", "--new-model", "tuned"]
    assert main(["compare", folder, *both, *chosen]) == 0
    assert "1 item broke, 0 got fixed" in capsys.readouterr().out
    assert main(["gate", folder, *both, *chosen, "--max-nfr", "0.5"]) == 3
    assert f"{folder}[base] -> {folder}[tuned]" in capsys.readouterr().out
    assert main(["compare", folder, "--old-model", "base", *chosen]) == 2
    assert "beside one folder, got 1 run" in capsys.readouterr().err
    with pytest.raises(FileError, match="are 'base', 'tuned', got 'tune'"):
        read_run(folder, model="tune")


def test_two_models_in_one_flat_folder(tmp_path: Path) -> None:
    """Their results beside the files tell them apart; old and new logs often share a folder."""
    for time, name, answer in ((OLD_TIME, "org/base", "4"), (NEW_TIME, "org/tuned", "5")):
        lines(tmp_path / f"samples_gsm8k_{time}.jsonl", generated(0, answer), generated(1, "4"))
        (tmp_path / f"results_{time}.json").write_text(json.dumps({"model_name": name}))
    runs = [read_run(tmp_path, model=model) for model in ("base", "org/tuned")]
    assert [run.name for run in runs] == ["org/base", "org/tuned"]
    assert compare_runs(*runs).counts.negative == 1
    with pytest.raises(FileError, match="expected one configuration"):
        read_run(tmp_path)


@pytest.mark.parametrize("command", ["compare", "gate"])
def test_a_metric_of_one_task_never_judges_another_by_text(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """ifeval has no exact_match: its answers were graded by text, 0 % in both runs.

    lm-evaluation-harness #3831, #3868.
    """
    for version, answer in (("v1", "4"), ("v2", "5")):
        sums = generated(0, answer, "4") | {"target": "so 2+2 #### 4"}
        lines(tmp_path / version / f"samples_gsm8k_{OLD_TIME}.jsonl", sums)
        followed = generated(0, "Dear all", "0", metrics=["prompt_level_strict_acc"])
        del followed["exact_match"]
        followed["prompt_level_strict_acc"] = 1.0
        lines(tmp_path / version / f"samples_ifeval_{OLD_TIME}.jsonl", followed)
    old, new = tmp_path / "v1", tmp_path / "v2"
    limit = ["--max-nfr", "0.9"] if command == "gate" else []
    assert main([command, str(old), str(new), "--metric", "exact_match", *limit]) == 2
    error = capsys.readouterr().err
    assert "expected a score 'exact_match' in every task of" in error
    assert "got none in 'ifeval': choose one for each task, with --metric gsm8k=ex" in error
    assert table(old, new) == (2, 1, 0)


def test_a_folder_of_samples_under_other_names_names_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Samples as a JSON list, beside results: lm-evaluation-harness #1493."""
    for version, choice in (("v1", 0), ("v2", 1)):
        folder = tmp_path / version
        lines(folder / "results.json", {"results": {}})
        rows = json.dumps([chosen(0, 0), chosen(1, choice)])
        (folder / "pretrained__gpt2_hellaswag.jsonl").write_text(rows, encoding="utf-8")
    old, new = tmp_path / "v1", tmp_path / "v2"
    assert main(["compare", str(old), str(new)]) == 4
    named = capsys.readouterr().err.partition("such as ")[2].strip()
    assert named == str(old / "pretrained__gpt2_hellaswag.jsonl")
    other = named.replace(str(old), str(new))
    assert main(["compare", named, other, "--metric", "acc_norm"]) == 0
    assert "1 item broke" in capsys.readouterr().out


def test_a_folder_of_the_first_versions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files are named by arguments of the model and by the tasks in results.json: #1493."""
    for version, choice in (("v1", 0), ("v2", 1)):
        folder = tmp_path / version
        lines(folder / "results.json", {"results": {"hellaswag": {}, "sub_hellaswag": {}}})
        for task, rows in (
            ("hellaswag", [chosen(0, 0), chosen(1, choice)]),
            ("sub_hellaswag", [chosen(0, choice), chosen(1, choice)]),
        ):
            path = folder / f"pretrained__gpt2_{task}.jsonl"
            path.write_text(json.dumps(rows, indent=2), encoding="utf-8")
    assert main(["compare", str(tmp_path / "v1"), str(tmp_path / "v2")]) == 0
    assert "3 items broke, 0 got fixed" in capsys.readouterr().out
    assert {record.task for record in read_run(folder)} == {"hellaswag", "sub_hellaswag"}
    # Another model that was written into the same folder.
    path.rename(folder / "pretrained__другая_sub_hellaswag.jsonl")
    with pytest.raises(FileError, match=r"got 'pretrained__gpt2', 'pretrained__другая': choose"):
        read_run(folder)
    assert len(read_run(folder, model="pretrained__gpt2")) == 2


@pytest.mark.parametrize(
    ("flags", "broken"),
    [
        (["--task", "arc_challenge", "--metric", "acc_norm"], "0 items broke"),
        (["--task", "gsm8k", "--filter", "strict-match"], "1 item broke"),
        (["--task", "ifeval", "--metric", "prompt_level_strict_acc"], "0 items broke"),
    ],
)
def test_each_task_of_a_suite_is_compared_by_its_metric(
    tmp_path: Path, flags: list[str], broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = suite(tmp_path / "v1", last="4"), suite(tmp_path / "v2", last="5")
    assert main(["compare", str(old), str(new), *flags]) == 0
    assert broken in capsys.readouterr().out


class TestResultsFiles:
    """The results of an evaluation name its samples, where a folder holds several."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for time, model, answer in ((OLD_TIME, "v1", "4"), (NEW_TIME, "v2", "5")):
            for task in ("sums", "summen"):
                lines(tmp_path / f"samples_{task}_{time}.jsonl", generated(7, answer))
            content = {"model_name": model, "n-samples": {"sums": {}, "summen": {}, "lost": {}}}
            (tmp_path / f"results_{time}.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path

    def test_they_choose_one_of_two_models(self, folder: Path) -> None:
        old, new = (read_run(folder / f"results_{time}.json") for time in (OLD_TIME, NEW_TIME))
        assert (old.name, new.name) == ("v1", "v2")
        assert compare_runs(old, new).counts.negative == 2
        assert new.fingerprint["partial"] == "lost without samples"

    @pytest.mark.parametrize("task", [None, "sums"])
    def test_the_folder_is_refused(self, folder: Path, task: str | None) -> None:
        message = (
            rf"'samples_sum\w+_{OLD_TIME}.jsonl' \(model=v1\) and "
            rf"'samples_sum\w+_{NEW_TIME}.jsonl' \(model=v2\): name one samples file, or the resul"
        )
        with pytest.raises(FileError, match=message):
            read_run(folder, task=task)

    def test_tasks_of_two_models_need_a_choice(self, folder: Path) -> None:
        (folder / f"samples_sums_{OLD_TIME}.jsonl").unlink()
        (folder / f"samples_summen_{NEW_TIME}.jsonl").unlink()
        with pytest.raises(FileError, match=r"of the model, .*or choose a task with --task"):
            read_run(folder)
        assert read_run(folder, task="sums").name == "v2"


def spoil(results: dict[str, Any]) -> None:
    results["configs"]["sums"]["process_docs"] = "<function f at 0x7fa8a0464550>"
    results["git_hash"] = "other"
    results["date"] = 2.0


def prompt(results: dict[str, Any]) -> None:
    results["configs"]["sums"]["doc_to_text"] = "functools.partial(<function g at 0x7f>, cot=True)"


@pytest.mark.parametrize(("change", "is_rerun"), [(spoil, True), (prompt, False)])
def test_addresses_of_functions_are_no_configuration(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], is_rerun: bool
) -> None:
    for time in (OLD_TIME, NEW_TIME):
        config = {
            "process_docs": "<function f at 0x7f1c>",
            "doc_to_text": "functools.partial(<function g at 0x8f>, cot=False)",
        }
        results = {"model_name": "m", "date": 1.0, "configs": {"sums": config}}
        if time == NEW_TIME:
            change(results)
        lines(tmp_path / f"samples_sums_{time}.jsonl", generated(1, time))
        (tmp_path / f"results_{time}.json").write_text(json.dumps(results), encoding="utf-8")
    if is_rerun:
        run = read_run(tmp_path)
        assert [record.prediction for record in run] == [NEW_TIME]
        assert "leaves out 1 older file of a rerun" in str(compare_runs(run, run))
    else:
        with pytest.raises(FileError, match=r"task_config\.doc_to_text=functools"):
            read_run(tmp_path)


def test_a_null_target_is_no_reference(tmp_path: Path) -> None:
    path = lines(tmp_path / "v1.jsonl", generated(0, "4"), generated(1, "None") | {"target": None})
    assert [record.reference for record in read_run(path)] == ["4", None]
