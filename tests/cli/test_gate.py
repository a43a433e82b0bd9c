"""The gate as a pipeline meets it: an exit code, a first line, and reports that agree with both."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from muscle_metrics.reports import files

REPORTS = {"--junit": "gate.xml", "--markdown": "gate.md", "--json": "gate.json"}


@pytest.fixture
def reports(tmp_path: Path) -> list[object]:
    return [part for flag, name in REPORTS.items() for part in (flag, tmp_path / name)]


def reported(folder: Path) -> dict[str, str]:
    """The outcome that each report states."""
    markdown = (folder / "gate.md").read_text("utf-8")
    root = ElementTree.fromstring((folder / "gate.xml").read_text("utf-8"))
    return {
        "json": json.loads((folder / "gate.json").read_text("utf-8"))["outcome"],
        "markdown": markdown.splitlines()[1].removeprefix("## ").partition(":")[0],
        "junit": root.find(".//property[@name='outcome']").get("value"),
    }


@pytest.mark.parametrize("engine", ["memory", "duckdb"])
def test_accuracy_alone_is_a_policy_and_every_report_says_what_it_leaves_open(
    run, pair, reports, tmp_path, engine
) -> None:
    if engine == "duckdb":
        pytest.importorskip("duckdb")
    policy = tmp_path / "gate.toml"
    policy.write_text("max_accuracy_loss = 0.2")
    old, new = pair(broken=60, fixed=60)
    wanted = ["--max-accuracy-loss", "0.2", "--engine", engine, *reports, "--annotations"]
    done = run("gate", old, new, *wanted)
    assert (done.code, done.err) == (0, "")
    assert set(reported(tmp_path).values()) == {"PASS"}
    for text in (done.out, *((tmp_path / name).read_text("utf-8") for name in REPORTS.values())):
        assert "flips over all items are not limited" in text
        assert "PASS negative flip rate" not in text
    assert (
        run("gate", old, new, "--policy", policy, "--engine", engine).out.splitlines()[:2]
        == (done.out.splitlines()[:2])
    )
    done = run("gate", old, new, "--policy", policy, "--max-nfr", "0.02")
    assert (done.code, "not limited" in done.out) == (1, False)


@pytest.mark.parametrize(
    ("broken", "flags", "code", "outcome"),
    [
        (0, [], 0, "PASS"),
        (3, [], 3, "INCONCLUSIVE"),
        (3, ["--on-inconclusive", "error"], 3, "INCONCLUSIVE"),
        (3, ["--on-inconclusive", "fail"], 1, "INCONCLUSIVE"),
        (3, ["--on-inconclusive", "pass"], 0, "INCONCLUSIVE"),
        (30, [], 1, "FAIL"),
        (30, ["--on-inconclusive", "pass"], 1, "FAIL"),
        (30, ["--max-nfr", "0.2"], 0, "PASS"),
    ],
)
def test_the_exit_code_is_the_verdict(
    run, pair, reports, tmp_path, broken, flags, code, outcome
) -> None:
    done = run("gate", *pair(broken=broken), "--max-nfr", "0.02", *flags, *reports)
    assert (done.code, done.err) == (code, "")
    assert done.first.startswith(f"{outcome}: ")
    assert set(reported(tmp_path).values()) == {outcome}


def rows(**changes: Any) -> list[dict[str, Any]]:
    items = [{"id": f"q{i}", "prediction": "A", "reference": "A"} for i in range(300)]
    items[7] |= changes
    return items


@pytest.mark.parametrize(
    ("new", "flags", "said"),
    [
        (rows(id="q8"), [], "'q8' 2 times"),
        (rows()[:-1], [], "missing in new"),
        (rows(id="z"), [], "missing in old"),
        (rows(prediction=None), [], "null"),
        (rows(reference="B"), [], "different references"),
        (rows(prediction=["A"]), [], "new.jsonl:8"),
        ([], [], "empty"),
        ([row | {"correct": "wahr"} for row in rows()], ["--score-field", "correct"], "'wahr'"),
        (
            [row | {"correct": None if i == 3 else 1} for i, row in enumerate(rows())],
            ["--score-field", "correct"],
            "without a score",
        ),
    ],
)
def test_broken_data_is_a_verdict_too(run, write, reports, tmp_path, new, flags, said) -> None:
    old = write("old.jsonl", [row | {"correct": 1} for row in rows()])
    done = run("gate", old, write("new.jsonl", new), "--max-nfr", "0.02", *flags, *reports)
    assert (done.code, done.err) == (4, "")
    assert done.first.startswith("INVALID: ")
    assert said in done.out
    assert set(reported(tmp_path).values()) == {"INVALID"}
    assert "PASS" not in done.out + "".join(
        (tmp_path / name).read_text() for name in REPORTS.values()
    )


def test_a_missing_file_is_invalid_data(run, pair, reports, tmp_path) -> None:
    done = run("gate", pair()[0], tmp_path / "none.jsonl", "--max-nfr", "0.02", *reports)
    assert done.code == 4
    assert "none.jsonl: expected a file" in done.out
    assert set(reported(tmp_path).values()) == {"INVALID"}


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--max-nfr"),
        (["--max-nfr", "2"], "write 2 % as 0.02"),
        (["--max-nfr", "2%"], "'2%'"),
        (["--max-nfr", "nan"], "'nan'"),
        (["--max-nfr", "0"], "pin items"),
        (["--max-nfr", "0.001"], "muscle-metrics power"),
        (["--max-nfr", "0.02", "--confidence", "95"], "0.95"),
        (["--max-nfr", "0.02", "--protect", "geology"], "'geology'"),
        (["--max-nfr", "0.02", "--slice-limit", "even"], "--slice-limit NAME=LIMIT"),
        (["--max-nfr", "0.02", "--slice-limit", "a=0.1", "--slice-limit", "a=0.2"], "twice"),
        (["--max-nfr", "0.02", "--pinned", "none.txt"], "none.txt"),
        (["--max-nfr", "0.02", "--metric-limit", "f1=0.1"], "'f1'"),
        (["--max-nfr", "0.02", "--max-mean-regression", "0.1"], "graded score"),
        (["--max-nfr", "0.02", "--on-inconclusive", "ignore"], "invalid choice"),
        (["--max-nfr", "0.02", "--max-acc", "0.5"], "--max-acc"),
        (["--max-nfr", "0.02", "--sequential"], "--seed"),
        (["--max-nfr", "0.02", "--seed", "7"], "--sequential"),
        (["--max-nfr", "0.02", "--summary"], "GITHUB_STEP_SUMMARY"),
        (["--max-nfr", "0.02", "--json", "no/such/folder/gate.json"], "no/such/folder"),
        (["--max-nfr", "0.02", "--json", "a.out", "--junit", "./a.out"], "'a.out'"),
        (["--max-nfr", "0.02", "--json", "NEW"], "new.jsonl"),
        (["--policy", "gate.toml", "--json", "gate.toml"], "gate.toml"),
        (["--max-nfr", "0.02", "--baseline", "OLD"], "two runs, got 3"),
        (["--max-nfr", "0.02", "--threshold", "0.5"], "--score-field"),
    ],
)  # fmt: skip
def test_usage_is_told_in_one_line(
    run, pair, tmp_path, monkeypatch, flags: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    (tmp_path / "gate.toml").write_text("max_nfr = 0.02")
    old, new = pair()
    contents = old.read_text(), new.read_text()
    named = {"OLD": old, "NEW": new}
    done = run("gate", old, new, *(named.get(flag, flag) for flag in flags))
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("muscle-metrics: ")
    assert done.err.count("\n") == 1
    assert said in done.err
    assert (old.read_text(), new.read_text()) == contents


def test_nothing_is_read_that_was_not_named(run, pair, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.muscle-metrics.gate]\nmax_nfr = 0.5")
    assert run("gate", *pair()).code == 2
    assert run("gate", *pair(), "--policy", "pyproject.toml").code == 0


def test_flags_override_one_value_of_a_file(run, pair, tmp_path) -> None:
    policy = tmp_path / "gate.toml"
    policy.write_text("max_nfr = 0.02\n[slices]\neven = 0.5")
    runs = *pair(broken=30), "--slice-field", "topic"
    assert run("gate", *runs, "--policy", policy).code == 1
    done = run("gate", *runs, "--policy", policy, "--max-nfr", "0.2")
    assert done.code == 0
    assert "slice even" in done.out


@pytest.mark.parametrize(
    "flag",
    [
        ["--protect", "odd"],
        ["--slice-limit", "odd=0.9"],
        ["--task-limit", "t=0.9"],
        ["--metric-limit", "m=0.9"],
        ["--pinned", "pins.txt"],
    ],
)
def test_flags_never_replace_a_table_of_a_file(run, pair, tmp_path, flag: list[str]) -> None:
    policy = tmp_path / "gate.toml"
    policy.write_text("max_nfr = 0.2\n[slices]\neven = 0.05")
    done = run("gate", *pair(broken=30), "--policy", policy, "--slice-field", "topic", *flag)
    assert done.code == 2
    assert flag[0] in done.err


def test_pinned_items_and_slices(run, pair, tmp_path) -> None:
    pins = tmp_path / "pins.txt"
    pins.write_text("q200\nq1\n")
    old, new = pair(broken=2)
    done = run("gate", old, new, "--max-nfr", "0.05", "--pinned", pins, "--flips", "1")
    assert done.code == 1
    # The item that must not break comes before those that merely did.
    assert [line.split() for line in done.out.splitlines()[-4:]] == [
        ["q1"], ["old", "A"], ["new", "B"], ["reference", "A"]
    ]  # fmt: skip
    flags = ["--slice-field", "topic", "--protect", "odd", "--slice-limit", "even=0.9"]
    done = run("gate", old, new, "--max-nfr", "0.05", *flags)
    assert done.code == 0
    assert [line.split(" rate ")[1].split(" 0")[0] for line in done.out.splitlines()[2:4]]
    assert "slice odd" in done.out
    assert "limit 90%" in done.out


def test_graded_scores_need_their_range(run, write) -> None:
    def scored(fall: float) -> list[dict[str, Any]]:
        return [{"id": i, "f1": 0.9 - fall * (i < 30)} for i in range(300)]

    old, new = write("old.jsonl", scored(0)), write("new.jsonl", scored(0.3))
    flags = ["--score-field", "f1", "--max-nfr", "0.2", "--max-mean-regression", "0.5"]
    assert "--score-range" in run("gate", old, new, *flags).err
    done = run("gate", old, new, *flags, "--score-range", "0", "1")
    assert done.code == 0
    assert "mean regression of f1 0.3000" in done.out
    assert (
        run("gate", old, new, *flags, "--minimum-effect", "0.4", "--score-range", "0", "1").code
        == 3
    )
    done = run("gate", old, new, *flags, "--score-range", "0", "0.8")
    assert (done.code, "0.9" in done.out) == (4, True)


def test_repeats_are_recognised(run, write) -> None:
    def generations(seed: int) -> list[dict[str, Any]]:
        return [
            {"id": i, "take": take, "prediction": "AB"[(i * take * seed) % 2], "reference": "A"}
            for i in range(60)
            for take in range(1, 5)
        ]

    runs = write("old.jsonl", generations(1)), write("new.jsonl", generations(3))
    done = run("gate", *runs, "--max-nfr", "0.05", "--repeat-field", "take")
    assert "60 prompts" in done.out
    assert run("gate", *runs, "--max-nfr", "0.05").code == 4


class TestSummary:
    def test_markdown_is_appended(self, run, pair, tmp_path, monkeypatch) -> None:
        summary = tmp_path / "summary.md"
        summary.write_text("# other steps\n")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        runs = pair(broken=30)
        assert run("gate", *runs, "--max-nfr", "0.02").code == 1
        assert summary.read_text() == "# other steps\n"
        assert run("gate", *runs, "--max-nfr", "0.02", "--summary").code == 1
        assert summary.read_text().startswith(
            "# other steps\n<!-- muscle-metrics gate -->\n## FAIL"
        )

    def test_it_stays_below_what_is_dropped(self, run, pair, tmp_path, monkeypatch) -> None:
        summary = tmp_path / "summary.md"
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
        runs = pair(items=20_000, broken=20_000)
        flags = ["--max-nfr", "0.02", "--summary", "--examples", "20000"]
        assert run("gate", *runs, *flags).code == 1
        size = summary.stat().st_size
        assert 900_000 < size < 1_048_000
        assert "more rows did not fit" in summary.read_text()
        # The summary is full: the verdict is the same, and the message names the missing part.
        done = run("gate", *runs, *flags)
        assert done.code == 1
        assert "the summary is full" in done.err
        assert summary.stat().st_size == size


def test_annotations_only_when_asked(run, pair) -> None:
    runs = pair(broken=30)
    assert "::" not in run("gate", *runs, "--max-nfr", "0.02").out
    lines = run("gate", *runs, "--max-nfr", "0.02", "--annotations").out.splitlines()
    assert [line.split()[0] for line in lines if "::" in line] == ["::error", "::error"]


def test_no_examples_publishes_no_answers(run, write, reports, tmp_path) -> None:
    old = write(
        "old.jsonl", [{"id": i, "prediction": "private", "reference": "private"} for i in range(99)]
    )
    new = write(
        "new.jsonl", [{"id": i, "prediction": "leaked", "reference": "private"} for i in range(99)]
    )
    assert run("gate", old, new, "--max-nfr", "0.05", "--no-examples", *reports).code == 1
    for name in REPORTS.values():
        text = (tmp_path / name).read_text()
        assert "99" in text
        assert "private" not in text
        assert "leaked" not in text


@pytest.mark.parametrize("failing", REPORTS)
def test_a_report_that_cannot_be_written_gives_no_verdict(
    run, pair, reports, tmp_path, monkeypatch, failing: str
) -> None:
    for name in REPORTS.values():
        (tmp_path / name).write_text("old report")
    replace = os.replace

    def full(source: str, target: str) -> None:
        if Path(target).name == REPORTS[failing]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", full)
    done = run("gate", *pair(), "--max-nfr", "0.02", *reports)
    assert (done.code, done.out) == (2, "")
    assert "No space left" in done.err
    assert (tmp_path / REPORTS[failing]).read_text() == "old report"
    assert {path.name for path in tmp_path.iterdir()} == {
        "old.jsonl",
        "new.jsonl",
        *REPORTS.values(),
    }


@pytest.mark.parametrize("error", [RuntimeError, AssertionError, RecursionError])
def test_an_error_of_ours_is_no_verdict(run, pair, reports, tmp_path, monkeypatch, error) -> None:
    def fail(*arguments: object) -> None:
        raise error("::error::x")

    monkeypatch.setattr("muscle_metrics.gate.check.check_gate", fail)
    done = run("gate", *pair(), "--max-nfr", "0.02", *reports)
    assert (done.code, done.out) == (5, "")
    assert done.err.startswith(f"muscle-metrics: internal error, {error.__name__}: ")
    assert not (tmp_path / "gate.json").exists()


def test_without_memory_a_gate_says_what_to_do(run, pair, reports, tmp_path, monkeypatch) -> None:
    def fail(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr("muscle_metrics.gate.check.check_gate", fail)
    done = run("gate", *pair(), "--max-nfr", "0.02", *reports)
    assert (done.code, done.out) == (2, "")
    assert "got more than there is: add --engine duckdb" in done.err
    assert not (tmp_path / "gate.json").exists()


def in_a_process(*arguments: object, **settings: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "muscle_metrics", *map(str, arguments)],
        stdout=settings.pop("stdout", subprocess.PIPE),
        stderr=settings.pop("stderr", subprocess.PIPE),
        text=True,
        **settings,
    )


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_leaves_no_verdict(pair, reports, tmp_path, name: str, code: int) -> None:
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\n"
        "def key(answer):\n"
        f"    pathlib.Path({str(tmp_path / 'started')!r}).touch()\n"
        "    time.sleep(60)\n"
    )
    flags = "--max-nfr", "0.02", "--key", f"{tmp_path / 'slow.py'}:key"
    # Python would cache the compiled key beside its file.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    process = in_a_process("gate", *pair(), *flags, *reports, env=environment)
    deadline = time.monotonic() + 60
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (code, "", "")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"old.jsonl", "new.jsonl", "slow.py", "started"}


# Only Linux has a file on which every write fails.
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("broken", [0, 30, None])
def test_output_that_nobody_can_read_is_no_verdict(pair, tmp_path, stream, broken) -> None:
    runs = pair(broken=broken or 0)
    flags = [] if broken is None else ["--max-nfr", "0.02"]
    with open("/dev/full", "w") as full:
        process = in_a_process("gate", *runs, *flags, **{stream: full})
        out, _ = process.communicate(timeout=60)
    if broken is None or stream == "stdout":
        assert process.returncode == 2
    else:
        assert process.returncode == (1 if broken else 0)
        assert out


@pytest.mark.parametrize(
    ("closed", "flags", "code"),
    [
        ("2>&-", ["--max-nfr", "0.02"], 0),
        ("2>&-", ["--max-nfr", "0.001"], 2),
        ("2>&-", [], 2),
        (">&-", ["--max-nfr", "0.02"], 2),
        (">&- 2>&-", ["--max-nfr", "0.02"], 2),
        ("2>&- --json -", ["--max-nfr", "0.02"], 0),
    ],
)
def test_a_missing_stream_is_no_verdict(pair, closed: str, flags: list[str], code: int) -> None:
    command = [sys.executable, "-m", "muscle_metrics", "gate", *map(str, pair()), *flags]
    done = subprocess.run(["bash", "-c", f'"$@" {closed}', "bash", *command], check=False)
    assert done.returncode == code


def test_letters_that_a_terminal_lacks_are_shown_as_escapes(write) -> None:
    items = [{"id": f"é{i}", "prediction": "A", "reference": "A"} for i in range(300)]
    old = write("old.jsonl", items)
    new = write("new.jsonl", [items[0] | {"prediction": "ß"}, *items[1:]])
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    process = in_a_process("gate", old, new, "--max-nfr", "0.05", "--flips", "1", env=environment)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "  \\xe90\n    old        A\n    new        \\xdf\n" in out


def test_hostile_names_of_files(run, write, hostile, tmp_path) -> None:
    old = write("old.jsonl", [{"id": n, "prediction": "A", "reference": "A"} for n in range(99)])
    for i, text in enumerate(hostile):
        name = f"{i}{text.replace('/', ' ').replace(chr(0), '')}"[:200]
        try:
            path = tmp_path / name
            path.write_bytes(old.read_bytes())
        except (OSError, UnicodeEncodeError):
            continue  # no such file can exist here
        reports = [tmp_path / f"r{i}{kind}" for kind in REPORTS.values()]
        flags = [part for pair in zip(REPORTS, reports, strict=True) for part in pair]
        done = run("gate", old, path, "--max-nfr", "0.05", "--annotations", *flags)
        assert done.code == 0
        check_printed(done.out)
        ElementTree.fromstring(reports[0].read_text("utf-8"))
        assert len(reports[1].read_text("utf-8").splitlines()) == 12
        assert json.loads(reports[2].read_text("utf-8"))["new"] == str(path)
        path.unlink()
        missing = run("gate", old, path, "--max-nfr", "0.96")
        assert missing.code == 4
        check_printed(missing.out)
        unwritable = run("gate", old, old, "--max-nfr", "0.96", "--json", tmp_path / "no" / name)
        assert unwritable.code == 2
        check_printed(unwritable.err)


def check_printed(text: str) -> None:
    lines = text.splitlines()
    assert text.count("\n") == len(lines)
    for line in lines:
        assert line.replace("\u00a0", " ").isprintable()
        ours = line.startswith(("::notice title=muscle-metrics gate::", "::error title="))
        assert ours or "::" not in line
        assert "##[" not in line


def test_twelve_ids_that_repeat_are_invalid_data(run, shared: Path, reports, tmp_path) -> None:
    path = shared / "data" / "llm_drift" / "OPINIONQA_EVAL.csv.gz"
    models = [f"--where=model=openaichat/gpt-4-{version}" for version in ("0314", "0613")]
    fields = ["--prediction-field", "answer", "--reference-field", "ref_answer"]
    done = run("gate", path, path, *models, *fields, "--max-nfr", "0.05", *reports)
    assert done.code == 4
    assert "12 rows" in done.out
    assert set(reported(tmp_path).values()) == {"INVALID"}


def test_a_model_that_forgot_the_primes_fails(run, shared: Path, tmp_path) -> None:
    """GPT-4 of March and of June 2023: 477 of 1000 answers broke."""
    path = shared / "data" / "llm_drift" / "PRIME_FULL_EVAL.csv.gz"
    # Only an answer in brackets is one; the references are without.
    (tmp_path / "strict.py").write_text(
        "import re\n"
        "def verdict(text):\n"
        "    found = re.findall(r'\\[(yes|no)\\]', text.lower())\n"
        "    return found[-1] if found else text if text in ('yes', 'no') else 'none'\n"
    )
    models = [f"--where=model=openaichat/gpt-4-{version}" for version in ("0314", "0613")]
    fields = ["--prediction-field", "answer", "--reference-field", "ref_answer"]
    key = ["--key", f"{tmp_path / 'strict.py'}:verdict"]
    done = run("gate", path, path, *models, *fields, *key, "--max-nfr", "0.05")
    assert done.code == 1
    assert "477 of 1000 items" in done.out
    # Without a key sentences never equal their labels, and nothing could break.
    done = run("gate", path, path, *models, *fields, "--max-nfr", "0.02")
    assert done.code == 4
    assert "only 0 of 1000 items could break" in done.out


def test_the_markdown_links_to_the_page(run, pair, tmp_path, monkeypatch) -> None:
    old, new = pair(300, broken=3)
    files = (tmp_path / "gate.md", tmp_path / "summary.md")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(files[1]))
    link = "https://ci.example/7/report.html"
    done = run(
        "gate", old, new, "--max-nfr", "0.05", "--markdown", files[0], "--summary",
        "--report-link", link,
    )  # fmt: skip
    assert done.code == 0
    for file in files:
        assert f"[Every item that changed](<{link}>)" in file.read_text("utf-8")


def test_every_report_says_that_the_files_are_copies(run, write, reports, tmp_path) -> None:
    items = [{"id": n, "prediction": "A", "reference": "A"} for n in range(99)]
    old, new = write("old.jsonl", items), write("copy.jsonl", items)
    done = run("gate", old, new, "--max-nfr", "0.05", *reports)
    assert done.first.endswith("; the two files are identical")
    for name in REPORTS.values():
        text = (tmp_path / name).read_text("utf-8")
        assert "the two files are identical" in text
        assert "equal on every item" not in text
