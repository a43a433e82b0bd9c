"""The page in a real browser: silent, readable at any width, and usable without a mouse."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from muscle_metrics import compare_runs, read_run
from muscle_metrics.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from browser.conftest import Opened

    from muscle_metrics import Comparison

pytestmark = pytest.mark.browser

DESKTOP, PHONE = (1280, 900), (390, 844)
PAGES = [
    "example_page",
    "graded_page",
    "repeated_page",
    "small_page",
    "hostile_page",
    "candidates_page",
    "hostile_candidates",
]
every_page = pytest.mark.parametrize("name", PAGES)
every_size = pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
every_scheme = pytest.mark.parametrize("scheme", ["light", "dark"])


@every_scheme
@every_size
@every_page
def test_page_is_silent_and_fits(
    name: str, size: tuple[int, int], scheme: str, open_page: Callable[..., Opened], request
) -> None:
    opened = open_page(request.getfixturevalue(name), size, scheme)
    width = opened.tab.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]
    paper = opened.tab.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(map(int, re.findall(r"\d+", paper)[:3])) > 3 * 128
    assert light == (scheme == "light")
    # What stands first is the verdict or the story, above the fold.
    assert opened.tab.locator("h1").bounding_box()["y"] < size[1] / 2
    assert opened.noise == []


@every_scheme
@every_size
@every_page
def test_axe_finds_no_violation(
    name: str,
    size: tuple[int, int],
    scheme: str,
    open_page: Callable[..., Opened],
    axe: str,
    request,
) -> None:
    opened = open_page(request.getfixturevalue(name), size, scheme)
    for details in opened.tab.locator("details:visible").all()[:3]:
        # Lists of candidates hold items, and are open from the start.
        details.evaluate("one => { one.open = true }")
    opened.tab.evaluate(axe)
    found = opened.tab.evaluate("axe.run({resultTypes: ['violations']})")
    assert [
        (violation["id"], violation["help"], [node["html"][:200] for node in violation["nodes"]])
        for violation in found["violations"]
    ] == []
    assert len(found["passes"]) > 15


def test_views_change_by_click(
    example_page: Path,
    open_page: Callable[..., Opened],
    example_quadrants: Callable[[str, str], Counter[str]],
) -> None:
    counted = example_quadrants("v1", "v2")
    opened = open_page(example_page)
    assert tally(opened) == counted["negative"]
    assert opened.visible(".about") == ["Right, then wrong."]
    view(opened, "positive")
    assert {*classes(opened)} == {"positive"}
    assert f"60 of {counted['positive']} are listed" in opened.visible(".about")[0]
    view(opened, "both_wrong")
    assert {*classes(opened)} == {"both_wrong"}
    view(opened, "both_right")
    assert tally(opened) == 0
    assert "There are none" in opened.visible(".about")[0]


def test_slices_narrow_a_view(example_page: Path, open_page: Callable[..., Opened]) -> None:
    opened = open_page(example_page)
    opened.tab.get_by_label("Slice").select_option("topic 2")
    assert {*slices(opened)} == {"topic 2"}
    assert tally(opened) == len(slices(opened))
    view(opened, "positive")
    assert {*slices(opened)} == {"topic 2"}
    opened.tab.get_by_label("Slice").select_option("all slices")
    assert len({*slices(opened)}) > 1


def test_filters_and_items_work_by_keyboard(
    example_page: Path, open_page: Callable[..., Opened]
) -> None:
    opened = open_page(example_page)
    keyboard = opened.tab.keyboard
    keyboard.press("Tab")
    # The first stop shows itself, and leads past the head of the page.
    assert opened.visible(".skip") == ["Skip to the result"]
    assert opened.tab.locator(".skip").bounding_box()["x"] >= 0
    tab_to(opened, "INPUT")
    # The first choice is the metric.
    tab_to(opened, "INPUT")
    outlined = opened.tab.locator("#view-negative + label")
    assert outlined.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    keyboard.press("ArrowRight")
    assert {*classes(opened)} == {"positive"}
    keyboard.press("Tab")
    assert opened.tab.evaluate("document.activeElement.tagName") == "SELECT"
    keyboard.type("topic 4")
    assert {*slices(opened)} == {"topic 4"}
    tab_to(opened, "SUMMARY")
    assert opened.visible("dl") == []
    keyboard.press("Enter")
    assert len(opened.visible("dl")) == 1
    assert opened.noise == []


def test_an_item_shows_both_answers_and_what_differs(
    example_page: Path, open_page: Callable[..., Opened], project: Path
) -> None:
    # One word of the answer to this item became another one.
    before, after = (
        next(row["prediction"] for row in rows if row["id"] == "q037")
        for rows in (examples(project, "v1"), examples(project, "v2"))
    )
    pairs = zip(before.split(), after.split(), strict=True)
    (replaced,) = [(was, now) for was, now in pairs if was != now]
    opened = open_page(example_page)
    opened.tab.locator("summary:visible", has_text="q037").click()
    old, new = (opened.tab.locator(f".side.{age}:visible") for age in ("old", "new"))
    assert old.inner_text().split() == ["Old", "right", *before.split()]
    assert new.inner_text().split() == ["New", "wrong", *after.split()]
    marked = (old.locator("del").inner_text().strip(), new.locator("ins").inner_text().strip())
    assert marked == replaced
    # Side by side where there is room, one below the other where there is not.
    assert old.bounding_box()["y"] == new.bounding_box()["y"]
    opened.tab.set_viewport_size({"width": 390, "height": 844})
    assert old.bounding_box()["y"] < new.bounding_box()["y"]


def test_areas_of_the_mosaic_are_to_scale(
    example_page: Path,
    open_page: Callable[..., Opened],
    example_quadrants: Callable[[str, str], Counter[str]],
) -> None:
    opened = open_page(example_page)
    whole = area(opened, ".mosaic")
    counted = example_quadrants("v1", "v2")
    assert len(counted) == 4
    for quadrant, count in counted.items():
        share = area(opened, f".tile.{quadrant}") / whole
        assert share == pytest.approx(count / counted.total(), rel=0.02)


def test_paper_shows_what_a_screen_folds(
    example_page: Path,
    open_page: Callable[..., Opened],
    example_quadrants: Callable[[str, str], Counter[str]],
) -> None:
    opened = open_page(example_page)
    opened.tab.emulate_media(media="print")
    assert opened.visible("nav") == []
    assert len(opened.visible("dl")) == example_quadrants("v1", "v2")["negative"]
    assert opened.tab.pdf().startswith(b"%PDF")
    assert opened.noise == []


def test_hostile_texts_are_text(
    hostile_page: Path, open_page: Callable[..., Opened], hostile: list[str]
) -> None:
    opened = open_page(hostile_page)
    for quadrant in ("positive", "both_right", "both_wrong", "negative"):
        view(opened, quadrant)
    for summary in opened.tab.locator("summary:visible").all()[:20]:
        summary.click()
    names = opened.tab.evaluate(
        "[...new Set([...document.querySelectorAll('*')].map(e => e.tagName.toLowerCase()))]"
    )
    assert not {*names} & {"img", "iframe", "object", "embed", "form", "base", "link"}
    attributes = opened.tab.evaluate(
        "[...new Set([...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()))]"
    )
    assert not [name for name in attributes if name.startswith("on") or name in {"src", "action"}]
    links = opened.tab.evaluate("[...document.querySelectorAll('a')].map(e => e.protocol)")
    assert {*links} == {"file:"}
    # A command is shown as it has to be typed, and every attack with it, none of them stripped.
    shown = opened.tab.locator(".command").text_content()
    for text in hostile:
        if text.isprintable():
            assert text in shown
    assert r"\u001b[2J" in shown
    assert r"\u202egnp.exe" in shown
    assert opened.tab.url == hostile_page.as_uri()
    assert opened.noise == []


def test_hostile_texts_of_candidates_are_text(
    hostile_candidates: Path, open_page: Callable[..., Opened]
) -> None:
    opened = open_page(hostile_candidates)
    opened.tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    elements = "[...document.querySelectorAll('*')]"
    names = opened.tab.evaluate(f"[...new Set({elements}.map(e => e.tagName.toLowerCase()))]")
    assert not {*names} & {"img", "iframe", "object", "embed", "form", "base", "link", "script"}
    attributes = opened.tab.evaluate(
        f"[...new Set({elements}.flatMap(e => e.getAttributeNames()))]"
    )
    assert not [name for name in attributes if name.startswith("on") or name in {"src", "action"}]
    assert opened.noise == []


@pytest.mark.slow
def test_twelve_thousand_real_items_open_filter_and_print(
    shared: Path, tmp_path: Path, open_page: Callable[..., Opened]
) -> None:
    folder, page = shared / "data" / "mmlu_pro", tmp_path / "report.html"
    code = main([
        "report", str(folder / "Meta-Llama-3-8B.jsonl.gz"),
        str(folder / "Meta-Llama-3_1-8B.jsonl.gz"), "-o", str(page), "--id-field", "question_id",
        "--prediction-field", "pred", "--reference-field", "answer", "--slice-field", "category",
        "--unanswered", "wrong", "--conflict", "own", "--max-nfr", "0.1",
    ])  # fmt: skip
    assert code == 0
    assert page.stat().st_size < 5_000_000
    opened = open_page(page)
    assert work_of(opened, lambda: opened.tab.reload()) < 2
    assert "1,022 of 4,112 right answers are now wrong" in opened.visible("h1")[0]
    assert len(slices(opened)) == 1000
    assert "1,000 of 1,022 are listed" in opened.visible(".about")[0]
    # The rows of the files are sorted by subject: physics and all others are listed all the same.
    broken = Counter(item.slice for item in reread(folder).flips("negative"))
    # A search by label looks at every element of the page, which takes long here.
    choose = opened.tab.locator("#label")
    for subject in ("physics", "law"):
        choose.select_option(subject)
        assert {*slices(opened)} == {subject}
        listed = len(slices(opened))
        assert 0.8 * broken[subject] < listed <= broken[subject]
        if listed < broken[subject]:
            share = f"{listed} of {broken[subject]} in {subject} are listed"
            assert share in opened.visible(".about")[0]
    choose.select_option("all slices")
    opened.tab.locator("#search").focus()
    keys = [*"1203", *["Backspace"] * 4, *"72", *["Backspace"] * 2]
    spent = [work_of(opened, lambda key=key: opened.tab.keyboard.press(key)) for key in keys]
    # Half of them: where programs share a core, its caches make any one key slow.
    assert sorted(spent)[len(keys) // 2] < 0.1
    opened.tab.keyboard.press("7")
    assert "in all lists" in opened.visible("#status")[0]
    opened.tab.keyboard.press("Backspace")
    opened.tab.emulate_media(media="print")
    assert opened.tab.pdf().startswith(b"%PDF")
    # A page that is loaded again asks for itself.
    assert [*filter(None, opened.noise)] == []


def reread(folder: Path) -> Comparison:
    """The same comparison as the command makes."""
    runs = [
        read_run(
            folder / f"Meta-Llama-{version}.jsonl.gz",
            id_field="question_id",
            prediction_field="pred",
            reference_field="answer",
            slice_field="category",
        )
        for version in ("3-8B", "3_1-8B")
    ]
    return compare_runs(*runs, unanswered="wrong", conflict="own")


def work_of(opened: Opened, act: Callable[[], object]) -> float:
    """Seconds of the page's own thread: time on a clock depends on all that the machine does."""
    session = opened.tab.context.new_cdp_session(opened.tab)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        (seconds,) = (m["value"] for m in metrics if m["name"] == "TaskDuration")
        return float(seconds)

    before = spent()
    act()
    opened.tab.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    return spent() - before


