"""What the page says agrees with the comparison, and no byte of it acts."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from collections import Counter
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("jinja2")

import muscle_metrics
from muscle_metrics import (
    Policy,
    Record,
    Run,
    check_gate,
    compare,
    compare_chain,
    compare_runs,
    count_chain,
    html_report,
    read_run,
)
from muscle_metrics.reports.html.page import make_page
from muscle_metrics.statistics.noise import estimate_noise
from muscle_metrics.statistics.power import gate_power
from muscle_metrics.words.escape import lines
from tests.reports.test_sinks import is_visible

if TYPE_CHECKING:
    from collections.abc import Callable

    from muscle_metrics import Comparison

CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
PACKAGE = Path(muscle_metrics.__file__).parent
SCRIPT = (PACKAGE / "reports/html/templates/page.js").read_text("utf-8")
VOID = {"meta", "input", "line", "circle", "rect", "polyline"}


class Document(HTMLParser):
    """Elements of a page with their attributes, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def text(self, tag: str = "") -> str:
        return " ".join(text for parent, text in self.texts if tag in ("", parent))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def example(project: Path) -> Comparison:
    runs = [
        read_run(project / "examples" / f"v{i}.jsonl", slice_field="topic", prompt_field="prompt")
        for i in (1, 2)
    ]
    return compare_runs(*runs)


def hostile_report(hostile: list[str]) -> str:
    everything = " ".join(hostile)

    def run(name: str, new: bool) -> Run:
        records = []
        for i, text in enumerate(hostile):
            labels = {"task": text, "slice": text, "prompt": text}
            records += [
                Record(f"{i}{text}", text if new else "A", "A", **labels),
                Record(f"r{i}{text}", text if new else "A", [text, "B"], **labels),
                Record(f"w{i}{text}", text if new else "B", "C", **labels),
            ]
        return Run(tuple(records), f"{name} {everything}", {everything: f"{name} {everything}"})

    runs = [run("v1", new=False), run("v2", new=True)]
    comparison = compare_runs(*runs, metric=["exact_match", "chrf"])
    policy = Policy(
        max_nfr="0.9",
        slices={text: "0.99999" for text in hostile if text},
        pinned=frozenset(record.id for record in runs[0]),
    )
    return html_report(
        comparison,
        verdict=check_gate(comparison, policy),
        chain=compare_chain(runs, metric="exact_match"),
        command=everything,
        items_file=everything,
    )


def test_hostile_texts_stay_text(hostile: list[str]) -> None:
    page = hostile_report(hostile)
    document = Document(page)
    names = {name for name, _ in document.elements}
    assert not names & {"img", "iframe", "object", "embed", "form", "base", "link"}
    for _, attributes in document.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
    assert all(link["href"][0] == "#" or ":" not in link["href"] for link in document.all("a"))
    # Attacks are shown whole, controls as escapes, wherever they stand.
    shown = document.text()
    for text in hostile:
        assert lines(text)[:60] in shown
    assert is_visible(page.replace("\n", " ").replace("\t", " "))
    page.encode("utf-8")
    # Nothing of the data reached the script or the style sheet.
    assert page.count("<script") == 1
    assert document.text("script") == SCRIPT
    assert len(document.all("style")) == 1
    styles = "".join(text for parent, text in document.texts if parent == "style")
    assert not [text for text in hostile if len(text.strip()) > 3 and text in styles]


def test_policy_of_the_page_itself(example: Comparison) -> None:
    document = Document(html_report(example))
    meta = {m.get("http-equiv"): m.get("content") for m in document.all("meta")}
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    own = f"script-src 'sha256-{digest}'; require-trusted-types-for 'script'; "
    assert meta["Content-Security-Policy"] == CSP.replace("base-uri", own + "base-uri")
    # Not only forbidden: there is nothing that would be loaded.
    page = html_report(example)
    assert not re.search(r"https?:|url\(|@import|<link", page)


