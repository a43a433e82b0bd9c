"""The law of sinks, over a table of all of them: whatever a run holds, no text of it acts.

Every sink gets every hostile string in every field of an item, a run and a policy. A module that
writes text for people or programs, and is in neither table below, fails a test.
"""

from __future__ import annotations

import ast
import csv
import html as html_entities
import io
import json
import re
import unicodedata
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree

import pytest

import muscle_metrics
from muscle_metrics import (
    Policy,
    Record,
    Run,
    check_gate,
    compare_candidates,
    compare_chain,
    compare_labelled,
    compare_runs,
    plan_labels,
)
from muscle_metrics.cli import main
from muscle_metrics.comparison.candidate_text import candidates_text
from muscle_metrics.comparison.items import answer_text
from muscle_metrics.comparison.plain_data import json_text
from muscle_metrics.comparison.text import comparison_text
from muscle_metrics.comparison.trajectories import Trajectories, compare_trajectories
from muscle_metrics.comparison.trajectory_text import trajectory_lines
from muscle_metrics.evidence.evidence import Bounds
from muscle_metrics.gate.waivers import Waiver, proposed_waivers
from muscle_metrics.integrations.llm_comparator import llm_comparator_json
from muscle_metrics.integrations.pytest_plugin import _headline
from muscle_metrics.labels.design import key_text
from muscle_metrics.labels.sheet import make_sheet
from muscle_metrics.labels.text import labelled_text
from muscle_metrics.reports.annotations import verdict_annotations
from muscle_metrics.reports.candidates import candidates_json, candidates_markdown
from muscle_metrics.reports.csv import items_csv
from muscle_metrics.reports.flips import first_flips, flip_lines
from muscle_metrics.reports.junit import verdict_junit
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_json
from muscle_metrics.runs.readers.baseline import baseline_text
from muscle_metrics.slices.conditions import Condition
from muscle_metrics.slices.found import FoundSlice, FoundSlices
from muscle_metrics.words.escape import distinct, spreadsheet, terminal, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from muscle_metrics import Candidates, CandidatesVerdict, Chain, Comparison, Verdict
    from muscle_metrics.labels.labelled import LabelledComparison

PACKAGE = Path(muscle_metrics.__file__).parent
EVERYTHING = 10_000
# A name of a file cannot hold a slash or a NUL.
FILE = "::error::##[error]x\u202e\u001b[2Je\u0301<script>=1|`@a.jsonl"

