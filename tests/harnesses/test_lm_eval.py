"""lm-evaluation-harness itself: two tiny random models, evaluated for real, read back."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare_runs, read_run
from muscle_metrics.comparison.listed import texts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.harness


@pytest.fixture(scope="module")
def evaluated(
    harness: Callable[[str], Path], project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Folder with logs/v1, logs/v2 and memory.json."""
    folder = tmp_path_factory.mktemp("lm_eval")
    script = project / "tests" / "harnesses" / "tools" / "run_lm_eval.py"
    command = [harness("lm-eval"), script, folder, project]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    return folder


def raw_rows(evaluated: Path, version: str, task: str) -> list[dict[str, Any]]:
    (path,) = (evaluated / "logs" / version).glob(f"*/samples_{task}_*.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def by_hand(evaluated: Path, task: str, metric: str, name: str = "none") -> tuple[int, int]:
    """Negative and positive flips of the raw rows, equal documents in their order."""
    old, new = (
        [row[metric] for row in raw_rows(evaluated, version, task) if row["filter"] == name]
        for version in ("v1", "v2")
    )
    pairs = list(zip(old, new, strict=True))
    return sum(o > n for o, n in pairs), sum(o < n for o, n in pairs)


@pytest.mark.parametrize(
    ("task", "metric", "name"),
    [
        ("tiny_choice", "acc", None),
        ("tiny_choice", "acc_norm", None),
        ("tiny_sums", "exact_match", "strict-match"),
        ("tiny_sums", "exact_match", "flexible-extract"),
    ],
)
def test_counts_equal_a_hand_count(evaluated, task, metric, name):
    runs = [
        read_run(evaluated / "logs" / version, task=task, filter=name, metric=metric)
        for version in ("v1", "v2")
    ]
    counts = compare_runs(*runs, metric=metric).counts
    assert (counts.negative, counts.positive) == by_hand(evaluated, task, metric, name or "none")
    assert counts.total == 25
    # A document that occurs twice is two items.
    assert len({record.id for record in runs[0]}) == 25
    assert sum("#2" in record.id for record in runs[0]) == 1


def test_the_choice_is_the_one_that_was_scored(evaluated):
    for metric in ("acc", "acc_norm"):
        run = read_run(evaluated / "logs" / "v1", task="tiny_choice", metric=metric)
        # Were the choice another one than the harness took, its score would contradict it.
        assert all(
            (record.prediction == record.reference) == (record.scores[metric] == 1)
            for record in run
        )


def test_the_command_line_needs_no_flags_for_one_score(evaluated):
    files = [
        next((evaluated / "logs" / version).glob("*/samples_rolling_text_*.jsonl"))
        for version in ("v1", "v2")
    ]
    command = [sys.executable, "-m", "muscle_metrics", "compare", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "word_perplexity is better when lower" in done.stdout
    assert "25 items" in done.stdout


def test_the_fingerprint_says_how_it_was_made(evaluated):
    old, new = (read_run(evaluated / "logs" / v, task="rolling_text") for v in ("v1", "v2"))
    assert old.fingerprint["harness_version"] == "0.4.13"
    assert old.fingerprint["task_version"] == "rolling_text 1.0"
    assert old.lower_is_better == {"word_perplexity"}
    assert "partial" not in old.fingerprint
    descriptive = {"model", "date"}
    assert {k: v for k, v in old.fingerprint.items() if k not in descriptive} == {
        k: v for k, v in new.fingerprint.items() if k not in descriptive
    }
    assert old.name.endswith("v1")


def test_results_in_memory_are_the_same_run(evaluated):
    memory = json.loads((evaluated / "memory.json").read_text())
    run = read_run(evaluated / "logs" / "v1", filter="strict-match")
    assert memory == [[r.task, r.id, r.prediction, r.reference, dict(r.scores)] for r in run]


FIRST = {"tiny_choice": "acc", "tiny_sums": "exact_match", "tiny_rules": "prompt_level_strict_acc"}


def test_one_command_compares_three_tasks(evaluated, tmp_path):
    """Each task by the score that it lists first, one row each: all counted from the raw rows."""
    command = [sys.executable, "-m", "muscle_metrics", "compare"]
    command += [evaluated / "logs" / "v1", evaluated / "logs" / "v2", "--task", "tiny_*"]
    command += ["--filter", "tiny_sums=strict-match", "--json", tmp_path / "counts.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counted = json.loads((tmp_path / "counts.json").read_text())
    assert set(counted["tasks"]) == set(FIRST)
    total = [0, 0]
    for task, metric in FIRST.items():
        flips = by_hand(evaluated, task, metric, "strict-match" if task == "tiny_sums" else "none")
        found = counted["tasks"][task]["counts"]
        assert (found["negative"], found["positive"]) == flips
        total = [sum(pair) for pair in zip(total, flips, strict=True)]
        (row,) = [line.split() for line in done.stdout.splitlines() if line.startswith(task)]
        assert [row[1], row[-3], row[-2]] == ["25", *map(str, flips)]
        accuracies = [
            sum(line[metric] for line in rows) / 25
            for rows in (
                [r for r in raw_rows(evaluated, v, task) if r["filter"] in ("none", "strict-match")]
                for v in ("v1", "v2")
            )
        ]
        assert row[2:4] == [f"{100 * accuracy:.1f}%" for accuracy in accuracies]
    assert [counted["counts"]["negative"], counted["counts"]["positive"]] == total
    # A comparison in which nothing changed would show nothing here.
    assert min(total) > 0


def test_listed_items_show_what_the_model_was_asked_and_wrote(evaluated):
    logs = [evaluated / "logs" / version for version in ("v1", "v2")]
    choice = compare_runs(*logs, task="tiny_choice", metric="acc")
    items = list(choice.flips())
    raw = {row["doc_hash"]: row for row in raw_rows(evaluated, "v1", "tiny_choice")}
    for item, texts in zip(items, texts_of(choice, items).items, strict=True):
        document = raw[item.id.partition("#")[0]]["doc"]
        assert texts.question == document["question"]
        assert texts.old_option == document["choices"][int(item.old)]
        assert texts.reference_option == document["choices"][document["label"]]
    sums = compare_runs(*logs, task="tiny_sums", filter="strict-match")
    items = list(sums.items())
    raw = {row["doc_hash"]: row for row in raw_rows(evaluated, "v2", "tiny_sums")}
    for item, texts in zip(items, texts_of(sums, items).items, strict=True):
        response = raw[item.id.partition("#")[0]]["resps"][0][0]
        assert texts.new_response == (None if response == item.new else response)


def test_a_field_of_the_documents_gives_slices(evaluated):
    logs = [evaluated / "logs" / version for version in ("v1", "v2")]
    run = compare_runs(*logs, task="tiny_choice", metric="acc", slice_field="doc.label")
    assert sorted((name, counts.total) for name, counts in run.slices.items()) == [
        ("0", 6), ("1", 7), ("2", 6), ("3", 6),
    ]  # fmt: skip