def test_the_script_writes_no_markup_and_asks_for_nothing() -> None:
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacent|document\.write|setHTML|DOMParser|Function|eval"
        r"|fetch|XMLHttp|WebSocket|import|Storage|cookie|\.on[a-z]+ ="
    )
    assert not re.search(forbidden, SCRIPT)
    assert SCRIPT.isascii()


def test_a_page_without_a_script_runs_nothing_and_offers_nothing_that_needs_one(
    example: Comparison,
) -> None:
    page = html_report(example, script=False)
    document = Document(page)
    meta = {m.get("http-equiv"): m.get("content") for m in document.all("meta")}
    assert meta["Content-Security-Policy"] == CSP
    assert not {"script", "button"} & {name for name, _ in document.elements}
    assert "Search" not in document.text()
    assert "nothing in it runs." in document.text()
    # The same items are in both pages.
    other = Document(html_report(example))
    assert [a["id"] for a in document.all("details")] == [a["id"] for a in other.all("details")]
    # Without items there is nothing to search.
    assert "<script" not in html_report(example, examples=0)


def test_headings_tables_and_labels(example: Comparison) -> None:
    document = Document(html_report(example))
    headings = [int(name[1]) for name, _ in document.elements if re.fullmatch(r"h\d", name)]
    assert headings[0] == 1
    assert headings.count(1) == 1
    assert all(lower - upper <= 1 for upper, lower in pairwise(headings))
    assert len(document.all("caption")) == len(document.all("table")) > 2
    assert all(cell.get("scope") in {"col", "row"} for cell in document.all("th"))
    ids = [a["id"] for _, a in document.elements if "id" in a]
    assert len(ids) == len({*ids})
    targets = {a["for"] for a in document.all("label")}
    targets |= {a["aria-labelledby"] for a in document.all("section")}
    targets |= {a["href"][1:] for a in document.all("a") if a["href"].startswith("#")}
    assert targets <= {*ids}


def test_numbers_are_those_of_the_comparison(
    example: Comparison, example_quadrants: Callable[[str, str], Counter[str]]
) -> None:
    document = Document(html_report(example))
    counts = example.counts
    counted = example_quadrants("v1", "v2")
    broke, fixed, items = counted["negative"], counted["positive"], counted.total()
    right, wrong_now = counted["both_right"] + broke, counted["both_wrong"] + broke
    assert document.text("h1") == (
        f"Accuracy rose by {100 * (fixed - broke) / items:.1f} points, but {broke} of {right} "
        "right answers are now wrong."
    )
    bold = [int(t) for parent, t in document.texts if parent == "b" and t.isdigit()]
    cells = [counts.negative, counts.positive, counts.both_right, counts.both_wrong]
    assert bold[:8] == cells + cells  # in the tiles, and in their legend
    text = document.text()
    for rate, of in (
        (counts.negative_flip_rate, f"{items} items"),
        (counts.fix_rate, f"{items - right} items old got wrong"),
        (counts.negative_flip_impact, f"{wrong_now} errors of new"),
    ):
        low, high = rate.interval()
        assert f"{float(rate):.1%}" in text
        assert f"{low:.1%} to {high:.1%}" in text
        assert f"{rate.count} of {of}" in text
    assert example.signature in text


def test_items_are_listed_in_their_views(example: Comparison) -> None:
    document = Document(html_report(example))
    kinds = [a["class"].split()[1] for a in document.all("details")]
    counts = example.counts
    assert kinds.count("negative") == counts.negative
    assert kinds.count("positive") == counts.positive
    assert kinds.count("both_wrong") == counts.wrong_changed
    assert kinds.count("both_right") == counts.both_right_changed == 0
    ids = [text for parent, text in document.texts if text.startswith("q") and parent == "span"]
    assert ids[: counts.negative] == [item.id for item in example.flips("negative")]


