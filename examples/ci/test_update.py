"""A gate as a test: the update must not break more than three items in forty."""

from __future__ import annotations

import pytest

from muscle_metrics import compare_runs, read_run


@pytest.mark.model_gate(max_nfr="0.075")
def test_the_update_breaks_little(model_gate):
    model_gate.assert_compatible("examples/v1.jsonl", "examples/compatible.jsonl")


@pytest.mark.model_gate(max_nfr="0.075", slices={"topic 1": "0.15"})
def test_topic_1_stays_what_it_was(model_gate):
    old, new = (
        read_run(f"examples/{name}.jsonl", slice_field="topic") for name in ("v1", "compatible")
    )
    model_gate.assert_compatible(compare_runs(old, new))
