"""The page to label on: what a person does there gives a sheet that is accepted, and no other."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import InputError, Record, Run, compare_labelled, plan_labels
from muscle_metrics.cli import main
from muscle_metrics.labels.sheet import key_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from browser.conftest import Opened

pytestmark = pytest.mark.browser

DESKTOP, PHONE = (1280, 900), (390, 844)
ENOUGH = 10_000


@pytest.fixture(scope="module")
def free(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs in several scripts, of which some broke: `broken N` is wrong, all else is right."""
    folder = tmp_path_factory.mktemp("free")
    rows = [
        {"id": f"вопрос {k}", "prompt": f'Say\n{k}, "twice"', "prediction": f"{k}, {k}"}
        for k in range(40)
    ]
    changed = [
        {**row, "prediction": f"broken {k}" if k < 3 else f"=ответ\n{k}"} if k < 16 else row
        for k, row in enumerate(rows)
    ]
    files = {}
    for name, content in (("old", rows), ("new", changed)):
        files[name] = folder / f"{name}.jsonl"
        files[name].write_text("".join(json.dumps(row) + "\n" for row in content), "utf-8")
    files["page"] = folder / "sheet.html"
    assert (
        main(["label", *words(files), "--budget", "20", "--seed", "3", "-o", str(files["page"])])
        == 0
    )
    return files


