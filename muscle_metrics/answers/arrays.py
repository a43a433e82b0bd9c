"""One flat column from a list or from an array of any library, without importing any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from muscle_metrics.errors import InputError

__all__ = ["Values", "flat_column", "shown"]

Values: TypeAlias = Sequence[Any] | npt.ArrayLike


def flat_column(values: Values, name: str) -> Sequence[Any] | npt.NDArray[Any]:
    """Turn a list, a tuple, or an array of numpy, pandas, pyarrow or torch into a flat column.

    Parameters
    ----------
    values : sequence or array, shape (N,)
        The column.
    name : str
        Name of the column in error messages.

    Returns
    -------
    list, tuple or numpy.ndarray, shape (N,)
        Missing values of pandas or pyarrow are None.

    Raises
    ------
    InputError
        If `values` is not a flat, non-empty column.
    """
    if isinstance(values, (str, bytes)):
        raise InputError(
            f"expected one answer per item in {name}, got one string {shown(values)}: "
            f"pass a list of answers"
        )
    flat = _from_library(values, name)
    if not isinstance(flat, (list, tuple, np.ndarray)):
        raise InputError(
            f"expected {name} to be a list, tuple or array of answers, got "
            f"{type(values).__name__}: pass a list, with one answer per item"
        )
    if isinstance(flat, np.ndarray) and flat.ndim != 1:
        raise InputError(
            f"expected {name} to have one dimension, got shape {flat.shape}: pass one answer per "
            f"item, and several accepted references as a list of lists"
        )
    if len(flat) == 0:
        raise InputError(f"expected at least one answer in {name}, got none: pass the answers")
    return flat


def _from_library(values: Any, name: str) -> Any:
    # The library is recognised by name: importing pandas only to compare types is slow.
    library = type(values).__module__.partition(".")[0]
    if library == "pandas":
        # Look at the type: on a Series, `columns` may be a label of its index.
        if hasattr(type(values), "columns") or hasattr(type(values), "levels"):
            raise _not_one_column(values, name)
        absent = values.isna()
        return values.to_numpy(dtype=object, na_value=None) if absent.any() else values.to_numpy()
    if library == "pyarrow":
        if not hasattr(values, "null_count"):
            raise _not_one_column(values, name)
        return values.to_pylist() if values.null_count else values.to_numpy(zero_copy_only=False)
    if library == "torch":
        tensor = values.detach().cpu()
        if str(tensor.layout) != "torch.strided":
            raise InputError(
                f"expected {name} to be a dense tensor, got one of layout {tensor.layout}: "
                f"pass its .to_dense()"
            )
        # numpy lacks bfloat16 and the 8-bit floats; float32 holds their values exactly.
        short = tensor.dtype.is_floating_point and tensor.dtype.itemsize < 4
        return (tensor.float() if short else tensor).numpy()
    # Test `mask` first: the name `np.ma` makes numpy load that module.
    if hasattr(values, "mask") and isinstance(values, np.ma.MaskedArray):
        return values.tolist()
    return np.asarray(values) if hasattr(values, "__array__") else values


def _not_one_column(values: Any, name: str) -> InputError:
    return InputError(
        f"expected {name} to be one column, got a {type(values).__name__}: select one column"
    )


def shown(value: Any) -> str:
    """Write a value as Python would, in at most 40 characters."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
