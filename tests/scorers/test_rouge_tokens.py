"""Words as letters: how equal keys are numbered without an order of the whole."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.scorers import rouge_tokens
from muscle_metrics.scorers.rouge_tokens import number_keys

# Keys whose hashes are 0, 1, 2, ...: all of them collide once the lower bits hold a place.
COLLIDING = [k * pow(int(rouge_tokens._SPREAD), -1, 2**64) % 2**64 for k in range(5)]


@given(
    st.lists(st.one_of(st.integers(0, 5), st.integers(0, 2**64 - 1), st.sampled_from(COLLIDING)))
)
def test_equal_keys_have_one_number(keys: list[int]) -> None:
    numbers, distinct = number_keys(np.array(keys, np.uint64))
    assert distinct[numbers].tolist() == keys
    assert len(set(distinct.tolist())) == len(distinct) == len(set(keys))


@pytest.mark.parametrize("variant", ["rouge1", "rouge4", "rougeLsum"])
def test_rouge_loads_neither_pandas_nor_a_stemmer(variant: str) -> None:
    code = (
        "import sys\n"
        "from muscle_metrics.scorers.rouge import rouge\n"
        f"rouge(['a b c d', 'a\\nb'], ['a b c d', 'b\\na c d'], variant={variant!r})\n"
        "assert not {'pandas', 'nltk', 'scipy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
