"""Messages about waivers: their file, the day they are judged by, and their items."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics import Policy, Record, Run, check_gate, cli, compare_runs
from muscle_metrics.gate.files import read_ids
from muscle_metrics.gate.waivers import Waiver, read_waivers

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = ["cli/waivers", "gate/files", "gate/pins", "gate/waivers"]

DAY = date(2027, 1, 31)
ONE = Waiver(id="q1", owner="Ada", reason="known", expires=DAY)
TASKS = Run(tuple(Record("q1", "A", "A", task=task) for task in ("law", "math")), "v1")


def read(text: str) -> object:
    Path("waivers.toml").write_text(text, encoding="utf-8")
    return read_waivers(Path("waivers.toml"))


def table(**parts: object) -> object:
    row = {"id": "q1", "owner": "Ada", "reason": "known", "expires": "2027-01-31"} | parts
    lines = (f"{key} = {repr(value).lower()}\n" for key, value in row.items() if value is not None)
    return read("[[waivers]]\n" + "".join(lines))


def limited(*waivers: object, today: object = DAY) -> Policy:
    return Policy(max_nfr="0.5", waivers=waivers, today=today)


def command(*arguments: str) -> object:
    rows = (f'{{"id": {i}, "prediction": "A", "reference": "A"}}\n' for i in range(99))
    Path("old.jsonl").write_text("".join(rows), encoding="utf-8")
    options = cli._parser().parse_args(["waivers", *arguments])
    return options.command(options)


def ids(content: bytes) -> object:
    Path("pins.txt").write_bytes(content)
    return read_ids(Path("pins.txt"))


def replacing() -> object:
    Path("waivers.toml").write_text("", encoding="utf-8")
    return command("old.jsonl", "old.jsonl", "-o", "waivers.toml")


CASES: dict[str, Callable[[], object]] = {
    "gate: waivers: another key": lambda: table(expire=1),
    "gate: waivers: key like none": lambda: table(zzz=1),
    "gate: waivers: another table": lambda: read('[[waiver]]\nid = "q1"'),
    "gate: waivers: no tables": lambda: read('waivers = "q1"'),
    "gate: waivers: no file": lambda: read_waivers(Path("none.toml")),
    "gate: waivers: no owner": lambda: table(owner=None),
    "gate: waivers: empty owner": lambda: table(owner=""),
    "gate: waivers: empty reason": lambda: table(reason="?"),
    "gate: waivers: no day": lambda: table(expires=""),
    "gate: waivers: id as a number": lambda: table(id=7),
    "gate: waivers: twice": lambda: limited(ONE, ONE),
    "gate: waivers: no waivers": lambda: limited("q1"),
    "gate: waivers: today with a time": lambda: limited(ONE, today="2027-01-31"),
    "gate: waivers: without today": lambda: limited(ONE, today=None),
    "gate: waivers: of several tasks": lambda: check_gate(
        compare_runs(TASKS, TASKS), Policy(max_nfr="0.99", waivers=(ONE,), today=DAY)
    ),
    "gate: pinned ids: no file": lambda: read_ids(Path("none.txt")),
    "gate: pinned ids: none": lambda: ids(b"\n"),
    "gate: pinned ids: not UTF-8": lambda: ids(b"\xff\n"),
    "cli: waivers: of one run": lambda: command("old.jsonl", "-o", "-"),
    "cli: waivers: into a file that is there": replacing,
}
