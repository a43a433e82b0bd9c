"""From two runs without references to a verdict, by a sheet that a person fills."""

from __future__ import annotations

import csv
import json

import pytest


@pytest.fixture
def runs(write):
    """300 items: 5 broke, 40 were rewritten, and the judge is right about all of them."""
    old = [{"id": f"q{k}", "prediction": f"text {k}", "judge": 1} for k in range(300)]
    new = [dict(row) for row in old]
    for k in range(100, 145):
        broken = k < 105
        new[k] = {
            "id": f"q{k}",
            "prediction": "bad" if broken else f"Text {k}",
            "judge": 0 if broken else 1,
        }
    return write("old.jsonl", old), write("new.jsonl", new)


def fill(path):
    lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    for row in lines[1:]:
        row[5:7] = ["no" if answer == "bad" else "yes" for answer in row[3:5]]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def test_a_sheet_goes_out_is_filled_and_the_gate_decides(run, runs, tmp_path):
    sheet = tmp_path / "sheet.csv"
    planned = run("label", *runs, "--budget", 50, "--seed", 7, "-o", sheet)
    assert planned.code == 0
    assert "at most 15.00% of these items broke, or got fixed" in planned.out
    fill(sheet)
    passed = run("gate", *runs, "--labels", sheet, "--max-nfr", "0.06", "--flips", 2)
    assert (passed.code, passed.first) == (0, f"PASS: {runs[0]} -> {runs[1]}")
    assert "labelled negative flips: the first 2 of 5" in passed.out
    failed = run("gate", *runs, "--labels", sheet, "--max-nfr", "0.001")
    assert failed.code == 1
    sinks = [tmp_path / name for name in ("gate.md", "gate.xml", "gate.json")]
    flags = zip(("--markdown", "--junit", "--json"), sinks, strict=True)
    words = [word for pair in flags for word in pair]
    assert run("gate", *runs, "--labels", sheet, "--max-nfr", "0.06", *words).code == 0
    assert "labelled negative flips" in sinks[0].read_text(encoding="utf-8")
    compared = run("compare", *runs, "--labels", sheet, "--flips", 1)
    assert "negative flip rate" in compared.out
    assert "right text 10" in compared.out


def test_results_of_labels_as_json(run, runs, tmp_path):
    sheet, result = tmp_path / "sheet.csv", tmp_path / "result.json"
    options = ("--score-field", "judge", "--judge", "judge")
    run("label", *runs, *options, "--budget", 30, "--seed", 7, "-o", sheet)
    fill(sheet)
    assert run("compare", *runs, *options[:2], "--labels", sheet, "--json", result).code == 0
    content = json.loads(result.read_text(encoding="utf-8"))
    assert content["rates"]["negative_flip_rate"]["method"] == "stratified Clopper-Pearson"
    assert [stratum["size"] for stratum in content["strata"]] == [40, 5]
    code = run("gate", *runs, "--labels", sheet, "--max-nfr", "0.3", "--json", result).code
    verdict = json.loads(result.read_text(encoding="utf-8"))
    assert (code, verdict["outcome"], verdict["counts"]) == (0, "PASS", None)
    assert verdict["negative_flips"]["total"] == len(verdict["negative_flips"]["listed"]) > 0


def test_a_sheet_with_labels_is_never_written_over(run, runs, tmp_path):
    sheet = tmp_path / "sheet.csv"
    run("label", *runs, "--budget", 30, "--seed", 7, "-o", sheet)
    fill(sheet)
    filled = sheet.read_bytes()
    again = run("label", *runs, "--budget", 40, "--seed", 7, "-o", sheet)
    same = run("label", *runs, "--budget", 40, "--extend", sheet, "-o", sheet)
    assert (again.code, same.code, sheet.read_bytes()) == (2, 2, filled)
    more = tmp_path / "more.csv"
    assert run("label", *runs, "--budget", 40, "--extend", sheet, "-o", more).code == 0
    assert run("gate", *runs, "--labels", more, "--max-nfr", "0.05").code in (3, 4)
    fill(more)
    assert run("gate", *runs, "--labels", more, "--max-nfr", "0.06").code == 0


def test_a_page_to_label_on_is_never_written_over_a_sheet(run, runs, tmp_path):
    pytest.importorskip("jinja2", reason="the page is behind an extra")
    page, options = tmp_path / "sheet.html", ("--budget", 20, "--seed", 7)
    done = run("label", *runs, *options, "-o", page)
    assert done.code == 0
    assert f"{page}: to label in a browser; it exports {tmp_path / 'sheet.csv'}, filled" in done.out
    page.unlink()
    again = run("label", *runs, *options, "-o", page)
    assert (again.code, page.exists()) == (2, False)
    assert "sheet.csv', which exists and may belong to labels" in again.err


def test_the_random_seed_is_printed(run, runs, tmp_path):
    out = run("label", *runs, "--budget", 30, "-o", tmp_path / "sheet.csv").out
    key = json.loads((tmp_path / "sheet.csv.key").read_text(encoding="utf-8"))
    assert f"seed {key['seed']}:" in out


