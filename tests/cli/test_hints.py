"""What the first and the second line say where nothing could break, or two runs are one."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

REFERENCES = ["ABCD"[i % 4] for i in range(200)]


def rows(answers: list[str]) -> list[dict[str, str]]:
    return [
        {"id": f"п{i}", "prediction": answer, "reference": reference}
        for i, (answer, reference) in enumerate(zip(answers, REFERENCES, strict=True))
    ]


@pytest.fixture
def sentences(write) -> tuple[Path, Path]:
    """Answers that are sentences, references that are letters; new breaks some in the middle."""

    def said(letters: list[str]) -> list[str]:
        return [f"Well, the answer is ({letter})." for letter in letters]

    broken = [*REFERENCES[:50], *["E"] * 60, *REFERENCES[110:]]
    return write("old.jsonl", rows(said(REFERENCES))), write("new.jsonl", rows(said(broken)))


@pytest.mark.parametrize("command", ["compare", "report"])
def test_the_named_option_works_on_the_command_line(run, sentences, tmp_path, command) -> None:
    output = [] if command == "compare" else ["-o", tmp_path / "page.html"]
    done = run(command, *sentences, *output)
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[1].startswith("warning: old is right on 0 of 200 items, so hardly anything could")
    named = re.match(r"hint: old would be right on (\d+) of 200 with (--answer \S+) ", lines[2])
    assert named is not None
    done = run("compare", *sentences, *shlex.split(named[2]), "--json", "-")
    assert f'"both_right": {int(named[1]) - 60}' in done.out
    assert '"negative": 60' in done.out
    gated = run("gate", *sentences, "--max-nfr", "0.02", *shlex.split(named[2]))
    assert gated.code == 1
    if output:
        page = output[1].read_text("utf-8")
        assert "Warning: old is right on 0 of 200 items" in page
        assert "Well, the answer is (A)" in page.partition("</section>")[0]


@pytest.mark.parametrize("flag", ["--redact", "--no-examples"])
def test_a_page_without_texts_quotes_none(run, sentences, tmp_path: Path, flag: str) -> None:
    pytest.importorskip("jinja2", reason="the page is behind an extra")
    page = tmp_path / "page.html"
    done = run("report", *sentences, "-o", page, flag)
    assert "old is right on 0 of 200" in done.out
    for text in (done.out, page.read_text("utf-8")):
        assert "Well, the answer" not in text


@pytest.mark.parametrize("flags", [[], ["--engine", "duckdb"]], ids=["memory", "duckdb"])
def test_copies_are_said_in_the_first_line(run, write, pair, tmp_path: Path, flags) -> None:
    old, new = pair(items=30, broken=3)
    copy = tmp_path / "copy.jsonl"
    shutil.copy(new, copy)
    assert run("compare", new, copy, *flags).first.endswith(
        ": 30 items; the two files are identical"
    )
    linked = tmp_path / "linked.jsonl"
    linked.hardlink_to(new)
    assert "identical" in run("compare", new, linked, *flags).first
    # The same items in other bytes.
    lines = new.read_text().splitlines(keepends=True)
    copy.write_text("".join(lines[::-1]))
    done = run("compare", new, copy, *flags)
    assert done.first.endswith(": 30 items; the two runs are equal on every item")
    assert "identical" not in run("compare", old, new, *flags).first
    # One size is not one content, and the difference is in the last byte but one.
    one, other = write("a.jsonl", rows(REFERENCES)), write("b.jsonl", rows(REFERENCES))
    other.write_text(other.read_text()[:-4] + 'X"}\n')
    assert one.stat().st_size == other.stat().st_size
    assert "identical" not in run("compare", one, other, "--conflict", "own").first


def test_copies_in_a_chain_and_on_a_page(run, pair, tmp_path: Path) -> None:
    pytest.importorskip("jinja2", reason="the page is behind an extra")
    old, new = pair(items=30, broken=3)
    copy, page = tmp_path / "copy.jsonl", tmp_path / "page.html"
    shutil.copy(new, copy)
    first = run("compare", old, new, copy).first
    assert first.endswith(f"items; {new} and {copy} are identical files")
    done = run("report", new, copy, "-o", page)
    assert done.first.endswith("; the two runs are equal on every item")
    assert '<h1 id="story">The two runs are equal on every item.</h1>' in page.read_text("utf-8")
