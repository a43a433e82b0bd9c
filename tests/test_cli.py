"""The command line as people and pipelines meet it: what it prints, where, with which code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics._version import __version__
from muscle_metrics.cli import main

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[dict[str, Any]]


@pytest.fixture
def runs(tmp_path: Path) -> tuple[str, str]:
    old = write(tmp_path / "old.jsonl", [item("1", "A", "A", "x"), item("2", "B", "B", "y")])
    new = write(tmp_path / "new.jsonl", [item("2", "C", "B", "y"), item("1", "A", "A", "x")])
    return old, new


def item(name: str, prediction: object, reference: object, topic: str) -> dict[str, Any]:
    return {"id": name, "prediction": prediction, "reference": reference, "topic": topic}


def write(path: Path, rows: Rows) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_compare_prints_the_story_first(
    runs: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *runs, "--slice-field", "topic", "--flips", "5"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0].endswith("new.jsonl: 2 items")
    # Two items tell nothing about a direction.
    assert lines[1].startswith("no clear change of accuracy (100.00% to 50.00%, -50.00 points")
    start = lines.index("  2")
    assert [line.split() for line in lines[start + 1 : start + 5]] == [
        ["slice", "y"], ["old", "B"], ["new", "C"], ["reference", "B"]
    ]  # fmt: skip
    order = [line.split()[0] for line in lines if line.split()[:1] in (["x"], ["y"])]
    assert order == ["y", "x"]
    # The command that writes a page comes last, where its package is installed.
    if find_spec("jinja2"):
        assert lines.pop().startswith("next: muscle-metrics report ")
    assert "; input " in lines[-1]


def test_json_holds_what_is_printed(runs: tuple[str, str], tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    assert main(["compare", *runs, "--json", str(target)]) == 0
    content = json.loads(target.read_text(encoding="utf-8"))
    assert content["counts"]["negative"] == 1
    assert content["flips"][0]["id"] == "2"
    # A second run replaces the file; a symbolic link stays, and its target is replaced.
    link, last = tmp_path / "link.json", tmp_path / "last.json"
    last.write_text("before", encoding="utf-8")
    link.symlink_to(last)
    assert main(["compare", *runs, "--json", str(link)]) == 0
    assert link.is_symlink()
    assert last.read_bytes() == target.read_bytes()


def test_a_chain_of_files(runs: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *runs, runs[0]]) == 0
    printed = capsys.readouterr().out
    assert "negative flips over 2 updates: 25.00% (1 of 4)" in printed


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        ([], 2, "--help"),
        (["compare"], 2, "--help"),
        (["compare", "OLD"], 2, "two or more runs"),
        (["compare", "OLD", "NEW", "--missing", "guess"], 2, "invalid choice"),
        (["compare", "OLD", "NEW", "--flips", "-1"], 2, "--flips"),
        (["compare", "OLD", "NEW", "--where", "topic"], 2, "FIELD=VALUE"),
        (["compare", "OLD", "NEW", "OLD", "--id-field=a", "--id-field=b"], 2, "2 times for 3"),
        (["compare", "OLD", "NEW", "--key", "str.lower"], 2, "package.module:function"),
        (["compare", "OLD", "NEW", "--key", ":lower"], 2, "package.module:function"),
        (["compare", "OLD", "NEW", "--key", "nowhere.py:f"], 2, "Python file"),
        (["compare", "OLD", "NEW", "--key", "no_such_module:f"], 2, "no_such_module"),
        (["compare", "OLD", "NEW", "--key", "json:no_such_function"], 2, "no_such_function"),
        (["compare", "OLD", "NEW", "--threshold", "0.5"], 2, "--score-field"),
        (["compare", "OLD", "NEW", "--format", "xml"], 2, "xml"),
        (["compare", "OLD", "missing.jsonl"], 4, "missing.jsonl"),
        (["compare", "OLD", "NEW", "--id-field", "question_id"], 4, "question_id"),
        (["compare", "OLD", "NEW", "--json", "no/such/folder/result.json"], 2, "no/such/folder"),
    ],
)  # fmt: skip
def test_errors_are_one_line_with_a_code(
    runs: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    expected: str,
) -> None:
    paths = dict(zip(("OLD", "NEW"), runs, strict=True))
    assert main([paths.get(argument, argument) for argument in arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("muscle-metrics: ")
    assert printed.err.count("\n") == 1
    assert expected in printed.err
    assert "Traceback" not in printed.err


def test_a_key_that_fails_is_neither_0_nor_1(
    runs: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "broken.py").write_text("def key(answer): return 1 / 0", encoding="utf-8")
    code = main(["compare", *runs, "--key", f"{tmp_path / 'broken.py'}:key"])
    printed = capsys.readouterr().err
    assert code == 4
    assert "ZeroDivisionError" in printed
    assert printed.count("\n") == 1


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"muscle-metrics {__version__}\n"


def test_help_teaches_by_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "--help"]) == 0
    assert "muscle-metrics compare old.jsonl new.jsonl" in capsys.readouterr().out


def in_a_process(arguments: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "muscle_metrics", *arguments],
        capture_output=True, text=True, check=False, **settings,
    )  # fmt: skip


def test_a_reader_that_leaves_early_gets_no_traceback(runs: tuple[str, str]) -> None:
    command = f'"{sys.executable}" -m muscle_metrics compare "{runs[0]}" "{runs[1]}" | head -n 0'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_the_same_bytes_from_every_process(runs: tuple[str, str]) -> None:
    environments = [
        {**os.environ, "PYTHONHASHSEED": "0"},
        {**os.environ, "PYTHONHASHSEED": "1", "LC_ALL": "C", "TERM": "dumb", "NO_COLOR": "1"},
        {**os.environ, "LC_ALL": "tr_TR.UTF-8", "FORCE_COLOR": "", "COLUMNS": "40"},
    ]
    outputs = {
        in_a_process(["compare", *runs, "--flips", "3"], env=environment).stdout
        for environment in environments
    }
    assert len(outputs) == 1
    assert "\x1b" not in outputs.pop()


def test_hostile_ids_and_answers_stay_text(
    tmp_path: Path, hostile: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    old = [item(f"{i}{text}", "right", "right", text) for i, text in enumerate(hostile)]
    new = [row | {"prediction": text} for row, text in zip(old, hostile, strict=True)]
    paths = write(tmp_path / "old.jsonl", old), write(tmp_path / "new.jsonl", new)
    assert main(["compare", *paths, "--slice-field", "topic", "--flips", "100"]) == 0
    shown = capsys.readouterr().out
    assert f"{len(hostile)} broke" not in shown.splitlines()[0]
    assert not any(character < " " for character in shown.replace("\n", ""))
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
    assert "##[" not in shown


def test_hostile_text_in_errors(
    tmp_path: Path, hostile: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for text in hostile:
        old = write(tmp_path / "old.jsonl", [item(f"old{text}", "A", "A", "x")])
        new = write(tmp_path / "new.jsonl", [item(f"new{text}", "A", "A", "x")])
        assert main(["compare", old, new]) == 4
        message = capsys.readouterr().err
        assert message.count("\n") == 1
        assert not any(character < " " for character in message.rstrip("\n"))
        assert "##[" not in message


def test_several_metrics_read_the_texts(
    runs: tuple[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    result = tmp_path / "result.json"
    metrics = ("--metric", "exact_match", "--metric", "rouge1", "--metric", "chrf", "--stem")
    assert main(["compare", *runs, *metrics, "--json", str(result)]) == 0
    assert "mean regression (m_r)" in capsys.readouterr().out
    content = json.loads(result.read_text(encoding="utf-8"))
    assert content["counts"]["negative"] == 1
    assert sorted(content["scores"]) == ["chrf", "rouge1"]
    assert content["scores"]["rouge1"]["negative_flip_rate"]["count"] == 1
    band = ("--minimum-effect", "2")
    assert main(["compare", *runs, *metrics, *band, "--json", str(result)]) == 0
    content = json.loads(result.read_text(encoding="utf-8"))
    assert content["scores"]["rouge1"]["negative_flip_rate"]["count"] == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--stem"], "--stem"),
        (["--metric", "bertscore"], "--bertscore-model"),
        (["--bertscore-model", "somewhere"], "--metric bertscore"),
        (["--metric", "rouge99"], "'rouge99'"),
    ],
)
def test_options_of_metrics_that_do_not_fit(
    runs: tuple[str, str], capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert main(["compare", *runs, *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_progress_is_shown_on_a_terminal_only(
    runs: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["compare", *runs]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["compare", *runs]) == 0
    assert "reading" in capsys.readouterr().err
