"""A log that grows: evaluated in a seeded order, gated after every batch."""

from __future__ import annotations

import gzip
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Rows = list[dict[str, Any]]
FLAGS = ["--max-nfr", "0.05", "--sequential", "--seed", "7"]


@pytest.fixture
def old(write) -> Path:
    return write(
        "old.jsonl", [{"id": f"q{i}", "prediction": "A", "reference": "A"} for i in range(500)]
    )


@pytest.fixture
def ordered(run, old) -> list[str]:
    done = run("order", old, "--seed", "7")
    assert (done.code, done.err) == (0, "")
    return [json.loads(line)["id"] for line in done.out.splitlines()]


@pytest.fixture
def log(write, ordered) -> Callable[..., Path]:
    """The first items of the new run; every n-th one broke."""

    def write_log(items: int, every: int = 0) -> Path:
        return write(
            "new.jsonl",
            [
                {
                    "id": name,
                    "prediction": "B" if every and i % every == 0 else "A",
                    "reference": "A",
                }
                for i, name in enumerate(ordered[:items], 1)
            ],
        )

    return write_log


def test_the_order_is_that_of_the_seed_and_not_of_the_file(run, old, ordered, write) -> None:
    assert sorted(ordered) == sorted(f"q{i}" for i in range(500))
    lines = old.read_text().splitlines(keepends=True)
    old.write_text("".join(reversed(lines)))
    again = run("order", old, "--seed", "7").out
    assert [json.loads(line)["id"] for line in again.splitlines()] == ordered
    assert run("order", old, "--seed", "8").out != again


def test_it_goes_on_until_it_stops(run, old, log) -> None:
    # 74 items without a flip are the fewest that decide at 5 %.
    seen = [(n, run("gate", old, log(n), *FLAGS)) for n in (1, 73, 74, 200)]
    assert [done.code for _, done in seen] == [3, 3, 0, 0]
    assert "go on: 427 of 500 items are left" in seen[1][1].out
    assert "0 of the first 74 items" in seen[3][1].out


def test_many_flips_stop_it_early(run, old, log) -> None:
    done = run("gate", old, log(100, every=3), *FLAGS)
    assert done.code == 1
    # Items that came after the decision are not part of it.
    flips, items = map(int, re.search(r"(\d+) of the first (\d+) items", done.out).groups())
    assert flips == items // 3 < 10
    assert f"stop: the other {500 - items} of 500 items" in done.out


def test_a_log_that_is_used_up_is_no_longer_unfinished(run, old, log) -> None:
    flags = [*FLAGS, "--on-inconclusive", "fail"]
    # 4 % of flips is too near the limit of 5 %.
    assert run("gate", old, log(499, every=25), *flags).code == 3
    done = run("gate", old, log(500, every=25), *flags)
    assert done.code == 1
    assert done.first.startswith("INCONCLUSIVE: ")
    assert "used up" in done.out


def test_a_half_written_line_waits(run, old, log) -> None:
    path = log(80)
    whole = path.read_text()
    path.write_text(whole + '{"id": "q')
    done = run("gate", old, path, *FLAGS)
    assert done.code == 0
    # Only the last line may be half there, and only where the file grows.
    assert run("gate", old, path, "--max-nfr", "0.05", "--missing", "drop").code == 4
    path.write_text('{"id": "q\n' + whole)
    broken = run("gate", old, path, *FLAGS)
    assert broken.code == 4
    assert f"{path}:1: expected one whole JSON object" in broken.out
    path.write_bytes(gzip.compress(whole.encode()))
    assert run("gate", old, path, *FLAGS).code == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: rows[::-1], "at place 1"),
        (lambda rows: [*rows[:5], rows[6], rows[5], *rows[7:]], "at place 6"),
        (lambda rows: rows[:5] + rows[6:], "at place 6"),
        (lambda rows: [*rows[:5], *rows[5:6], *rows[5:]], "at place 7"),
        (lambda rows: [*rows, {"id": "z", "prediction": "A", "reference": "A"}], "at place 81"),
        (lambda rows: [*rows[:3], rows[3] | {"prediction": None}, *rows[4:]], "null"),
        (lambda rows: [], "empty"),
    ],
)
def test_another_order_is_invalid(run, old, log, write, change, said: str) -> None:
    rows = [json.loads(line) for line in log(80).read_text().splitlines()]
    done = run("gate", old, write("new.jsonl", change(rows)), *FLAGS)
    assert done.code == 4
    assert said in done.out