def test_pinned_items_that_broke_come_first(example: Comparison) -> None:
    last = [item.id for item in example.flips("negative")][-1]
    verdict = check_gate(example, Policy(max_nfr="0.2", pinned=frozenset({last})))
    document = Document(html_report(example, verdict=verdict))
    ids = [text for parent, text in document.texts if text.startswith("q") and parent == "span"]
    assert ids[0] == last
    assert document.text("code") == last


@pytest.mark.parametrize(
    ("limit", "outcome"), [("0.2", "PASS"), ("0.03", "FAIL"), ("0.11", "INCONCLUSIVE")]
)
def test_the_verdict_of_the_gate_comes_first(example: Comparison, limit: str, outcome: str) -> None:
    verdict = check_gate(example, Policy(max_nfr=limit))
    page = html_report(example, verdict=verdict)
    assert f"<strong>{outcome}</strong>" in page
    assert page.index(f"<strong>{outcome}</strong>") < page.index("<h1")
    check = verdict.checks[0]
    assert check.shown(check.low) in page
    assert html.escape(check.advice) in page


def test_a_verdict_on_runs_that_differ_says_why() -> None:
    runs = [
        Run(tuple(Record(f"q{i}", "A", "A") for i in range(99)), name, {"judge": name})
        for name in ("v1", "v2")
    ]
    comparison = compare_runs(*runs)
    page = html_report(comparison, verdict=check_gate(comparison, Policy(max_nfr="0.1")))
    assert "<strong>INVALID</strong>" in page
    assert html.escape("judge differs: 'v1' before, 'v2' now").replace("&#x27;", "&#39;") in page


def test_what_does_not_fit_is_said_and_linked(example: Comparison) -> None:
    options = {"verdict": None, "chain": None, "redact": False, "command": None}
    page = make_page(example, examples=5, items_file="all items.csv", **options)
    counts = example.counts
    assert page.left_out == counts.negative + counts.positive + counts.wrong_changed - 15
    assert page.text.count('href="all%20items.csv"') == 3
    assert f">5 of {counts.negative} are listed.<" in page.text
    everything = make_page(example, examples=1000, items_file="all items.csv", **options)
    assert everything.left_out == 0
    assert "all%20items.csv" not in everything.text


def test_a_page_of_long_texts_stays_below_five_megabytes() -> None:
    words = ["alpha", "beta", "gamma", "délta"]
    old = [" ".join(words[(i + j) % 4] for j in range(900)) for i in range(1200)]
    new = [text.replace("alpha", f"omega{i}") for i, text in enumerate(old)]
    comparison = compare(old=old, new=new, references=old, prompts=old)
    page = make_page(
        comparison,
        examples=10_000,
        items_file="rest.csv",
        verdict=None,
        chain=None,
        redact=False,
        command=None,
    )
    assert 1_000_000 < len(page.text.encode()) < 5_000_000
    assert page.left_out + page.text.count("<details") == 1200
    assert "first 4,000 of" in page.text


def test_redaction_leaves_no_text_and_keeps_what_is_the_same(example: Comparison) -> None:
    document = Document(html_report(example, redact=True))
    shown = document.text()
    secrets = {*example.table.old, *example.table.new, *example.table.asked}
    assert not [text for text in secrets if len(text) > 3 and text in shown]
    # The item that broke was right: its old answer is its reference, under another name.
    names = re.findall(r"\[\d+ characters?, [0-9a-f]{8}\]", shown)
    assert len({*names}) > 50
    flipped = example.counts.negative + example.counts.positive
    assert sum(count > 1 for count in Counter(names).values()) > flipped / 2
    assert next(example.flips("negative")).id in shown
    assert html_report(example, redact=True) == html_report(example, redact=True)


def test_no_examples_publishes_no_text() -> None:
    letters = list("ABCD" * 10)
    comparison = compare(
        old=letters, new=letters[1:] + letters[:1], references=letters, prompts=["secret"] * 40
    )
    assert "Which answer turned into which" in html_report(comparison)
    page = html_report(comparison, examples=0)
    assert "Which answer turned into which" not in page
    assert "secret" not in page
    assert "<details" not in page


