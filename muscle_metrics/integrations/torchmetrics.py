"""Flip rates as torchmetrics: counters on the device, summed over processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from muscle_metrics.answers.reading.reading import with_answer
from muscle_metrics.errors import require
from muscle_metrics.flips.counting import count_flips
from muscle_metrics.flips.counts import FlipCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from muscle_metrics.answers.columns import Key, Missing

# Imported at the top, because the classes below are subclasses of torchmetrics.Metric.
require("torchmetrics", "torchmetrics")
from torchmetrics import Metric  # noqa: E402

__all__ = ["FlipRate", "InconsistencyFlipRate", "NegativeFlipRate", "PositiveFlipRate"]

CELLS = FlipCounts.__slots__


class FlipRate(Metric):  # type: ignore[misc]
    """Base of the flip rates: counts that add over batches and processes.

    Parameters
    ----------
    key : callable, optional
        Normalises answers and references before they are compared.
    answer : str, optional
        Readers of answers and references, such as "strip, casefold", after the key.
    missing : {"error", "wrong"}
        Whether a None or NaN answer is refused or counts as a wrong answer.
    **options
        Those of every `torchmetrics.Metric`.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False
    plot_lower_bound = 0.0
    plot_upper_bound = 1.0
    cells: torch.Tensor
    rate: ClassVar[str]

    def __init__(
        self,
        *,
        key: Key = None,
        answer: str | None = None,
        missing: Missing = "error",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.key = with_answer(key, answer)
        self.missing = missing
        zeros = require("torch", "torchmetrics").zeros(len(CELLS), dtype=int)
        self.add_state("cells", default=zeros, dist_reduce_fx="sum")

    def update(
        self,
        *,
        old: Sequence[Any] | torch.Tensor,
        new: Sequence[Any] | torch.Tensor,
        references: Sequence[Any] | torch.Tensor,
    ) -> None:
        """Count the flips of a batch.

        Parameters
        ----------
        old, new : sequence or tensor, shape (N,)
            Answers of the old and of the new model: classes, numbers or texts. N may be 0, because
            a process may have no items.
        references : sequence or tensor, shape (N,)
            The right answer of every item, or a list of accepted ones.

        Raises
        ------
        InputError
            If the columns cannot be compared.
        """
        if not (len(old) or len(new) or len(references)):
            return
        counts = count_flips(
            old=old, new=new, references=references, key=self.key, missing=self.missing
        )
        self.cells += self.cells.new_tensor([getattr(counts, name) for name in CELLS])

    def compute(self) -> torch.Tensor:
        """Rate over all batches of all processes; nan where its denominator is 0."""
        return self.cells.new_tensor(float(getattr(self.counts, self.rate)), dtype=self._dtype)

    @property
    def counts(self) -> FlipCounts:
        """Counts behind the rate, with every other rate and its interval.

        They are those of this process, until `sync` or `sync_context` gathers them.
        """
        return FlipCounts(**dict(zip(CELLS, self.cells.tolist(), strict=True)))

    def set_dtype(self, dst_type: torch.dtype) -> FlipRate:
        """Set the type of the computed rate; counts stay integers, exact beyond 2048.

        Parameters
        ----------
        dst_type : torch.dtype
            A floating type.
        """
        self._dtype = dst_type
        return self

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot one value or several, as every metric of torchmetrics does."""
        return self._plot(val, ax)


class NegativeFlipRate(FlipRate):
    """Share of all items that the old model got right and the new one gets wrong (NFR).

    Examples
    --------
    >>> metric = NegativeFlipRate()
    >>> metric.update(old=[1, 2], new=[1, 3], references=[1, 2])
    >>> metric.compute()
    tensor(0.5000)
    >>> print(metric.counts.negative_flip_rate)
    50.00% (1 of 2)
    """

    rate = "negative_flip_rate"


class PositiveFlipRate(FlipRate):
    """Share of all items that the old model got wrong and the new one gets right (PFR).

    Examples
    --------
    >>> metric = PositiveFlipRate()
    >>> metric(old=["A", "B"], new=["A", "C"], references=["A", "C"])
    tensor(0.5000)
    """

    higher_is_better = True
    rate = "positive_flip_rate"


class InconsistencyFlipRate(FlipRate):
    """Share of all items now wrong with an answer that differs from the old one (NFR_mc).

    Examples
    --------
    >>> metric = InconsistencyFlipRate()
    >>> metric(old=[1, 2], new=[3, 4], references=[1, 1])
    tensor(1.)
    """

    rate = "inconsistency_flip_rate"
