"""Files larger than memory: time and memory against the same join written by hand in DuckDB.

Each run is a process of its own, so that its peak memory is known. Sizes are in millions of rows:
``MUSCLE_METRICS_SCALE=2,20 python -m pytest tests/benchmarks/test_scale.py -s``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from pathlib import Path

duckdb = pytest.importorskip("duckdb")

SIZES = [int(size) for size in os.environ.get("MUSCLE_METRICS_SCALE", "2").split(",")]
MEMORY = "500MB"

MEASURED = """
import os, time
from tests.benchmarks.memory import peak_megabytes
start = time.perf_counter()
{body}
print(negative, time.perf_counter() - start, os.times().user, peak_megabytes())
"""

OURS = """
from muscle_metrics.scale import compare_files
reading = {{"slice_field": "topic"}}
counted = compare_files(
    "{old}", "{new}", old_options=reading, new_options=reading, memory="{memory}")
negative = counted.counts.negative
"""

BY_HAND = """
import duckdb, tempfile
with tempfile.TemporaryDirectory() as folder:
    database = duckdb.connect(config={{
        "memory_limit": "{memory}", "temp_directory": folder, "preserve_insertion_order": False}})
    database.execute("SET enable_progress_bar = false")
    rows = database.execute('''
        SELECT o.topic, count(*),
               count(*) FILTER (o.prediction = o.reference AND n.prediction = n.reference),
               count(*) FILTER (o.prediction = o.reference AND n.prediction <> n.reference),
               count(*) FILTER (o.prediction <> o.reference AND n.prediction = n.reference),
               count(*) FILTER (o.prediction <> n.prediction)
        FROM {old_rows} AS o FULL JOIN {new_rows} AS n ON o.id = n.id GROUP BY o.topic
    ''').fetchall()
negative = sum(row[3] for row in rows)
"""

FIELDS = "{'id': 'VARCHAR', 'prediction': 'VARCHAR', 'reference': 'VARCHAR', 'topic': 'VARCHAR'}"


class Measured(NamedTuple):
    negative: int
    seconds: float
    cpu: float
    megabytes: float


def generate(folder: Path, millions: int, format_: str) -> list[Path]:
    """Write two runs of rows in different orders, both with the same ids."""
    database = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(folder)})
    paths = []
    for seed in (1, 2):
        path = folder / f"v{seed}-{millions}.{format_}"
        how = "PARQUET" if format_ == "parquet" else "JSON"
        # Ids in another order for every run: 7 is prime to every size.
        place = f"(range * 7 + {seed}) % {millions * 1_000_000}"
        database.execute(
            f"COPY (SELECT 'item-' || {place} AS id, "
            f"chr(65 + (hash({place} * 7 + {seed}) % 4)::INT) AS prediction, "
            f"chr(65 + (hash({place} * 3) % 4)::INT) AS reference, "
            f"'topic' || {place} % 50 AS topic FROM range({millions * 1_000_000})) "
            f"TO '{path}' (FORMAT {how})"
        )
        paths.append(path)
    return paths


def measure(body: str) -> Measured:
    script = MEASURED.format(body=body)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    negative, *figures = done.stdout.split()
    return Measured(int(negative), *map(float, figures))


def rows_of(path: Path) -> str:
    if path.suffix == ".parquet":
        return f"read_parquet('{path}')"
    return f"read_json('{path}', format = 'newline_delimited', columns = {FIELDS})"


@pytest.mark.parametrize("format_", ["parquet", "jsonl"])
def test_a_comparison_on_disk_costs_little_more_than_the_join(tmp_path, format_):
    seconds = {}
    for millions in SIZES:
        old, new = generate(tmp_path, millions, format_)
        ours = measure(OURS.format(old=old, new=new, memory=MEMORY))
        by_hand = measure(
            BY_HAND.format(old_rows=rows_of(old), new_rows=rows_of(new), memory=MEMORY)
        )
        assert ours.negative == by_hand.negative
        seconds[millions] = ours.seconds
        print(
            f"\n{millions} million rows of {format_}: {ours.seconds / by_hand.seconds:.2f} times "
            f"the time of the join by hand ({ours.cpu / by_hand.cpu:.2f} times its cpu), peak "
            f"{ours.megabytes:.0f} MB (by hand {by_hand.megabytes:.0f} MB)"
        )
        for path in (old, new):
            path.unlink()
    if len(SIZES) > 1:
        small, large = min(SIZES), max(SIZES)
        growth = seconds[large] / seconds[small] / (large / small)
        print(f"{format_}: {growth:.2f} times linear from {small} to {large} million rows")
