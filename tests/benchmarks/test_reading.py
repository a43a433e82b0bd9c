"""Reading and comparing plain files, against json.loads and a join by pandas."""

from __future__ import annotations

import json
import random
from time import process_time
from typing import TYPE_CHECKING

import pytest

from muscle_metrics import compare_runs, read_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ITEMS = 100_000


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    source = random.Random(1)
    paths = []
    for name in ("v1", "v2"):
        rows = (
            {"id": f"q{number}", "prediction": source.choice("ABCD"), "reference": "A"}
            for number in range(ITEMS)
        )
        path = folder / f"{name}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        paths.append(path)
    return paths


def best(call: Callable[[], object]) -> float:
    """CPU seconds of the fastest of three calls."""
    seconds = []
    for _ in range(3):
        start = process_time()
        call()
        seconds.append(process_time() - start)
    return min(seconds)


def test_reading(files: list[Path]) -> None:
    def decode() -> int:
        with files[0].open(encoding="utf-8") as lines:
            return len([json.loads(line) for line in lines])

    assert decode() == len(read_run(files[0])) == ITEMS
    by_hand, read = best(decode), best(lambda: read_run(files[0]))
    print(f"\nread_run: {read:.2f} s CPU for {ITEMS} rows, {read / by_hand:.1f} x json.loads")


def test_comparing(files: list[Path]) -> None:
    pandas = pytest.importorskip("pandas")
    old, new = map(read_run, files)
    frames = [
        pandas.DataFrame([(r.id, r.prediction, r.reference) for r in run], columns=["id", "a", "b"])
        for run in (old, new)
    ]

    def merge() -> int:
        both = frames[0].merge(frames[1], on="id", validate="one_to_one")
        right_before, right_after = both.a_x == both.b_x, both.a_y == both.b_y
        return int((right_before & ~right_after).sum())

    assert compare_runs(old, new).counts.negative == merge()
    by_hand, compared = best(merge), best(lambda: compare_runs(old, new))
    print(f"\ncompare_runs: {compared:.2f} s CPU, {compared / by_hand:.1f} x a merge by pandas")