def test_the_same_comparison_gives_the_same_page(example: Comparison, project: Path) -> None:
    runs = [
        read_run(project / "examples" / f"v{i}.jsonl", slice_field="topic", prompt_field="prompt")
        for i in (1, 2)
    ]
    shuffled = [Run(run.records[::-1], run.name, run.fingerprint) for run in runs]
    assert html_report(compare_runs(*shuffled)) == html_report(example)


def test_verdicts_without_answers_say_what_is_unknown() -> None:
    old, new = (
        Run(tuple(Record(f"q{i}", scores={"ok": i % k == 0}) for i in range(60)), name)
        for k, name in ((2, "v1"), (3, "v2"))
    )
    text = Document(html_report(compare_runs(old, new))).text()
    assert "needs the answers, not only verdicts" in text
    assert "the runs recorded verdicts or scores only" in text
    assert "Wrong in another way" not in text


def test_graded_scores_list_the_largest_losses_first() -> None:
    old = Run(tuple(Record(f"q{i}", scores={"f1": 0.5}) for i in range(9)), "v1")
    new = Run(tuple(Record(f"q{i}", scores={"f1": i / 10}) for i in range(9)), "v2")
    document = Document(html_report(compare_runs(old, new)))
    assert document.text("h1") == "f1 fell by 0.1000 on average; 5 of 9 items got worse, 3 better."
    ids = [t for parent, t in document.texts if re.fullmatch(r"q\d", t) and parent == "span"]
    assert ids == ["q0", "q1", "q2", "q3", "q4", "q8", "q7", "q6"]


def test_noise_of_repeats_is_shown_and_power_is_not() -> None:
    def run(name: str, shift: int) -> Run:
        return Run(
            tuple(
                Record(f"q{i}", "AB"[(i + r + shift) % 3 % 2], "A", repeat=str(r))
                for i in range(30)
                for r in range(3)
            ),
            name,
        )

    comparison = compare_runs(run("v1", 0), run("v2", 1))
    text = Document(html_report(comparison)).text()
    assert "Noise floor" in text
    assert "a gate on the negative flip rate passes" not in text
    assert "90 rows in 30 prompts: intervals are over prompts" in text


def test_items_left_out_are_counted() -> None:
    old = Run((Record("1", "A", "A"), Record("2", "A", "A")), "v1")
    new = Run((Record("1", "A", "A"),), "v2")
    comparison = compare_runs(old, new, missing="drop")
    assert "1 left out: only in old." in html_report(comparison)


def test_secrets_of_a_log_are_hidden_and_counted():
    secret = "sk-proj-0123456789abcdef0123"
    comparison = compare(old=["A"], new=[f"use {secret}"], references=["A"], prompts=[secret])
    page = html_report(comparison, command=f"muscle-metrics report --api-key={secret}")
    assert secret not in page
    assert "hidden: 2 in all" in page


def test_slices_and_their_rate_share_one_axis() -> None:
    names = ["worst", "middle", "none"]
    new = ["B"] * 20 + ["A"] * 80 + ["B"] * 9 + ["A"] * 91 + ["A"] * 100
    slices = [name for name in names for _ in range(100)]
    comparison = compare(old=["A"] * 300, new=new, references=["A"] * 300, slices=slices)
    page = html_report(comparison)
    marks = re.findall(
        r'<th scope="row">(\w+)(?: <span class="differs">(\w+)[^<]*</span>)?<small>', page
    )
    assert marks == [("worst", "more"), ("middle", ""), ("none", "fewer")]
    assert [name for name, _ in marks] == names
    assert "The dashed line is all items, 9.7%." in page
    ranges = re.findall(r'class="range" x1="([\d.]+)%" x2="([\d.]+)%"', page)
    rates = re.findall(r'circle cx="([\d.]+)%"', page)
    assert len(ranges) == len(rates) == 3
    for (low, high), rate in zip(ranges, rates, strict=True):
        assert 0 <= float(low) <= float(rate) <= float(high) <= 100


