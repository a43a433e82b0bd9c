"""The place among public updates: one line for people, in no verdict, and refused by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from muscle_metrics.atlas.table import updates

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "public version updates"
HOSTILE = "gsm\x1b[2J\u202e8k\n::error::<script>|`@x"


def test_compare_places_the_update_below_its_story(run, pair) -> None:
    files = pair(items=300, broken=30, fixed=60)
    lines = run("compare", *files).out.splitlines()
    assert lines[1].startswith("accuracy rose")
    assert lines[2].startswith("relative NFR 1.25: above ")
    (place,) = [line for line in run("compare", *files, "--like", "vision").out.splitlines()
                if PLACE in line]  # fmt: skip
    assert f"of 6 {PLACE} (vision);" in place


def test_what_has_no_place_is_silent_unless_asked(run, pair) -> None:
    files = pair(items=199, broken=30, fixed=60)
    assert PLACE not in run("compare", *files).out
    said = run("compare", *files, "--like", "all")
    assert said.code == 0
    assert "no place in the atlas: expected at least 200 items, got 199" in said.out


def test_json_of_a_comparison_is_the_same_with_and_without(run, pair, tmp_path) -> None:
    files = pair(items=300, broken=30, fixed=60)
    for name, flags in (("a", []), ("b", ["--like", "vision"])):
        assert run("compare", *files, "--json", tmp_path / name, *flags).code == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert PLACE not in (tmp_path / "a").read_text(encoding="utf-8")


def test_the_gate_says_it_in_markdown_alone(run, pair, tmp_path) -> None:
    files = pair(items=300, broken=30, fixed=60)
    reports = {kind: tmp_path / kind for kind in ("json", "junit", "markdown")}
    flags = [part for kind, path in reports.items() for part in (f"--{kind}", path)]
    texts, printed = [], []
    for like in ([], ["--like", "knowledge"]):
        done = run("gate", *files, "--max-nfr", "0.05", *flags, *like)
        assert done.code == 1
        texts.append({kind: path.read_text(encoding="utf-8") for kind, path in reports.items()})
        printed.append((done.out, done.err))
    assert printed[0] == printed[1]
    assert PLACE not in "".join(printed[0])
    for kind in ("json", "junit"):
        assert texts[0][kind] == texts[1][kind]
        assert PLACE not in texts[0][kind]
    for text, named in zip(texts, ["", " (knowledge)"], strict=True):
        *body, context, _, signature = text["markdown"].splitlines()
        assert context.startswith("Context, not judged: relative NFR 1.25: above ")
        assert f"{PLACE}{named};" in context
        assert signature.startswith("<sub>")
        assert PLACE not in "\n".join(body)


def test_the_markdown_of_refused_runs_has_no_place(run, pair, tmp_path) -> None:
    old, new = pair(items=300, broken=30)
    rows = new.read_text(encoding="utf-8").splitlines()
    rows[150] = json.dumps({"id": "q150", "prediction": "A", "reference": "other"})
    new.write_text("\n".join(rows), encoding="utf-8")
    target = tmp_path / "gate.md"
    done = run("gate", old, new, "--max-nfr", "0.5", "--markdown", target, "--like", "all")
    assert done.code == 4
    assert "atlas" not in target.read_text(encoding="utf-8")


def test_the_page_says_it_in_its_head(run, pair, tmp_path) -> None:
    pytest.importorskip("jinja2")
    files = pair(items=300, broken=30, fixed=60)
    target = tmp_path / "page.html"
    assert run("report", *files, "-o", target, "--like", "code-execution").code == 0
    text = target.read_text(encoding="utf-8")
    head = text[text.index('<section class="headline"') : text.index("<nav ")]
    assert '<p class="detail">Relative NFR 1.25: above ' in head
    assert f"of 7 {PLACE} (code-execution); half of 10 reruns" in head
    assert text.count(PLACE) == 1


@pytest.mark.parametrize("report", [[], ["--json", "gate.json"], ["--junit", "gate.xml"]])
def test_a_gate_without_markdown_takes_no_place(run, pair, tmp_path, monkeypatch, report) -> None:
    """It would have no effect."""
    monkeypatch.chdir(tmp_path)
    done = run("gate", *pair(items=60), "--max-nfr", "0.1", "--like", "all", *report)
    assert (done.code, done.out) == (2, "")
    assert "add --markdown FILE or --summary" in done.err


def test_an_invalid_verdict_has_no_place_beside_it(run, pair, tmp_path) -> None:
    """What is doubtful must not look usual."""
    pytest.importorskip("jinja2")
    old, new = pair(items=300, broken=30, fixed=60)
    kept = new.read_text(encoding="utf-8").splitlines(keepends=True)[:-3]
    new.write_text("".join(kept), encoding="utf-8")
    flags = ["--missing", "drop", "--max-nfr", "0.5", "--min-coverage", "1", "--like", "all"]
    done = run("gate", old, new, *flags, "--markdown", tmp_path / "gate.md")
    assert (done.code, done.first[:7]) == (4, "INVALID")
    assert PLACE not in (tmp_path / "gate.md").read_text(encoding="utf-8")
    assert run("report", old, new, *flags, "-o", tmp_path / "page.html").code == 0
    assert PLACE not in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert PLACE in run("compare", old, new, "--missing", "drop").out


@pytest.mark.parametrize("command", ["compare", "gate", "report", "power"])
def test_a_hostile_name_is_refused_in_one_line_before_a_file_is_read(
    run, command: str, tmp_path: Path
) -> None:
    missing = [tmp_path / "no-old.jsonl", tmp_path / "no-new.jsonl"]
    given = {
        "compare": missing,
        "gate": [*missing, "--max-nfr", "0.1"],
        "report": [*missing, "-o", tmp_path / "page.html"],
        "power": ["--limit", "0.1"],
    }[command]
    done = run(command, *given, "--like", HOSTILE)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.rstrip("\n").isprintable()
    assert "a family or task of the atlas" in done.err
    assert "\u202e" not in done.err
    assert not (tmp_path / "page.html").exists()


def test_a_chain_has_no_place(run, pair) -> None:
    old, new = pair(items=300, broken=30)
    done = run("compare", old, new, new, "--like", "all")
    assert done.code == 2
    assert "two runs for --like" in done.err
    assert PLACE not in run("compare", old, new, new).out


def test_power_names_the_updates_that_kept_the_limit(run) -> None:
    done = run("power", "--limit", "0.02")
    kept = sum(
        update.counts.negative_flip_rate <= 0.02
        for update in updates()
        if update.kind == "version" and not update.flag and update.counts.total >= 200
    )
    second = done.out.splitlines()[1]
    assert second == f"atlas: {kept} of 122 {PLACE} broke at most 2% of all items"


def test_power_plans_for_a_suggested_limit_and_says_where_it_comes_from(run) -> None:
    done = run("power", "--like", "mmlu-pro")
    assert done.code == 0
    first, second = done.out.splitlines()[:2]
    assert first.startswith("limit 8.5%, ")
    assert second.startswith("limit suggested by the atlas: about half of 6 public")
    again = run("power", "--limit", "0.085").out.splitlines()
    assert again[2:] == done.out.splitlines()[2:]
    # 0.40 * 0.9 * 0.1
    assert run("power", "--like", "all", "--old-accuracy", "0.9").first.startswith("limit 3.6%,")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "--like all"),
        (["--old-accuracy", "0.5"], "expected --limit, got none"),
        (["--limit", "0.1", "--old-accuracy", "0.5"], "--old-accuracy beside --like alone"),
        (["--limit", "0.1", "--like", "all", "--old-accuracy", "0.5"], "--old-accuracy beside"),
        (["--like", "all", "--old-accuracy", "90"], "between 0 and 1"),
    ],
)
def test_power_refuses(run, flags: list[str], said: str) -> None:
    done = run("power", *flags)
    assert done.code == 2
    assert said in done.err


def test_a_real_update_is_the_row_of_the_atlas(run, shared: Path, tmp_path: Path) -> None:
    """Counts of the collection that the row was made from, through the command line."""
    folder = shared / "data" / "mmlu_pro"
    names = "Meta-Llama-3-8B", "Meta-Llama-3_1-8B"
    fields = [
        "--id-field", "question_id", "--prediction-field", "pred", "--reference-field", "answer",
        "--unanswered", "wrong", "--conflict", "drop", "--like", "mmlu-pro",
    ]  # fmt: skip
    files = [folder / f"{name}.jsonl.gz" for name in names]
    done = run("compare", *files, *fields, "--json", tmp_path / "result.json")
    assert done.code == 0
    lines = done.out.splitlines()
    # What was left out comes first.
    assert [line.partition(":")[0] for line in lines[2:5]] == ["left out", "coverage", "note"]
    assert lines[4].endswith("no answer 1290 in old, 0 in new")
    assert lines[5].startswith(f"relative NFR 0.39: above 1 to 2 of 6 {PLACE}")
    counts = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["counts"]
    (row,) = (
        update
        for update in updates()
        if update.task.task == "mmlu-pro-recorded" and (update.old, update.new) == names
    )
    cells = ("both_right", "negative", "positive", "both_wrong")
    assert [counts[cell] for cell in cells] == [getattr(row.counts, cell) for cell in cells]


def test_a_growing_run_that_skips_items_has_no_place(run, pair, tmp_path) -> None:
    """Without the items that old got wrong, the relative NFR says nothing."""
    old, _ = pair(items=600, broken=0, fixed=200)
    asked = run("order", old, "--seed", "7", "--skip-wrong").out.splitlines()
    ids = [json.loads(line)["id"] for line in asked]
    assert len(ids) == 400
    grown = tmp_path / "grown.jsonl"
    rows = [
        {"id": name, "prediction": "B" if i % 3 == 1 else "A", "reference": "A"}
        for i, name in enumerate(ids)
    ]
    # Some items that old got wrong were answered all the same.
    every = run("order", old, "--seed", "7").out.splitlines()
    place = [json.loads(line)["id"] for line in every]
    rows += [{"id": n, "prediction": "A", "reference": "A"} for n in place if n not in ids][:20]
    rows.sort(key=lambda row: place.index(row["id"]))
    grown.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    flags = ["--max-nfr", "0.05", "--sequential", "--seed", "7", "--markdown", tmp_path / "gate.md"]
    assert run("gate", old, grown, *flags).code == 1
    assert PLACE not in (tmp_path / "gate.md").read_text(encoding="utf-8")
    assert run("gate", old, grown, *flags, "--like", "all").code == 1
    assert "got a run without some that old got wrong" in (tmp_path / "gate.md").read_text("utf-8")
