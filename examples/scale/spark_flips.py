"""Count the flips of two runs in Spark, from partial states that add.

    python examples/scale/spark_flips.py examples/v1.jsonl examples/v2.jsonl

Spark joins the rows; each part of them becomes one small state; their sum is that of one machine.
"""

from __future__ import annotations

import os
import pickle
import sys
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import pandas as pd
from pyspark.sql import SparkSession

from muscle_metrics import compare
from muscle_metrics.scale import CountedComparison, Totals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame


def count_batches(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Turn every batch of joined rows into the state of its items."""
    for rows in batches:
        shard = compare(
            old=rows["old"], new=rows["new"], references=rows["reference"],
            ids=rows["id"], slices=rows["topic"],
        )  # fmt: skip
        yield pd.DataFrame({"totals": [pickle.dumps(Totals.of(shard))]})


def check_ids(old: DataFrame, new: DataFrame, paired: DataFrame) -> None:
    """Refuse what Spark's join would not say: ids that repeat, and items of one run only."""
    for name, run in (("old", old), ("new", new)):
        repeated = run.groupBy("id").count().filter("count > 1").count()
        if repeated:
            sys.exit(f"expected every id once in the {name} run, got {repeated} that repeat")
    sizes = old.count(), new.count(), paired.count()
    if len(set(sizes)) > 1:
        sys.exit(f"expected the same items in both runs, got {sizes[0]}, {sizes[1]}, in both "
                 f"{sizes[2]}")  # fmt: skip


def main(old_path: str, new_path: str) -> None:
    """Print the comparison of two files."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = SparkSession.builder.master("local[2]").getOrCreate()
    old = spark.read.json(old_path).withColumnRenamed("prediction", "old")
    new = spark.read.json(new_path).withColumnRenamed("prediction", "new").select("id", "new")
    paired = old.join(new, "id")
    check_ids(old, new, paired)
    parts = paired.mapInPandas(count_batches, "totals binary").collect()
    totals = reduce(add, (pickle.loads(bytes(part["totals"])) for part in parts))
    print(CountedComparison(names=("v1", "v2"), totals=totals, dropped={}, recipe={}))
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
