"""False discoveries among discrete tests, by enumeration of all that could be seen."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.discrete import discrete_discoveries
from muscle_metrics.statistics.multiplicity import benjamini_hochberg_adjusted

# Supports of exact tests: 5 of 10 and 4 of 10 right ones of Fisher's test, a coin, and no choice.
SUPPORTS = [
    [1 / 252, 26 / 252, 126 / 252, 226 / 252, 251 / 252, 1.0],
    [5 / 210, 55 / 210, 155 / 210, 205 / 210, 1.0],
    [0.5, 1.0],
    [1.0],
    [0.01, 1.0],
]


def by_definition(p_values, kinds, supports, rate):
    """[HSU] of Doehler, Durand and Roquain (2018), section 3, written without any array."""

    def chance(kind, point):
        return max((value for value in supports[kind] if value <= point * (1 + 1e-12)), default=0)

    def total(point, last):
        chances = [(chance(kind, point), chance(kind, last)) for kind in kinds]
        return sum(np.inf if of_last >= 1 else here / (1 - of_last) for here, of_last in chances)

    number = len(p_values)
    points = sorted({value for kind in kinds for value in supports[kind]})
    within = [point for point in points if total(point, point) <= rate * number]
    if not within:
        return [False] * number
    last = within[-1]
    critical = []
    for k in range(1, number + 1):
        kept = [point for point in within if total(point, last) <= rate * k]
        critical.append(kept[-1] if kept else -1)
    found = [k for k, p in enumerate(sorted(p_values)) if p <= critical[k] * (1 + 1e-12)]
    limit = critical[found[-1]] if found else -1
    return [p <= limit * (1 + 1e-12) for p in p_values]


tests_of_kinds = st.lists(
    st.integers(0, len(SUPPORTS) - 1).flatmap(
        lambda kind: st.tuples(st.just(kind), st.sampled_from(SUPPORTS[kind]))
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=40)
@given(tests_of_kinds, st.sampled_from([0.05, 0.2, 0.5]))
def test_it_is_the_published_procedure(tests, rate):
    kinds, p_values = zip(*tests, strict=True)
    found = discrete_discoveries(p_values, kinds, SUPPORTS, rate=rate)
    assert found.tolist() == by_definition(p_values, kinds, SUPPORTS, rate)


@pytest.mark.parametrize("rate", [0.05, 0.5])
@pytest.mark.parametrize("kinds", [(0, 0, 0, 4), (1, 1, 1), (2, 2, 2, 2), (0, 1, 4, 3)])
def test_where_nothing_changed_false_discoveries_keep_their_rate(kinds, rate):
    # Every outcome with its chance: of no true discovery any discovery is false.
    wrong = 0.0
    for p_values in itertools.product(*(SUPPORTS[kind] for kind in kinds)):
        steps = [
            p - max((v for v in SUPPORTS[kind] if v < p), default=0)
            for p, kind in zip(p_values, kinds, strict=True)
        ]
        if discrete_discoveries(p_values, kinds, SUPPORTS, rate=rate).any():
            wrong += np.prod(steps)
    assert wrong <= rate


def test_the_example_of_discretefdr():
    # R package DiscreteFDR 2.1.0, vignette "toyexample": responders of two treatments in nine
    # populations. Its summary lists these p-values and two rejections at 0.05, the fourth and the
    # sixth, and none by Benjamini-Hochberg. Its table is of the step-down procedure.
    responders = [(4, 0), (2, 0), (2, 1), (14, 3), (6, 2), (9, 1), (4, 2), (0, 2), (1, 2)]
    p_values, supports = [], []
    for first, second in responders:
        chances = hypergeom(280, first + second, 148).pmf(range(first + second + 1))
        tails = [chances[chances <= chance * (1 + 1e-9)].sum() for chance in chances]
        p_values.append(min(tails[first], 1.0))
        supports.append(np.minimum(tails, 1.0))
    published = [
        0.12476691, 0.49984639, 1, 0.01243145, 0.28849298, 0.02126871, 0.68723229, 0.22135177,
        0.60329543,
    ]  # fmt: skip
    assert p_values == pytest.approx(published, abs=5e-9)
    found = discrete_discoveries(p_values, range(9), supports, rate=0.05)
    assert np.flatnonzero(found).tolist() == [3, 5]
    assert benjamini_hochberg_adjusted(p_values).min() == pytest.approx(0.09570921, abs=5e-9)


def test_tests_that_can_show_nothing_cost_nothing():
    # Benjamini-Hochberg counts all 601 tests, and finds nothing.
    p_values, kinds = [0.01] + [1.0] * 600, [4] + [3] * 600
    assert benjamini_hochberg_adjusted(p_values)[0] > 0.05
    assert discrete_discoveries(p_values, kinds, SUPPORTS, rate=0.05).tolist() == (
        [True] + [False] * 600
    )


def test_many_values_of_a_test_need_little_memory():
    # As many points as 200 kinds of 2000 values each have would fill gigabytes with every kind.
    supports = [np.linspace(1e-6, 1, 2000) ** (1 + kind / 1000) for kind in range(200)]
    p_values = [support[0] for support in supports[:5]] + [support[-1] for support in supports[5:]]
    found = discrete_discoveries(p_values, range(200), supports, rate=0.05)
    assert np.flatnonzero(found).tolist() == [0, 1, 2, 3, 4]


def test_no_tests_give_no_discoveries():
    assert discrete_discoveries([], [], SUPPORTS, rate=0.05).tolist() == []


@pytest.mark.parametrize(
    ("p_values", "kinds", "expected"),
    [
        ([1.0, 0.5], [0], "one kind for each p-value"),
        ([1.0, 0.3], [0, 0], "got 0.3 at position 1"),
        ([1.0, float("nan")], [3, 3], "got nan at position 1"),
        ([1.0, 1.0], [0, 9], "got 9 at position 1"),
    ],
)
def test_unknown_p_values_are_refused(p_values, kinds, expected):
    with pytest.raises(InputError, match=expected):
        discrete_discoveries(p_values, kinds, SUPPORTS, rate=0.05)


def test_a_rate_is_between_0_and_1():
    with pytest.raises(UsageError, match="rate"):
        discrete_discoveries([1.0], [3], SUPPORTS, rate=5)
