"""Known flip counts of real models, through the command line as a user would type it.

The numbers were counted apart from this package when the files were collected; those of GSM8K
follow from the correctness that its authors published.
"""

from __future__ import annotations

import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from muscle_metrics.cli import main

STRICT_KEY = '''
def yes_or_no(answer):
    """The one bracketed answer, if there is just one."""
    found = {word for word in ("[Yes]", "[No]") if word in answer}
    return found.pop() if len(found) == 1 else "unparsed"
'''


@dataclass
class CommandLine:
    folder: Path
    capture: pytest.CaptureFixture[str]

    def fails(self, *arguments: object) -> tuple[int, str]:
        code = main(["compare", *map(str, arguments)])
        printed = self.capture.readouterr()
        assert printed.out == ""
        assert printed.err.count("\n") == 1
        return code, printed.err

    def counts(self, *arguments: object) -> dict[str, Any]:
        result = self.folder / "result.json"
        code = main(["compare", *map(str, arguments), "--json", str(result)])
        assert code == 0, self.capture.readouterr().err
        content = json.loads(result.read_text(encoding="utf-8"))
        return {**content["counts"], "items": sum_of_cells(content["counts"])}


def sum_of_cells(counts: dict[str, int]) -> int:
    return sum(counts[cell] for cell in ("both_right", "negative", "positive", "both_wrong"))


@pytest.fixture
def compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(tmp_path, capsys)


MMLU_FIELDS = (
    "--id-field", "question_id", "--prediction-field", "pred", "--reference-field", "answer",
    "--slice-field", "category",
)  # fmt: skip


def mmlu(shared: Path, old: str, new: str) -> tuple[object, ...]:
    folder = shared / "data" / "mmlu_pro"
    return (folder / f"{old}.jsonl.gz", folder / f"{new}.jsonl.gz", *MMLU_FIELDS)


def test_mmlu_pro_refuses_nulls_and_conflicts_at_once(compare: CommandLine, shared: Path) -> None:
    code, message = compare.fails(*mmlu(shared, "Meta-Llama-3-8B", "Meta-Llama-3_1-8B"))
    assert code == 4
    assert "1290" in message
    assert all(item in message for item in ("143", "3983", "6392"))
    assert "--unanswered" in message
    assert "--conflict" in message


@pytest.mark.parametrize(
    ("conflict", "items", "negative", "positive"),
    [("own", 12032, 1022, 1301), ("drop", 12029, 1021, 1300), ("first", 12032, 1022, 1300)],
)
def test_mmlu_pro_llama_3_to_3_1(
    compare: CommandLine, shared: Path, conflict: str, items: int, negative: int, positive: int
) -> None:
    runs = mmlu(shared, "Meta-Llama-3-8B", "Meta-Llama-3_1-8B")
    counts = compare.counts(*runs, "--unanswered", "wrong", "--conflict", conflict)
    assert (counts["items"], counts["negative"], counts["positive"]) == (items, negative, positive)
    if conflict == "own":
        assert (counts["both_right"], counts["both_wrong"]) == (3090, 6619)
        assert counts["wrong_changed"] == 3593


@pytest.mark.parametrize(
    ("old", "new", "negative", "positive"),
    [
        ("Llama-2-7b-hf", "Meta-Llama-3-8B", 841, 2746),
        ("Mistral-7B-v0.1", "Mistral-7B-v0.2-hf", 1073, 1001),
    ],
)
def test_mmlu_pro_other_updates(
    compare: CommandLine, shared: Path, old: str, new: str, negative: int, positive: int
) -> None:
    counts = compare.counts(*mmlu(shared, old, new), "--unanswered", "wrong")
    assert (counts["negative"], counts["positive"]) == (negative, positive)


@pytest.mark.parametrize(
    ("old", "new", "negative", "positive"),
    [
        ("6b_finetuning", "6b_verification", 64, 293),
        ("6b_finetuning", "175b_finetuning", 88, 260),
        ("175b_finetuning", "175b_verification", 76, 360),
        ("6b_verification", "175b_verification", 79, 306),
    ],
)
def test_gsm8k_verdicts_of_two_columns_in_one_file(
    compare: CommandLine, shared: Path, old: str, new: str, negative: int, positive: int
) -> None:
    path = shared / "data" / "gsm8k_example_solutions" / "example_model_solutions.jsonl.gz"
    fields = ("--score-field", f"{old}.is_correct", "--score-field", f"{new}.is_correct")
    counts = compare.counts(path, path, "--id-field", "question", *fields)
    assert (counts["items"], counts["negative"], counts["positive"]) == (1319, negative, positive)
    assert counts["wrong_changed"] is None


@pytest.mark.parametrize(
    ("model", "old", "new", "negative", "positive"),
    [("gpt-4", "0314", "0613", 477, 139), ("gpt-3.5-turbo", "0301", "0613", 238, 413)],
)
def test_primes_with_a_strict_key(
    compare: CommandLine,
    shared: Path,
    tmp_path: Path,
    model: str,
    old: str,
    new: str,
    negative: int,
    positive: int,
) -> None:
    path = shared / "data" / "llm_drift" / "PRIME_FULL_EVAL.csv.gz"
    (tmp_path / "strict.py").write_text(STRICT_KEY, encoding="utf-8")
    write_bracketed_references(path, tmp_path / "references.jsonl")
    counts = compare.counts(
        path, path,
        "--where", f"model=openaichat/{model}-{old}", "--where", f"model=openaichat/{model}-{new}",
        "--prediction-field", "answer", "--reference", tmp_path / "references.jsonl",
        "--key", f"{tmp_path / 'strict.py'}:yes_or_no",
    )  # fmt: skip
    assert (counts["items"], counts["negative"], counts["positive"]) == (1000, negative, positive)


