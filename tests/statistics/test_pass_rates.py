"""pass@k, pass^k and flaps against published estimators, counts by hand and exact means."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muscle_metrics.errors import InputError, UsageError
from muscle_metrics.statistics.pass_rates import flap_rates, pass_at_k, pass_hat_k

ESTIMATORS = (pass_at_k, pass_hat_k, flap_rates)


def by_product(n, c, k):
    # Chen et al. 2021, figure 3: the stable form in which openai/human-eval computes pass@k.
    ratios = [1 - k / i for i in range(n - c + 1, n + 1)]
    return 1.0 if n - c < k else 1 - np.prod(ratios)


@st.composite
def prompts(draw):
    n = draw(st.integers(1, 60))
    return n, draw(st.integers(0, n)), draw(st.integers(1, n))


@given(prompts())
def test_the_published_estimators_agree(prompt):
    n, c, k = prompt
    assert pass_at_k(right=[c], total=n, k=k) == pytest.approx(by_product(n, c, k), abs=1e-12)
    # sierra-research/tau-bench sums comb(c, k) / comb(num_trials, k) over tasks.
    assert pass_hat_k(right=[c], total=n, k=k) == pytest.approx(comb(c, k) / comb(n, k), abs=1e-12)


def test_the_example_of_human_eval():
    # README of openai/human-eval, data/example_samples.jsonl: 6 samples of which 3 pass give
    # {'pass@1': 0.4999999999999999}.
    assert pass_at_k(right=[3], total=6, k=1)[0] == pytest.approx(0.5)


@pytest.mark.parametrize(("c", "k"), [(0, 2), (1, 2), (3, 2), (4, 3), (5, 5), (2, 5)])
def test_they_count_all_choices_of_k_generations(c, k):
    chosen = [sum(drawn) for drawn in combinations([1] * c + [0] * (5 - c), k)]
    shares = [
        np.mean([number > 0 for number in chosen]),
        np.mean([number == k for number in chosen]),
        np.mean([0 < number < k for number in chosen]),
    ]
    found = [estimate(right=[c], total=5, k=k)[0] for estimate in ESTIMATORS]
    assert found == pytest.approx(shares, abs=1e-12)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.97, 1.0])
@pytest.mark.parametrize(("n", "k"), [(2, 2), (5, 2), (7, 4)])
def test_their_means_are_what_they_estimate(n, k, p):
    counts = np.arange(n + 1)
    chances = [comb(n, c) * p**c * (1 - p) ** (n - c) for c in counts]
    truth = [1 - (1 - p) ** k, p**k, 1 - p**k - (1 - p) ** k]
    means = [chances @ estimate(right=counts, total=n, k=k) for estimate in ESTIMATORS]
    assert means == pytest.approx(truth, abs=1e-12)


def test_a_prompt_that_always_answers_alike_never_flaps():
    # Exactly 0 and 1: bounds of a rate refuse a value outside by rounding.
    total = np.arange(1, 200)
    for k in (1, 7):
        kept = total[total >= k]
        assert (flap_rates(right=kept, total=kept, k=k) == 0).all()
        assert (pass_at_k(right=kept, total=kept, k=k) == 1).all()
        assert (pass_hat_k(right=np.zeros_like(kept), total=kept, k=k) == 0).all()


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_faults_are_named(estimate):
    with pytest.raises(InputError, match="k = 4 generations of every prompt, got 3 for prompt 1"):
        estimate(right=[1, 1], total=[5, 3], k=4)
    with pytest.raises(InputError, match="got 6 of 5 for prompt 1"):
        estimate(right=[1, 6], total=5, k=2)
    with pytest.raises(InputError, match="got -1 of 5 for prompt 1"):
        estimate(right=[1, -1], total=5, k=2)
    with pytest.raises(InputError, match="type float64"):
        estimate(right=[0.5], total=5, k=2)
    for k in (0, 1.5, True):
        with pytest.raises(UsageError, match="at least 1"):
            estimate(right=[1], total=5, k=k)