def test_more_items_than_old_holds_are_invalid(run, old, log, write) -> None:
    rows = [json.loads(line) for line in log(500).read_text().splitlines()]
    extra = {"id": "z", "prediction": "A", "reference": "A"}
    done = run("gate", old, write("new.jsonl", [*rows, extra]), *FLAGS)
    assert done.code == 4
    assert "only the items of old in its order, got 'z' at place 501" in done.out


def test_another_seed_is_invalid(run, old, log) -> None:
    assert run("gate", old, log(80), "--max-nfr", "0.05", "--sequential", "--seed", "8").code == 4


def test_unanswered_items_count_as_flips(run, old, log, write) -> None:
    rows = [json.loads(line) for line in log(80).read_text().splitlines()]
    timed_out = write("new.jsonl", [row | {"prediction": None} for row in rows])
    assert run("gate", old, timed_out, *FLAGS, "--unanswered", "wrong").code == 1


def test_a_baseline_will_do(run, old, log, tmp_path) -> None:
    baseline = tmp_path / "old.baseline"
    assert run("baseline", old, "-o", baseline).code == 0
    assert run("order", baseline, "--seed", "7").out == run("order", old, "--seed", "7").out
    # A baseline holds no references: new would bring its own, until it is complete and their hash
    # can be compared, or a file gives them to both.
    for items, code in ((73, 4), (80, 4), (500, 0)):
        assert run("gate", "--baseline", baseline, log(items), *FLAGS).code == code
    for items, code in ((73, 3), (80, 0), (500, 0)):
        given = ["--reference", old]
        assert run("gate", "--baseline", baseline, log(items), *given, *FLAGS).code == code


def test_references_of_a_file_are_those_of_the_baseline(run, old, log, write, tmp_path) -> None:
    baseline = tmp_path / "old.baseline"
    assert run("baseline", old, "-o", baseline).code == 0
    rows = [json.loads(line) for line in old.read_text().splitlines()]
    rows[499]["reference"] = "Б"
    path = log(80)
    fields = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row | {"reference": None}) + "\n" for row in fields))
    other = write("references.jsonl", rows)
    done = run("gate", "--baseline", baseline, path, *FLAGS, "--reference", other)
    assert done.code == 4
    assert "references differs" in done.out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--max-accuracy-loss", "0.1"], "max_accuracy_loss"),
        (["--slice-field", "id", "--protect", "q1"], "protected"),
        (["--missing", "drop"], "drop"),
        (["--unanswered", "drop"], "drop"),
        (["--conflict", "drop"], "drop"),
        (["--group-field", "reference"], "independent"),
        (["--repeat-field", "reference"], "independent"),
    ],
)
def test_what_cannot_be_decided_item_by_item_is_refused(run, old, log, flags, said) -> None:
    path = log(80)
    if "--repeat-field" in flags:
        # Repeats are part of the order, so that both files need them.
        rows = [json.loads(line) for line in old.read_text().splitlines()]
        doubled = [row | {"reference": r} for row in rows for r in ("A", "B")]
        old.write_text("".join(json.dumps(row) + "\n" for row in doubled))
        path.write_text(
            "".join(json.dumps(row | {"reference": r}) + "\n" for row in rows for r in ("A", "B"))
        )
    done = run("gate", old, path, *FLAGS, *flags)
    assert done.code == 2
    assert said in done.err
    if said == "independent":
        # Not after the items were evaluated, but before.
        ordered = run("order", old, "--seed", "7", *flags)
        assert (ordered.code, ordered.out) == (2, "")
        assert said in ordered.err