def test_slices_that_do_not_fit_are_counted() -> None:
    answers = ["A"] * 240
    comparison = compare(
        old=answers, new=answers, references=answers, slices=[f"s{i % 120}" for i in range(240)]
    )
    assert "20 more did not fit." in html_report(comparison)


def test_the_dead_band_is_named_where_somebody_chose_it() -> None:
    runs = [
        Run(tuple(Record(f"q{i}", scores={"f1": 0.5 + move * i / 50}) for i in range(9)), name)
        for move, name in ((0, "v1"), (1, "v2"))
    ]
    chosen = html_report(compare_runs(*runs, minimum_effect=0.05))
    assert "more than the dead band of 0.05 (shaded)" in chosen
    assert "(shaded)" not in html_report(compare_runs(*runs))


def test_limits_are_those_the_gate_decides() -> None:
    references = ["A"] * 300
    comparison = compare(old=references, new=["B"] * 10 + ["A"] * 290, references=references)
    verdict = check_gate(comparison, Policy(max_nfr="0.05"))
    page = html_report(comparison, verdict=verdict)
    keeps, breaks = re.search(
        r"passes at a limit of <b>([^<]+)</b> or more, fails at a limit below <b>([^<]+)</b>", page
    ).groups()
    (check,) = verdict.checks
    assert (keeps, breaks) == (check.shown(check.high), check.shown(check.low))
    edge = float(keeps[:-1]) / 100
    assert check_gate(comparison, Policy(max_nfr=str(edge + 0.0001))).outcome == "PASS"
    assert check_gate(comparison, Policy(max_nfr=str(edge - 0.0001))).outcome == "INCONCLUSIVE"
    passes = gate_power(items=300, limit=0.05, true_rate=0.025).passes
    assert f'>2.50%</th><td class="number" data-name="PASS">{passes:.0%}</td>' in page


def test_noise_is_that_of_the_gate() -> None:
    def run(name: str, rights: list[int]) -> Run:
        return Run(
            tuple(
                Record(f"q{i}", "A" if r < right else "B", "A", repeat=str(r))
                for i, right in enumerate(rights)
                for r in range(4)
            ),
            name,
        )

    comparison = compare_runs(run("v1", [4, 3, 4, 0]), run("v2", [4, 3, 0, 0]))
    noise = estimate_noise(
        old_right=[4, 3, 4, 0], old_repeats=4, new_right=[4, 3, 0, 0], new_repeats=4
    )
    page = html_report(comparison)
    least = noise.regression_lower_bound()
    assert least > 0
    assert f"The loss beyond noise is at least <b>{least:.2%}</b>" in page
    for name, share in (("Noise floor", noise.floor), ("Net loss", noise.net_loss)):
        _, _, row = page.partition(f'<th scope="row">{name}<')
        assert f'<td class="number strong">{share.mean:.2%}</td>' in row.partition("</tr>")[0]


def test_noise_of_grouped_prompts_is_over_the_units_of_the_gate() -> None:
    def run(name: str, broken: int) -> Run:
        return Run(
            tuple(
                Record(
                    f"q{i}",
                    "B" if i < broken or (i % 5 == r == 0) else "A",
                    "A",
                    repeat=str(r),
                    group=f"passage {i // 2}" if i % 3 else None,
                )
                for i in range(40)
                for r in range(3)
            ),
            name,
        )

    comparison = compare_runs(run("v1", 0), run("v2", 9))
    (check,) = check_gate(comparison, Policy(max_nfr="0.9", confidence=0.975)).checks
    _, _, row = html_report(comparison).partition('<th scope="row">Flip rate<')
    bounds = re.search(r"to ([\d.]+%)</td>", row).group(1)
    # A one-sided bound at 97.5 % is one end of the two-sided interval at 95 %.
    assert bounds == check.shown(check.high)