# Names that print alike: composed and decomposed Latin, Hangul, Bengali, Hebrew, Vietnamese in
# three forms, and letters that have another code point.
TWINS = [
    ("caf\u00e9", "cafe\u0301"),
    ("\ud55c\uae00", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    ("\u09a1\u09bc", "\u09dc"),
    ("\u05e9\u05c1", "\ufb2a"),
    ("\u1ec7", "e\u0323\u0302"),
    ("\u1ec7", "\u1eb9\u0302"),
    ("e\u0323\u0302", "\u1eb9\u0302"),
    ("\u00c5", "\u212b"),
    ("\u03a9", "\u2126"),
    ("a\u0323\u0307", "a\u0307\u0323"),
]
NAMES = sorted({name for pair in TWINS for name in pair})


class Attack(NamedTuple):
    """Hostile runs, what they give, and the texts in them."""

    texts: list[str]
    runs: list[Run]
    comparison: Comparison
    graded: Comparison
    chain: Chain
    verdict: Verdict
    folder: Path
    logged: Comparison
    candidates: tuple[Candidates, CandidatesVerdict]


def hostile_run(name: str, texts: list[str], *, is_new: bool) -> Run:
    """Every text as id, task, slice, prompt and metric, as answer and as reference."""
    records = []
    for text in texts:
        labels: dict[str, Any] = {"task": text, "slice": text, "prompt": text}
        scores = {"score": float(not is_new)}
        answers = (text, "A") if is_new else ("A", text)
        records += [
            Record(text or "empty", answers[0], "A", scores, **labels),
            Record(f"r{text}", answers[1], [text], scores, **labels),
        ]
    everything = " ".join(texts)
    return Run(tuple(records), f"{name} {everything}", {everything: f"{name} {everything}"})


@pytest.fixture(scope="module")
def attack(hostile: list[str], tmp_path_factory: pytest.TempPathFactory) -> Attack:
    return attack_by([*hostile, *NAMES], tmp_path_factory)


def attack_by(texts: list[str], folders: pytest.TempPathFactory) -> Attack:
    """Runs that hold the texts in every field, and all that is made of them."""
    runs = [hostile_run(name, texts, is_new=name == "v2") for name in ("v1", "v2")]
    comparison = compare_runs(*runs, metric="exact_match")
    policy = Policy(
        max_nfr="0.9",
        slices={text: "0.9999" for text in texts if text},
        tasks={text: "0.9999" for text in texts if text},
        pinned=frozenset(record.id for record in runs[0]),
        accepted_differences=(" ".join(texts),),
        waivers=tuple(
            Waiver(id=text or "empty", owner=f"o{text}", reason=f"r{text}", expires=f"{year}-01-01")
            for year, text in enumerate(dict.fromkeys(texts), 2000)
        ),
        today=date(2020, 1, 1),
    )
    return Attack(
        texts,
        runs,
        comparison,
        compare_runs(*(_scored_by(run, texts) for run in runs), metric=texts[:3]),
        compare_chain(runs, metric="exact_match"),
        check_gate(comparison, policy),
        folders.mktemp("files"),
        logged_runs(texts, folders.mktemp("logs")),
        hostile_candidates(runs, texts),
    )


def logged_runs(texts: list[str], folder: Path) -> Comparison:
    """Two logs of lm-eval: every text as question, response, option, document and field."""
    for version in ("v1", "v2"):
        rows = []
        for number, text in enumerate(texts):
            right = "(A)" if version == "v1" else "(B)"
            rows.append(
                {
                    "doc_id": f"n{text}",
                    "doc": {"question": f"q{text}", "choices": [f"o{text}", f"p{text}"]}
                    | {"topic": text},
                    "target": "(A)",
                    "arguments": [[text, {}]],
                    "resps": [[f"r{version}{text}"]],
                    "filtered_resps": [right],
                    "filter": "none",
                    "metrics": ["exact_match"],
                    "doc_hash": f"hash {number}",
                    "exact_match": float(version == "v1"),
                }
            )
        content = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{version}.jsonl").write_text(content, "utf-8")
    logs = [folder / f"{version}.jsonl" for version in ("v1", "v2")]
    return compare_runs(*logs, slice_field="doc.topic")


def hostile_candidates(runs: list[Run], texts: list[str]) -> tuple[Candidates, CandidatesVerdict]:
    """Two candidates with hostile names: the new run, and the old run itself."""
    names = [f"{name} {' '.join(texts)}" for name in ("a", "b")]
    named = dict(zip(names, reversed(runs), strict=True))
    found = compare_candidates(runs[0], named, metric="exact_match")
    policy = Policy(max_nfr="0.9", slices={text: "0.9999" for text in texts if text})
    return found, found.gate(policy)


def _scored_by(run: Run, texts: list[str]) -> Run:
    """The run with hostile names of graded scores."""
    return Run(
        tuple(
            Record(r.id, scores={text: 0.25 + 0.5 * bool(r.scores["score"]) for text in texts[:3]})
            for r in run.records[::2]
        ),
        run.name,
    )


def labelled(attack: Attack) -> LabelledComparison:
    """The hostile runs, by a sheet of all items that differ, filled in a spreadsheet."""
    old, new = (
        Run(tuple(replace(one, group=None, repeat=None) for one in run), run.name)
        for run in attack.runs
    )
    path = attack.folder / "labels.csv"
    plan_labels(old, new, budget=EVERYTHING, seed=1).write(path)
    answers = {spreadsheet(answer_text(one.prediction)) for one in old}
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for side in "ab":
            row[f"right_{side}"] = "yes" if row[f"answer_{side}"] in answers else "no"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return compare_labelled(old, new, path)


class Sink(NamedTuple):
    """A module that writes text, the text of an attack, and the texts that it shows again."""

    module: str
    write: Callable[[Attack], str]
    shown: Callable[[str], str]
    texts: Callable[[Attack], list[str]] = lambda attack: attack.texts


def same(text: str) -> str:
    return text


def xml_texts(text: str) -> str:
    root = ElementTree.fromstring(text)
    parts = [[element.text or "", *element.attrib.values()] for element in root.iter()]
    return "\n".join(value for values in parts for value in values)


def csv_cells(text: str) -> str:
    return "\n".join(cell for row in csv.reader(io.StringIO(text)) for cell in row)


def found_by(attack: Attack) -> FoundSlices:
    """Slices of which every field, value and note is a hostile text."""
    rate = attack.comparison.counts.negative_flip_rate
    slices = tuple(
        FoundSlice(
            conditions=(Condition(text, "is", text, quotes=True),),
            rate=rate,
            tested=rate,
            bounds=Bounds.by("Wilson", rate.interval()),
            shrunken=0.5,
            rest=rate,
            p_value=0.01,
            broken=(text,),
        )
        for text in attack.texts
    )
    everything = " ".join(attack.texts)
    return FoundSlices(
        items=slices, answers=slices, forms=None, notes=(everything,), signature=everything
    )


def trajectories_of(attack: Attack) -> Trajectories:
    """Calls of tools whose names and arguments are hostile texts."""

    def steps(version: str) -> dict[Any, Any]:
        return {
            (one.task, one.id, one.repeat): [
                {"name": f"{version}{one.task}", "arguments": {f"x{one.task}": one.task}}
            ]
            for one in attack.comparison.items()
        }

    return compare_trajectories(attack.comparison, old=steps("v1"), new=steps("v2"))


def page_of(attack: Attack) -> str:
    pytest.importorskip("jinja2")
    from muscle_metrics.reports.html.page import html_report

    everything = " ".join(attack.texts)
    return html_report(
        attack.comparison,
        verdict=attack.verdict,
        chain=attack.chain,
        found=found_by(attack),
        command=everything,
        items_file=everything,
    )


def page_of_labels(attack: Attack) -> str:
    pytest.importorskip("jinja2")
    from muscle_metrics.labels.page import label_page

    plan = labelled(attack)
    return label_page(plan.items, plan.design)


def page_of_candidates(attack: Attack) -> str:
    pytest.importorskip("jinja2")
    from muscle_metrics.reports.html.candidates import candidates_page

    found, verdict = attack.candidates
    return candidates_page(
        found, verdict=verdict, examples=EVERYTHING, command=" ".join(attack.texts)
    )


def page_of_logs(attack: Attack) -> str:
    pytest.importorskip("jinja2")
    from muscle_metrics.reports.html.page import html_report

    return html_report(attack.logged)


def logged_verdict(attack: Attack) -> Verdict:
    return check_gate(attack.logged, Policy(max_nfr="0.9"))


def markdown_of(attack: Attack) -> str:
    return verdict_markdown(
        attack.verdict, attack.comparison, examples=EVERYTHING, limit=10_000_000
    )


def unescaped(text: str) -> str:
    # Addresses are escaped twice in Markdown.
    return html_entities.unescape(text).replace("\\u0040", "@")


def ids(attack: Attack) -> list[str]:
    return [text for text in attack.texts if text]


# Question, both responses and both options of an item.
LOGGED = ("q", "rv1", "rv2", "o", "p")

JSON: dict[str, Sink] = {
    "comparison": Sink("comparison/facts", lambda a: a.comparison.to_json(), same),
    "graded comparison": Sink(
        "comparison/facts", lambda a: a.graded.to_json(), same, lambda a: a.texts[:3]
    ),
    "chain": Sink("comparison/chains", lambda a: a.chain.to_json(None), same, lambda a: []),
    "candidates": Sink("comparison/candidates", lambda a: a.candidates[0].to_json(), same, ids),
    "candidates and verdict": Sink(
        "reports/candidates", lambda a: candidates_json(*a.candidates), same, lambda a: []
    ),
    "verdict": Sink(
        "reports/verdict_json",
        lambda a: verdict_json(a.verdict, a.comparison, examples=EVERYTHING),
        same,
    ),
    "comparison of logs": Sink(
        "comparison/facts",
        lambda a: a.logged.to_json(),
        same,
        lambda a: [f"{mark}{text}" for text in a.texts for mark in LOGGED],
    ),
    "verdict on logs": Sink(
        "reports/verdict_json",
        lambda a: verdict_json(logged_verdict(a), a.logged, examples=EVERYTHING),
        same,
        lambda a: [f"{mark}{text}" for text in a.texts for mark in LOGGED],
    ),
    "LLM Comparator": Sink(
        "integrations/llm_comparator",
        lambda a: llm_comparator_json(a.comparison, prompts=a.runs[1]),
        same,
    ),
    "found slices": Sink("slices/found", lambda a: found_by(a).to_json(), same),
    "labels": Sink("labels/labelled", lambda a: labelled(a).to_json(None), same, lambda a: []),
    "key of a sheet": Sink(
        "labels/design", lambda a: key_text(labelled(a).design), same, lambda a: []
    ),
    "plain data": Sink("comparison/plain_data", lambda a: json_text({"t": a.texts}, 2), same),
}
TEXTS: dict[str, Sink] = {
    "table": Sink("comparison/text", lambda a: comparison_text(a.comparison, flips=999), same),
    "slices": Sink(
        "comparison/rate_tables",
        lambda a: comparison_text(a.comparison, all_rates=True, all_slices=True),
        same,
    ),
    "blocks of scores": Sink(
        "comparison/flip_blocks",
        lambda a: comparison_text(a.graded, flips=999),
        same,
        lambda a: [],
    ),
    "table of scores": Sink("comparison/text", lambda a: str(a.graded), same, lambda a: []),
    "table of found slices": Sink("slices/text", lambda a: str(found_by(a)), same),
    "table of a chain": Sink("comparison/text", lambda a: str(a.chain), same, lambda a: []),
    "table of candidates": Sink(
        "comparison/candidate_text",
        lambda a: candidates_text(a.candidates[0], items=EVERYTHING),
        same,
        ids,
    ),
    "verdict on candidates": Sink(
        "gate/candidates", lambda a: str(a.candidates[1]), same, lambda a: []
    ),
    "Markdown of candidates": Sink(
        "reports/candidates",
        lambda a: candidates_markdown(*a.candidates, limit=10_000_000),
        unescaped,
        lambda a: [],
    ),
    "page of candidates": Sink("reports/html/candidates", page_of_candidates, unescaped),
    "notebook of candidates": Sink(
        "comparison/notebook", lambda a: a.candidates[0]._repr_html_(), unescaped, lambda a: []
    ),
    "notebook of a verdict on candidates": Sink(
        "gate/candidates", lambda a: a.candidates[1]._repr_html_(), unescaped, lambda a: []
    ),
    "verdict": Sink("gate/verdict", lambda a: str(a.verdict), same, lambda a: []),
    "flips": Sink(
        "reports/flips",
        lambda a: "\n".join(flip_lines(first_flips(a.comparison, EVERYTHING))),
        same,
    ),
    "annotations": Sink(
        "reports/annotations",
        lambda a: "\n".join(
            re.sub("^::(error|warning|notice) title=muscle-metrics gate::", "> ", line)
            for line in verdict_annotations(a.verdict)
        ),
        same,
        lambda a: [],
    ),
    "pytest": Sink(
        "integrations/pytest_plugin", lambda a: _headline(a.verdict), same, lambda a: []
    ),
    "Markdown": Sink("reports/markdown", markdown_of, unescaped),
    "JUnit": Sink(
        "reports/junit",
        lambda a: verdict_junit(a.verdict, a.comparison, examples=EVERYTHING),
        xml_texts,
    ),
    "sheet": Sink(
        "labels/sheet",
        lambda a: make_sheet(labelled(a).items, labelled(a).design),
        csv_cells,
    ),
    "page of labels": Sink("reports/html/environment", page_of_labels, unescaped),
    "table of labels": Sink(
        "labels/text", lambda a: labelled_text(labelled(a), flips=EVERYTHING), same, lambda a: []
    ),
    "CSV": Sink("reports/csv", lambda a: items_csv(a.comparison), csv_cells),
    "page": Sink("reports/html/environment", page_of, unescaped),
    "table of logs": Sink(
        "comparison/text", lambda a: comparison_text(a.logged, flips=EVERYTHING), same
    ),
    "flips of logs": Sink(
        "reports/flips",
        lambda a: "\n".join(flip_lines(first_flips(a.logged, EVERYTHING))),
        same,
    ),
    "Markdown of logs": Sink(
        "reports/markdown",
        lambda a: verdict_markdown(
            logged_verdict(a), a.logged, examples=EVERYTHING, limit=10_000_000
        ),
        unescaped,
    ),
    "JUnit of logs": Sink(
        "reports/junit",
        lambda a: verdict_junit(logged_verdict(a), a.logged, examples=EVERYTHING),
        xml_texts,
    ),
    "page of logs": Sink("reports/html/environment", page_of_logs, unescaped),
    "notebook": Sink(
        "comparison/notebook", lambda a: a.comparison._repr_html_(), unescaped, lambda a: NAMES
    ),
    "notebook of a chain": Sink(
        "comparison/notebook", lambda a: a.chain._repr_html_(), unescaped, lambda a: []
    ),
    "notebook of a verdict": Sink(
        "gate/notebook", lambda a: a.verdict._repr_html_(), unescaped, lambda a: []
    ),
    "trajectories": Sink(
        "comparison/trajectory_text",
        lambda a: "\n".join(trajectory_lines(trajectories_of(a), EVERYTHING)),
        same,
    ),
    "proposed waivers": Sink(
        "gate/waivers",
        lambda a: proposed_waivers([(text, text or "empty") for text in a.texts])[0],
        same,
        lambda a: [],
    ),
    "baseline": Sink(
        "runs/readers/baseline", lambda a: baseline_text(a.runs[0]), same, lambda a: []
    ),
}
every_json = pytest.mark.parametrize("name", JSON)
every_text = pytest.mark.parametrize("name", TEXTS)


def check_log(text: str) -> None:
    """Text that a CI runner obeys nowhere, and that hides nothing."""
    text.encode("utf-8")
    for line in text.split("\n"):
        assert is_visible(line.replace("\t", " ")), ascii(line)[:200]
        assert not line.lstrip().startswith("::"), line[:200]
    assert not re.search(r"##\w*\[", text)


def is_visible(line: str) -> bool:
    return not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in line)


