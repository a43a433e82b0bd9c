"""Train and judge every method on tiny models, and print the table.

python -m tests.benchmarks.replica                 # about 40 minutes on two cores
python -m tests.benchmarks.replica --fast          # one seed, few methods, under 3 minutes
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from tests.benchmarks.replica.methods import GROUPS
from tests.benchmarks.replica.models import write_bases
from tests.benchmarks.replica.running import scores_path, store_study

# Seeds that were drawn after the recipe was frozen.
SEEDS = (5154, 5775, 1194)
# Groups of methods by family of tasks, and all families at their largest.
ASKED = {
    "choice": ("main", "ablations", "replay", "with_cross_entropy"),
    "generation": tuple(GROUPS),
    "exact": ("main",),
}


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.replica", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="one seed, few methods, short training")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--families", nargs="+", default=list(ASKED))
    parser.add_argument("--jobs", type=int, default=2, help="processes, of one thread each")
    parser.add_argument("--folder", type=Path, default=Path("replica"), help="of models and scores")
    parser.add_argument("--pretrain", action="store_true", help="train the base models anew first")
    chosen = parser.parse_args()
    if chosen.pretrain:
        write_bases()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    seeds = chosen.seeds[:1] if chosen.fast else chosen.seeds
    # Many small products: more threads would only wait for each other.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(chosen.jobs, multiprocessing.get_context("spawn")) as pool:
        studies = [
            pool.submit(store_study, family, seed, chosen.folder, group, chosen.fast)
            for group in (["main"] if chosen.fast else GROUPS)
            for seed in seeds
            for family in chosen.families
            if group in ASKED[family]
        ]
        for study in studies:
            study.result()
    for family in chosen.families:
        print(f"\n## {family}\n\n{tabulate(chosen.folder, family, seeds)}")


def tabulate(folder: Path, family: str, seeds: list[int]) -> str:
    """Markdown of the stored scores of a family."""
    from tests.benchmarks.replica.table import markdown_table

    by_seed = []
    for seed in seeds:
        scores: dict[str, np.ndarray] = {}
        for group in GROUPS:
            for ending in ("", "-partial"):
                path = scores_path(folder, family, seed, group, ending)
                scores |= dict(np.load(path)) if path.exists() else {}
        by_seed.append(scores)
    return markdown_table(by_seed)


if __name__ == "__main__":
    main()
