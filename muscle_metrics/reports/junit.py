"""A verdict as JUnit XML: one test case per criterion, and one per negative flip up to a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

from muscle_metrics.reports.flips import flip_texts, other_texts, publish
from muscle_metrics.words.escape import distinct, markup_source, shorten, visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from muscle_metrics.comparison.facts import Facts
    from muscle_metrics.comparison.items import Item
    from muscle_metrics.comparison.listed import ItemTexts
    from muscle_metrics.gate.policy import OnInconclusive
    from muscle_metrics.gate.verdict import Check, Verdict

__all__ = ["verdict_junit"]

TEXT_LIMIT = 4000
# Elements of JUnit by outcome; a test case that passed has output only.
MARKS = {"PASS": "system-out", "FAIL": "failure", "INVALID": "error"}
UNDECIDED = {"error": "error", "fail": "failure", "pass": "skipped"}
TOTALS = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}


def verdict_junit(
    verdict: Verdict,
    comparison: Facts | None = None,
    *,
    examples: int = 20,
    on_inconclusive: OnInconclusive = "error",
) -> str:
    """Write a verdict as JUnit XML.

    Parameters
    ----------
    verdict : Verdict
        The verdict of a gate.
    comparison : Comparison or CountedComparison, optional
        The comparison that was judged; None where the runs could not be compared.
    examples : int
        How many negative flips to list, each as a test case. They are failures where the gate
        fails, else skipped: flips that the policy allows are not red.
    on_inconclusive : {"error", "fail", "pass"}
        How an inconclusive check is marked.

    Returns
    -------
    str
        Valid XML in ASCII, whatever text the runs hold.
    """
    marks = {**MARKS, "INCONCLUSIVE": UNDECIDED[on_inconclusive]}
    root = ElementTree.Element("testsuites", name="muscle-metrics gate")
    pins = verdict.broken_pins
    verdict, flips = publish(verdict, comparison, examples)
    _add_criteria(root, verdict, marks)
    if flips.items:
        suite = ElementTree.SubElement(root, "testsuite", name=flips.title)
        if flips.problem:
            properties = ElementTree.SubElement(suite, "properties")
            note = _text(flips.problem)
            ElementTree.SubElement(properties, "property", name="note", value=note)
        for item, texts in flips.pairs:
            red = verdict.outcome == "FAIL" or item.id in pins
            message = "negative flip" if red else f"negative flip; the gate says {verdict.outcome}"
            case = _add_case(suite, "negative flip", distinct(item.name))
            _mark(case, "failure" if red else "skipped", message, _story(item, texts))
    _add_totals(root)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="us-ascii", xml_declaration=True)
    return markup_source(text.decode("ascii")) + "\n"


def _add_criteria(root: ElementTree.Element, verdict: Verdict, marks: Mapping[str, str]) -> None:
    suite = ElementTree.SubElement(root, "testsuite", name="criteria")
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (
        ("outcome", str(verdict.outcome)),
        ("verdict", verdict.headline),
        ("old", verdict.names[0]),
        ("new", verdict.names[1]),
        ("signature", verdict.signature),
    ):
        ElementTree.SubElement(properties, "property", name=name, value=_text(value))
    case = _add_case(suite, "gate", "comparable runs")
    if verdict.reasons:
        mark = "error" if verdict.outcome == "INVALID" else "system-out"
        _mark(case, mark, verdict.reasons[0], verdict.reasons)
    for check in verdict.checks:
        case = _add_case(suite, "gate", check.criterion)
        _mark(case, marks[check.outcome], _headline(check), [str(check)])
    if verdict.broken_pins:
        message = f"{len(verdict.broken_pins)} pinned items broke"
        case = _add_case(suite, "gate", "pinned items")
        _mark(case, "failure", message, map(distinct, verdict.broken_pins))
    for waiver in verdict.waivers:
        # Never red: an item whose waiver does not hold is red among the pinned ones.
        case = _add_case(suite, "waiver", distinct(waiver.waiver.name))
        _mark(case, "skipped", f"{waiver.state}: {waiver.story}", [str(waiver)])


def _add_case(suite: ElementTree.Element, group: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(
        suite, "testcase", classname=f"muscle-metrics.{group}", name=_text(name), time="0"
    )


def _mark(case: ElementTree.Element, mark: str, message: str, lines: Iterable[str]) -> None:
    """Mark a test case; one that passed has output only."""
    element = ElementTree.SubElement(case, mark)
    if mark != "system-out":
        element.set("message", _text(message))
    element.text = "\n".join(map(_text, lines))


def _add_totals(root: ElementTree.Element) -> None:
    """Write the numbers of test cases, counted from the tree itself."""
    for element in (root, *root.iterfind("testsuite")):
        for name, part in TOTALS.items():
            element.set(name, str(len(element.findall(f".//{part}"))))


def _headline(check: Check) -> str:
    return f"{check.outcome}: {check.shown(check.estimate)}, limit {check.limit_text}"


def _story(item: Item, texts: ItemTexts) -> list[str]:
    old, new, reference = flip_texts(item, texts)
    where = [] if item.slice is None else [f"slice: {distinct(item.slice)}"]
    others = [f"{name}: {text}" for name, text in other_texts(texts)]
    return [*where, f"old: {old}", f"new: {new}", f"reference: {reference}", *others]


def _text(text: str) -> str:
    # XML allows no controls, surrogates or noncharacters, not even escaped; ElementTree escapes
    # markup only.
    return visible(shorten(text, TEXT_LIMIT))
