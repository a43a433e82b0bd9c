"""Waivers on the command line: proposals that hold nothing, and a gate that says what they do."""

from __future__ import annotations

import json
import tomllib
from importlib.util import find_spec
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PINS = "q3\nq200\n"


def known(name: str = "q3", **parts: str) -> str:
    fields = {"id": name, "owner": "Ада", "reason": "new tokenizer", "expires": "2027-01-31"}
    return "[[waivers]]\n" + "".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n"
        for key, value in (fields | parts).items()
    )


@pytest.fixture
def gate(run, pair, tmp_path: Path):
    """Gate an update that broke q0 to q4 of 300 items, of which q3 and q200 are pinned."""
    old, new = pair(broken=5)
    (tmp_path / "pins.txt").write_text(PINS, encoding="utf-8")

    def call(waivers: str | None, *more: object, today: str = "2027-01-31"):
        flags = ["--max-nfr", "0.1", "--pinned", tmp_path / "pins.txt", "--today", today]
        if waivers is not None:
            path = tmp_path / "waivers.toml"
            path.write_text(waivers, encoding="utf-8")
            flags += ["--waivers", path]
        return run("gate", old, new, *flags, *more)

    return call


def test_a_waiver_lets_a_pinned_item_break_until_its_last_day(gate) -> None:
    assert gate(None).code == 1
    done = gate(known())
    assert done.code == 0
    assert done.first.endswith(
        "; known regressions waived: 1 (1 pinned), each counted in every rate"
    )
    assert "5 of 300 items" in done.out
    assert "waived: q3 broke, and passes until 2027-01-31 though it is pinned" in done.out
    after = gate(known(), today="2027-02-01")
    assert after.code == 1
    assert "FAIL pinned items: 1 broke (q3)" in after.out
    assert "; waivers expired: 1" in after.first


def test_without_a_day_waivers_expire_by_the_clock(run, pair, tmp_path: Path) -> None:
    old, new = pair(broken=5)
    (tmp_path / "pins.txt").write_text(PINS, encoding="utf-8")
    for expires, code in (("2020-01-01", 1), ("9999-12-31", 0)):
        (tmp_path / "w.toml").write_text(known(expires=expires), encoding="utf-8")
        flags = ["--pinned", tmp_path / "pins.txt", "--waivers", tmp_path / "w.toml"]
        assert run("gate", old, new, "--max-nfr", "0.1", *flags).code == code


@pytest.mark.parametrize("day", ["", "tomorrow", "2027-13-01", "31.01.2027"])
def test_a_day_that_is_none_is_refused(gate, day: str) -> None:
    done = gate(known(), today=day)
    assert done.code == 2
    assert "expected --today to be a day, got" in done.err


@pytest.mark.parametrize(
    "waivers",
    [known(owner=""), known(reason=" "), known(expires=""), "[[waivers]]", "x", known() * 2],
)
def test_a_file_that_is_not_complete_judges_nothing(gate, waivers: str) -> None:
    done = gate(known("q200") + waivers)
    assert done.code == 2
    assert done.out == ""
    assert "expected " in done.err


def test_every_report_says_what_waivers_do(gate, tmp_path: Path) -> None:
    reports = {kind: tmp_path / f"gate.{kind}" for kind in ("json", "junit", "markdown")}
    flags = [word for kind, path in reports.items() for word in (f"--{kind}", path)]
    waivers = known() + known("q200") + known("q4", expires="2026-12-31") + known("q999")
    done = gate(waivers, *flags, "--annotations")
    assert done.code == 0
    content = json.loads(reports["json"].read_text("utf-8"))
    assert [(one["id"], one["state"], one["pinned"]) for one in content["waivers"]] == [
        ("q3", "waived", True),
        ("q4", "expired", False),
        ("q999", "unknown", False),
        ("q200", "not needed", True),
    ]
    assert content["waivers"][0] | {"state": 0} == {
        "id": "q3",
        "task": None,
        "state": 0,
        "pinned": True,
        "owner": "Ада",
        "reason": "new tokenizer",
        "expires": "2027-01-31",
    }
    assert content["counts"]["negative"] == 5
    assert content["signature"].endswith(" on 2027-01-31")
    root = ElementTree.fromstring(reports["junit"].read_text("utf-8"))
    cases = root.findall(".//testcase[@classname='muscle-metrics.waiver']")
    assert [case.get("name") for case in cases] == ["q3", "q4", "q999", "q200"]
    assert all(case.find("skipped") is not None for case in cases)
    assert "Ада" in cases[0].find("skipped").text
    markdown = reports["markdown"].read_text("utf-8")
    for one in ("<code>q3</code>", "<code>q4</code>", "**expired**", "<code>Ада</code>"):
        assert one in markdown
    levels = [line.split()[0] for line in done.out.splitlines() if line.startswith("::")]
    assert levels == ["::notice", "::notice", "::warning", "::warning", "::notice"]