def test_reports_say_what_was_seen(run, old, log, tmp_path) -> None:
    target = tmp_path / "gate.json"
    run("gate", old, log(200), *FLAGS, "--json", target)
    data = json.loads(target.read_text())
    (check,) = data["checks"]
    assert (data["outcome"], check["outcome"]) == ("PASS", "PASS")
    # The bounds are those that decided.
    assert 0 == check["low"] < check["high"] <= check["limit"] == 0.05


def test_hostile_ids_are_ordered_as_json(run, write, hostile: list[str]) -> None:
    names = [f"{i}{text}" for i, text in enumerate(hostile)]
    old = write("old.jsonl", [{"id": name, "prediction": "A", "reference": "A"} for name in names])
    done = run("order", old, "--seed", "1")
    lines = done.out.splitlines()
    assert sorted(json.loads(line)["id"] for line in lines) == sorted(names)
    assert not any(line.startswith("::") or "##[" in line for line in lines)
    assert done.out.isascii()


@pytest.fixture
def half_wrong(write) -> Path:
    """Old answered every second item wrongly, some by an empty answer, and some by none."""
    return write(
        "old.jsonl",
        [
            {
                "id": f"вопрос {i}",
                "prediction": (" Paris ", "paris", "", None)[i // 2 % 4] if i % 2 == 0 else "Paris",
                "reference": "Paris",
                "judge": 0.2 if i % 2 == 0 else 0.9,
            }
            for i in range(300)
        ],
    )


@pytest.mark.parametrize(
    ("flags", "wrong"),
    [
        (["--unanswered", "wrong"], 150),
        # With the key " Paris " is right; nulls stay wrong.
        (["--unanswered", "wrong", "--key", "builtins:str.strip"], 112),
        (["--score-field", "judge", "--threshold", "0.5"], 150),
        (["--metric", "token_f1", "--threshold", "0.5", "--unanswered", "wrong"], 74),
    ],
)
def test_items_that_old_got_wrong_are_left_out_by_the_judgement_of_the_gate(
    run, half_wrong, write, flags: list[str], wrong: int
) -> None:
    done = run("order", half_wrong, "--seed", "7", "--skip-wrong", *flags)
    assert done.code == 0
    assert f"note: {wrong} of 300 items are left out" in done.err
    kept = [json.loads(line)["id"] for line in done.out.splitlines()]
    whole = run("order", half_wrong, "--seed", "7").out.splitlines()
    places = [json.loads(line)["id"] for line in whole]
    assert kept == [name for name in places if name in {*kept}]
    assert len(kept) == 300 - wrong
    rows = [{"id": n, "prediction": "Paris", "reference": "Paris", "judge": 0.9} for n in kept]
    gate = ["gate", half_wrong, "--max-nfr", "0.05", "--sequential", "--seed", "7", *flags]
    short = run(*gate[:2], write("new.jsonl", rows[:80]), *gate[2:])
    assert short.code == 0
    answered = {row["id"]: row for row in rows}
    known = places[: places.index(kept[79]) + 1]
    silent = {"prediction": "Rome", "reference": "Paris", "judge": 0.2}
    everything = [answered.get(name, {"id": name, **silent}) for name in known]
    full = run(*gate[:2], write("new.jsonl", everything), *gate[2:])
    assert full.code == 0
    line = re.compile(r"PASS negative flip rate.*in the order of seed 7")
    assert line.search(short.out)[0] == line.search(full.out)[0]
    # 74 items without a flip decide; the other judgement of the key leaves out too many.
    runs = int(re.search(r"(\d+) of them run", short.out)[1])
    assert runs == sum(name in answered for name in places[:74])


def test_an_item_left_out_that_old_got_right_is_invalid(run, half_wrong, write) -> None:
    # The order was made without the key that the gate has.
    flags = ["--unanswered", "wrong"]
    order = run("order", half_wrong, "--seed", "7", "--skip-wrong", *flags).out.splitlines()
    rows = [{**json.loads(line), "prediction": "Paris", "reference": "Paris"} for line in order]
    new = write("new.jsonl", rows)
    gate = ["gate", half_wrong, new, "--max-nfr", "0.05", "--sequential", "--seed", "7", *flags]
    assert run(*gate).code == 0
    done = run(*gate, "--key", "builtins:str.strip")
    assert done.code == 4
    assert "drop none that old got right" in done.out
    # Another reference is no reason to skip, and none to count.
    write("new.jsonl", [*rows[:50], rows[50] | {"reference": "Rome"}, *rows[51:]])
    done = run(*gate)
    assert done.code == 4
    assert "different references for 1 item" in done.out


def test_an_ordinary_gate_does_not_take_a_log_that_skips(run, half_wrong, write) -> None:
    flags = ["--unanswered", "wrong"]
    order = run("order", half_wrong, "--seed", "7", "--skip-wrong", *flags).out.splitlines()
    rows = [{**json.loads(line), "prediction": "Paris", "reference": "Paris"} for line in order]
    new = write("new.jsonl", rows)
    for missing in ("error", "drop"):
        done = run("gate", half_wrong, new, "--max-nfr", "0.05", *flags, "--missing", missing)
        assert done.code == 4
        assert "150" in done.out


@pytest.mark.parametrize("wrong_ones", ["run", "skipped"])
def test_a_log_is_complete_when_all_that_can_break_were_run(run, write, wrong_ones) -> None:
    rows = [{"id": f"q{i}", "prediction": "AB"[i % 2], "reference": "A"} for i in range(200)]
    old = write("old.jsonl", rows)
    flags = [] if wrong_ones == "run" else ["--skip-wrong"]
    order = run("order", old, "--seed", "7", *flags).out.splitlines()
    names = [json.loads(line) for line in order]
    # 8 of 200 are too near the limit of 5 %.
    right = [name for name in names if int(name["id"][1:]) % 2 == 0]
    broken = {name["id"] for name in right[6::12]}
    log = [{**n, "prediction": "B" if n["id"] in broken else "A", "reference": "A"} for n in names]
    gate = ["--max-nfr", "0.05", "--sequential", "--seed", "7", "--on-inconclusive", "pass"]
    done = run("gate", old, write("new.jsonl", log), *gate)
    assert (done.code, done.first.partition(":")[0]) == (0, "INCONCLUSIVE")
    assert "an ordinary gate after these looks errs more often" in done.out
    # One that can break is left.
    last = max(place for place, row in enumerate(log) if int(row["id"][1:]) % 2 == 0)
    done = run("gate", old, write("new.jsonl", log[:last]), *gate)
    assert (done.code, done.first.partition(":")[0]) == (3, "INCONCLUSIVE")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--key", "builtins:str.strip"], "--skip-wrong"),
        (["--threshold", "0.5"], "--skip-wrong"),
        (["--skip-wrong", "--unanswered", "drop"], "lost"),
        (["--skip-wrong", "--score-field", "judge"], "--threshold"),
    ],
)
def test_an_order_refuses_what_it_cannot_use(run, half_wrong, flags, said) -> None:
    done = run("order", half_wrong, "--seed", "7", *flags)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_an_answer_that_old_lacks_is_named_once(run, half_wrong) -> None:
    done = run("order", half_wrong, "--seed", "7", "--skip-wrong")
    assert (done.code, done.out) == (4, "")
    assert done.err.count("37 of 300 predictions null") == 1
    assert "--unanswered wrong" in done.err


def test_an_order_refuses_an_id_that_is_there_twice(run, half_wrong, write) -> None:
    rows = [json.loads(line) for line in half_wrong.read_text(encoding="utf-8").splitlines()]
    twice = write("old.jsonl", [*rows, rows[7]])
    for skip in ([], ["--skip-wrong", "--unanswered", "wrong"]):
        done = run("order", twice, "--seed", "7", *skip)
        assert (done.code, done.out) == (4, "")
        assert "1 id more than once" in done.err
