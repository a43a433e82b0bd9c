"""What a comparison on an engine costs as rows, slices, words and workers grow, measured and drawn.

python -m tests.benchmarks.scale_costs            # some minutes on two quiet cores

Each measurement is a process of its own, and its time is that of the whole process. Prints the
tables of docs/how-to/scale.md and draws docs/images/scale-costs.svg.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).parents[2] / "docs" / "images" / "scale-costs.svg"
MILLION = 1_000_000
ROWS = [MILLION // 2, MILLION, 2 * MILLION, 4 * MILLION, 8 * MILLION, 16 * MILLION]
SLICES = [1, 100, 10_000, 100_000]
WORDS = [2, 8, 32, 128]
WORKERS = [1, 2]

GENERATE = """
import duckdb, sys
rows, slices, words, folder = {rows}, {slices}, {words}, {folder!r}
database = duckdb.connect(config={{"memory_limit": "1GB", "preserve_insertion_order": False}})
vocabulary = "['the', 'cats', 'cat', 'sat', 'on', 'running', 'mats', 'a']"
for seed in (1, 2):
    place = f"(range * 7 + {{seed}}) % {{rows}}"
    def text(salt):
        pick = f"{{vocabulary}}[1 + (hash({{place}} * 31 + i * 7919 + {{salt}}) % 8)::INT]"
        return f"array_to_string(list_transform(range({{words}}), lambda i: {{pick}}), ' ')"
    for shard in range(4):
        database.execute(
            f"COPY (SELECT 'item-' || {{place}} AS id, 'slice' || {{place}} % {{slices}} AS topic, "
            f"{{text(seed)}} AS prediction, {{text(0)}} AS reference FROM range({{rows}}) "
            f"WHERE range % 4 = {{shard}}) TO '{{folder}}/v{{seed}}/{{shard}}.parquet' "
            "(FORMAT PARQUET)")
"""
COMPARE = """
import time
from muscle_metrics.scale import compare_files
from tests.benchmarks.memory import peak_megabytes
reading = {{"slice_field": "topic"}}
start = time.perf_counter()
compare_files("{folder}/v1", "{folder}/v2", old_options=reading, new_options=reading, {options})
print(time.perf_counter() - start, peak_megabytes())
"""
COMPARE_ON_RAY = """
import os, time
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
import ray
from muscle_metrics.distributed import compare_shards
ray.init(num_cpus={workers}, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
reading = {{"slice_field": "topic"}}
start = time.perf_counter()
compare_shards("{folder}/v1", "{folder}/v2", old_options=reading, new_options=reading, {options})
print(time.perf_counter() - start, 0)
ray.shutdown()
"""


class Cost(NamedTuple):
    """Seconds and megabytes of a comparison."""

    seconds: float
    megabytes: float


def measure(
    rows: int, *, slices: int = 50, words: int = 1, options: str = "", workers: int | None = None
) -> Cost:
    """Compare two runs of so many rows, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("v1", "v2"):
            Path(folder, name).mkdir()
        script = COMPARE if workers is None else COMPARE_ON_RAY
        values = {"rows": rows, "slices": slices, "words": words, "folder": folder}
        run(GENERATE.format(**values))
        printed = run(script.format(folder=folder, options=options, workers=workers))
    seconds, megabytes = map(float, printed.split())
    return Cost(seconds, megabytes)


def run(script: str) -> str:
    """What a script prints."""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def measure_all() -> dict[str, dict[int, Cost]]:
    """Costs by growing quantity, and by its size."""
    rouge = 'metric="rouge1"'
    few = MILLION // 10
    return {
        "rows": {rows: measure(rows) for rows in ROWS},
        "slices, at 2 million rows": {n: measure(2 * MILLION, slices=n) for n in SLICES},
        "words of a text, rouge1, at 100 000 rows": {
            words: measure(few, words=words, options=rouge) for words in WORDS
        },
        "workers of Ray, rouge1, at 1 million rows": {
            workers: measure(MILLION, words=8, options=rouge, workers=workers)
            for workers in WORKERS
        },
    }


def table(name: str, costs: dict[int, Cost]) -> str:
    """Markdown of one measurement; the memory of a cluster is in its workers, and not known."""
    known = all(cost.megabytes for cost in costs.values())
    peak = " | peak, MB" if known else ""
    lines = [f"| {name} | seconds{peak} |", "|---:|---:|" + "---:|" * known]
    for size, cost in costs.items():
        memory = f" | {cost.megabytes:.0f}" if known else ""
        lines.append(f"| {size:,} | {cost.seconds:.1f}{memory} |".replace(",", " "))
    return "\n".join(lines)


def draw(costs: dict[str, dict[int, Cost]]) -> None:
    """Draw one panel for each measurement: seconds, and megabytes where they are known."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.hashsalt"] = "scale"
    figure, panels = plt.subplots(2, 2, figsize=(9, 6.4), layout="constrained")
    for panel, (name, sizes) in zip(panels.flat, costs.items(), strict=True):
        panel.plot(list(sizes), [cost.seconds for cost in sizes.values()], "o-", color="#1f6feb")
        panel.set(xlabel=name, ylabel="seconds", xscale="log", ylim=(0, None))
        panel.set_xticks(list(sizes), [f"{size:,}".replace(",", " ") for size in sizes])
        panel.minorticks_off()
        panel.tick_params(axis="x", labelsize="small", rotation=20)
        if all(cost.megabytes for cost in sizes.values()):
            memory = panel.twinx()
            peaks = [cost.megabytes for cost in sizes.values()]
            memory.plot(list(sizes), peaks, "s--", color="#d9822b")
            memory.set(ylabel="peak, MB", ylim=(0, 1000))
    figure.savefig(TARGET, metadata={"Date": None})


if __name__ == "__main__":
    measured = measure_all()
    for name, sizes in measured.items():
        print(table(name, sizes), end="\n\n")
    draw(measured)