def test_chains_survive_step_by_step() -> None:
    versions = [list("AAAA"), list("AABB"), list("ABAB")]
    references = ["A"] * 4
    page = html_report(
        compare(old=versions[1], new=versions[2], references=references),
        chain=count_chain(versions=versions, references=references),
    )
    assert re.findall(r'scope="row">(v\d → v\d)<', page) == ["v1 → v2", "v2 → v3", "v1 → v3"]
    survived = re.findall(r'scope="row">v\d</th><td class="number">(\d of \d)<', page)
    assert survived == ["4 of 4", "2 of 4", "1 of 4"]
    assert "broken again by a later one: <b>0.00% (0 of 4)</b>" in page


def test_every_item_has_a_link_that_other_pages_have_too(example: Comparison) -> None:
    document = Document(html_report(example))
    anchors = [a["id"] for a in document.all("details")]
    assert len({*anchors}) == len(anchors)
    assert {f"#{anchor}" for anchor in anchors} <= {a["href"] for a in document.all("a")}
    fewer = Document(html_report(example, examples=7))
    assert {a["id"] for a in fewer.all("details")} < {*anchors}


def test_slices_beyond_the_first_twenty_are_folded() -> None:
    answers = ["A"] * 470
    comparison = compare(
        old=answers, new=answers, references=answers, slices=[f"s{i % 47}" for i in range(470)]
    )
    shown, _, folded = html_report(comparison, examples=0).partition("<summary>27 more slices")
    assert shown.count("<small>10 items</small>") == 20
    assert folded.count("<small>10 items</small>") == 27


def test_long_ids_are_short_in_their_row_and_whole_in_their_item() -> None:
    names = [f"{'0123456789abcdef' * 3}-{end}" for end in ("физика", "sums")]
    comparison = compare(old=["A"] * 2, new=["B"] * 2, references=["A"] * 2, ids=names)
    page = html_report(comparison)
    assert '<span class="id">012345678…def-физика</span>' in page
    assert '<span class="id">012345678…bcdef-sums</span>' in page
    for name in names:
        assert f"<dd>{name} <a" in page


def test_metrics_stand_side_by_side_and_the_first_leads(project: Path) -> None:
    runs = [read_run(project / "examples" / f"v{i}.jsonl") for i in (1, 2)]
    for metric in (["exact_match", "rouge1"], ["rouge1", "exact_match"]):
        page = html_report(compare_runs(*runs, metric=metric))
        tabs = re.findall(r'for="metric-\d">([^<]+)<', page)
        named = ["Right or wrong" if name == "exact_match" else name for name in metric]
        assert tabs == named
        headline = Document(page).text("h1")
        assert headline.startswith("Accuracy" if metric[0] == "exact_match" else "rouge1 ")
        # Items come before the tables of rates.
        assert page.index('id="items"') < page.index('id="rates"')


def test_items_of_a_chain_show_what_each_version_got_right() -> None:
    runs = [
        Run(
            tuple(Record(f"q{i}", answer, "A") for i, answer in enumerate(answers)),
            f"v{number}",
        )
        for number, answers in enumerate(("ABAB", "AAAB", "ABBB"), start=1)
    ]
    last = compare_runs(*runs[1:])
    page = html_report(last, chain=compare_chain(runs))
    assert re.findall(r"v1 (\w+), v2 (\w+), v3 (\w+)", page)[:2] == [
        ("wrong", "right", "wrong"),
        ("right", "right", "wrong"),
    ]
    assert ">○●○<" in page
    # Fixed by one update, and broken by the next.
    assert 'for="view-again">Broke again <b>1</b>' in page
    # Of other items, or of another update, a chain says nothing about these.
    for other in (runs[:2], [Run(run.records[:3], run.name) for run in runs]):
        assert "Broke again" not in html_report(last, chain=compare_chain(other))
