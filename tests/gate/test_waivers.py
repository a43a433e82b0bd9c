"""Files of waivers: what is complete, what is refused, and what is proposed."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import Policy, UsageError, read_policy
from muscle_metrics.gate.waivers import (
    Waiver,
    proposed_waivers,
    read_waivers,
    waivers_digest,
    waivers_of,
)

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2027, 1, 31)
ROW = {"id": "q2", "owner": "Ada", "reason": "новый токенизатор", "expires": DAY}


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_waivers_are_tables_of_toml(tmp_path: Path) -> None:
    text = """
# kept by the team
[[waivers]]
id = "q2"
owner = "Ada"
reason = "новый токенизатор"
expires = 2027-01-31

[[waivers]]
task = "数学"
id = "7"
owner = "@lin"
reason = "reference is wrong"
expires = "2027-01-31"
"""
    first, second = read_waivers(write(tmp_path / "waivers.toml", text))
    assert first == Waiver(**ROW)
    assert second.key == ("数学", "7")
    assert second.expires == DAY


def test_a_file_without_waivers_waives_nothing(tmp_path: Path) -> None:
    assert read_waivers(write(tmp_path / "waivers.toml", "# all mended\n")) == ()


@pytest.mark.parametrize("part", ["id", "owner", "reason", "expires"])
def test_a_waiver_without_a_part_is_refused_and_not_only_in_the_first_table(part: str) -> None:
    second = {key: value for key, value in {**ROW, "id": "q3"}.items() if key != part}
    with pytest.raises(UsageError, match=f"^w.toml: expected waiver 2 to have .* got no {part}:"):
        waivers_of([ROW, second], "w.toml")


@pytest.mark.parametrize("part", ["owner", "reason"])
@pytest.mark.parametrize("value", ["", " ", "\t\u00a0", "\u200b", "-", "???", "…", 7, True, None])
def test_an_owner_and_a_reason_are_words(part: str, value: object) -> None:
    with pytest.raises(UsageError, match=f"expected words as {part} of the waiver of 'q2', got"):
        waivers_of([{**ROW, part: value}], "w.toml")


@pytest.mark.parametrize("name", ["李", "Ада", "أدا", "@a", "team 7"])
def test_an_owner_may_be_written_in_any_script(name: str) -> None:
    assert waivers_of([{**ROW, "owner": name}], "w.toml")[0].owner == name


@pytest.mark.parametrize(
    "day",
    [
        "",
        "never",
        "2027-02-30",
        "2027-1-31",
        "20270131",
        "2027-W04-7",
        "٢٠٢٧-٠١-٣١",
        "2027-01-31T12:00",
        datetime(2027, 1, 31, 12),
        datetime(2027, 1, 31, tzinfo=UTC),
        1801353600,
        True,
        None,
    ],
)
def test_the_last_day_is_a_day_without_a_time(day: object) -> None:
    with pytest.raises(UsageError, match="expected expires of the waiver of 'q2' to be a day, got"):
        waivers_of([{**ROW, "expires": day}], "w.toml")


@pytest.mark.parametrize("name", ["", 8, None, ["q1"]])
def test_an_id_is_a_text(name: object) -> None:
    with pytest.raises(UsageError, match="expected id of a waiver to be a text, got"):
        waivers_of([{**ROW, "id": name}], "w.toml")


def test_a_word_that_is_no_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="of a waiver, got 'expire': did you mean 'expires'"):
        waivers_of([{**ROW, "expire": DAY}], "w.toml")
    # A policy in place of waivers, or waivers without their table, would waive nothing unheard.
    for text in ("max_nfr = 0.5", '[[waiver]]\nid = "q1"', 'id = "q1"'):
        with pytest.raises(UsageError, match=r"expected tables \[\[waivers\]\] alone, got"):
            read_waivers(write(tmp_path / "w.toml", text))
    with pytest.raises(UsageError, match=r"expected tables \[\[waivers\]\], got"):
        read_waivers(write(tmp_path / "w.toml", 'waivers = "q1"'))


def test_an_item_has_one_waiver() -> None:
    first, again = Waiver(**ROW), Waiver(**{**ROW, "owner": "Ben"})
    with pytest.raises(UsageError, match="expected one waiver of every item, got 2 of 'q2'"):
        Policy(max_nfr="0.1", waivers=(first, again), today=DAY)
    # Without a task it may be the same item as that with one.
    with pytest.raises(UsageError, match="expected one waiver of every item"):
        Policy(max_nfr="0.1", waivers=(first, Waiver(**ROW, task="a")), today=DAY)
    both = (Waiver(**ROW, task="a"), Waiver(**ROW, task="b"))
    assert Policy(max_nfr="0.1", waivers=both, today=DAY).waivers == both


def test_no_clock_is_read_in_python(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected the day by which waivers expire, got none"):
        Policy(max_nfr="0.1", waivers=(Waiver(**ROW),))
    for odd in ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC), 3):
        with pytest.raises(UsageError, match="expected today to be a day without a time"):
            Policy(max_nfr="0.1", waivers=(Waiver(**ROW),), today=odd)
    # A day in the file would stop the clock: no waiver would ever expire.
    with pytest.raises(UsageError, match=r"expected keys of a policy in .*, got 'today'"):
        read_policy(write(tmp_path / "gate.toml", "max_nfr = 0.1\ntoday = 2020-01-01"))


def test_a_policy_holds_waivers_or_names_their_file(tmp_path: Path) -> None:
    table = '[[waivers]]\nid = "q2"\nowner = "Ada"\nreason = "ok so"\nexpires = 2027-01-31\n'
    (tmp_path / "base").mkdir()
    write(tmp_path / "base/known.toml", table)
    named = write(tmp_path / "base/gate.toml", 'max_nfr = 0.1\nwaivers = "known.toml"')
    # Beside the policy, wherever the gate runs: both come from one branch.
    held = write(tmp_path / "pyproject.toml", "[tool.muscle-metrics.gate]\nmax_nfr = 0.1\n"
                 + table.replace("waivers", "tool.muscle-metrics.gate.waivers"))  # fmt: skip
    assert read_policy(named, today=DAY) == read_policy(held, today=DAY)
    assert read_policy(named, today=DAY).waivers[0].owner == "Ada"


@pytest.mark.parametrize("waivers", ["q2", ["q2"], {"q2": "Ada"}, [ROW], None, 3])
def test_waivers_in_python_are_waivers(waivers: object) -> None:
    with pytest.raises(UsageError, match="expected a list of waivers, got"):
        Policy(max_nfr="0.1", waivers=waivers, today=DAY)


def test_the_digest_is_of_what_waivers_say() -> None:
    one, two = Waiver(**ROW), Waiver(**{**ROW, "id": "q3"})
    assert waivers_digest([one, two]) == waivers_digest([two, one])
    changed = [
        Waiver(**{**ROW, key: value})
        for key, value in [
            ("owner", "Ben"), ("reason", "x"), ("id", "q"), ("expires", "2027-02-01"),
            ("task", "t"),
        ]
    ]  # fmt: skip
    assert len({waivers_digest([w]) for w in [one, *changed]}) == 6


@given(st.lists(st.tuples(st.none() | st.text(min_size=1), st.text(min_size=1)), max_size=5))
def test_proposals_are_toml_that_a_person_must_fill_in(items: list[tuple[str | None, str]]) -> None:
    text, left_out = proposed_waivers(items)
    fitting = [one for one in items if _is_text(one)]
    rows = tomllib.loads(text).get("waivers", [])
    assert [(row.get("task"), row["id"]) for row in rows] == fitting
    assert left_out == len(items) - len(fitting)
    # Each one alone, for the first would hide the others.
    for row in rows:
        with pytest.raises(UsageError, match="expected words as owner"):
            waivers_of([row], "w.toml")
        filled = {**row, "owner": "Ada", "reason": "known"}
        with pytest.raises(UsageError, match="to be a day, got ''"):
            waivers_of([filled], "w.toml")
        assert waivers_of([{**filled, "expires": DAY}], "w.toml")[0].id == row["id"]


def _is_text(item: tuple[str | None, str]) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in f"{item[0]}{item[1]}")


def test_proposals_leave_out_what_no_file_can_hold() -> None:
    text, left_out = proposed_waivers([(None, "q\ud800"), (None, "q\u202e\x7f::x")])
    assert left_out == 1
    assert r'id = "q\u202e\u007f\u003a:x"' in text
