"""The script of the page: search, order, steps, marks and their file; no text of the data acts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from muscle_metrics import Record, Run, compare_runs, html_report
from muscle_metrics.cli import main
from muscle_metrics.gate.files import fits_line, read_ids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from browser.conftest import Opened

pytestmark = pytest.mark.browser

# Ids and answers of several scripts; the last of each are beyond the first rows.
ROWS = [
    ("q2", "Cairo", "sums"),
    ("q10", "Straße", "sums"),
    ("q1", "ＣＡＩＲＯ now", "spelling"),
    ("физика 7", "Привет, МИР", "spelling"),
    ('quoted "9"', "日本語の答え", "sums"),
    ("two\nlines", "cairo", "spelling"),
]


@pytest.fixture(scope="module")
def mixed_page(pages: Callable[[str, str], Path]) -> Path:
    """Items that broke, in several scripts, and one that got fixed."""
    rows = [(name, "A", answer, part) for name, answer, part in ROWS]
    rows += [("fixed", "Cairo", "A", "sums")]
    runs = [
        Run(tuple(Record(row[0], row[side], "A", slice=row[3]) for row in rows), f"v{side}")
        for side in (1, 2)
    ]
    return pages("mixed", html_report(compare_runs(*runs)))


@pytest.mark.parametrize(
    ("words", "found", "said"),
    [
        ("cairo", ["q1", "q2", "two\nlines"], "3 found here, 4 in all lists"),
        ("мир привет", ["физика 7"], "1 found here, 1 in all lists"),
        ("日本", ['quoted "9"'], "1 found here, 1 in all lists"),
        ("  STRASSE", [], "0 found here, 0 in all lists"),
        ("straße", ["q10"], "1 found here, 1 in all lists"),
        ("<b>.*", [], "0 found here, 0 in all lists"),
    ],
)
def test_search_finds_words_in_any_case_and_script(
    words: str, found: list[str], said: str, mixed_page: Path, open_page: Callable[..., Opened]
) -> None:
    opened = open_page(mixed_page)
    opened.tab.get_by_label("Search").fill(words)
    assert sorted(ids(opened)) == sorted(found)
    assert opened.visible("#status") == [said]
    opened.tab.get_by_label("Search").fill("")
    assert len(ids(opened)) == len(ROWS)
    assert opened.noise == []


def test_search_goes_on_in_another_list_and_slice(
    mixed_page: Path, open_page: Callable[..., Opened]
) -> None:
    opened = open_page(mixed_page)
    opened.tab.get_by_label("Search").fill("cairo")
    opened.tab.get_by_label("Slice").select_option("spelling")
    assert sorted(ids(opened)) == ["q1", "two\nlines"]
    opened.tab.locator("#view-positive").check()
    assert ids(opened) == []
    opened.tab.get_by_label("Slice").select_option("all slices")
    assert ids(opened) == ["fixed"]


@pytest.mark.parametrize(
    ("order", "first"),
    [("by id", "q1"), ("by slice", "q1"), ("by new answer", "two\nlines")],
)
def test_order_of_a_list(
    order: str, first: str, mixed_page: Path, open_page: Callable[..., Opened]
) -> None:
    opened = open_page(mixed_page)
    listed = ids(opened)
    opened.tab.get_by_label("Order").select_option(order)
    assert ids(opened)[0] == first
    assert sorted(ids(opened)) == sorted(listed)
    opened.tab.get_by_label("Order").select_option("as listed")
    assert ids(opened) == listed


def test_steps_lead_through_what_is_shown(
    mixed_page: Path, open_page: Callable[..., Opened]
) -> None:
    opened = open_page(mixed_page)
    opened.tab.get_by_label("Slice").select_option("sums")
    names = ids(opened)
    assert len(names) == 3
    following = opened.tab.get_by_role("button", name="Next")
    for name in names:
        following.click()
        assert opened_ids(opened) == [name]
    following.click()
    assert opened.visible("#status") == ["No more items in this list."]
    opened.tab.keyboard.press("k")
    assert opened_ids(opened) == [names[1]]
    opened.tab.keyboard.press("j")
    assert opened_ids(opened) == [names[2]]
    opened.tab.keyboard.press("m")
    assert opened.visible("#export") == ["Export 1 marked ids"]
    # Letters that somebody types are no commands.
    opened.tab.get_by_label("Search").press_sequentially("jkm")
    assert opened.tab.locator(".item[open]").count() == 1
    assert opened.visible("#export") == ["Export 1 marked ids"]


def test_marked_ids_are_a_file_of_pins_that_the_gate_reads(
    example_page: Path, open_page: Callable[..., Opened], project: Path, tmp_path: Path, capsys
) -> None:
    opened = open_page(example_page)
    opened.tab.get_by_label("Slice").select_option("topic 2")
    names = ids(opened)
    opened.tab.locator("summary:visible").nth(1).click()
    opened.tab.get_by_role("button", name="Mark", exact=True).click()
    assert saved(opened, tmp_path) == [names[1]]
    opened.tab.get_by_role("button", name="Mark all shown").click()
    opened.tab.get_by_role("button", name="Mark", exact=True).click()
    kept = sorted({*names} - {names[1]})
    assert saved(opened, tmp_path) == kept
    code = main([
        "gate", str(project / "examples" / "v1.jsonl"), str(project / "examples" / "v2.jsonl"),
        "--max-nfr", "0.9", "--pinned", str(tmp_path / "pinned.txt"),
    ])  # fmt: skip
    assert code == 1
    assert f"FAIL pinned items: {len(kept)} broke" in capsys.readouterr().out
    assert opened.noise == []


def test_an_id_that_no_file_can_hold_is_not_marked_and_named(
    mixed_page: Path, open_page: Callable[..., Opened], tmp_path: Path
) -> None:
    opened = open_page(mixed_page)
    opened.tab.get_by_role("button", name="Mark all shown").click()
    assert "1 of 6 items are not marked" in opened.visible("#status")[0]
    assert saved(opened, tmp_path) == ["q1", "q2", "q10", 'quoted "9"', "физика 7"]
    opened.tab.locator("summary", has_text="two").click()
    assert "no file of ids can hold it" in opened.visible(".own")[0]
    assert opened.visible(".own button") == []


def test_hostile_texts_stay_inert_with_the_script(
    hostile: list[str], hostile_page: Path, open_page: Callable[..., Opened], tmp_path: Path
) -> None:
    opened = open_page(hostile_page)
    tab = opened.tab
    tags = "[...new Set([...document.querySelectorAll('*')].map(e => e.tagName))].sort()"
    before = tab.evaluate(tags)
    for text in hostile:
        tab.get_by_label("Search").fill(text[:200])
    tab.get_by_label("Search").fill("")
    for order in ("by id", "by slice", "by old answer", "by new answer"):
        tab.get_by_label("Order").select_option(order)
    held: set[str] = set()
    for view in tab.locator("input[name=view]").all():
        view.check()
        tab.get_by_role("button", name="Mark all shown").click()
        tab.get_by_role("button", name="Next").click()
        held |= {*tab.evaluate(
            "[...document.querySelectorAll('.item')].filter(item => item.dataset.id)"
            ".map(item => JSON.parse(item.dataset.id))"
        )}  # fmt: skip
    names = {f"{mark}{i}{text}" for i, text in enumerate(hostile) for mark in ("", "r")}
    # As many of them as are listed: exactly, and none that a line cannot hold.
    assert held <= {name for name in names if fits_line(name)}
    assert len(held) > len(hostile)
    assert {*saved(opened, tmp_path)} == held
    assert tab.evaluate(tags) == before
    assert tab.url == hostile_page.as_uri()
    assert opened.noise == []


def test_the_browser_refuses_markup_and_foreign_scripts(
    small_page: Path, open_page: Callable[..., Opened]
) -> None:
    opened = open_page(small_page)
    with pytest.raises(Exception, match="TrustedHTML"):
        opened.tab.evaluate("document.body.innerHTML = '<b>x</b>'")
    added = "const s = document.createElement('script'); s.text = 'window.ran = 1';"
    with pytest.raises(Exception, match="TrustedScript"):
        opened.tab.evaluate(f"(() => {{{added}}})()")
    assert opened.tab.evaluate("window.ran") is None


@pytest.mark.parametrize("script", [True, False])
def test_a_link_shows_its_item_in_any_list(
    script: bool, pages: Callable[[str, str], Path], open_page: Callable[..., Opened]
) -> None:
    comparison = compare_runs(
        Run((Record("a", "A", "A"), Record("b", "B", "A")), "v1"),
        Run((Record("a", "B", "A"), Record("b", "A", "A")), "v2"),
    )
    page = pages(f"linked {script}", html_report(comparison, script=script))
    (anchor,) = re.findall('id="(item-[^"]+)" class="item positive', page.read_text("utf-8"))
    opened = open_page(page)
    assert ids(opened) == ["a"]
    opened.tab.goto(f"{page.as_uri()}#{anchor}")
    assert ids(opened) == (["b"] if script else ["a", "b"])
    assert opened_ids(opened) == (["b"] if script else [])


def test_without_a_script_the_page_still_filters(
    pages: Callable[[str, str], Path], browser, mixed_page: Path
) -> None:
    # As on a site whose own policy blocks every script.
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(mixed_page.as_uri())
    assert tab.locator("summary >> visible=true").count() == len(ROWS)
    assert tab.locator(".script >> visible=true").count() == 0
    tab.get_by_label("Slice").select_option("sums")
    assert tab.locator("summary >> visible=true").count() == 3
    tab.locator("#view-positive").check()
    assert tab.locator("summary >> visible=true").count() == 1
    context.close()


def saved(opened: Opened, folder: Path) -> list[str]:
    """Ids in the file that the page saves."""
    with opened.tab.expect_download() as download:
        opened.tab.locator("#export").click()
    assert download.value.suggested_filename == "pinned.txt"
    download.value.save_as(folder / "pinned.txt")
    return read_ids(folder / "pinned.txt")


def ids(opened: Opened) -> list[str]:
    """Ids of the items that are shown, in the order of the page."""
    found: list[str] = opened.tab.evaluate(
        "[...document.querySelectorAll('.item')].filter(item => item.offsetParent)"
        ".map(item => item.querySelector('.id').textContent)"
    )
    return found


def opened_ids(opened: Opened) -> list[str]:
    found: list[str] = opened.tab.evaluate(
        "[...document.querySelectorAll('.item[open]')].filter(item => item.offsetParent)"
        ".map(item => item.querySelector('.id').textContent)"
    )
    return found
