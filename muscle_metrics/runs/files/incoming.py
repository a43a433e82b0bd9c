"""Runs that are no files here: standard input, pipes and addresses, copied once to be read."""

from __future__ import annotations

import os
import re
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from muscle_metrics.errors import FileError, MissingDependencyError, MuscleMetricsError, require
from muscle_metrics.runs.files.scratch import scratch_folder
from muscle_metrics.words.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["STANDARD_INPUT", "is_elsewhere", "local_copy", "naming", "shown_source"]

STANDARD_INPUT = "-"

_BLOCK = 1 << 20

_REMOTE = re.compile(r"(s3|gs|az|https?|hf)://", re.IGNORECASE)
_SCHEMES = "s3://, gs://, az://, https:// or hf://"


def is_elsewhere(source: str | os.PathLike[str]) -> bool:
    """Whether a run must be copied before it is read: recognising a format opens a file twice.

    Examples
    --------
    >>> is_elsewhere("-"), is_elsewhere("https://example.org/v1.jsonl"), is_elsewhere("v1.jsonl")
    (True, True, False)
    """
    name = os.fspath(source)
    return name == STANDARD_INPUT or bool(_REMOTE.match(name)) or _is_pipe(name)


def shown_source(source: str | os.PathLike[str]) -> str:
    """Name of a run in messages and reports: an address without password, query and fragment.

    Examples
    --------
    >>> shown_source("https://me:secret@example.org/v1.jsonl?token=abc")
    'https://example.org/v1.jsonl'
    """
    name = os.fspath(source)
    if not _REMOTE.match(name):
        return name
    parts = urlsplit(name)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextmanager
def local_copy(source: str | os.PathLike[str]) -> Iterator[Path]:
    """Copy what a pipe, standard input or an address gives, for the body.

    Parameters
    ----------
    source : str or path
        One that `is_elsewhere`.

    Yields
    ------
    Path
        The copy, which has the name of the source.

    Raises
    ------
    FileError
        If it cannot be read to its end, or its copy cannot be written.
    MissingDependencyError
        If it is an address and fsspec, or its package for the address, is not installed.
    """
    name = os.fspath(source)
    with scratch_folder() as folder:
        copy = Path(folder, _name_of(name))
        try:
            with copy.open("wb") as file:
                for block in _blocks(name):
                    file.write(block)
        except OSError as error:
            raise FileError(
                f"{visible(shown_source(name))}: expected room for a copy in the folder for "
                f"temporary files, got the error {error.strerror!r}: free some, or name another "
                f"with TMPDIR"
            ) from error
        with naming({str(copy): shown_source(name)}):
            yield copy


@contextmanager
def naming(names: dict[str, str]) -> Iterator[None]:
    """Name sources in place of their copies in every error of the body."""
    try:
        yield
    except MuscleMetricsError as error:
        for copy, name in names.items():
            error.message = error.message.replace(visible(copy), visible(name))
            error.args = (error.message,)
        raise


def _is_pipe(name: str) -> bool:
    try:
        mode = os.stat(name).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _name_of(name: str) -> str:
    """File name of the copy: that of the source tells CSV from TSV, and names the run."""
    if name == STANDARD_INPUT or _is_pipe(name):
        return "stdin" if name in {STANDARD_INPUT, "/dev/stdin"} else "pipe"
    # Untrusted: no part of it may lead out of the folder.
    last = urlsplit(name).path.rstrip("/").rpartition("/")[2]
    return re.sub(r"[^\w.-]", "_", last).lstrip(".")[-100:] or "run"


def _blocks(name: str) -> Iterator[bytes]:
    """Bytes of a source. Errors of the file that they are written to do not pass through here."""
    with _explained(name), _open(name) as content:
        while block := content.read(_BLOCK):
            yield block


@contextmanager
def _open(name: str) -> Iterator[IO[bytes]]:
    if name == STANDARD_INPUT:
        if sys.stdin is None or sys.stdin.isatty():
            raise FileError(
                "-: expected rows on standard input, got a terminal or a closed stream: pipe "
                "them in, as in cat run.jsonl | muscle-metrics compare old.jsonl -"
            )
        yield sys.stdin.buffer
    elif _REMOTE.match(name):
        opened: Any = require("fsspec", "remote").open(name, "rb")
        with opened as content:
            yield content
    else:
        with open(name, "rb") as content:
            yield content


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Raise the error of a source in the words of this package; those of fsspec are of any type."""
    shown = visible(shown_source(name))
    try:
        yield
    except MuscleMetricsError:
        raise
    except ImportError as error:
        package = visible(str(error).partition("\n")[0])
        raise MissingDependencyError(
            f"{shown}: expected the packages that read this address, got {package!r}: "
            f"pip install 'muscle-metrics[remote]' for https://, s3fs for s3://, gcsfs for gs://, "
            f"adlfs for az://, huggingface_hub for hf://"
        ) from error
    except Exception as error:
        reason = visible(str(error).partition("\n")[0].replace(name, shown)) or type(error).__name__
        raise FileError(
            f"{shown}: expected a file that can be read to its end, got the error {reason!r}: "
            f"check the address and the rights, or fetch it to a file first"
        ) from error
