"""A sample of the law of odd values: whatever a row holds, the error is ours, in one line."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.odd_values import SHAPES, Trial, draw_cases

if TYPE_CHECKING:
    from pathlib import Path

CASES = 20
NEEDED = {"parquet": "pyarrow", "lighteval": "pyarrow", "inspect_ai": "inspect_ai"}


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_a_row_holds_the_error_is_ours(shape: str, tmp_path: Path) -> None:
    pytest.importorskip(NEEDED.get(shape.split()[0], "json"))
    trial, seen = Trial(tmp_path), Counter[str]()
    for case in islice(draw_cases("sample", [shape]), CASES):
        try:
            seen[trial.outcome(case)] += 1
        except Exception as error:
            raise AssertionError(f"{case}: {type(error).__name__}: {str(error)[:200]}") from error
    # The law is about something: some values are refused.
    assert seen["refused"]
