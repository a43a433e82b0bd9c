"""Everything that can go wrong, as one tree.

::

    MuscleMetricsError
    ├── InputError (ValueError)          the data cannot be compared
    │   ├── PairingError                 two runs do not hold the same items
    │   └── FileError                    a file cannot be read as what it claims to be
    ├── UsageError (ValueError)          an option is unknown, out of range or contradicts another
    ├── TrainingError (RuntimeError)     training cannot go on
    └── MissingDependencyError (ImportError)   an optional package is not installed

Every message is one line, in lower case: what was expected, what was given, what to do.
"""

from __future__ import annotations

__all__ = [
    "FileError",
    "InputError",
    "MissingDependencyError",
    "MuscleMetricsError",
    "PairingError",
    "TrainingError",
    "UsageError",
]


class MuscleMetricsError(Exception):
    """Root of every error this package raises on purpose."""


class InputError(MuscleMetricsError, ValueError):
    """The data cannot be compared as they are."""


class PairingError(InputError):
    """Two runs do not hold the same items."""


class FileError(InputError):
    """A file cannot be read as what it claims to be."""


class UsageError(MuscleMetricsError, ValueError):
    """An option is unknown, out of range, or contradicts another."""


class TrainingError(MuscleMetricsError, RuntimeError):
    """Training cannot go on."""


class MissingDependencyError(MuscleMetricsError, ImportError):
    """An optional package is needed and not installed."""
