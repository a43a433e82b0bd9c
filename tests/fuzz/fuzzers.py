"""The fuzzers by name."""

from __future__ import annotations

from tests.fuzz import damages, engines, planted, readers, sinks
from tests.fuzz.cases import Fuzzer

__all__ = ["FUZZERS", "USUAL"]

_GATE = ("scipy.stats", "scipy.optimize", "sacrebleu", "rich.table")
FUZZERS = {
    "readers": Fuzzer(readers.draw, readers.check, (*_GATE, "inspect_ai.log")),
    "engines": Fuzzer(engines.draw, engines.check, (*_GATE, "duckdb", "pyarrow.dataset")),
    "damages": Fuzzer(damages.draw, damages.check, _GATE),
    "sinks": Fuzzer(sinks.draw, sinks.check, (*_GATE, "jinja2")),
    "damages-duckdb": Fuzzer(damages.draw_for_duckdb, damages.check, (*_GATE, "duckdb")),
    "damages-ray": Fuzzer(damages.draw_for_ray, damages.check, (*_GATE, "ray")),
    # Does what its cases say, for the tests of the watch.
    "planted": Fuzzer(planted.draw, planted.check, ()),
}
# Those that run when none is named.
USUAL = ("readers", "engines", "damages", "sinks")
