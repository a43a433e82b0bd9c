"""A real browser, and the pages it looks at."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import (
    Policy,
    Record,
    Run,
    check_gate,
    compare,
    compare_candidates,
    compare_chain,
    compare_runs,
    html_report,
    read_run,
)
from muscle_metrics.reports.html.candidates import candidates_page as page_of_candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROJECT = Path(__file__).parent.parent.parent
# As root, and where nothing else can be reached: Chromium asks for updates and more otherwise.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESKTOP, PHONE = (1280, 900), (390, 844)


@dataclass
class Opened:
    """A page in a tab, and everything it did that a silent page does not do."""

    tab: Any
    noise: list[str] = field(default_factory=list)

    def visible(self, selector: str) -> list[str]:
        """Texts of the elements that a reader sees."""
        found = self.tab.locator(f"{selector} >> visible=true")
        texts: list[str] = found.all_inner_texts()
        return texts


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium")
    if path is None:
        # A program of the system, not of PyPI: the checks install it, and there a skip fails.
        pytest.skip("Chromium is not installed: .ci/browser installs it")
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """Source of axe-core."""
    folder = Path(os.environ.get("MUSCLE_METRICS_BROWSER", PROJECT / ".browser"))
    path = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not path.is_file():
        # From npm, not from PyPI: the checks install it, and there a skip fails.
        pytest.skip("axe-core is not installed: .ci/browser installs it")
    return path.read_text(encoding="utf-8")


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Opened]]:
    """Open a file in a new window."""
    contexts = []

    def open_file(path: Path, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Opened:
        width, height = size
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            has_touch=size == PHONE,
        )
        contexts.append(context)
        # Many browsers may share the machine.
        context.set_default_timeout(120_000)
        opened = Opened(context.new_page())
        own = path.as_uri()
        for event, described in (
            ("console", lambda message: f"console: {message.text}"),
            ("pageerror", lambda error: f"error: {error}"),
            ("dialog", lambda dialog: f"dialog: {dialog.message}"),
            ("request", lambda request: "" if request.url == own else f"asks {request.url}"),
            ("popup", lambda popup: f"opens {popup.url}"),
        ):
            opened.tab.on(event, lambda value, said=described: opened.noise.append(said(value)))
        opened.tab.goto(own)
        opened.noise[:] = filter(None, opened.noise)
        return opened

    yield open_file
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Write a page to a file of its own."""
    folder = tmp_path_factory.mktemp("pages")

    def write(name: str, text: str) -> Path:
        path = folder / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="session")
def example_page(pages: Callable[[str, str], Path]) -> Path:
    """The example runs, with every section that runs of one answer per prompt can have."""
    runs = [
        read_run(PROJECT / "examples" / f"{name}.jsonl", slice_field="topic", prompt_field="prompt")
        for name in ("v1", "v2", "compatible")
    ]
    comparison = compare_runs(*runs[:2], metric=["exact_match", "rouge1"])
    verdict = check_gate(comparison, Policy(max_nfr="0.1", max_accuracy_loss="0.02"))
    text = html_report(
        comparison,
        verdict=verdict,
        chain=compare_chain(runs),
        examples=60,
        command="muscle-metrics report examples/v1.jsonl examples/v2.jsonl -o report.html",
        items_file="report.csv",
    )
    return pages("example", text)


@pytest.fixture(scope="session")
def candidates_page(pages: Callable[[str, str], Path]) -> Path:
    """Three candidates of the example runs, judged by a policy that one of them keeps."""
    old, *new = (
        read_run(PROJECT / "examples" / f"{name}.jsonl", slice_field="topic", prompt_field="prompt")
        for name in ("v1", "v2", "compatible")
    )
    found = compare_candidates(old, {"v2": new[0], "compatible": new[1], "a third": new[0]})
    return pages(
        "candidates", page_of_candidates(found, verdict=found.gate(Policy(max_nfr="0.08")))
    )


@pytest.fixture(scope="session")
def hostile_candidates(pages: Callable[[str, str], Path], hostile: list[str]) -> Path:
    """Every hostile string as an item, an answer and a part of each name."""
    old, new = (
        Run(
            tuple(
                Record(text or "empty", text if new else "A", "A", task=text, prompt=text or "?")
                for text in hostile
            ),
            " ".join(hostile),
        )
        for new in (False, True)
    )
    found = compare_candidates(old, {f"{n} {' '.join(hostile)}": new for n in range(3)})
    return pages("hostile_candidates", page_of_candidates(found, command=" ".join(hostile)))


@pytest.fixture(scope="session")
def graded_page(pages: Callable[[str, str], Path]) -> Path:
    """Scores without a threshold: nothing is right or wrong."""
    runs = [
        Run(tuple(Record(f"q{i}", scores={"f1": abs(i % 7 - shift) / 10}) for i in range(60)), name)
        for shift, name in ((0, "v1"), (2, "v2"))
    ]
    return pages("graded", html_report(compare_runs(*runs, minimum_effect=0.15)))


@pytest.fixture(scope="session")
def repeated_page(pages: Callable[[str, str], Path]) -> Path:
    """Several generations per prompt, answers of a closed set, and a policy that is broken."""
    letters = "ABCD"

    def answer(i: int, repeat: int, broken: bool) -> str:
        wavers = i % 10 == 0 and repeat % 2
        return letters[(i + (1 if broken or wavers else 0)) % 4]

    def run(name: str, every: int) -> Run:
        return Run(
            tuple(
                Record(
                    f"q{i}",
                    prediction=answer(i, repeat, i % every == 1),
                    reference=letters[i % 4],
                    repeat=str(repeat),
                    task="spelling" if i % 2 else "sums",
                    group=f"passage {i // 2}",
                )
                for i in range(60)
                for repeat in range(4)
            ),
            name,
        )

    comparison = compare_runs(run("v1", 50), run("v2", 4))
    verdict = check_gate(comparison, Policy(max_nfr="0.2", pinned=frozenset({"q1"})))
    return pages("repeated", html_report(comparison, verdict=verdict))


@pytest.fixture(scope="session")
def small_page(pages: Callable[[str, str], Path]) -> Path:
    """One item that broke, and nothing else."""
    return pages("small", html_report(compare(old=["A"], new=["B"], references=["A"])))


@pytest.fixture(scope="session")
def hostile_page(pages: Callable[[str, str], Path], hostile: list[str]) -> Path:
    """Every hostile string in every field that a page shows."""
    everything = " ".join(hostile)

    def run(name: str, new: bool) -> Run:
        records = []
        for i, text in enumerate(hostile):
            labels = {"task": text, "slice": text, "group": text, "prompt": text or "empty"}
            scores = {text or "empty": i % 2 if new else 0.5}
            records += [
                Record(f"{i}{text}", text if new else "A", "A", scores=scores, **labels),
                Record(f"r{i}{text}", text if new else "A", [text, "B"], scores=scores, **labels),
            ]
        return Run(tuple(records), f"{name} {everything}", {everything: f"{name} {everything}"})

    runs = [run("v1", new=False), run("v2", new=True)]
    comparison = compare_runs(*runs, metric=["exact_match", "chrf"])
    policy = Policy(
        max_nfr="0.9",
        slices={text: "0.99999" for text in hostile if text},
        pinned=frozenset(record.id for record in runs[0]),
    )
    verdict = check_gate(comparison, policy)
    chain = compare_chain(runs, metric="exact_match")
    text = html_report(
        comparison,
        verdict=verdict,
        chain=chain,
        command=everything,
        items_file=everything,
        examples=60,
    )
    return pages("hostile", text)
