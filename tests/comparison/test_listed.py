"""Texts of listed items: read from the logs of the runs, for these items only, or not shown."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import Policy, Record, check_gate, compare_runs, read_run
from muscle_metrics.cli import main
from muscle_metrics.comparison.listed import ItemTexts, texts_of
from muscle_metrics.comparison.secrets import redact_comparison
from muscle_metrics.comparison.text import comparison_text
from muscle_metrics.errors import FileError, PairingError, UsageError
from muscle_metrics.reports.junit import verdict_junit
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_json
from muscle_metrics.runs.details import DetailedRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from muscle_metrics import Comparison

TIME = "2026-11-23T07-13-39.347285"
SUMS = "сколько будет {0} + {0}?"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def scored(number: int, choice: int) -> dict[str, Any]:
    """A row of multiple choice whose right option moves with the number."""
    question = f"Which city lies on river {number}?"
    cities = [f"город {number}{letter}" for letter in "абвг"]
    document = {"question": question, "choices": cities, "topic": "even" if number % 2 else "odd"}
    answers = [[str(-1.0 - (place != choice)), "False"] for place in range(4)]
    target = str(number % 4)
    return {
        "doc_id": number,
        "doc": document,
        "target": target,
        "arguments": {
            f"gen_args_{n}": {"arg_0": f"Q: {question}\nA:", "arg_1": f" {city}"}
            for n, city in enumerate(cities)
        },
        "resps": [[answer] for answer in answers],
        "filtered_resps": answers,
        "filter": "none",
        "metrics": ["acc"],
        "doc_hash": digest(question),
        "prompt_hash": digest(question),
        "target_hash": digest(target),
        "acc": float(choice == number % 4),
    }


def generated(number: int, response: str, answer: str, name: str = "strict") -> dict[str, Any]:
    question, target = SUMS.format(number), str(2 * number)
    return {
        "doc_id": number,
        "doc": {"question": question},
        "target": target,
        "arguments": {"gen_args_0": {"arg_0": f"Q: 1 + 1? A: 2\nQ: {question} A:", "arg_1": {}}},
        "resps": [[response]],
        "filtered_resps": [answer],
        "filter": name,
        "metrics": ["exact_match"],
        "doc_hash": digest(question),
        "prompt_hash": digest(question),
        "target_hash": digest(target),
        "exact_match": float(answer == target),
    }


def write(folder: Path, **tasks: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for task, rows in tasks.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"samples_{task}_{TIME}.jsonl").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def logs(tmp_path: Path) -> list[Path]:
    """Old gets all right; new breaks city 2 and sum 5."""
    old = write(
        tmp_path / "v1",
        cities=[scored(n, n % 4) for n in range(4)],
        sums=[generated(n, f"it is {2 * n}.", str(2 * n)) for n in (4, 5, 6)],
    )
    new = write(
        tmp_path / "v2",
        sums=[generated(n, f"well, {2 * n - n % 2}", str(2 * n - n % 2)) for n in (6, 5, 4)],
        cities=[scored(n, 3 if n == 2 else n % 4) for n in (3, 2, 1, 0)],
    )
    return [old, new]


def broken(comparison: Comparison) -> dict[str | None, ItemTexts]:
    """Texts of the items that broke, by task."""
    items = list(comparison.flips("negative"))
    listed = texts_of(comparison, items)
    assert listed.problem is None
    return {item.task: texts for item, texts in zip(items, listed.items, strict=True)}


CITY = ItemTexts("2", "Which city lies on river 2?", None, None, "город 2в", "город 2г", "город 2в")
SUM = ItemTexts("5", SUMS.format(5), "it is 10.", "well, 9")


def test_questions_responses_and_options_are_those_of_the_item(logs: list[Path]) -> None:
    assert broken(compare_runs(*logs)) == {"cities": CITY, "sums": SUM}


def test_texts_are_read_for_listed_items_only(logs: list[Path]) -> None:
    comparison = compare_runs(*logs)
    runs = [read_run(log) for log in logs]
    assert not any(isinstance(record, DetailedRecord) for run in runs for record in run)
    assert comparison.table.asked is not None
    assert set(comparison.table.asked) == {None}
    (item, *_) = comparison.flips("negative")
    texts_of(comparison, [item])
    assert [len(found) for found in comparison.texts_read.values()] == [1, 1]
    # Several reports list the same items: the logs are not read again for them.
    for log in logs:
        shutil.rmtree(log)
    assert texts_of(comparison, [item]).items[0].question is not None


def test_a_copy_of_a_comparison_reads_the_same_texts(logs: list[Path]) -> None:
    comparison = replace(compare_runs(*logs), names=("a", "b"))
    assert broken(comparison) == {"cities": CITY, "sums": SUM}


def test_each_filter_has_its_answer_and_one_response(tmp_path: Path) -> None:
    logs = []
    for version in ("v1", "v2"):
        rows = [generated(n, "#### 12", "12") for n in (6, 7)]
        text = "#### 12" if version == "v1" else "it is 12, or 13"
        rows[0] = generated(6, text, "12" if version == "v1" else "[invalid]")
        rows += [generated(n, text, "13", "flexible") for n in (6, 7)]
        logs.append(write(tmp_path / version, sums=rows))
    texts = broken(compare_runs(*logs, filter="strict"))["sums"]
    assert (texts.old_response, texts.new_response) == ("#### 12", "it is 12, or 13")


def change_content(folder: Path) -> None:
    """Swap two letters, and set the time of the file back."""
    path = folder / f"samples_cities_{TIME}.jsonl"
    stat = path.stat()
    path.write_bytes(path.read_bytes().replace(b"river 2", b"river 9"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "edited": change_content,
    "removed": shutil.rmtree,
    "rerun": lambda folder: write(folder, cities=[]).joinpath("samples_x.jsonl").write_text(""),
    "replaced": lambda folder: (
        folder.rename(folder.with_name("away")), write(folder, cities=[scored(2, 0)])
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("version", [0, 1])
def test_a_log_that_changed_is_said_and_shows_nothing(
    logs: list[Path], change: str, version: int
) -> None:
    comparison = compare_runs(*logs)
    CHANGES[change](logs[version])
    listed = texts_of(comparison, list(comparison.flips()))
    assert listed.items == [ItemTexts()] * 2
    said = "texts of the logs are not shown: "
    assert str(listed.problem).startswith(f"{said}{logs[version]}: expected the log as it was read")
    assert f"{logs[version]}: expected the log as it" in comparison.to_dict()["notes"][-1]
    assert "river" not in comparison.to_json()
    verdict = check_gate(comparison, Policy(max_nfr="0.9"))
    for text in (
        comparison_text(comparison, flips=9),
        verdict_markdown(verdict, comparison),
        verdict_junit(verdict, comparison),
        verdict_json(verdict, comparison),
    ):
        assert "not shown" in text.replace("&#32;", " ")
        assert "river" not in text


def test_every_report_shows_texts_of_the_logs(logs: list[Path], tmp_path: Path, capsys) -> None:
    outputs = {name: tmp_path / f"v.{name}" for name in ("json", "junit", "markdown")}
    flags = [word for name, path in outputs.items() for word in (f"--{name}", str(path))]
    # A verdict over seven items is no pass: its reports are read here.
    main(["gate", *map(str, logs), "--max-nfr", "0.9", "--flips", "9", *flags])
    printed = capsys.readouterr().out
    block = printed[printed.index("    prompt     Which") :].splitlines()[1:4]
    assert [line.split(maxsplit=1) for line in block] == [
        ["old", "2 (город 2в)"], ["new", "3 (город 2г)"], ["reference", "2 (город 2в)"]
    ]  # fmt: skip
    listed = json.loads(outputs["json"].read_text())["negative_flips"]["listed"]
    assert listed[0]["texts"] == {
        name: text for name, text in CITY._asdict().items() if text is not None
    }
    assert "old response: it is 10." in outputs["junit"].read_text()
    assert "well, 9" in outputs["junit"].read_text()
    assert "3 &#40;город 2г&#41;" in outputs["markdown"].read_text()
    assert "| item | prompt | old" in outputs["markdown"].read_text()


def test_a_page_of_logs_shows_question_responses_and_options(
    logs: list[Path], tmp_path: Path
) -> None:
    pytest.importorskip("jinja2")
    page = tmp_path / "page.html"
    assert main(["report", *map(str, logs), "-o", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    for shown in (*CITY[1:], *SUM[1:4]):
        assert shown is None or shown.replace("'", "&#39;") in text.replace("<del>", "").replace(
            "</del>", ""
        ).replace("<ins>", "").replace("</ins>", "")
    # Named by its number, with the whole id inside.
    assert '<span class="id">cities/2</span>' in text
    assert f"cities/{digest('Which city lies on river 2?')}" in text
    # Items that stayed right are not listed, and neither are their texts.
    assert "river 1" not in text
    redacted = tmp_path / "redacted.html"
    assert main(["report", *map(str, logs), "-o", str(redacted), "--redact"]) == 0
    assert not re.search("river|well", redacted.read_text())
    assert main(["report", *map(str, logs), "-o", str(page), "--no-examples"]) == 0
    assert "river" not in page.read_text()


def test_a_redacted_comparison_reads_no_log(logs: list[Path]) -> None:
    comparison = redact_comparison(compare_runs(*logs))
    assert texts_of(comparison, list(comparison.flips())).items == [ItemTexts()] * 2


def test_secrets_in_texts_of_the_logs_are_hidden(tmp_path: Path) -> None:
    secret = "sk-abcdefghij0123456789"
    old = write(tmp_path / "v1", sums=[generated(n, f"{secret} 8", "8") for n in (3, 4)])
    new = write(tmp_path / "v2", sums=[generated(n, f"api_key={secret}", "9") for n in (3, 4)])
    comparison = compare_runs(old, new)
    verdict = check_gate(comparison, Policy(max_nfr="0.9"))
    reports = [
        comparison_text(comparison, flips=9),
        verdict_markdown(verdict, comparison),
        verdict_junit(verdict, comparison),
        verdict_json(verdict, comparison),
    ]
    assert '"secrets_hidden": 2' in reports[-1]
    pytest.importorskip("jinja2")
    from muscle_metrics.reports.html.page import html_report

    reports.append(html_report(comparison))
    assert "is hidden: 4 in all" in reports[-1]
    for text in reports:
        assert secret not in text


def test_a_chain_lists_the_last_update(logs: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    page = tmp_path / "page.html"
    first = tmp_path / "v0"
    shutil.copytree(logs[0], first)
    assert main(["report", str(first), *map(str, logs), "-o", str(page)]) == 0
    assert "город 2г" in page.read_text(encoding="utf-8")


def test_a_field_of_documents_gives_slices_groups_and_prompts(logs: list[Path]) -> None:
    options = {"task": "cities", "slice_field": "doc.topic", "group_field": "doc.topic"}
    comparison = compare_runs(*logs, **options, prompt_field="doc.question")
    assert {name: counts.total for name, counts in comparison.slices.items()} == {
        "odd": 2, "even": 2,
    }  # fmt: skip
    assert comparison.slices["odd"].negative == 1
    assert comparison.table.unit == "groups"
    assert comparison.table.asked is not None
    assert sorted(map(str, comparison.table.asked))[2] == "Which city lies on river 2?"
    # Tasks without the field are in no slice.
    whole = compare_runs(*logs, slice_field="doc.topic")
    assert sum(counts.total for counts in whole.slices.values()) == 4
    assert whole.total == 7


def test_another_prompt_of_an_item_is_refused(logs: list[Path]) -> None:
    rows = [scored(n, 0) for n in range(4)]
    rows[2]["doc"]["question"] += " (2)"
    write(logs[1], cities=rows)
    with pytest.raises(PairingError, match="different prompts for 1 id"):
        compare_runs(*logs, task="cities", prompt_field="doc.question")


def test_a_field_that_no_row_has_is_refused(logs: list[Path]) -> None:
    with pytest.raises(FileError, match=r"the field 'doc.topics' .* 7 rows: .*inspect"):
        read_run(logs[0], slice_field="doc.topics")
    # The last rows alone hold a list there.
    path = logs[0] / f"samples_cities_{TIME}.jsonl"
    lines = path.read_text().splitlines()
    lines[:2] = [line.replace('"choices"', '"texts"') for line in lines[:2]]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(FileError, match=r"samples_cities.*:3: expected text.*'doc.choices'.*list"):
        read_run(path, slice_field="doc.choices")
    with pytest.raises(UsageError, match="expected no --score-field"):
        read_run(logs[0], score_field="doc.score")


def test_letters_name_the_options_of_a_document(tmp_path: Path) -> None:
    """Answers that were generated name options by letters; those that were scored, by number."""
    folders = []
    for version, letters in (("v1", ["(A)", "(C)"]), ("v2", ["(A)", "(B)"])):
        rows = []
        for number, (letter, right) in enumerate(zip(letters, ["(A)", "(C)"], strict=True)):
            row = generated(number, f"The answer is {letter}.", letter)
            row["doc"] = {"query": f"q{number}", "options": ["один", "два", "три"]}
            row |= {"target": right, "target_hash": digest(right)}
            rows.append({**row, "exact_match": float(letter == right)})
        folders.append(write(tmp_path / version, quiz=rows))
    texts = broken(compare_runs(*folders))["quiz"]
    assert (texts.old_option, texts.new_option, texts.reference_option) == ("три", "два", "три")
    assert texts.question == "q1"


def test_a_letter_that_was_scored_has_the_text_of_the_document(tmp_path: Path) -> None:
    folders = []
    for version, choice in (("v1", 1), ("v2", 3)):
        row = scored(1, choice)
        for number, letter in enumerate("ABCD"):
            row["arguments"][f"gen_args_{number}"]["arg_1"] = f" {letter}"
        row["doc"]["choices"] = {"text": row["doc"]["choices"], "label": [*"ABCD"]}
        folders.append(write(tmp_path / version, quiz=[scored(2, 2), row]))
    texts = broken(compare_runs(*folders))["quiz"]
    assert (texts.old_option, texts.new_option) == ("город 1б", "город 1г")


def test_runs_without_a_log_have_no_texts(logs: list[Path]) -> None:
    old = read_run(logs[0], task="sums")
    plain = replace(old, origin=None)
    comparison = compare_runs(plain, read_run(logs[1], task="sums"))
    (texts,) = broken(comparison).values()
    assert (texts.old_response, texts.new_response) == (None, "well, 9")
    assert Record("1", "A") == Record("1", "A")


def test_inspect_lists_fields_and_filters(logs: list[Path], capsys) -> None:
    rows = [generated(n, "it is 8.", "8", name) for name in ("strict", "loose") for n in (4, 5)]
    write(logs[0], sums=rows)
    assert main(["inspect", str(logs[0])]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "task cities: 4 items" in printed
    assert "task sums, filter strict: 2 items" in printed
    place = printed.index("fields for --slice-field, --group-field and --prompt-field:")
    assert printed[place + 1 : place + 3] == [
        "  field 'doc.question': text, 6 different, such as 'Which city lies on river 0?'",
        "  field 'doc.topic': text, 2 different, 4 null, such as 'odd'",
    ]
    assert printed[-1] == (f"to compare: muscle-metrics compare {logs[0]} NEW --filter sums=strict")
    # The command runs as it is printed.
    command = shlex.split(printed[-1].partition("muscle-metrics ")[2].replace("NEW", str(logs[1])))
    write(logs[1], sums=rows)
    assert main(command) == 0
    assert main(["inspect", str(logs[0]), "--task", "cities"]) == 0
    assert "sums" not in capsys.readouterr().out.partition("task cities: 4 items")[2]
