"""No byte of a log acts on the reader of a report: every hostile string in every field and sink."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from muscle_metrics import InputError
from muscle_metrics.gate.verdict import refuse, verdict_text
from muscle_metrics.reports.annotations import verdict_annotations
from muscle_metrics.reports.flips import first_flips, flip_lines
from muscle_metrics.reports.junit import verdict_junit
from muscle_metrics.reports.markdown import verdict_markdown
from muscle_metrics.reports.verdict_json import verdict_data, verdict_json
from muscle_metrics.words.escape import (
    annotation,
    annotation_property,
    json_source,
    markdown,
    visible,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYTHING = 10_000
OUTCOMES = ("PASS ", "FAIL ", "INCONCLUSIVE ", "INVALID ")

# What GitHub's renderer may show of ours: no links, no images, no markup but these elements.
ALLOWED_MARKUP = {
    "<!-- muscle-metrics gate -->", "<code>", "</code>", "<sub>", "</sub>",
    "<details>", "</details>", "<summary>", "</summary>",
}  # fmt: skip
ALLOWED_TOKENS = {
    "heading_open", "heading_close", "html_block", "html_inline", "inline", "list_item_close",
    "list_item_open", "bullet_list_open", "bullet_list_close", "paragraph_open", "paragraph_close",
    "softbreak", "strong_open", "strong_close", "table_close", "table_open", "tbody_close",
    "tbody_open", "td_close", "td_open", "text", "text_special", "th_close", "th_open",
    "thead_close", "thead_open", "tr_close", "tr_open",
}  # fmt: skip


def check_lines(lines: list[str]) -> None:
    """Lines of a log, of which a runner obeys none and a terminal shows all."""
    for line in lines:
        assert is_visible(line), ascii(line)
        assert not line.lstrip().startswith("::")
        assert not re.search(r"##\w*\[", line)
        line.encode("utf-8")


def is_visible(line: str) -> bool:
    """Whether no character acts unseen; blanks of other widths and unassigned ones do not."""
    return not any(
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        or 0xFDD0 <= ord(char) <= 0xFDEF
        or ord(char) & 0xFFFE == 0xFFFE
        for char in line
    )


def test_terminal(attacked) -> None:
    lines = verdict_text(attacked.verdict).split("\n")
    check_lines(lines)
    checks = [line for line in lines if line.startswith(OUTCOMES)]
    assert len(checks) == len(attacked.verdict.checks) + 1  # and the pinned items


def test_terminal_flips(attacked) -> None:
    flips = first_flips(attacked.comparison, EVERYTHING, attacked.verdict.broken_pins)
    title, *lines = flip_lines(flips)
    check_lines([title, *lines])
    for label in ("old", "new", "reference"):
        assert sum(line.startswith(f"    {label} ") for line in lines) >= flips.total - 1
    assert len(lines) >= 4 * flips.total
    assert all(line.startswith("  ") for line in lines)


def test_annotations(attacked) -> None:
    lines = verdict_annotations(attacked.verdict)
    assert 1 < len(lines) <= 10
    for line in lines:
        head, title, text = re.fullmatch(r"::(\w+) title=([^:,]*)::(.*)", line).groups()
        assert head in {"error", "warning", "notice"}
        assert title == "muscle-metrics gate"
        # The runner's unescaping gives back text that still is one line and no command.
        check_lines([unescape_data(text)])
        assert "##[" not in line


def unescape_data(text: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_annotation_text_survives_the_runner(hostile: list[str]) -> None:
    for text in hostile:
        shown = unescape_data(annotation(text))
        assert shown.count("%") == text.count("%")
        check_lines([shown])
        assert not set(annotation_property(text)) & set(":,\r\n")


def test_markdown(attacked) -> None:
    text = verdict_markdown(
        attacked.verdict, attacked.comparison, examples=EVERYTHING, limit=1_048_000
    )
    assert "@" not in text
    assert "##[" not in text
    tokens = list(flat(MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)))
    assert {token.type for token in tokens} <= ALLOWED_TOKENS
    markup = [
        part
        for token in tokens
        if token.type.startswith("html")
        for part in re.findall(r"<[^>]*>", token.content)
    ]
    assert set(markup) <= ALLOWED_MARKUP
    headings = [token for token in tokens if token.type == "heading_open"]
    assert len(headings) == 1
    assert text.splitlines()[1].startswith(f"## {attacked.verdict.outcome}: ")
    # Every row of each table is one row, of as many cells as the table has columns.
    flips = first_flips(attacked.comparison, EVERYTHING).total
    rows = [token for token in tokens if token.type == "tr_open"]
    slices = 0 if attacked.comparison is None else min(len(attacked.comparison.slices), 10)
    waivers = len(attacked.verdict.waivers)
    tables = 1 + bool(flips) + bool(slices) + bool(waivers)
    assert len(rows) == len(attacked.verdict.checks) + flips + slices + waivers + tables
    cells = [token for token in tokens if token.type == "td_open"]
    assert len(cells) == 6 * len(attacked.verdict.checks) + 5 * (slices + flips) + 4 * waivers
    shown = "".join(token.content for token in tokens if token.type.startswith("text"))
    assert is_visible(shown)


def flat(tokens: list[Any]) -> Iterator[Any]:
    for token in tokens:
        yield token
        yield from flat(token.children or [])


def test_markdown_shows_what_was_written(hostile: list[str]) -> None:
    reader = MarkdownIt("commonmark", {"html": True})
    for text in hostile:
        tokens = list(flat(reader.parse(markdown(text))))
        shown = "".join(token.content for token in tokens if token.type.startswith("text"))
        assert shown == visible(text).replace("@", r"\u0040")


def test_junit(attacked) -> None:
    text = verdict_junit(attacked.verdict, attacked.comparison, examples=EVERYTHING)
    assert text.isascii()
    for parse in xml_parsers():
        root = parse(text)
        assert {element.tag for element in root.iter()} <= {
            "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error",
            "skipped", "system-out",
        }  # fmt: skip
        cases = root.findall(".//testcase")
        flips = first_flips(attacked.comparison, EVERYTHING).total
        waivers = len(attacked.verdict.waivers)
        assert len(cases) == 1 + len(attacked.verdict.checks) + 1 + flips + waivers
        assert root.get("tests") == str(len(cases))
        texts = [
            value
            for element in root.iter()
            for value in (element.text or "", *element.attrib.values())
        ]
        for value in texts:
            assert all(map(is_visible, value.split("\n")))


def xml_parsers() -> list[Any]:
    parsers = [ElementTree.fromstring]
    try:
        from defusedxml import ElementTree as Defused
    except ImportError:
        return parsers
    return [*parsers, Defused.fromstring]


def test_json(attacked) -> None:
    text = verdict_json(attacked.verdict, attacked.comparison, examples=EVERYTHING)
    assert text.isascii()
    check_lines(text.splitlines())
    data = json.loads(text)
    assert data == json.loads(json.dumps(verdict_data(*attacked, examples=EVERYTHING)))
    # Whoever reads the file gets every text as the run holds it.
    listed = {flip["id"]: flip for flip in data["negative_flips"]["listed"]}
    for item in attacked.comparison.flips("negative"):
        found = listed[item.id]
        assert (found["task"], found["new"]) == (item.task, item.new)


@pytest.mark.parametrize(
    "text", ["##[error]x", "a##[b", "###[", "##vso[x]", "\\##[x", "\\\\##[", '"##[']
)
def test_json_source_keeps_its_meaning(text: str) -> None:
    source = json_source(json.dumps({text: [text]}))
    assert json.loads(source) == {text: [text]}
    assert not re.search(r"##\w*\[", source)


def test_a_refusal_quotes_the_attack_and_stays_one(hostile: list[str]) -> None:
    for text in hostile:
        verdict = refuse(InputError(f"got {text}"), names=(text, text), confidence=0.95)
        check_lines(verdict_text(verdict).split("\n"))
        assert ElementTree.fromstring(verdict_junit(verdict)).find(".//error") is not None
        assert json.loads(verdict_json(verdict))["reasons"] == [f"got {text}"]
        heading = verdict_markdown(verdict).splitlines()[1]
        assert heading == "## INVALID: the runs cannot be compared"