@every_text
def test_no_text_acts_on_a_log(attack: Attack, name: str) -> None:
    check_log(TEXTS[name].write(attack))


@every_text
def test_every_text_is_shown(attack: Attack, name: str) -> None:
    sink = TEXTS[name]
    # Tables fold long words: their blanks and line ends mean nothing.
    shown = re.sub(r"\s", "", sink.shown(sink.write(attack)))
    for text in sink.texts(attack):
        # A page keeps the ends of lines and tabs; each part of a text is somewhere.
        for line in re.split("[\n\t]", distinct(text)):
            wanted = {re.sub(r"\s", "", show(line)[:60]) for show in (terminal, visible)}
            assert any(one in shown for one in wanted), ascii(text)


@every_text
def test_names_that_print_alike_are_shown_apart(attack: Attack, name: str) -> None:
    sink = TEXTS[name]
    shown = sink.shown(sink.write(attack))
    if sink.texts(attack):
        for one in NAMES:
            assert distinct(one) in shown


@every_json
def test_json_means_the_same_and_acts_nowhere(attack: Attack, name: str) -> None:
    text = JSON[name].write(attack)
    assert text.isascii()
    check_log(text)
    assert not re.search("[<>&]", text)
    found = set(strings(json.loads(text)))
    for one in JSON[name].texts(attack):
        assert one in found


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)


