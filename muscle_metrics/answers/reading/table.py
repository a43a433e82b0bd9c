"""The one table of answer readers: what ``--answer NAME`` may name."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from muscle_metrics.answers.reading import (
    blocks,
    letters,
    maths,
    numbers,
    pattern,
    plain,
    structure,
    yes_no,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from muscle_metrics.answers.reading.reader import Reader

__all__ = ["ANSWER_READERS"]

_FILES = (plain, blocks, yes_no, numbers, letters, structure, maths, pattern)

ANSWER_READERS: Final[Mapping[str, Reader]] = MappingProxyType(
    {reader.name: reader for file in _FILES for reader in file.READERS}
)
"""Readers by name, by file, the mildest first."""