@pytest.fixture(scope="module")
def hostile_sheet(hostile: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every hostile string as id, prompt, reference and answer."""
    path = tmp_path_factory.mktemp("hostile") / "sheet.html"
    old, new = (
        Run(
            tuple(
                Record(f"{k}{text}", text if is_new or k % 3 else "A", text, prompt=text or "empty")
                for k, text in enumerate(hostile)
            ),
            f"run {is_new}",
        )
        for is_new in (False, True)
    )
    plan_labels(old, new, budget=ENOUGH, seed=1).write(path)
    return path


def words(files: dict[str, Path]) -> list[str]:
    return [str(files["old"]), str(files["new"]), "--prompt-field", "prompt"]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def exported(opened: Opened, path: Path) -> Path:
    """The sheet that the page exports, beside the key of its own."""
    with opened.tab.expect_download() as download:
        opened.tab.get_by_role("button", name="Export the sheet").click()
    assert download.value.suggested_filename == "sheet.csv"
    download.value.save_as(path)
    return path


def shown(opened: Opened) -> dict[str, str]:
    """Texts of the one row that a person sees."""
    row = opened.tab.locator(".row:visible")
    assert row.count() == 1
    return dict(
        zip(row.locator("dt").all_inner_texts(), row.locator("dd").all_inner_texts(), strict=True)
    )


def label(opened: Opened, *, rows: int) -> None:
    """Label by what is seen: an answer that says "broken" is wrong."""
    for _ in range(rows):
        texts = shown(opened)
        right = {name[-1]: "broken" not in text for name, text in texts.items() if "nswer" in name}
        key = {(True, True): "3", (True, False): "1", (False, True): "2", (False, False): "4"}
        pair = (right["A"], right["B"]) if "A" in right else (True, True)
        opened.tab.keyboard.press(key[pair])


def rates(files: dict[str, Path], sheet: Path, result: Path) -> dict[str, Any]:
    assert main(["compare", *words(files), "--labels", str(sheet), "--json", str(result)]) == 0
    content: dict[str, Any] = json.loads(result.read_text("utf-8"))
    return {name: content[name] for name in ("rates", "strata", "signature")}


def beside_its_key(files: dict[str, Path], folder: Path) -> Path:
    key = key_path(files["page"].with_suffix(".csv"))
    (folder / "sheet.csv.key").write_bytes(key.read_bytes())
    return folder / "sheet.csv"


def test_the_exported_sheet_gives_the_figures_of_the_sheet_filled_by_hand(
    free: dict[str, Path], open_page: Callable[..., Opened], tmp_path: Path
) -> None:
    opened = open_page(free["page"])
    drawn = read(free["page"].with_suffix(".csv"))
    label(opened, rows=len(drawn))
    assert opened.visible("#done") == ["20 of 20 labelled"]
    sheet = exported(opened, beside_its_key(free, tmp_path))
    by_page = rates(free, sheet, tmp_path / "page.json")
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, drawn[0])
        writer.writeheader()
        for row in drawn:
            told = {
                f"right_{side}": "no" if "broken" in row[f"answer_{side}"] else "yes"
                for side in "ab"
            }
            writer.writerow({**row, **told})
    assert by_page == rates(free, sheet, tmp_path / "hand.json")
    assert by_page["rates"]["negative_flip_rate"]["value"] > 0
    assert opened.noise == []


def test_a_person_leaves_and_goes_on(
    free: dict[str, Path], open_page: Callable[..., Opened], tmp_path: Path
) -> None:
    opened = open_page(free["page"])
    label(opened, rows=7)
    opened.tab.locator("input[type=text]:visible").fill('=1+1, "так"')
    sheet = exported(opened, beside_its_key(free, tmp_path))
    assert sum(bool(row["right_a"]) for row in read(sheet)) == 7
    assert rates(free, sheet, tmp_path / "half.json")
    # Another browser on another day.
    other = open_page(free["page"])
    assert other.visible("#done") == ["0 of 20 labelled"]
    other.tab.locator("#import").set_input_files(sheet)
    other.tab.get_by_text("Labels of 7 rows were read.").wait_for()
    assert other.visible("#done") == ["7 of 20 labelled"]
    label(other, rows=13)
    rows = read(exported(other, sheet))
    assert all(row["right_a"] and row["right_b"] for row in rows)
    assert [row["note"] for row in rows if row["note"]] == ['\'=1+1, "так"']
    assert rates(free, sheet, tmp_path / "whole.json")
    assert opened.noise + other.noise == []


def test_labels_stay_in_the_browser_where_it_can_keep_them(
    free: dict[str, Path], open_page: Callable[..., Opened]
) -> None:
    opened = open_page(free["page"])
    label(opened, rows=4)
    opened.tab.reload()
    assert opened.visible("#done") == ["4 of 20 labelled"]
    opened.tab.evaluate(
        "localStorage.setItem(Object.keys(localStorage)[0], '[[1,{}],[[\"yes\"]],7]')"
    )
    opened.tab.reload()
    assert opened.visible("#done") == ["0 of 20 labelled"]


def test_without_storage_the_export_is_what_stays(
    free: dict[str, Path], browser: Any, tmp_path: Path
) -> None:
    tab = browser.new_context().new_page()
    tab.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() {throw new Error('no')}})"
    )
    tab.goto(free["page"].as_uri())
    tab.keyboard.press("4")
    assert tab.locator("#done").inner_text() == "1 of 20 labelled"
    assert "export before you leave" in tab.locator("#kept").inner_text()
    asked: list[str] = []
    tab.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    with tab.expect_event("close"):
        tab.close(run_before_unload=True)
    assert asked == ["beforeunload"]
    tab.context.close()


def test_clicks_say_the_same_and_half_a_row_is_no_label(
    free: dict[str, Path], open_page: Callable[..., Opened], tmp_path: Path
) -> None:
    opened = open_page(free["page"])
    tab = opened.tab
    while "Answer A" not in shown(opened):
        tab.get_by_role("button", name="Next", exact=True).click()
    row = tab.locator(".row:visible")
    number = int(re.findall(r"\d+", row.locator("h2").inner_text())[0])
    first, second = row.get_by_label("Wrong").all()
    first.check()
    assert opened.visible("#done") == ["0 of 20 labelled"]
    cells = read(exported(opened, beside_its_key(free, tmp_path)))[number - 1]
    assert (cells["right_a"], cells["right_b"]) == ("", "")
    assert "1 with a label of one answer alone" in opened.visible("#status")[0]
    second.check()
    assert opened.visible("#done") == ["1 of 20 labelled"]
    # Nobody can tell: of both, or of none.
    row.get_by_label("Cannot tell").first.check()
    cells = read(exported(opened, tmp_path / "sheet.csv"))[number - 1]
    assert (cells["right_a"], cells["right_b"]) == ("?", "?")
    second.check()
    assert opened.visible("#done") == ["0 of 20 labelled"]


def test_equal_answers_have_one_label(
    free: dict[str, Path], open_page: Callable[..., Opened]
) -> None:
    opened = open_page(free["page"])
    while "Answer A" in shown(opened):
        opened.tab.keyboard.press("j")
    opened.tab.keyboard.press("1")
    assert "These answers are equal" in opened.visible("#status")[0]
    assert opened.visible("#done") == ["0 of 20 labelled"]
    opened.tab.keyboard.press("4")
    assert opened.visible("#done") == ["1 of 20 labelled"]
    # A key in a note is a letter.
    opened.tab.locator("input[type=text]:visible").type("3 jk")
    assert opened.visible("#done") == ["1 of 20 labelled"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("вопрос 1", "вопрос 8", "is no row of this sheet"),
        (",yes,", ",yeah,", "expected yes or no of both answers"),
        (",yes,yes,", ",yes,?,", "expected yes or no of both answers"),
        ("\n20,", "\n19,", "is no row of this sheet, or one again"),
        ("right_a", "right", "expected a sheet with the columns of this one"),
        ('"Say', '"Day', "is no row of this sheet"),
    ],
)
def test_a_sheet_that_is_another_one_is_not_read(
    free: dict[str, Path], open_page: Callable[..., Opened], tmp_path: Path, old, new, said
) -> None:
    opened = open_page(free["page"])
    label(opened, rows=20)
    sheet = exported(opened, beside_its_key(free, tmp_path))
    text = sheet.read_text("utf-8")
    # The last place: what comes before it must not be read either.
    start, found, rest = text.rpartition(old)
    assert found
    sheet.write_text(f"{start}{new}{rest}", encoding="utf-8")
    other = open_page(free["page"])
    other.tab.locator("#import").set_input_files(sheet)
    other.tab.locator("#status", has_text=said).wait_for()
    assert other.visible("#done") == ["0 of 20 labelled"]
    old_run, new_run = free["old"], free["new"]
    with pytest.raises(InputError):
        compare_labelled(old_run, new_run, sheet, prompt_field="prompt")
    assert other.noise == []


def test_a_sheet_from_a_spreadsheet_goes_on_in_the_page(
    free: dict[str, Path], open_page: Callable[..., Opened], tmp_path: Path
) -> None:
    rows = read(free["page"].with_suffix(".csv"))
    rows[11] |= {"right_a": "TRUE", "right_b": "True", "row": "12.0"}
    path = tmp_path / "from a spreadsheet.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0], quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows[::-1])
    opened = open_page(free["page"])
    opened.tab.locator("#import").set_input_files(path)
    opened.tab.get_by_text("Labels of 1 row was read.").wait_for()
    cells = read(exported(opened, tmp_path / "sheet.csv"))
    assert [row["row"] for row in cells if row["right_a"] == "yes" == row["right_b"]] == ["12"]


def test_hostile_texts_stay_inert_and_leave_as_they_were_drawn(
    hostile_sheet: Path, open_page: Callable[..., Opened], tmp_path: Path
) -> None:
    opened = open_page(hostile_sheet)
    tags = "[...new Set([...document.querySelectorAll('*')].map(e => e.tagName))].sort()"
    before = opened.tab.evaluate(tags)
    drawn = hostile_sheet.with_suffix(".csv")
    assert read(exported(opened, tmp_path / "sheet.csv")) == read(drawn)
    for _ in read(drawn):
        opened.tab.keyboard.press("3")
    rows = read(exported(opened, tmp_path / "sheet.csv"))
    assert all(row["right_a"] == row["right_b"] == "yes" for row in rows)
    assert [{**row, "right_a": "", "right_b": ""} for row in rows] == read(drawn)
    assert opened.tab.evaluate(tags) == before
    assert opened.tab.url == hostile_sheet.as_uri()
    with pytest.raises(Exception, match="TrustedHTML"):
        opened.tab.evaluate("document.body.innerHTML = '<b>x</b>'")
    assert not [line for line in opened.noise if "TrustedHTML" not in line]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_axe_finds_no_violation(
    hostile_sheet: Path,
    size: tuple[int, int],
    scheme: str,
    open_page: Callable[..., Opened],
    axe: str,
) -> None:
    opened = open_page(hostile_sheet, size, scheme)
    assert opened.tab.evaluate("document.documentElement.scrollWidth") <= size[0]
    opened.tab.locator(".keys summary").click()
    opened.tab.keyboard.press("4")
    opened.tab.keyboard.press("k")
    sides = opened.tab.locator(".row:visible .side").all()
    if len(sides) == 2:
        boxes = [side.bounding_box() for side in sides]
        # Side by side where there is room, one below the other where there is not.
        assert (boxes[0]["y"] == boxes[1]["y"]) == (size == DESKTOP)
    assert opened.noise == []
    opened.tab.evaluate(axe)
    found = opened.tab.evaluate("axe.run({resultTypes: ['violations']})")
    assert [
        (one["id"], one["help"], [node["html"][:200] for node in one["nodes"]])
        for one in found["violations"]
    ] == []
