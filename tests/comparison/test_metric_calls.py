"""Options behind the name of a metric, everywhere that a metric is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import compare, compare_runs, consistency, score_flips
from muscle_metrics.cli import main
from muscle_metrics.comparison.baseline import make_baseline
from muscle_metrics.comparison.chains import compare_chain
from muscle_metrics.errors import UsageError
from muscle_metrics.gate.check import check_gate
from muscle_metrics.gate.policy import Policy, read_policy
from muscle_metrics.integrations.pytest_plugin import ModelGate
from muscle_metrics.runs.record import Record, Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD = ["我今天去上海开会", "Москва большой город", "run cats", "a b"]
NEW = ["他昨天在北京睡觉", "Москва большой город", "a b", "a b"]
REFERENCES = ["我今天去上海开会。", "Москва — город", "run cat", "a b"]
TEXTS: dict[str, Any] = {"old": OLD, "new": NEW, "references": REFERENCES}
CALL = "rouge1(tokenizer=character)"
OPTIONS = {"rouge1": {"tokenizer": "character"}}


def run_of(texts: list[str], name: str) -> Run:
    items = zip(texts, REFERENCES, strict=True)
    return Run(tuple(Record(str(k), p, r) for k, (p, r) in enumerate(items)), name)


RUNS = run_of(OLD, "v1"), run_of(NEW, "v2")


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    for run in RUNS:
        rows = [
            {"id": f"{r.id}-{copy}", "prediction": r.prediction, "reference": r.reference}
            for copy in range(10)
            for r in run
        ]
        text = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        (tmp_path / f"{run.name}.jsonl").write_text(text, encoding="utf-8")
    return str(tmp_path / "v1.jsonl"), str(tmp_path / "v2.jsonl")


@pytest.mark.parametrize(
    "call",
    [
        lambda **choice: compare(**TEXTS, **choice),
        lambda **choice: compare_runs(*RUNS, **choice),
        lambda **choice: compare_runs(*RUNS, threshold=0.5, **choice),
    ],
)
def test_both_spellings_have_one_signature(call: Callable[..., Any]) -> None:
    behind, beside = call(metric=CALL), call(metric="rouge1", options=OPTIONS)
    assert behind.signature == beside.signature
    assert (list(behind.changes), list(beside.changes)) == ([CALL], ["rouge1"])
    assert behind.changes[CALL].negative == beside.changes["rouge1"].negative == 2


def test_an_engine(files: tuple[str, str]) -> None:
    pytest.importorskip("duckdb")
    from muscle_metrics.scale import compare_files

    counted = compare_files(*files, metric=CALL)
    assert counted.changes[CALL].negative == 20
    assert counted.signature == compare_files(*files, metric="rouge1", options=OPTIONS).signature


def test_a_cluster_takes_the_same_names() -> None:
    from muscle_metrics.scale.streaming import resolve_rowwise_scorer

    # What every task of score_dataset calls.
    scorer = resolve_rowwise_scorer(CALL)
    assert (scorer.name, scorer.options["tokenizer"]) == (CALL, "character")
    with pytest.raises(UsageError, match="idf=False or a list"):
        resolve_rowwise_scorer("bertscore(model=m, idf=true)")


def test_variants_side_by_side() -> None:
    metrics = ["rouge1", "rouge1(stem=true)", "exact_match", "exact_match(ignore_case=true)"]
    texts = {"old": ["cats", "Dog"], "new": ["dogs", "dog"], "references": ["cat", "dog"]}
    comparison = compare(**texts, metric=metrics)
    assert list(comparison.changes) == [metrics[0], metrics[1], metrics[3]]
    assert comparison.counts.positive == 1
    assert comparison.changes["rouge1(stem=true)"].negative == 1
    assert comparison.changes["rouge1"].negative == 0
    # The name of a variant is read again, in any spelling.
    again = compare(**texts, metric=list(comparison.changes))
    assert list(again.changes) == ["rouge1", "rouge1(stem=true)"]
    assert set(json.loads(comparison.to_json())["scores"]) == set(comparison.changes)
    found = consistency(old=["cats"], new=["cat"], metrics=["rouge1", "rouge1( stem = True )"])
    assert found.mean("rouge1(stem=true)") > found.mean("rouge1")


def test_score_flips() -> None:
    assert score_flips(**TEXTS, metric=CALL).negative == 2
    with pytest.raises(UsageError, match="option 'tokenizer' of rouge1 once"):
        score_flips(**TEXTS, metric=CALL, tokenizer="unicode")


def test_a_name_with_options_is_the_scorer_beside_a_recorded_score() -> None:
    recorded = [
        Run(tuple(Record(r.id, r.prediction, r.reference, {"rouge1": 0.5}) for r in run), run.name)
        for run in RUNS
    ]
    comparison = compare_runs(*recorded, metric=["rouge1", CALL])
    assert comparison.changes["rouge1"].negative == 0
    assert comparison.changes[CALL].negative == 2
    assert "recorded rouge1, rouge1(tokenizer=character)" in comparison.signature


def test_answers_that_are_missing_have_the_worst_score() -> None:
    silent = Run((Record("0", None, REFERENCES[0]), *RUNS[1].records[1:]), "v2")
    comparison = compare_runs(RUNS[0], silent, metric=CALL, unanswered="wrong")
    assert comparison.changes[CALL].new[0] == 0


def test_options_of_one_task_of_a_suite() -> None:
    def suite(name: str) -> Run:
        return Run((Record("1", "cats", "cat", {"acc": 1.0}, task="quiz"),), name)

    for metric in ("quiz=rouge1(stem=true)", {"quiz": "rouge1(stem=true)"}):
        with pytest.raises(UsageError, match=r"--task quiz \(task=\) and --metric 'rouge1\(stem=t"):
            compare_runs(suite("v1"), suite("v2"), metric=metric)
    named = compare_runs(suite("v1"), suite("v2"), metric="quiz=acc")
    assert named.counts.both_right == 1


def test_a_chain_says_the_options_of_exact_match() -> None:
    chain = compare_chain(RUNS, metric="exact_match(ignore_punctuation=true)")
    assert "exact_match(ignore_punctuation=True)" in chain.signature
    assert chain.overall.negative == 1


def test_a_baseline_holds_no_verdicts_of_options() -> None:
    with pytest.raises(UsageError, match="exact_match without options, or a recorded score"):
        make_baseline(RUNS[0], metric="exact_match(strip=true)")


def test_limits_of_a_policy_by_any_spelling(tmp_path: Path) -> None:
    long = {name: texts * 30 for name, texts in TEXTS.items()}
    comparison = compare(**long, metric=["exact_match", CALL])
    (tmp_path / "gate.toml").write_text(
        'max_nfr = 0.5\n[metrics]\n"rouge1( tokenizer = character )" = 0.75\n', encoding="utf-8"
    )
    for policy in (
        Policy(max_nfr="0.5", metrics={"rouge1(tokenizer=character)": "0.75"}),
        read_policy(tmp_path / "gate.toml"),
    ):
        checks = [str(check) for check in check_gate(comparison, policy).checks]
        assert any(f"negative flip rate by {CALL}" in check for check in checks)
    with pytest.raises(
        UsageError, match="one limit of the metric 'rouge1\\(stem=true\\)', got two"
    ):
        Policy(max_nfr="0.5", metrics={"rouge1(stem=true)": "0.1", "rouge1(stem=True)": "0.2"})


def test_the_fixture_of_pytest(files: tuple[str, str]) -> None:
    old, _ = files
    gate = ModelGate([], {"max_nfr": "0.3"})
    verdict = gate.assert_compatible(old, old, metric=CALL, threshold=0.1)
    assert verdict.outcome == "PASS"


@pytest.mark.parametrize("command", ["compare", "gate", "report"])
def test_the_command_line(
    command: str, files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = {
        "compare": ["--json", "-"],
        "gate": ["--max-nfr", "0.4", "--json", "-", "--threshold", "0.2"],
        "report": ["-o", str(tmp_path / "page.html")],
    }[command]
    assert main([command, *files, *more, "--metric", CALL]) in (0, 1, 3)
    told = capsys.readouterr().out
    page = tmp_path / "page.html"
    told = page.read_text(encoding="utf-8") if page.exists() else told
    assert "metric rouge1(tokenizer=character)" in told


def test_flags_are_short_for_options(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    def signature(*arguments: str) -> str:
        assert main(["compare", *files, *arguments, "--json", "-"]) == 0
        return json.loads(capsys.readouterr().out)["signature"]

    stemmed = signature("--metric", "rouge1(tokenizer=unicode, stem=true, unread=score)")
    for flags in (
        ("--stem", "--metric", "rouge1(tokenizer=unicode, unread=score)"),
        ("--stem", "--metric", "rouge1(tokenizer=unicode, stem=true, unread=score)"),
    ):
        assert signature(*flags) == stemmed
