"""Every surface that people look at, on a wide screen and a phone, in light and dark.

`screenshots.py` makes one picture of each for the documentation.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image

PROJECT = Path(__file__).parent.parent.parent
RUNS = ["examples/v1.jsonl", "examples/v2.jsonl"]
LIMIT = ["--max-nfr", "0.12"]
SLICES = ["--slice-field", "topic", "--prompt-field", "prompt"]
# Of a screen in pixels; a picture shows them beside each other, smaller by SCALE.
WIDE, PHONE = (1200, 900), (390, 900)
SCALE = 0.55
GAP = 12
# Where to look on a long page.
PLACES = {"chain": "#versions"}
# What a host puts around a surface: its font, and colours that follow the reader's scheme.
HOST = """<!doctype html><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>surface</title>
<style>:root {{color-scheme: light dark}} body {{font: 15px/1.5 sans-serif; margin: 1rem;
max-width: 60rem}} pre {{font: {size}px/1.35 "DejaVu Sans Mono", monospace;
white-space: pre-wrap}}
table {{border-collapse: collapse; display: block; overflow-x: auto}}
td, th {{border: 1px solid #8886; padding: .2rem .5rem}} code {{overflow-wrap: break-word}}
</style>{body}"""


def surfaces(folder: Path) -> dict[str, Callable[[int], str]]:
    """HTML of each surface for a screen of some width, by its name in the documentation."""
    page, chain, candidates = (folder / f"{one}.html" for one in ("page", "chain", "candidates"))
    command("report", *RUNS, *SLICES, *LIMIT, "-o", str(page))
    third = "examples/compatible.jsonl"
    command("report", *RUNS, third, "-o", str(chain))
    command("candidates", *RUNS, third, *LIMIT, "--report", str(candidates))
    return {
        "terminal": terminal,
        "page": lambda _: page.read_text(encoding="utf-8"),
        "chain": lambda _: chain.read_text(encoding="utf-8"),
        "candidates": lambda _: candidates.read_text(encoding="utf-8"),
        "notebook": lambda _: hosted(notebook()),
        "comment": lambda _: hosted(comment(folder / "gate.md")),
    }


def command(*words: str, columns: int = 100) -> str:
    """What a command prints on a screen of some columns."""
    environment = {**os.environ, "COLUMNS": str(columns), "TTY_COMPATIBLE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "muscle_metrics", *words],
        cwd=PROJECT, env=environment, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    # A gate that cannot decide yet ends with 3.
    assert done.returncode in {0, 3}, done.stderr
    return done.stdout


def hosted(body: str, size: int = 12) -> str:
    """Put a surface into a page of its host."""
    return HOST.format(size=size, body=body)


def terminal(width: int) -> str:
    """Show a comparison in a terminal, as wide as the screen."""
    from rich.console import Console
    from rich.text import Text

    size = 13 if width > PHONE[0] else 10
    columns = int((width - 40) / (size * 0.61))
    words = ("compare", *RUNS, *SLICES, "--flips", "2")
    typed = f"$ muscle-metrics {' '.join(words)}\n"
    screen = Console(width=columns, record=True, file=io.StringIO())
    screen.print(Text.from_ansi(typed + command(*words, columns=columns)))
    return hosted(screen.export_html(code_format="<pre>{code}</pre>", inline_styles=True), size)


def notebook() -> str:
    """Show a comparison and its verdict as cells of a notebook do."""
    from muscle_metrics import Policy, compare_runs

    old, new = (PROJECT / run for run in RUNS)
    comparison = compare_runs(old, new, slice_field="topic")
    verdict = comparison.gate(Policy(max_nfr=0.12))
    return f"{comparison._repr_html_()}<hr>{verdict._repr_html_()}"


def comment(path: Path) -> str:
    """Show the comment of a gate as a host of code renders it."""
    from markdown_it import MarkdownIt

    command("gate", *RUNS, *SLICES, *LIMIT, "--markdown", str(path))
    return str(
        MarkdownIt("gfm-like", {"linkify": False, "breaks": True}).render(
            path.read_text(encoding="utf-8")
        )
    )


def pictures(browser: Any, folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and PNG of every surface: wide and narrow, light and dark."""
    for name, text in surfaces(folder).items():
        shots = []
        for size in (WIDE, PHONE):
            page = folder / f"{name}-{size[0]}.html"
            page.write_text(text(size[0]), encoding="utf-8")
            shots += [shot(browser, page, size, scheme) for scheme in ("light", "dark")]
        yield f"surface-{name}", beside(shots)


def shot(browser: Any, page: Path, size: tuple[int, int], scheme: str) -> Image:
    """Look at a page."""
    from PIL import Image

    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1
    )
    tab = context.new_page()
    tab.set_default_timeout(120_000)
    tab.goto(page.as_uri())
    if place := PLACES.get(page.stem.partition("-")[0]):
        tab.locator(place).evaluate("place => place.scrollIntoView({behavior: 'instant'})")
    picture = Image.open(io.BytesIO(captured(tab))).convert("RGB")
    context.close()
    return picture


def captured(tab: Any, tries: int = 3) -> bytes:
    """PNG of what a tab shows: Chromium on a busy machine may fail to capture it at first."""
    from playwright.sync_api import Error

    for _ in range(tries - 1):
        try:
            return bytes(tab.screenshot())
        except Error:
            tab.wait_for_timeout(1000)
    return bytes(tab.screenshot())


def beside(shots: list[Image]) -> bytes:
    """Put pictures beside each other."""
    from PIL import Image

    small = [one.resize([int(side * SCALE) for side in one.size], Image.LANCZOS) for one in shots]
    width = sum(one.width for one in small) + GAP * (len(small) - 1)
    sheet = Image.new("RGB", (width, small[0].height), (136, 136, 136))
    place = 0
    for one in small:
        sheet.paste(one, (place, 0))
        place += one.width + GAP
    held = io.BytesIO()
    sheet.save(held, "PNG")
    return held.getvalue()
