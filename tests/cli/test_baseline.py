"""A committed baseline: small, without texts, and as good as the old run for a gate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def make(run, tmp_path: Path) -> Callable[..., Path]:
    """Write the baseline of a run."""

    def make_baseline(source: Path, *flags: object) -> Path:
        target = tmp_path / "old.baseline"
        done = run("baseline", source, "-o", target, *flags)
        assert (done.code, done.err) == (0, ""), done.err
        return target

    return make_baseline


def checks(out: str) -> list[str]:
    return [line for line in out.splitlines() if " rate " in line]


@pytest.mark.parametrize("broken", [0, 3, 30])
def test_the_verdict_is_that_of_the_old_run(run, pair, make, broken: int) -> None:
    old, new = pair(broken=broken, fixed=9)
    flags = ["--max-nfr", "0.02", "--slice-field", "topic", "--protect", "odd"]
    whole = run("gate", old, new, *flags)
    baseline = make(old, "--slice-field", "topic")
    for runs in (["--baseline", baseline, new], [baseline, new], ["--baseline", old, new]):
        done = run("gate", *runs, *flags)
        assert done.code == whole.code
        assert checks(done.out) == checks(whole.out)


def test_a_baseline_against_its_own_run_has_no_flips(run, pair, make) -> None:
    old, _ = pair(fixed=30)
    done = run("gate", "--baseline", make(old), old, "--max-nfr", "0.02")
    assert done.code == 0
    assert "0 of 300 items" in done.out
    counts = run("compare", make(old), old).out
    assert "0 items broke, 0 got fixed" in counts


def test_it_holds_no_texts_and_changes_line_by_line(run, write, make, tmp_path) -> None:
    items = [
        {"id": f"q{i}", "question": "secret?", "prediction": "secret", "reference": "secret"}
        for i in (10, 9, 1)
    ]
    first = make(write("old.jsonl", items)).read_text("utf-8").splitlines()
    assert "secret" not in "".join(first)
    assert [json.loads(line)["id"] for line in first[1:]] == ["q1", "q9", "q10"]
    items[2]["prediction"] = "no"
    second = make(write("old.jsonl", items[::-1])).read_text("utf-8").splitlines()
    assert [old == new for old, new in zip(first, second, strict=True)] == [True, False, True, True]


def test_recorded_scores_are_kept(run, write, make) -> None:
    def scored(fall: float) -> list[dict[str, Any]]:
        return [{"id": i, "judge": 0.7 - fall * (i < 30)} for i in range(300)]

    old, new = write("old.jsonl", scored(0)), write("new.jsonl", scored(0.3))
    baseline = make(old, "--score-field", "judge")
    flags = ["--score-field", "judge", "--max-nfr", "0.05"]
    for threshold, code in (("0.5", 1), ("0.3", 0)):
        whole = run("gate", old, new, *flags, "--threshold", threshold)
        done = run("gate", "--baseline", baseline, new, *flags, "--threshold", threshold)
        assert (done.code, whole.code) == (code, code)
        assert checks(done.out) == checks(whole.out)
    graded = run("gate", "--baseline", baseline, new, *flags)
    assert checks(graded.out) == checks(run("gate", old, new, *flags).out)


def test_another_key_is_not_comparable(run, pair, make, tmp_path) -> None:
    (tmp_path / "keys.py").write_text("def lower(answer):\n    return answer.lower()\n")
    key = ["--key", f"{tmp_path / 'keys.py'}:lower"]
    old, new = pair()
    baseline = make(old)
    flags = ["--max-nfr", "0.02"]
    assert run("gate", "--baseline", baseline, new, *flags).code == 0
    done = run("gate", "--baseline", baseline, new, *flags, *key)
    assert done.code == 4
    assert "judging differs: 'exact_match, key none' before" in done.out
    accepted = [*flags, *key, "--accept-difference", "judging"]
    assert run("gate", "--baseline", baseline, new, *accepted).code == 0
    assert run("gate", "--baseline", make(old, *key), new, *flags, *key).code == 0


def test_another_reference_is_not_comparable(run, write, make) -> None:
    items = [{"id": i, "prediction": "A", "reference": ["A", "a"]} for i in range(300)]
    baseline = make(write("old.jsonl", items))
    same = [row | {"reference": ["a", "A"]} for row in items]
    changed = [items[0] | {"reference": ["A", "b"]}, *items[1:]]
    flags = ["--max-nfr", "0.02"]
    assert run("gate", "--baseline", baseline, write("new.jsonl", same), *flags).code == 0
    done = run("gate", "--baseline", baseline, write("new.jsonl", changed), *flags)
    assert done.code == 4
    assert "references differs" in done.out
    # Fewer items cannot be checked as a whole, so that is said as well.
    fewer = write("new.jsonl", items[1:])
    assert "missing in new" in run("gate", "--baseline", baseline, fewer, *flags).out
    dropped = [*flags, "--missing", "drop"]
    assert "items differ" in run("gate", "--baseline", baseline, fewer, *dropped).out
    accepted = [*dropped, "--accept-difference", "references"]
    assert run("gate", "--baseline", baseline, fewer, *accepted).code == 0


def test_references_may_come_from_a_file(run, write, make) -> None:
    items = [{"id": i, "prediction": "A"} for i in range(300)]
    references = write("references.jsonl", [{"id": i, "reference": "A"} for i in range(300)])
    old, new = write("old.jsonl", items), write("new.jsonl", items)
    baseline = make(old, "--reference", references)
    flags = ["--max-nfr", "0.02", "--reference", references]
    assert run("gate", "--baseline", baseline, new, *flags).code == 0


def test_unanswered_items_are_wrong_only_on_request(run, write, tmp_path) -> None:
    items = [{"id": i, "prediction": "A" if i else None, "reference": "A"} for i in range(9)]
    old, target = write("old.jsonl", items), tmp_path / "old.baseline"
    assert run("baseline", old, "-o", target).code == 4
    assert not target.exists()
    assert run("baseline", old, "-o", target, "--unanswered", "wrong").code == 0
    assert '"id":"0","scores":{"exact_match":false}' in target.read_text()


def test_changed_wrong_answers_are_unknown(run, pair, make) -> None:
    old, new = pair()
    done = run("gate", "--baseline", make(old), new, "--max-nfr", "0.02", "--max-nfr-mc", "0.05")
    assert done.code == 4
    assert "max_nfr_mc" in done.out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "-o"),
        (["-o", "OLD"], "old.jsonl"),
        (["-o", "no/such/folder/x"], "no/such/folder"),
        (["-o", "x", "--metric", "f1"], "'f1'"),
        (["-o", "x", "--metric", "f1", "--metric", "f2"], "one --metric"),
        (["-o", "x", "--threshold", "0.5"], "--threshold"),
    ],
)
def test_usage(run, pair, tmp_path, monkeypatch, flags: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    old, _ = pair()
    before = old.read_text()
    done = run("baseline", old, *(old if flag == "OLD" else flag for flag in flags))
    assert done.code == 2
    assert said in done.err
    assert old.read_text() == before


def test_hostile_labels_stay_text(run, write, make, hostile: list[str]) -> None:
    items = [
        {"id": f"{i}{text}", "prediction": text, "reference": text, "topic": text, "group": text}
        for i, text in enumerate(hostile)
    ]
    old = write("old.jsonl", items)
    flags = ["--slice-field", "topic", "--group-field", "group"]
    baseline = make(old, *flags)
    text = baseline.read_text("ascii")
    assert "##[" not in text
    assert len(text.splitlines()) == len(hostile) + 1
    done = run("gate", "--baseline", baseline, old, "--max-nfr", "0.5", *flags)
    assert done.code == 0
    assert f"0 of {len(hostile)} items" in done.out