@pytest.mark.parametrize(
    ("old", "new", "negative", "positive"),
    [("vicuna-7b-v1.3", "vicuna-7b-v1.5", 13, 17), ("claude-2", "claude-2.1", 48, 32)],
)
def test_alpaca_eval_preference_over_one_and_a_half(
    compare: CommandLine, shared: Path, old: str, new: str, negative: int, positive: int
) -> None:
    counts = compare.counts(
        *alpaca(shared, old, new), "--threshold", "1.5", "--strict-threshold",
        "--prediction-field", "output",
    )  # fmt: skip
    assert (counts["items"], counts["negative"], counts["positive"]) == (805, negative, positive)


def test_alpaca_eval_without_a_threshold_gives_score_changes(
    compare: CommandLine, shared: Path
) -> None:
    result = compare.folder / "result.json"
    assert (
        main(
            ["compare", *map(str, alpaca(shared, "claude-2", "claude-2.1")), "--json", str(result)]
        )
        == 0
    )
    content = json.loads(result.read_text(encoding="utf-8"))
    assert "counts" not in content
    changes = content["scores"]["preference_vs_gpt4_1106"]
    assert changes["items"] == 805
    # mean(D) = PFR m_g - NFR m_r, up to the ties.
    gained = changes["positive_flip_rate"]["value"] * changes["mean_gain"]["value"]
    lost = changes["negative_flip_rate"]["value"] * changes["mean_regression"]["value"]
    assert changes["mean_change"]["value"] == pytest.approx(gained - lost, abs=1e-6)


def test_phi_2_names_its_two_missing_items(compare: CommandLine, shared: Path) -> None:
    # idx is a position in these files: after the first missing item it names another instruction.
    runs = alpaca(shared, "phi-2", "phi-2-sft")[:2]
    fields = ("--id-field", "instruction", "--score-field", "preference_vs_gpt4_1106")
    instructions = [set(column(Path(str(path)), "instruction")) for path in runs]
    absent = sorted(instructions[1] - instructions[0])
    assert len(absent) == 2
    code, message = compare.fails(*runs, *fields)
    assert code == 4
    assert "2 items missing" in message
    assert all(text[:20] in message for text in absent)
    counts = compare.counts(*runs, *fields, "--missing", "drop", "--threshold", "1.5")
    assert counts["items"] == 803


def test_opinion_qa_has_twelve_repeated_ids(compare: CommandLine, shared: Path) -> None:
    path = shared / "data" / "llm_drift" / "OPINIONQA_EVAL.csv.gz"
    code, message = compare.fails(
        path, path,
        "--where", "model=openaichat/gpt-4-0314", "--where", "model=openaichat/gpt-4-0613",
        "--prediction-field", "answer", "--reference-field", "ref_answer",
    )  # fmt: skip
    assert code == 4
    assert "12 rows" in message


def test_leetcode_verdicts_in_a_csv(compare: CommandLine, shared: Path) -> None:
    path = shared / "data" / "llm_drift" / "LEETCODE_EASY_EVAL.csv.gz"
    counts = compare.counts(
        path, path, "--score-field", "Directly Usable",
        "--where", "model=openaichat/gpt-4-0314", "--where", "model=openaichat/gpt-4-0613",
    )  # fmt: skip
    # The paper's own .52 -> .10 over 50 problems.
    assert counts["both_right"] + counts["negative"] == 26
    assert counts["both_right"] + counts["positive"] == 5
    assert counts["negative"] == 23


def test_self_instruct_exact_match_by_a_composite_id(
    compare: CommandLine, shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "stripped.py").write_text("def strip(answer): return answer.strip()", "utf-8")
    folder = shared / "data" / "self_instruct_252"
    counts = compare.counts(
        folder / "text-davinci-002.jsonl.gz", folder / "text-davinci-003.jsonl.gz",
        "--id-field", "instruction,input", "--prediction-field", "response",
        "--reference-field", "target", "--key", f"{tmp_path / 'stripped.py'}:strip",
    )  # fmt: skip
    assert counts["items"] == 252
    assert counts["both_right"] + counts["negative"] == 16
    assert counts["both_right"] + counts["positive"] == 12


def alpaca(shared: Path, old: str, new: str) -> tuple[object, ...]:
    folder = shared / "data" / "alpaca_eval"
    paths = (folder / f"{old}.jsonl.gz", folder / f"{new}.jsonl.gz")
    return (*paths, "--id-field", "idx", "--score-field", "preference_vs_gpt4_1106")


def column(path: Path, field: str) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [str(json.loads(line)[field]) for line in lines]


def write_bracketed_references(source: Path, target: Path) -> None:
    """References as the prompt asks for them; the file's own are a bare "yes" and "No"."""
    with gzip.open(source, "rt", encoding="utf-8", newline="") as lines:
        answers = {row["id"]: row["ref_answer"] for row in csv.DictReader(lines)}
    rows = [{"id": i, "reference": f"[{answer.title()}]"} for i, answer in answers.items()]
    target.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