def test_lines_of_json_mean_the_same(attack: Attack) -> None:
    run = attack.runs[0]
    text = baseline_text(run)
    rows = [json.loads(line) for line in text.splitlines()]
    assert [row["id"] for row in rows[1:]] == [record.id for record in run]
    assert not re.search("[<>&]", text)


def test_names_that_print_alike_differ_when_shown() -> None:
    for one, other in TWINS:
        assert unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)
        assert distinct(one) != distinct(other)
    for name in ("caf\u00e9", "日本語", "naïve ©", "", "한글", "\u0301"):
        assert distinct(name) == name
    assert distinct("cafe\u0301 au lait") == r"cafe\u0301 au lait"
    # Scripts whose usual spelling is not in that form keep their other letters.
    assert distinct("আমি \u09dc") == r"আমি \u09dc"


def test_marks_without_end_take_linear_time() -> None:
    for text in ("a" + "\u0301" * 50_000, "\u0301\u0316" * 25_000, "e\u0301" * 25_000):
        assert len(distinct(text)) >= 50_000


COMMANDS = [
    ["compare", "OLD", "NEW", "--flips", "99"],
    ["compare", "OLD", "NEW", "--all-rates", "--all-slices", "--slice-field", "prediction"],
    ["compare", "OLD", "NEW", "--json", "-"],
    ["compare", "OLD", "NEW", "--llm-comparator", "-"],
    ["gate", "OLD", "NEW", "--max-nfr", "0.9", "--flips", "99"],
    ["gate", "OLD", "NEW", "--max-nfr", "0.9", "--json", "-"],
    ["gate", "OLD", "NEW", "--max-nfr", "0.9", "--junit", "-"],
    ["gate", "OLD", "NEW", "--max-nfr", "0.9", "--markdown", "-"],
    ["report", "OLD", "NEW", "-o", "-"],
    ["candidates", "OLD", "NEW", "::error::x=OTHER", "--items", "99", "--max-nfr", "0.9"],
    ["candidates", "OLD", "##[error]x=NEW", "--markdown", "-", "--max-nfr", "0.9"],
    ["candidates", "OLD", "NEW", "--json", "-"],
    ["report", "OLD", "NEW", "-o", "-", "--find-slices"],
    ["compare", "OLD", "NEW", "--find-slices"],
    ["inspect", "OLD"],
    ["inspect", "OLD", "--json"],
    ["baseline", "OLD", "-o", "-"],
    ["waivers", "OLD", "NEW", "-o", "-"],
    ["order", "OLD", "--seed", "7"],
    # What is refused, and quoted.
    ["compare", "OLD", "NEW", "--slice-field", "##[error]::x"],
    ["compare", "OLD", "NEW", "--metric", "##[error]\n::error::x"],
    ["compare", "OLD", "##[error]\n::error::x.jsonl"],
    ["compare", "OLD", "OTHER"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words)[:60])
