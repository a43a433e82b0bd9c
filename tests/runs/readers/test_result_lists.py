"""Lists of MMLU-Pro and ZeroEval, and judgments of MT-bench.

The shapes are those of TIGER-AI-Lab/MMLU-Pro at commit f418b11 (evaluate_from_api.py,
evaluate_from_local.py), WildEval/ZeroEval at 8c1485e (src/evaluation), and lm-sys/FastChat at
0e6d3e4 (fastchat/llm_judge/common.py).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs
from muscle_metrics.cli import main
from muscle_metrics.errors import FileError, MuscleMetricsError
from muscle_metrics.runs.read import read_run

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[dict[str, Any]]


def save(path: Path, rows: Rows) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        text = json.dumps(rows, ensure_ascii=False, indent=2)
    path.write_text(text, encoding="utf-8")
    return path


def question(number: int, pred: str | None, **parts: Any) -> dict[str, Any]:
    return {
        "question_id": number,
        "question": f"вопрос {number}",
        "options": ["a", "b"],
        "answer": "B",
        "answer_index": 1,
        "cot_content": "",
        "category": "law" if number < 3 else "право",
        "src": "tiny",
        "pred": pred,
        "model_outputs": "The answer is ...",
        **parts,
    }


class TestMmluPro:
    def test_subjects_are_one_run_and_slices_of_it(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Summaries lie beside the lists of the script that calls an interface."""
        for version, answers in (("v1", "BBABB"), ("v2", "ABBBA")):
            rows = [question(n, answer) for n, answer in enumerate(answers)]
            for subject in ("law", "право"):
                chosen = [row for row in rows if row["category"] == subject]
                save(tmp_path / version / f"{subject}_result.json", chosen[::-1])
                summary = tmp_path / version / f"{subject}_summary.json"
                summary.write_text(json.dumps({"total": {"acc": 1.0}}), encoding="utf-8")
        folders = [str(tmp_path / version) for version in ("v1", "v2")]
        assert main(["compare", *folders]) == 0
        printed = capsys.readouterr().out
        assert "2 items broke, 1 got fixed" in printed
        assert "slice (most broken first)" in printed
        assert main(["compare", str(tmp_path), "--old-model", "v1", "--new-model", "v2"]) == 0
        assert "2 items broke, 1 got fixed" in capsys.readouterr().out

    def test_each_question_has_its_own_options(self, tmp_path: Path) -> None:
        rows = [question(0, "B"), {**question(1, "B"), "options": [str(n) for n in range(10)]}]
        rows.append({**question(2, "B"), "options": None})
        found = [record.choices for record in read_run(save(tmp_path / "a.json", rows))]
        assert found == ["ABCD"[: len(rows[0]["options"])], "ABCDEFGHIJ", None]

    def test_no_answer_is_not_a_random_guess(self, tmp_path: Path) -> None:
        old = read_run(save(tmp_path / "a.json", [question(0, "B"), question(1, "B")]))
        new = read_run(save(tmp_path / "b.json", [question(0, "B"), question(1, None)]))
        with pytest.raises(MuscleMetricsError, match=r"1 of 2 items without a .*--unanswered"):
            compare_runs(old, new)
        assert compare_runs(old, new, unanswered="wrong").counts.negative == 1

    def test_a_question_that_was_mended_is_the_same_item(self, tmp_path: Path) -> None:
        old = [question(n, "B") for n in range(3)]
        new = [*old[:2], question(2, "B", question="вопрос 2?", answer="A")]
        runs = [read_run(save(tmp_path / f"{n}.json", rows)) for n, rows in enumerate((old, new))]
        assert runs[0].fingerprint["dataset"] != runs[1].fingerprint["dataset"]
        assert compare_runs(*runs, conflict="own").counts.negative == 1

    def test_two_models_in_one_folder(self, tmp_path: Path) -> None:
        for name in ("model_outputs_a.json", "model_outputs_б.json"):
            save(tmp_path / name, [question(0, "B"), question(1, "B")])
        with pytest.raises(FileError, match=r"б\.json, row 1: .*got '0' in 'model_outputs_a.json'"):
            read_run(tmp_path)

    def test_a_subject_that_is_cut_or_empty_is_not_left_out(self, tmp_path: Path) -> None:
        save(tmp_path / "law_result.json", [question(0, "B")])
        other = save(tmp_path / "право_result.json", [question(3, "B"), question(4, "B")])
        whole = other.read_bytes()
        for end in (0, 1, len(whole) // 2, len(whole) - 1):
            other.write_bytes(whole[:end])
            with pytest.raises(FileError, match="право_result"):
                read_run(tmp_path)


def parsed(number: int, matched: object = True, **parts: Any) -> dict[str, Any]:
    return {
        "session_id": f"gsm8k-#{number}",
        "chat_history": [f"вопрос {number}"],
        "output": ["..."],
        "generator": "org/tiny",
        "dataset": "gsm",
        "id": f"gsm8k-#{number}",
        "model_answer": {"raw": "4 miles", "sanitized": "4 miles", "first_number": "4"},
        "correct_answer": {"raw": "4", "sanitized": "4", "first_number": "4"},
        "matched": matched,
        **parts,
    }


class TestZeroEval:
    def test_no_extracted_answer_is_wrong_as_there(self, tmp_path: Path) -> None:
        nothing = {"raw": None, "sanitized": None, "first_number": None}
        rows = [parsed(0), parsed(1, "No answer extracted", model_answer=nothing), parsed(2, False)]
        run = read_run(save(tmp_path / "m.json", rows))
        found = [(record.prediction, dict(record.scores)) for record in run]
        assert found[1] == (None, {"matched": False})
        assert found[2] == ("4 miles", {"matched": False})
        assert run.records[1].reference == "4"

    def test_puzzles_are_solved_and_letters_are_text(self, tmp_path: Path) -> None:
        puzzle = {"solved": False, "parsed": True, "correct_cells": 3, "total_cells": 4}
        rows = [parsed(n, model_answer="B", correct_answer="C") for n in range(2)]
        for row in rows:
            del row["matched"]
            row.update(puzzle)
        run = read_run(save(tmp_path / "m.json", rows))
        assert [dict(record.scores) for record in run] == [{"solved": False}] * 2
        assert (run.records[1].prediction, run.records[1].reference) == ("B", "C")

    def test_datasets_are_tasks_and_lists_are_models(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for model, broken in (("v1", set()), ("v2", {1})):
            for dataset in ("gsm", "право"):
                rows = [parsed(n, n not in broken, dataset=dataset) for n in range(3)]
                save(tmp_path / dataset / f"{model}.json", rows)
        assert main(["compare", str(tmp_path), "--old-model", "v1", "--new-model", "v2"]) == 0
        assert "2 items broke, 0 got fixed" in capsys.readouterr().out
        one = [str(tmp_path / "право" / f"{model}.json") for model in ("v1", "v2")]
        assert main(["compare", *one]) == 0
        assert "1 item broke, 0 got fixed" in capsys.readouterr().out

    def test_items_that_a_dataset_leaves_out_are_missing(self, tmp_path: Path) -> None:
        old = read_run(save(tmp_path / "a.json", [parsed(n) for n in range(3)]))
        new = read_run(save(tmp_path / "b.json", [parsed(n) for n in (0, 2)]))
        with pytest.raises(MuscleMetricsError, match="1 item missing in new"):
            compare_runs(old, new)

    def test_lists_without_verdicts(self, tmp_path: Path) -> None:
        row = parsed(1)
        del row["matched"]
        with pytest.raises(FileError, match=r"row 2: expected a verdict .*result_dirs_parsed/"):
            read_run(save(tmp_path / "m.json", [parsed(0), row]))
        with pytest.raises(FileError, match=r"row 2: expected true, false or .* got 'да'"):
            read_run(save(tmp_path / "m.json", [parsed(0), parsed(1, "да")]))


def judgment(number: int, score: object, turn: int = 1, **parts: Any) -> dict[str, Any]:
    return {
        "question_id": number,
        "model": "v1",
        "judge": ["gpt-4", "single-v1" if turn == 1 else "single-v1-multi-turn"],
        "user_prompt": "...",
        "judgment": f"Rating: [[{score}]]",
        "score": score,
        "turn": turn,
        "tstamp": 1.5,
        **parts,
    }


class TestMtBench:
    def test_minus_one_is_no_score(self, tmp_path: Path) -> None:
        """FastChat's show_result.py drops it: df[df["score"] != -1]."""
        rows = [judgment(81, 7), judgment(81, -1, turn=2), judgment(82, 9)]
        run = read_run(save(tmp_path / "gpt-4_single.jsonl", rows))
        assert [(r.id, dict(r.scores)) for r in run] == [
            ('["81","1"]', {"score": 7.0}),
            ('["81","2"]', {}),
            ('["82","1"]', {"score": 9.0}),
        ]
        assert run.fingerprint["errors"] == "1 of 3 judgments"
        with pytest.raises(MuscleMetricsError, match="1 of 3 items without a score"):
            compare_runs(run, run, threshold=5)

    def test_models_of_one_file(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        scores = {"v1": [7, 8, 9, 2], "в2": [7, 3, 10, 6]}
        rows = [
            judgment(81 + n // 2, score, turn=1 + n % 2, model=model)
            for model, listed in scores.items()
            for n, score in enumerate(listed)
        ]
        path = str(save(tmp_path / "gpt-4_single.jsonl", rows))
        models = ["--old-model", "v1", "--new-model", "в2"]
        assert main(["compare", path, *models, "--threshold", "5"]) == 0
        printed = capsys.readouterr().out
        assert "1 item broke, 1 got fixed" in printed
        assert "4 rows in 2 groups" in printed
        with pytest.raises(FileError, match=r"got 'v1', 'в2': .*--old-model and --new-model"):
            read_run(path)

    def test_judges_are_filters(self, tmp_path: Path) -> None:
        rows = [judgment(81, 7), judgment(82, 7), judgment(81, 3, judge=["судья", "single-v1"])]
        path = save(tmp_path / "j.jsonl", rows)
        with pytest.raises(MuscleMetricsError, match=r"got 'gpt-4', 'судья': .*--filter"):
            read_run(path)
        assert len(read_run(path, filter="gpt-4")) == 2

    def test_a_judgment_twice_is_refused(self, tmp_path: Path) -> None:
        rows = [judgment(81, 7), judgment(82, 7), judgment(82, 9)]
        run = read_run(save(tmp_path / "j.jsonl", rows))
        with pytest.raises(MuscleMetricsError, match="more than once"):
            compare_runs(run, run, threshold=5)

    def test_pairwise_judgments(self, tmp_path: Path) -> None:
        pair = {"model_1": "v1", "model_2": "v2", "g1_winner": "tie", "g2_winner": "tie"}
        row = {"question_id": 81, **pair, "judge": ["gpt-4", "pair-v2"], "turn": 1}
        with pytest.raises(FileError, match=r"got pairwise judgments, .*--mode single"):
            read_run(save(tmp_path / "gpt-4_pair.jsonl", [row]))

    @pytest.mark.parametrize("judge", ["gpt-4", ["gpt-4"], [1, 2], None])
    def test_a_judge_without_its_template(self, tmp_path: Path, judge: object) -> None:
        path = save(tmp_path / "j.jsonl", [judgment(81, 7), judgment(82, 7, judge=judge)])
        with pytest.raises(FileError, match=r"j\.jsonl:2: expected a (judge|list)"):
            read_run(path)
