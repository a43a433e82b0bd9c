"""Two runs without references, the truth about them, and a person who fills a sheet by it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from muscle_metrics import Record, Run, plan_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from muscle_metrics.labels.plan import LabelPlan


class Runs(NamedTuple):
    """Two runs, and by id which of the answers of each item are right."""

    old: Run
    new: Run
    right: dict[str, frozenset[str]]

    def fill(self, path: Path, *, leave: int = 0) -> Path:
        """Label all rows of a sheet but the last ones, by the truth and nothing else."""
        rows = read(path)
        for row in rows[: len(rows) - leave]:
            for side in "ab":
                is_right = row[f"answer_{side}"] in self.right[row["item"]]
                row[f"right_{side}"] = "yes" if is_right else "no"
        write(path, rows)
        return path


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    file = io.StringIO()
    writer = csv.DictWriter(file, rows[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(file.getvalue(), encoding="utf-8")


def make_runs(
    items: int, *, broken: int = 0, fixed: int = 0, rewritten: int = 0, wrong: int = 0
) -> Runs:
    """Make runs of free text: so many items broke, got fixed, or have two right answers.

    `wrong` items have one wrong answer in both runs; all others one right answer. The items are
    shuffled, and named in another script than Latin.
    """
    kinds = ["broken"] * broken + ["fixed"] * fixed + ["rewritten"] * rewritten + ["wrong"] * wrong
    kinds += ["kept"] * (items - len(kinds))
    np.random.default_rng(3).shuffle(kinds)
    old, new, right = [], [], {}
    for number, kind in enumerate(kinds):
        name = f"предмет-{number}"
        good, better, bad = f"да {number}", f"да, {number}!", f"нет {number}"
        before = bad if kind in ("fixed", "wrong") else good
        after = {"broken": bad, "rewritten": better, "wrong": bad}.get(kind, good)
        judged = {"judge": float(before != bad)}, {"judge": float(after != bad)}
        old.append(Record(name, before, scores=judged[0]))
        new.append(Record(name, after, scores=judged[1]))
        right[name] = frozenset({good, better})
    return Runs(Run(tuple(old), "old"), Run(tuple(new), "new"), right)


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    """Plan a sheet and write it; without a name beside nothing else."""

    def make(runs: Runs, budget: int, *, name: str = "sheet.csv", **options: object) -> Path:
        path = tmp_path / name
        plan: LabelPlan = plan_labels(runs.old, runs.new, budget=budget, **{"seed": 7, **options})
        plan.write(path)
        return path

    return make
