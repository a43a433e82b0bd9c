"""Folders of weights from elsewhere: safetensors and JSON are read, pickles are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PICKLES", "check_no_pickle"]

# Formats that may run code when they are loaded.
PICKLES = frozenset(
    {".bin", ".ckpt", ".dill", ".joblib", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth"}
)


def check_no_pickle(folder: Path) -> None:
    """Refuse a folder with files that may hold a pickle, without opening any.

    Raises
    ------
    InputError
        If there is one.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     check_no_pickle(Path(folder))
    """
    pickles = sorted(path.name for path in folder.rglob("*") if path.suffix.lower() in PICKLES)
    if pickles:
        raise InputError(
            f"expected only safetensors and JSON in {str(folder)!r}, got {pickles}: such files may "
            "run code when they are loaded; save the weights again as safetensors and remove them"
        )
