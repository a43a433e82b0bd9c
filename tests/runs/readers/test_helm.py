"""Folders of HELM runs: real ones, and the traps in them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics.cli import main
from muscle_metrics.comparison.compare import compare_runs
from muscle_metrics.errors import FileError, MuscleMetricsError
from muscle_metrics.runs.files.glimpse import Glimpse
from muscle_metrics.runs.harnesses import recognise_harness
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path

STATS, STATE, SPEC = "per_instance_stats.json", "scenario_state.json", "run_spec.json"
MIX = {"name": "mild_mix", "robustness": True, "computed_on": "perturbed"}


@pytest.fixture
def runs(shared: Path) -> Path:
    return shared / "logs" / "helm"


def stats(name: str, trial: int = 0, perturbation: Any = None, **scores: float | None) -> Any:
    return {
        "instance_id": name,
        "train_trial_index": trial,
        **({"perturbation": perturbation} if perturbation else {}),
        "stats": [
            {"name": {"name": stat, "split": "test"}, "count": 1}
            | ({} if mean is None else {"mean": mean})
            for stat, mean in scores.items()
        ],
    }


def request(name: str, trial: int = 0, perturbation: Any = None, **parts: Any) -> Any:
    instance = {
        "id": name,
        "input": {"text": f"q{name}"},
        "references": [
            {"output": {"text": "Even"}, "tags": ["correct"]},
            {"output": {"text": "Odd"}, "tags": []},
        ],
        **({"perturbation": perturbation} if perturbation else {}),
    }
    result = {"success": True, "completions": [{"text": " Even", "logprob": 0}]}
    return {
        "instance": instance,
        "train_trial_index": trial,
        "request": {"prompt": f"Is q{name} even? ({trial})"},
        "result": {**result, **parts.pop("result", {})},
        **parts,
    }


def write(folder: Path, scores: list[Any], requests: list[Any]) -> Path:
    (folder / STATS).write_text(json.dumps(scores), encoding="utf-8")
    state = {"adapter_spec": {"model": "tiny", "temperature": 0}, "request_states": requests}
    (folder / STATE).write_text(json.dumps(state), encoding="utf-8")
    return folder


class TestRealRuns:
    @pytest.mark.parametrize(
        ("name", "task"), [("simple_mcqa", "simple_mcqa"), ("simple_classification",) * 2]
    )
    def test_scores_are_those_of_the_file(self, runs: Path, name: str, task: str) -> None:
        folder = runs / f"{name}_model_simple_model1"
        run = read_run(folder)
        assert run.name == "simple/model1"
        assert {record.task for record in run} == {task}
        means = {
            (entry["instance_id"], str(entry["train_trial_index"])): {
                stat["name"]["name"]: stat["mean"]
                for stat in entry["stats"]
                if "exact_match" in stat["name"]["name"]
            }
            for entry in json.loads((folder / STATS).read_text("utf-8"))
        }
        assert {(record.id, record.repeat): dict(record.scores) for record in run} == means

    def test_a_run_without_judging_metrics_is_compared_by_its_answers(self, runs: Path) -> None:
        run = read_run(runs / "simple1_model_simple_model1")
        assert {len(record.scores) for record in run} == {0}
        assert run.records[0].reference == "15"
        named = read_run(runs / "simple1_model_simple_model1", metric="num_bytes")
        assert {record.scores["num_bytes"] for record in named} == {7.0}

    def test_trials_are_repeats(self, runs: Path) -> None:
        run = read_run(runs / "simple_mcqa_model_simple_model1")
        assert len(run) == 20
        assert len({record.id for record in run}) == 10
        assert {record.repeat for record in run} == {"0", "1"}

    def test_the_likeliest_completion_answers(self, runs: Path) -> None:
        folder = runs / "simple1_model_simple_model1"
        states = json.loads((folder / STATE).read_text("utf-8"))["request_states"]
        best = [
            max(state["result"]["completions"], key=lambda c: c["logprob"])["text"]
            for state in states
        ]
        assert [record.prediction for record in read_run(folder)] == best

    def test_another_model_changes_no_other_part_of_the_fingerprint(
        self, runs: Path, tmp_path: Path
    ) -> None:
        folder = runs / "simple_mcqa_model_simple_model1"
        shutil.copytree(folder, tmp_path / "new", copy_function=shutil.copyfile)
        for name in (SPEC, STATE):
            path = tmp_path / "new" / name
            path.chmod(0o644)
            text = path.read_text("utf-8")
            path.write_text(text.replace("simple/model1", "simple/model2"), encoding="utf-8")
        old, new = read_run(folder).fingerprint, read_run(tmp_path / "new").fingerprint
        assert {part for part in old if old[part] != new[part]} == {"model"}
        assert {"dataset", "prompt", "scorer"} <= old.keys()

    def test_any_file_of_the_folder_names_it(self, runs: Path) -> None:
        folder = runs / "simple_mcqa_model_simple_model1"
        assert read_run(folder / STATE).records == read_run(folder).records
        other = runs / "simple_mcqa_model_simple_model1" / "x.json"
        assert recognise_harness(Glimpse(other)) is None

    def test_names_of_folders_hold_what_paths_seldom_do(
        self, runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folders = []
        for model in ("a_v1", "a_v2"):
            folder = tmp_path / f"mmlu:subject=law,method=joint,model={model}"
            source = runs / "simple_mcqa_model_simple_model1"
            shutil.copytree(source, folder, copy_function=shutil.copyfile)
            folders.append(str(folder))
        assert main(["compare", *folders]) != 0
        listed = "got 'exact_match', 'exact_match@5', 'prefix_exact_match'"
        assert listed in capsys.readouterr().err
        assert main(["compare", *folders, "--metric", "quasi_exact_match"]) == 0
        assert "20 items" in capsys.readouterr().out.partition("\n")[0]


@pytest.mark.parametrize("metric", [None, "exact_match"])
@pytest.mark.parametrize("damaged", ["v1", "v2"])
def test_an_instance_without_the_score_is_never_graded_by_text(
    tmp_path: Path, damaged: str, metric: str | None
) -> None:
    """Its run was graded by text, and five items seemed to break where none did."""
    runs = {}
    for name in ("v1", "v2"):
        (tmp_path / name).mkdir()
        ids = [f"id{n}" for n in range(5)]
        scores = [
            stats(one, **({} if (name, one) == (damaged, "id3") else {"exact_match": 1.0}))
            for one in ids
        ]
        runs[name] = read_run(write(tmp_path / name, scores, [request(one) for one in ids]))
    with pytest.raises(MuscleMetricsError, match="--unanswered wrong"):
        compare_runs(runs["v1"], runs["v2"], metric=metric)
    counts = compare_runs(runs["v1"], runs["v2"], metric=metric, unanswered="wrong").counts
    assert (counts.negative, counts.positive) == ((0, 1) if damaged == "v1" else (1, 0))


class TestItems:
    def test_a_perturbed_instance_is_another_item_of_its_group(self, tmp_path: Path) -> None:
        folder = write(
            tmp_path,
            [stats("id1", 0, MIX, exact_match=0.0), stats("id1", exact_match=1.0)],
            [request("id1"), request("id1", 0, MIX)],
        )
        plain, mixed = read_run(folder).records
        assert (plain.id, plain.slice, plain.scores) == ("id1", None, {"exact_match": 1.0})
        assert (mixed.id, mixed.slice) == ('["id1","mild_mix"]', "mild_mix")
        assert mixed.scores == {"exact_match": 0.0}
        assert plain.group == mixed.group == "id1"

    def test_seeds_of_a_perturbation_are_told_apart(self, tmp_path: Path) -> None:
        seeds = [{**MIX, "seed": seed} for seed in (1, 2)]
        folder = write(
            tmp_path,
            [stats("id1", 0, seed, em=1.0) for seed in seeds],
            [request("id1", 0, seed) for seed in seeds],
        )
        assert [r.id for r in read_run(folder)] == ['["id1","mild_mix",1]', '["id1","mild_mix",2]']

    def test_order_does_not_pair(self, tmp_path: Path) -> None:
        folder = write(
            tmp_path,
            [stats("id2", em=0.0), stats("id1", em=1.0)],
            [request("id1"), request("id2")],
        )
        assert [record.scores["em"] for record in read_run(folder)] == [1.0, 0.0]

    def test_a_statistic_that_was_nan_is_missing(self, tmp_path: Path) -> None:
        folder = write(
            tmp_path,
            [stats("id1", em=1.0), stats("id2"), stats("id3", em=None)],
            [request(name) for name in ("id1", "id2", "id3")],
        )
        assert [dict(record.scores) for record in read_run(folder)] == [{"em": 1.0}, {}, {}]

    def test_circumstances_are_no_scores_unless_named(self, tmp_path: Path) -> None:
        scores = {"em": 1.0, "num_bytes": 7.0, "logprob": -3.0, "finish_reason_stop": 1.0}
        folder = write(tmp_path, [stats("id1", **scores)], [request("id1")])
        assert read_run(folder).records[0].scores == {"em": 1.0}
        named = read_run(folder, metric="logprob")
        assert named.records[0].scores == {"em": 1.0, "logprob": -3.0}

    def test_letters_stand_for_choices(self, tmp_path: Path) -> None:
        mapping = {"A": "Even", "B": "Odd"}
        answers = [" B\n", "C"]
        folder = write(
            tmp_path,
            [],
            [
                request(
                    f"id{number}",
                    output_mapping=mapping,
                    result={"completions": [{"text": answer, "logprob": 0}]},
                )
                for number, answer in enumerate(answers)
            ],
        )
        assert [record.prediction for record in read_run(folder)] == ["Odd", "C"]

    def test_one_request_per_choice_is_one_item(self, tmp_path: Path) -> None:
        requests = [request("id1", reference_index=index) for index in (0, 1)]
        record = read_run(write(tmp_path, [stats("id1", em=1.0)], requests)).records[0]
        assert (record.prediction, record.prompt) == (None, "qid1")
        assert record.scores == {"em": 1.0}

    def test_a_failed_request_has_no_score(self, tmp_path: Path) -> None:
        failed = request("id2", result={"success": False, "completions": []})
        scores = [stats("id1", em=1.0), stats("id2", em=0.0)]
        run = read_run(write(tmp_path, scores, [request("id1"), failed]))
        assert [dict(record.scores) for record in run] == [{"em": 1.0}, {}]
        assert run.records[1].prediction is None
        assert run.fingerprint["errors"] == "1 of 2 requests"

    def test_directions_are_those_of_helm(self, tmp_path: Path) -> None:
        scores = {"wer_score": 0.2, "em": 1.0}
        run = read_run(write(tmp_path, [stats("id1", **scores)], [request("id1")]))
        assert run.lower_is_better == {"wer_score"}

    @pytest.mark.parametrize(
        ("name", "task"),
        [
            ("mmlu:subject=anatomy,model=org_x", "mmlu:subject=anatomy"),
            ("mmlu:model=org_x,model_deployment=y", "mmlu"),
            ("mmlu", "mmlu"),
            ("", None),
        ],
    )
    def test_the_task_is_the_name_without_the_model(
        self, tmp_path: Path, name: str, task: str | None
    ) -> None:
        write(tmp_path, [stats("id1", em=1.0)], [request("id1")])
        (tmp_path / SPEC).write_text(json.dumps({"name": name}), encoding="utf-8")
        assert read_run(tmp_path).records[0].task == task


class TestRefused:
    def test_a_folder_with_one_file_of_two(self, tmp_path: Path) -> None:
        write(tmp_path, [], [request("id1")])
        (tmp_path / STATS).unlink()
        assert recognise_harness(Glimpse(tmp_path / STATE)) is None
        with pytest.raises(FileError, match=rf"got none named {STATS}: name the folder below runs"):
            read_run(tmp_path, format="helm")
        # Whoever names a file reads its name in the message.
        with pytest.raises(FileError, match=rf"{STATE}: expected the folder .* got none named"):
            read_run(tmp_path / STATE, format="helm")

    def test_files_of_two_runs(self, tmp_path: Path) -> None:
        write(tmp_path, [stats("id1", em=1.0), stats("id9", em=1.0)], [request("id1")])
        message = r"got none for 1 of them, such as 'id9': the two files are not of one run"
        with pytest.raises(FileError, match=message):
            read_run(tmp_path)

    def test_the_specification_of_another_run(self, tmp_path: Path) -> None:
        write(tmp_path, [], [request("id1")])
        spec = {"name": "mmlu", "adapter_spec": {"model": "tiny", "temperature": 1}}
        (tmp_path / SPEC).write_text(json.dumps(spec), encoding="utf-8")
        message = rf"got '{SPEC}' \(temperature=1\) and '{STATE}' \(temperature=0\): the files are"
        with pytest.raises(FileError, match=message):
            read_run(tmp_path)

    @pytest.mark.parametrize("field", ["model", "model_deployment"])
    def test_requests_to_several_models(self, tmp_path: Path, field: str) -> None:
        asked = [request(f"id{n}") for n in range(3)]
        asked[2]["request"][field] = "большая"
        asked[1]["request"][field] = "tiny"
        with pytest.raises(FileError, match=rf"requests to one {field}, got 'tiny', 'большая'"):
            read_run(write(tmp_path, [], asked))

    def test_several_runs_of_a_suite(self, tmp_path: Path) -> None:
        names = ["mmlu:subject=law,model=a", "mmlu:subject=право,model=a"]
        for name in names:
            (tmp_path / "runs" / "v1" / name).mkdir(parents=True)
            write(tmp_path / "runs" / "v1" / name, [], [request("id1")])
        for folder in (tmp_path / "runs" / "v1", tmp_path):
            with pytest.raises(FileError, match=r"expected one HELM run .*=law,.*=право,.*: name"):
                read_run(folder)
        shutil.rmtree(tmp_path / "runs" / "v1" / names[1])
        assert len(read_run(tmp_path)) == 1

    def test_an_instance_twice(self, tmp_path: Path) -> None:
        write(tmp_path, [], [request("id1"), request("id1")])
        with pytest.raises(FileError, match=rf"{STATE}, row 2: expected one request for each"):
            read_run(tmp_path)
        scores = [stats("id1", em=1.0), stats("id1", em=0.0)]
        write(tmp_path, scores, [request("id1")])
        with pytest.raises(FileError, match=rf"{STATS}, row 2: .*got 'em' twice"):
            read_run(tmp_path)

    def test_no_requests(self, tmp_path: Path) -> None:
        with pytest.raises(FileError, match=rf"{STATE}: expected requests, got none"):
            read_run(write(tmp_path, [], []))

    @pytest.mark.parametrize("trial", [None, "0", 1.5, [0]])
    def test_a_trial_that_is_no_number(self, tmp_path: Path, trial: object) -> None:
        entry = {**stats("id1", em=1.0), "train_trial_index": trial}
        with pytest.raises(FileError, match="row 1: expected a number in the field 'train_trial_i"):
            read_run(write(tmp_path, [entry], [request("id1")]))


class TestSuites:
    """The layout of a suite is that of helm-run 0.5.16: runs/SUITE/RUN."""

    def suite(self, folder: Path, model: str, broken: str = "") -> Path:
        for task in ("mmlu:subject=law", "gsm:"):
            place = folder / "runs" / "v1" / f"{task},model={model}"
            place.mkdir(parents=True)
            ids = ["id1", "id2", "вопрос"]
            scores = [stats(one, exact_match=float(one != broken)) for one in ids]
            write(place, scores, [request(one) for one in ids])
            adapter = {"model": model, "temperature": 0}
            state = json.loads((place / STATE).read_text("utf-8"))
            state["adapter_spec"] = adapter
            for one in state["request_states"]:
                one.get("request", {}).pop("model", None)
            (place / STATE).write_text(json.dumps(state), encoding="utf-8")
            spec = {"name": f"{task},model={model}", "adapter_spec": adapter}
            (place / SPEC).write_text(json.dumps(spec), encoding="utf-8")
        return folder

    def test_runs_of_a_suite_are_tasks(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for model, broken in (("v1", ""), ("v2", "id2")):
            self.suite(tmp_path / model, model, broken)
            self.suite(tmp_path / "both", model, broken)
        assert main(["compare", str(tmp_path / "v1"), str(tmp_path / "v2")]) == 0
        printed = capsys.readouterr().out
        assert ": 6 items" in printed
        assert "2 items broke, 0 got fixed" in printed
        both = str(tmp_path / "both")
        models = ["--old-model", "v1", "--new-model", "v2"]
        assert main(["compare", both, *models, "--task", "gsm"]) == 0
        assert "1 item broke, 0 got fixed" in capsys.readouterr().out
        with pytest.raises(FileError, match="got 'v1', 'v2': choose one with --model"):
            read_run(both)

    def test_a_run_twice_is_not_merged(self, tmp_path: Path) -> None:
        self.suite(tmp_path, "v1")
        shutil.copytree(tmp_path / "runs" / "v1", tmp_path / "runs" / "v2")
        with pytest.raises(FileError, match=r"one HELM run of the task 'gsm', got 'runs/v1/gsm:"):
            read_run(tmp_path)

    @pytest.mark.parametrize("lost", [STATS, STATE])
    def test_a_run_that_lacks_a_file_is_not_left_out(self, tmp_path: Path, lost: str) -> None:
        self.suite(tmp_path, "v1")
        (tmp_path / "runs" / "v1" / "gsm:,model=v1" / lost).unlink()
        with pytest.raises(FileError, match=f"got none named {lost}"):
            read_run(tmp_path)
        assert len(read_run(tmp_path, task="mmlu:subject=law")) == 3

    def test_failures_name_their_task(self, tmp_path: Path) -> None:
        folder = self.suite(tmp_path, "v1") / "runs" / "v1" / "mmlu:subject=law,model=v1"
        state = json.loads((folder / STATE).read_text("utf-8"))
        state["request_states"][1]["result"] = {"success": False}
        (folder / STATE).write_text(json.dumps(state), encoding="utf-8")
        assert read_run(tmp_path).fingerprint["errors"] == "mmlu:subject=law: 1 of 3 requests"