def test_no_command_prints_what_a_runner_obeys(attack: Attack, command: list[str]) -> None:
    if command[0] == "report":
        pytest.importorskip("jinja2")
    files = {}
    for word, texts in (("OLD", attack.texts), ("NEW", attack.texts), ("OTHER", attack.texts[:9])):
        files[word] = attack.folder / f"{word}{FILE}"
        rows = (
            {"id": text or "empty", "prediction": text if word == "NEW" else "A", "reference": "A"}
            for text in texts
        )
        files[word].write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    printed, warned = io.StringIO(), io.StringIO()
    with redirect_stdout(printed), redirect_stderr(warned):
        code = main(
            [
                re.sub("(OLD|NEW|OTHER)$", lambda found: str(files[found[1]]), word)
                for word in command
            ]
        )
    assert code != 5, warned.getvalue()
    check_log(printed.getvalue())
    check_log(warned.getvalue())
    assert printed.getvalue() or warned.getvalue()


# Modules that write nothing of their own: they print what the sinks above made, or no data at all.
CARRIERS = {
    "adapter/training/result": "a model card in Markdown, by `markdown`",
    "cli/automatic": "by `warn`",
    "cli/__init__": "messages of errors, by `warn`",
    "cli/adapter": "by the adapter's own tests",
    "cli/baseline": "COMMANDS",
    "cli/candidates": "COMMANDS",
    "cli/compare": "COMMANDS",
    "cli/completion": "no data",
    "cli/gate": "COMMANDS",
    "cli/inspect": "COMMANDS",
    "cli/label": "a plan, by `terminal`",
    "labels/plan": "the sheet and its key",
    "cli/metrics": "no data",
    "cli/mistakes": "by `warn`",
    "cli/next_step": "COMMANDS",
    "cli/order": "COMMANDS",
    "cli/outputs": "what a command made",
    "cli/power": "no data",
    "cli/report": "COMMANDS",
    "cli/screen": "`warn` and the spinner, by `terminal`",
    "cli/waivers": "COMMANDS",
    "reports/files": "what a report made",
    "reports/markdown_parts": "what the sinks of Markdown made",
    "reports/write": "what the sinks of reports made",
}
# Whoever uses one of these writes text: to a stream, to a file, or for one.
WRITERS = {
    "annotation", "append_text", "html", "json_source", "json_text", "lines", "markdown",
    "markup_source", "one_line", "open_screen", "plain_line", "print_lines", "spreadsheet",
    "stderr", "stdout", "terminal", "warn", "write_line", "write_text", "writer",
}  # fmt: skip
# Other meanings of these words: readers of CSV, the words of warnings, facts of a comparison whose
# lines `comparison/text` shows, and a pipe between two processes.
OTHERS = {
    "answers/reading/maths_worker", "comparison/answer_forms", "comparison/remarks",
    "comparison/saved",
    "runs/files/delimited", "scorers/bert", "words/escape", "words/secrets",
}  # fmt: skip


def test_every_module_that_writes_is_under_the_law() -> None:
    known = {sink.module for sink in (*JSON.values(), *TEXTS.values())} | CARRIERS.keys()
    found = {
        path.relative_to(PACKAGE).with_suffix("").as_posix()
        for path in PACKAGE.rglob("*.py")
        if names_in(path) & WRITERS
    }
    # The trainer writes checkpoints of its own, which hold numbers.
    found = {name for name in found if not name.startswith("adapter/") or name in CARRIERS}
    assert found - OTHERS == known


def names_in(path: Path) -> set[str]:
    """Names that a module imports from this package, and attributes of modules that it uses."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("muscle_metrics"):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
    return names


def test_csv_of_an_attack_has_one_row_per_item(attack: Attack) -> None:
    rows = list(csv.reader(io.StringIO(items_csv(attack.comparison))))
    assert len(rows) == attack.comparison.total + 1
    assert {len(row) for row in rows} == {len(rows[0])}
