"""pass@k, pass^k and the flap rate of prompts, estimated from n generations of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muscle_metrics.errors import InputError, UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

__all__ = ["flap_rates", "pass_at_k", "pass_hat_k"]


def pass_at_k(*, right: ArrayLike, total: ArrayLike, k: int) -> Floats:
    """Chance that at least one of k generations is right, estimated for every prompt.

    Parameters
    ----------
    right, total : array_like of int, shape (prompts,) or a single number
        Right generations of each prompt, and all of them.
    k : int
        At least 1, and at most the generations of every prompt.

    Returns
    -------
    numpy.ndarray of float, shape (prompts,)
        Unbiased estimates in [0, 1]: ``1 - C(n - c, k) / C(n, k)``.

    Raises
    ------
    InputError
        If a prompt has fewer than k generations, or more right ones than there are.
    UsageError
        If k is no whole number of at least 1.

    References
    ----------
    Chen et al., "Evaluating Large Language Models Trained on Code", arXiv 2107.03374 (2021), eq. 1.

    Examples
    --------
    >>> pass_at_k(right=[5, 1, 0], total=5, k=2).round(3).tolist()
    [1.0, 0.4, 0.0]
    """
    hits, totals = _check(right, total, k)
    return 1 - _all_chosen(totals - hits, totals, k)


def pass_hat_k(*, right: ArrayLike, total: ArrayLike, k: int) -> Floats:
    """Chance that all of k generations are right (pass^k), estimated for every prompt.

    Parameters
    ----------
    right, total, k
        As in `pass_at_k`.

    Returns
    -------
    numpy.ndarray of float, shape (prompts,)
        Unbiased estimates in [0, 1]: ``C(c, k) / C(n, k)``.

    Raises
    ------
    InputError, UsageError
        As in `pass_at_k`.

    References
    ----------
    Yao et al., "tau-bench: A Benchmark for Tool-Agent-User Interaction in Real-World Domains",
    arXiv 2406.12045 (2024), section 4.

    Examples
    --------
    >>> pass_hat_k(right=[5, 4, 0], total=5, k=2).round(3).tolist()
    [1.0, 0.6, 0.0]
    """
    return _all_chosen(*_check(right, total, k), k)


def flap_rates(*, right: ArrayLike, total: ArrayLike, k: int) -> Floats:
    """Chance that k generations are neither all right nor all wrong, for every prompt.

    Parameters
    ----------
    right, total, k
        As in `pass_at_k`. With all generations of a prompt as k it is 1 or 0: it flaps or not.

    Returns
    -------
    numpy.ndarray of float, shape (prompts,)
        Unbiased estimates in [0, 1]: pass@k - pass^k.

    Raises
    ------
    InputError, UsageError
        As in `pass_at_k`.

    Examples
    --------
    >>> flap_rates(right=[5, 4, 0], total=5, k=5).tolist()
    [0.0, 1.0, 0.0]
    """
    hits, totals = _check(right, total, k)
    # Exactly 0 where all generations agree.
    flaps: Floats = 1 - _all_chosen(totals - hits, totals, k) - _all_chosen(hits, totals, k)
    return np.clip(flaps, 0, 1)


def _all_chosen(marked: Counts, totals: Counts, k: int) -> Floats:
    """Chance that k of `totals` generations, drawn without return, are all marked."""
    chances = np.ones(marked.shape)
    for drawn in range(k):
        chances *= np.maximum(marked - drawn, 0) / (totals - drawn)
    return chances


def _check(right: ArrayLike, total: ArrayLike, k: int) -> tuple[Counts, Counts]:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise UsageError(f"expected k to be a whole number of at least 1, got {k!r}")
    hits = np.asarray(right)
    totals = np.broadcast_to(np.asarray(total), hits.shape)
    if hits.ndim != 1 or not all(np.issubdtype(one.dtype, np.integer) for one in (hits, totals)):
        raise InputError(
            f"expected whole numbers of right generations, one for each prompt, got an array of "
            f"shape {hits.shape} and type {hits.dtype}: pass a flat list of integers"
        )
    few = np.flatnonzero(totals < k)
    if few.size:
        raise InputError(
            f"expected at least k = {k} generations of every prompt, got {int(totals[few[0]])} "
            f"for prompt {int(few[0])}: choose a smaller k, or generate again"
        )
    wrong = np.flatnonzero((hits < 0) | (hits > totals))
    if wrong.size:
        raise InputError(
            f"expected right generations between 0 and all of them, got {int(hits[wrong[0]])} of "
            f"{int(totals[wrong[0]])} for prompt {int(wrong[0])}"
        )
    return hits.astype(np.int64), totals.astype(np.int64)
