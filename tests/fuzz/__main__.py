"""Search for files and runs that break what docs/reliability.md promises.

One hour of each fuzzer: ``python -m tests.fuzz --minutes 60 --processes 2``. The exit status is 1
if anything was found. Each fault is a file in tests/fuzz/corpus, which later runs check first.
"""

from __future__ import annotations

import argparse
import sys

from tests.fuzz.fuzzers import FUZZERS, USUAL
from tests.fuzz.watch import Job, watch

SUMMARY = "Search for files and runs that break what docs/reliability.md promises."


def main() -> int:
    """Run the fuzzers one after another."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=SUMMARY)
    parser.add_argument(
        "fuzzers", nargs="*", metavar="FUZZER", help=f"of {', '.join(FUZZERS)}; by default the "
        f"first {len(USUAL)}"
    )  # fmt: skip
    parser.add_argument("--minutes", type=float, help="for each fuzzer; 1 without --cases")
    parser.add_argument("--cases", type=int, help="for each fuzzer")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    if unknown := set(options.fuzzers) - set(FUZZERS):
        parser.error(f"unknown fuzzers: {', '.join(sorted(unknown))}")
    minutes = 1.0 if options.minutes is None and options.cases is None else options.minutes
    failures = 0
    for name in options.fuzzers or USUAL:
        tally = watch(Job(name, options.seed, minutes, options.cases, options.processes))
        for outcome, number in sorted(tally.outcomes.items()):
            print(f"  {number:>9} {outcome}")
        for kind, number in tally.faults.items():
            print(f"  {number:>9} times {kind}: {tally.files[kind]}")
        print(f"done, {tally.line(name)}", flush=True)
        failures += tally.faults.total()
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