# The core is tested without extras too, and the page is one.
@pytest.mark.skipif(find_spec("jinja2") is None, reason="jinja2 is behind an extra")
def test_the_page_says_it_too(run, pair, tmp_path: Path) -> None:
    (tmp_path / "pins.txt").write_text(PINS, encoding="utf-8")
    (tmp_path / "w.toml").write_text(known() + known("q9"), encoding="utf-8")
    page = tmp_path / "report.html"
    flags = ["--max-nfr", "0.1", "--pinned", tmp_path / "pins.txt", "--today", "2027-01-01"]
    done = run("report", *pair(broken=5), "-o", page, *flags, "--waivers", tmp_path / "w.toml")
    assert done.code == 0
    text = page.read_text("utf-8")
    assert "known regressions waived: 1 (1 pinned), each counted in every rate" in text
    assert "waived: q3 broke, and passes until 2027-01-31 though it is pinned (owner Ада" in text
    assert "waiver not needed: q9 did not break: drop the waiver" in text


def test_waivers_stand_in_the_policy_where_there_is_one(run, pair, tmp_path: Path) -> None:
    (tmp_path / "pins.txt").write_text(PINS, encoding="utf-8")
    (tmp_path / "known.toml").write_text(known(), encoding="utf-8")
    policy = tmp_path / "gate.toml"
    policy.write_text('max_nfr = 0.1\npinned = "pins.txt"\nwaivers = "known.toml"\n', "utf-8")
    arguments = ["gate", *pair(broken=5), "--policy", policy, "--today", "2027-01-01"]
    assert run(*arguments).code == 0
    done = run(*arguments, "--waivers", tmp_path / "known.toml")
    assert done.code == 2
    assert "expected --waivers inside the policy file" in done.err


def test_proposals_are_refused_until_a_person_fills_them_in(run, pair, gate, tmp_path) -> None:
    out = tmp_path / "proposed.toml"
    done = run("waivers", *pair(broken=5), "-o", out)
    assert (done.code, done.out) == (0, f"{out}: 5 waivers to be filled in\n")
    text = out.read_text("utf-8")
    assert [row["id"] for row in tomllib.loads(text)["waivers"]] == [f"q{i}" for i in range(5)]
    assert gate(text).code == 2
    for empty, words in (("owner", "Ada"), ("reason", "known"), ("expires", "2027-06-30")):
        done = gate(text)
        assert done.code == 2
        assert empty in done.err
        text = text.replace(f'{empty} = ""', f'{empty} = "{words}"')
    assert gate(text).code == 0


def test_nothing_that_people_wrote_is_replaced(run, pair, tmp_path: Path) -> None:
    out = tmp_path / "waivers.toml"
    out.write_text(known(), encoding="utf-8")
    done = run("waivers", *pair(broken=5), "-o", out)
    assert done.code == 2
    assert "expected a new file for the waivers" in done.err
    assert out.read_text("utf-8") == known()


def test_proposals_are_for_pinned_items_without_a_waiver(run, pair, tmp_path: Path) -> None:
    pins, policy = tmp_path / "pins.txt", tmp_path / "gate.toml"
    pins.write_text("q2\nq3\nq4\nq200\n", encoding="utf-8")
    (tmp_path / "known.toml").write_text(known(expires="2020-01-01"), encoding="utf-8")
    policy.write_text('max_nfr = 0.1\npinned = "pins.txt"\nwaivers = "known.toml"\n', "utf-8")
    old, new = pair(broken=5)

    def proposed(*flags: object) -> list[str]:
        done = run("waivers", old, new, "-o", "-", *flags)
        assert done.code == 0
        return [row["id"] for row in tomllib.loads(done.out).get("waivers", [])]

    assert proposed("--pinned", pins) == ["q2", "q3", "q4"]
    # A waiver that expired is still one: a person renews it.
    assert proposed("--policy", policy) == ["q2", "q4"]
    done = run("waivers", old, old, "-o", "-")
    assert tomllib.loads(done.out) == {}


def test_proposals_are_of_items_that_broke_and_not_of_lost_ones(run, write, tmp_path) -> None:
    old = write(
        "old.jsonl", [{"id": f"й{i}", "prediction": "A", "reference": "A"} for i in range(9)]
    )
    new = write("new.jsonl", [
        {"id": f"й{i}", "prediction": "B" if i == 5 else "A", "reference": "A"}
        for i in range(9) if i != 7
    ])  # fmt: skip
    done = run("waivers", old, new, "--missing", "drop", "-o", "-")
    assert [row["id"] for row in tomllib.loads(done.out)["waivers"]] == ["й5"]
    # A baseline has verdicts and no answers.
    assert run("baseline", old, "-o", tmp_path / "old.baseline").code == 0
    done = run("waivers", tmp_path / "old.baseline", new, "--missing", "drop", "-o", "-")
    assert [row["id"] for row in tomllib.loads(done.out)["waivers"]] == ["й5"]


def test_two_runs_are_compared(run, pair) -> None:
    old, new = pair(broken=5)
    done = run("waivers", old, new, new, "-o", "-")
    assert done.code == 2
    assert "expected two runs, got 3: name OLD and NEW" in done.err
