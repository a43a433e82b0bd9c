"""Pictures of reports and of every other surface, for the documentation.

    .ci/browser && .venv/bin/python tests/browser/screenshots.py

writes them to docs/images.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = Path(__file__).parent.parent.parent
COMMAND = [
    "report", "examples/v1.jsonl", "examples/v2.jsonl", "--slice-field", "topic",
    "--prompt-field", "prompt", "--max-nfr", "0.075",
]  # fmt: skip
OF_LOGS = [
    "report", "suite/v1", "suite/v2", "--filter", "strict-match", "--slice-field", "doc.topic",
]  # fmt: skip
OF_KINDS = [
    "report", "old.jsonl", "new.jsonl", "--slice-field", "topic", "--prompt-field", "prompt",
    "--find-slices", "--find-field", "level",
]  # fmt: skip
OF_LABELS = [
    "label", "v1.jsonl", "v2.jsonl", "--prompt-field", "prompt", "--budget", "120", "--seed", "7",
]  # fmt: skip
OF_CANDIDATES = [
    "candidates", str(PROJECT / "examples" / "v1.jsonl"), *(f"ckpt-{n}.jsonl" for n in range(1, 6)),
    "--max-nfr", "0.09",
]  # fmt: skip
SCRIPTS = ("lm_eval/make_suite.py", "what_broke.py", "checkpoints.py")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
# Pages of documentation load slowly otherwise.
MOST_BYTES = 300_000
COLOURS = 128


def main(folder: Path) -> list[Path]:
    """Write every picture into a folder."""
    import surfaces
    from playwright.sync_api import sync_playwright

    folder.mkdir(exist_ok=True)
    with TemporaryDirectory() as place, sync_playwright() as driver:
        pages = write_pages(Path(place))
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        made = chain(pictures(browser, *pages), surfaces.pictures(browser, Path(place)))
        written = [write(folder / f"{name}.png", picture) for name, picture in made]
        browser.close()
    return written


def write_pages(folder: Path) -> tuple[Path, ...]:
    """Write the reports of runs, logs of lm-eval and kinds of items, a sheet, and candidates."""
    from contextlib import chdir

    from muscle_metrics.cli import main as run

    names = ("report", "logs", "kinds", "sheet", "candidates")
    page, of_logs, of_kinds, of_labels, of_candidates = (folder / f"{name}.html" for name in names)
    with chdir(PROJECT):
        assert run([*COMMAND, "-o", str(page)]) == 0
    scripts = (PROJECT / "examples" / name for name in SCRIPTS)
    with chdir(folder):
        for script in scripts:
            subprocess.run([sys.executable, str(script)], check=True)
        assert run([*OF_LOGS, "-o", str(of_logs)]) == 0
        assert run([*OF_KINDS, "-o", str(of_kinds)]) == 0
        for name in ("v1", "v2"):
            rows = (PROJECT / "examples" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
            kept = ("id", "prompt", "prediction")
            free = [{key: json.loads(row)[key] for key in kept} for row in rows]
            Path(f"{name}.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in free))
        assert run([*OF_LABELS, "-o", str(of_labels)]) == 0
        assert run([*OF_CANDIDATES, "--report", str(of_candidates)]) == 0
    return page, of_logs, of_kinds, of_labels, of_candidates


def pictures(
    browser: Any, page: Path, of_logs: Path, of_kinds: Path, of_labels: Path, of_candidates: Path
) -> Iterator[tuple[str, bytes]]:
    """Name and PNG of every picture."""
    for name, width, height, scheme in (
        ("report", 1200, 1560, "light"),
        ("report-dark", 1200, 1200, "dark"),
        ("report-phone", 390, 1500, "light"),
    ):
        tab = opened(browser, page, width, height, scheme)
        yield name, tab.screenshot()
        tab.context.close()
    tab = opened(browser, page, 1200, 760, "light")
    tab.locator("summary:visible").nth(3).click()
    tab.evaluate("document.querySelector('#items').scrollIntoView({behavior: 'instant'})")
    yield "report-items", tab.screenshot()
    tab.context.close()
    tab = opened(browser, of_logs, 1200, 1500, "light")
    # A generated answer, and a choice: a page opens with the items that broke.
    for name in ("gsm8k/12", "quiz/8"):
        tab.locator("details.item.negative", has_text=name).locator("summary").click()
    tab.evaluate("document.querySelector('#items').scrollIntoView({behavior: 'instant'})")
    yield "report-log", tab.screenshot()
    tab.context.close()
    tab = opened(browser, of_kinds, 1200, 900, "light")
    yield "report-kinds", tab.locator("section:has(#found)").screenshot()
    tab.context.close()
    tab = opened(browser, of_labels, 1200, 760, "light")
    for key in "31k":
        tab.keyboard.press(key)
    yield "labels-page", tab.screenshot()
    tab.context.close()
    tab = opened(browser, of_candidates, 1200, 1420, "light")
    yield "candidates", tab.screenshot()
    tab.context.close()


def opened(browser: Any, page: Path, width: int, height: int, scheme: str) -> Any:
    """Tab that shows the page."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, device_scale_factor=1
    )
    tab = context.new_page()
    tab.set_default_timeout(120_000)
    tab.goto(page.as_uri())
    return tab


def write(path: Path, picture: bytes) -> Path:
    """Write a picture with as few colours as it needs."""
    from PIL import Image

    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=0)
    image.save(path, optimize=True)
    assert path.stat().st_size < MOST_BYTES
    return path


if __name__ == "__main__":
    for file in main(PROJECT / "docs" / "images"):
        sys.stdout.write(f"{file} {file.stat().st_size}\n")
