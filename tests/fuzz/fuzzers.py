"""The fuzzers by name."""

from __future__ import annotations

from tests.fuzz import damages, engines, readers, sinks
from tests.fuzz.cases import Fuzzer

__all__ = ["FUZZERS", "USUAL"]

FUZZERS = {
    "readers": Fuzzer(readers.draw, readers.check),
    "engines": Fuzzer(engines.draw, engines.check),
    "damages": Fuzzer(damages.draw, damages.check),
    "sinks": Fuzzer(sinks.draw, sinks.check),
    "damages-duckdb": Fuzzer(damages.draw_for_duckdb, damages.check),
    "damages-ray": Fuzzer(damages.draw_for_ray, damages.check),
}
# Those that run when none is named.
USUAL = ("readers", "engines", "damages", "sinks")
