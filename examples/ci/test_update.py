"""A gate as a test: the update must not break more than one item in eight."""

from __future__ import annotations

import pytest

from muscle_metrics import compare_runs, read_run


@pytest.mark.model_gate(max_nfr="0.125")
def test_the_update_breaks_little(model_gate):
    model_gate.assert_compatible("examples/v1.jsonl", "examples/v2.jsonl")


@pytest.mark.model_gate(max_nfr="0.15", slices={"addition": "0.15"})
def test_addition_stays_what_it_was(model_gate):
    old, new = (read_run(f"examples/v{i}.jsonl", slice_field="topic") for i in (1, 2))
    model_gate.assert_compatible(compare_runs(old, new))
