"""Documentation runs: its Python, its commands with their output, and its promises."""

from __future__ import annotations

import ast
import doctest
import pkgutil
import re
import runpy
import shutil
import subprocess
import tomllib
from json import loads
from pathlib import Path

import pytest

from muscle_metrics import errors

yaml = pytest.importorskip("yaml")

pytestmark = pytest.mark.house

PROJECT = Path(__file__).parent.parent
REFRESH = runpy.run_path(str(PROJECT / "docs" / "refresh.py"))
PAGES = [*REFRESH["PAGES"], PROJECT / "CONTRIBUTING.md", PROJECT / "SECURITY.md"]
TEXT_FILES = {".ipynb", ".md", ".py", ".toml", ".yaml", ".yml"}
SET_UP = re.compile(r"^\$ (python3\.11 -m venv .*)$", re.MULTILINE)

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the examples, as a reader of the page has it."""
    shutil.copytree(PROJECT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "cache"))
    return tmp_path


@every_page
def test_python_of_a_page_runs(page: Path, workplace: Path) -> None:
    text = page.read_text(encoding="utf-8")
    # To mend a page, run: python docs/refresh.py
    assert REFRESH["refreshed"](text, workplace, languages=("python",)) == text


@pytest.mark.slow
@every_page
def test_commands_of_a_page_print_what_it_says(page: Path, workplace: Path) -> None:
    text = page.read_text(encoding="utf-8")
    # A command may read a file that the Python of its page wrote, so both run.
    assert REFRESH["refreshed"](text, workplace) == text


@every_page
def test_every_block_of_a_page_runs_or_is_read(page: Path) -> None:
    """A block in a language that nothing checks could say anything."""
    # What needs another tool, or hours, is parsed here; tests/harnesses run the tools' own blocks.
    readers = {
        "json": loads,
        "py": ast.parse,
        "sh": parse_shell,
        "text": str,
        "toml": tomllib.loads,
        "yaml": yaml.safe_load,
    }
    run = {"console", "python"}
    directives = {"{toctree}", "{include}", "{literalinclude}", "{eval-rst}"}
    for language, body in blocks(page.read_text(encoding="utf-8")):
        assert language in run | directives | readers.keys(), f"what checks {language!r}?"
        if language in readers:
            readers[language](body)
        if language == "text":
            assert not re.search(r"^(\$ |python |muscle-metrics )", body, re.MULTILINE), body


def test_an_output_that_has_changed_is_written_anew(workplace: Path) -> None:
    page = """
```console
$ echo 1 second; echo new
... second
old
$ printf 'a  b\\n'
a b
```

- In a list:

  ```python
  >>> number = 6
  >>> number * 7
  41
  >>> [
  ...     number,
  ... ]
  [7]
  >>> int("x")
  Traceback (most recent call last):
      ...
  ValueError: it is no number
  >>> print(1, 2, 3.25)
  1
    2 3...

  ```