def test_damage_makes_a_gate_invalid_and_options_a_usage_error(run, runs, tmp_path):
    sheet = tmp_path / "sheet.csv"
    run("label", *runs, "--budget", 30, "--seed", 7, "-o", sheet)
    fill(sheet)
    gate = ("gate", *runs, "--max-nfr", "0.3", "--labels", sheet)
    assert run(*gate).code == 0
    options = ["--metric rouge1", "--answer strip", "--engine duckdb", "--minimum-effect 0.1"]
    options += [f"--reference {runs[0]}", "--reference-field judge"]
    for command in (gate, ("compare", *runs, "--labels", sheet)):
        for option in options:
            refused = run(*command, *option.split())
            assert (refused.code, refused.out) == (2, "")
            assert "expected labels alone to judge items with --labels" in refused.err
    # A variable of a pipeline that is empty is no gate without labels.
    unset = run(*gate[:-1], "")
    assert (unset.code, "expected the key of the sheet" in unset.out) == (4, True)
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("bad", "good", 1), encoding="utf-8")
    damaged = run(*gate, "--on-inconclusive", "pass")
    assert damaged.code == 4
    assert "labels count for the text that was drawn" in damaged.out


def test_runs_of_unknown_questions_are_mentioned_and_those_of_other_ones_refused(
    run, write, tmp_path
):
    old = [{"id": f"q{k}", "prompt": f"вопрос {k}", "prediction": "a"} for k in range(60)]
    new = [{**row, "prediction": "b"} if k > 30 else row for k, row in enumerate(old)]
    new[40] = {**new[40], "prompt": "другой"}
    label = ("label", write("old.jsonl", old), write("new.jsonl", new), "--budget", 20, "--seed", 7)
    said = run(*label, "-o", tmp_path / "blind.csv")
    assert (said.code, "runs of other questions are not noticed" in said.out) == (0, True)
    refused = run(*label, "-o", tmp_path / "sheet.csv", "--prompt-field", "prompt")
    assert refused.code == 4
    assert "different prompts for 1 id (id 'q40')" in refused.err
    new[40] = {**new[40], "prompt": "вопрос 40"}
    write("new.jsonl", new)
    asked = run(*label, "-o", tmp_path / "sheet.csv", "--prompt-field", "prompt")
    assert (asked.code, "not noticed" in asked.out) == (0, False)


def test_runs_in_the_wrong_order_are_doubted(run, runs, tmp_path):
    sheet = tmp_path / "sheet.csv"
    swapped = run("label", *runs[::-1], "--budget", 30, "--seed", 7, "-o", sheet)
    assert "is compared as the older run" in swapped.err
    fill(sheet)
    gated = run("gate", *runs[::-1], "--labels", sheet, "--max-nfr", "0.3")
    assert "is compared as the older run" in gated.err


def test_other_models_and_a_confidence_are_read(run, runs, write, tmp_path):
    third = write("third.jsonl", [{"id": f"q{k}", "prediction": "bad"} for k in range(300)])
    done = run(
        *("label", *runs, "--budget", 30, "--seed", 7, "-o", tmp_path / "sheet.csv"),
        *("--candidate", third, "--confidence-field", "judge"),
    )
    assert done.code == 0
    assert "of stratum 1 by 1 other model and confidence of old" in done.out


def test_references_are_refused_where_people_judge(run, runs, write, tmp_path):
    right = write("gold.jsonl", [{"id": f"q{k}", "reference": f"text {k}"} for k in range(300)])
    sheet = tmp_path / "sheet.csv"
    done = run("label", *runs, "--budget", 30, "--seed", 7, "-o", sheet, "--reference", right)
    assert (done.code, done.out, sheet.exists()) == (2, "", False)
    assert "got --reference" in done.err


def test_a_judge_is_corrected_by_labels_and_named_where_there_are_none(run, runs, tmp_path):
    sheet, result = tmp_path / "sheet.csv", tmp_path / "result.json"
    score = ("--score-field", "judge")
    run("label", *runs, *score, "--budget", 45, "--seed", 7, "-o", sheet)
    fill(sheet)
    named = (*score, "--labels", sheet, "--judge", "judge")
    compared = run("compare", *runs, *named, "--json", result)
    assert "judge, against labels" in compared.out
    data = json.loads(result.read_text(encoding="utf-8"))["judge"]
    assert (data["name"], data["old"]["specificity"]["value"]) == ("judge", None)
    assert data["new"]["sensitivity"]["value"] == 1
    gate = ("gate", *runs, "--max-nfr", "0.2")
    assert "judge-corrected Gaffke" in run(*gate, *named).out
    alone = run(*gate, *score, "--judge", "judge")
    assert (alone.code, "decided by the judge 'judge' alone" in alone.first) == (0, True)
    assert run(*gate, "--labels", sheet, "--judge", "judge").code == 2
    assert run(*gate, *named, "--threshold", 0.5).code == 0
    policy = tmp_path / "gate.toml"
    policy.write_text('max_nfr = 0.2\njudge = "judge"\n', encoding="utf-8")
    by_file = run("gate", *runs, "--policy", policy, *score)
    assert "decided by the judge 'judge' alone" in by_file.first
    corrected = run("gate", *runs, "--policy", policy, *score, "--labels", sheet)
    assert "judge-corrected Gaffke" in corrected.out