def examples(project: Path, name: str) -> list[dict[str, str]]:
    """Rows of an example run."""
    text = (project / "examples" / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def tally(opened: Opened) -> int:
    """How many items the page itself says it shows."""
    # A counter of the style sheet is in no text of the document, but it is read out.
    session = opened.tab.context.new_cdp_session(opened.tab)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    names = [node.get("name", {}).get("value", "") for node in nodes]
    return int(names[names.index(" shown") - 1])


def slices(opened: Opened) -> list[str]:
    """Slices of the items that are shown."""
    found: list[str] = opened.tab.evaluate(
        "[...document.querySelectorAll('.item')].filter(item => item.offsetParent)"
        ".map(item => item.querySelector('.slice').textContent)"
    )
    return found


def view(opened: Opened, quadrant: str) -> None:
    opened.tab.locator(f"#view-{quadrant}").check()


def classes(opened: Opened) -> list[str]:
    names: list[str] = opened.tab.evaluate(
        "[...document.querySelectorAll('.item')].filter(item => item.offsetParent)"
        ".map(item => item.classList[1])"
    )
    return names


def tab_to(opened: Opened, tag: str) -> None:
    for _ in range(100):
        opened.tab.keyboard.press("Tab")
        if opened.tab.evaluate("document.activeElement.tagName") == tag:
            return
    raise AssertionError(f"no {tag} can be reached by keyboard")


def area(opened: Opened, selector: str) -> float:
    box = opened.tab.locator(selector).bounding_box()
    return box["width"] * box["height"]