"""
    fresh = page.replace("old\n", "new\n").replace("a b\n", "a  b\n").replace("  41", "  42")
    fresh = fresh.replace("[7]", "[6]").replace(
        "it is no number", "invalid literal for int() with base 10: 'x'"
    )
    assert REFRESH["refreshed"](page, workplace) == fresh
    assert REFRESH["refreshed"](fresh, workplace) == fresh


def test_an_example_that_fails_is_not_written_down(workplace: Path) -> None:
    with pytest.raises(doctest.UnexpectedException):
        REFRESH["refreshed"]("```python\n>>> 1 / 0\n0\n\n```\n", workplace)


def test_readme_has_two_set_up_commands_and_the_checks_run_the_second() -> None:
    first, second = SET_UP.findall((PROJECT / "README.md").read_text(encoding="utf-8"))
    assert "muscle-metrics compare examples/" in first
    assert second in (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert second in (PROJECT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_public_name_is_in_the_reference() -> None:
    import muscle_metrics

    text = (PROJECT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert "automodule:: muscle_metrics.errors\n   :members:" in text
    named = {*re.findall(r"^\.\. (?:auto|py:)\w+:: (\w+)$", text, re.MULTILINE)}
    assert {*muscle_metrics.__all__} - {*errors.__all__} <= named


def test_paths_named_in_pages_and_examples_exist() -> None:
    """Dotted paths of the package; tests/test_architecture.py imports those of the reference."""
    examples = [path for path in (PROJECT / "examples").rglob("*") if path.suffix in TEXT_FILES]
    for file in {*PAGES, *examples} - {PROJECT / "docs" / "reference.md"}:
        text = file.read_text(encoding="utf-8")
        for path in sorted({*re.findall(r"\bmuscle_metrics(?:\.[a-zA-Z_]+)+", text)}):
            assert pkgutil.resolve_name(path) is not None, f"{file.name} names {path}"


def test_every_page_is_reached_from_the_index() -> None:
    text = (PROJECT / "docs" / "index.md").read_text(encoding="utf-8")
    linked = {*re.findall(r"^([\w/-]+)$", text, re.MULTILINE)}
    docs = PROJECT / "docs"
    pages = {str(page.relative_to(docs).with_suffix("")) for page in docs.rglob("*.md")}
    assert pages - {"index"} <= linked


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (page.parent / link).is_file(), f"{page.name} links to {link}"


def test_pictures_are_what_their_script_draws() -> None:
    script = runpy.run_path(str(PROJECT / "docs" / "draw_noise.py"))
    picture = PROJECT / "docs" / "noise.svg"
    assert script["draw"]() == picture.read_text(encoding="utf-8")
    # The terms add up to the probability that a prompt flips, as does the page's exact value.
    for new in script["UPDATES"].values():
        flips = [p * (1 - q) for p, q in zip(script["OLD"], new, strict=True)]
        assert sum(script["split"](script["OLD"], new)) == pytest.approx(sum(flips) / len(flips))


def test_the_picture_of_repeats_is_what_its_script_draws() -> None:
    script = runpy.run_path(str(PROJECT / "docs" / "draw_repeats.py"))
    # To mend the picture, run: python docs/draw_repeats.py
    assert script["draw"]() == (PROJECT / "docs" / "repeats.svg").read_text(encoding="utf-8")
    # As many prompts as are expected, but for rounding.
    assert sum(script["expected"](5).values()) == pytest.approx(612, abs=18)


def test_pictures_of_the_atlas_are_what_their_script_draws() -> None:
    for name, draw in runpy.run_path(str(PROJECT / "docs" / "draw_atlas.py"))["PICTURES"].items():
        # To mend a picture, run: python docs/draw_atlas.py
        assert draw() == (PROJECT / "docs" / "images" / name).read_text(encoding="utf-8")


def test_the_picture_of_labels_is_what_its_script_draws() -> None:
    script = runpy.run_path(str(PROJECT / "docs" / "draw_labels.py"))
    picture = PROJECT / "docs" / "labels.svg"
    assert script["draw"]() == picture.read_text(encoding="utf-8")


def test_the_picture_of_equivalence_is_what_its_script_draws() -> None:
    script = runpy.run_path(str(PROJECT / "docs" / "draw_equivalence.py"))
    picture = PROJECT / "docs" / "equivalence.svg"
    assert script["draw"]() == picture.read_text(encoding="utf-8")


def test_the_notebook_runs_and_holds_no_output(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workplace / "examples")
    cells = loads(Path("five_minutes.ipynb").read_text(encoding="utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            *_, last = ast.parse("".join(cell["source"])).body
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
            # What a notebook shows of the last line of a cell.
            if isinstance(last, ast.Expr):
                shown = eval(ast.unparse(last.value), names)
                assert getattr(shown, "_repr_html_", shown.__repr__)()
    assert names["comparison"].counts.negative == len(names["broken"])


def parse_shell(text: str) -> None:
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)


def blocks(text: str) -> list[tuple[str, str]]:
    """Language and text of each fenced block of a page."""
    return re.findall(r"^ *```(\S+)[^\n]*\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
