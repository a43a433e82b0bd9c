"""The test of one slice: exact for items, and over clusters not fooled by one or two of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics import InputError
from muscle_metrics.statistics.excess import excess_p_value

flags = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(flags)
def test_of_independent_items_it_is_the_hypergeometric_tail(pairs: list[tuple[bool, bool]]) -> None:
    stats = pytest.importorskip("scipy.stats")
    broke, inside = np.array(pairs, dtype=bool).T
    found = excess_p_value(broke=broke, inside=inside)
    size = int(inside.sum())
    if not broke.any() or size in (0, len(pairs)):
        assert found == 1.0
        return
    exact = stats.hypergeom.sf((broke & inside).sum() - 1, len(pairs), broke.sum(), size)
    assert found == pytest.approx(exact, rel=1e-9)


def test_many_items_do_not_overflow() -> None:
    broke, inside = np.zeros(1_000_000, dtype=bool), np.zeros(1_000_000, dtype=bool)
    broke[:2000] = inside[1700:101_700] = True
    stats = pytest.importorskip("scipy.stats")
    exact = stats.hypergeom.sf(299, 1_000_000, 2000, 100_000)
    assert excess_p_value(broke=broke, inside=inside) == pytest.approx(exact, rel=1e-6)


@given(flags, st.integers(1, 20))
def test_clusters_never_lower_the_p_value(pairs: list[tuple[bool, bool]], number: int) -> None:
    broke, inside = np.array(pairs, dtype=bool).T
    clusters = np.arange(len(pairs)) % number
    alone = excess_p_value(broke=broke, inside=inside)
    assert alone <= excess_p_value(broke=broke, inside=inside, clusters=clusters) <= 1


@pytest.mark.parametrize(("whole", "found"), [(1, False), (2, False), (8, True)])
def test_one_or_two_clusters_that_break_whole_prove_nothing(whole: int, found: bool) -> None:
    """Of 60 passages of 50 questions, all that broke are in the slice of 20."""
    clusters = np.repeat(np.arange(60), 50)
    broke, inside = clusters < whole, clusters < 20
    assert excess_p_value(broke=broke, inside=inside) < 1e-9
    p_value = excess_p_value(broke=broke, inside=inside, clusters=clusters)
    assert (p_value < 0.05) is found


def test_lengths_must_agree() -> None:
    three, four = np.ones(3, dtype=bool), np.ones(4, dtype=bool)
    with pytest.raises(InputError, match="columns of one length"):
        excess_p_value(broke=three, inside=four)
    with pytest.raises(InputError, match="columns of one length"):
        excess_p_value(broke=three, inside=three, clusters=np.arange(4))
