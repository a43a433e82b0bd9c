"""Runs that a command is given as a pipe, standard input or an address, as files for its time."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from muscle_metrics.cli.screen import working
from muscle_metrics.errors import UsageError
from muscle_metrics.runs.files.incoming import (
    STANDARD_INPUT,
    is_elsewhere,
    local_copy,
    shown_source,
)
from muscle_metrics.words.escape import visible

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

__all__ = ["given_name", "given_names_in", "local_inputs"]


@contextmanager
def local_inputs(options: argparse.Namespace) -> Iterator[None]:
    """Copy what is no file here, once: engines and recognisers may open it as often as they like.

    Parameters
    ----------
    options : argparse.Namespace
        Its ``runs``, ``run``, ``baseline`` and ``reference`` name copies in the body, and
        ``given_names`` maps these to what the user named.

    Raises
    ------
    FileError
        If one cannot be read.
    UsageError
        If standard input is named twice.
    """
    options.given_names = {}
    copies: dict[str, str] = {}
    with ExitStack() as stack:

        def local(source: str) -> str:
            if not is_elsewhere(source):
                return source
            if source in copies and source == STANDARD_INPUT:
                raise UsageError(
                    "expected standard input for one run, got '-' twice: name a file for the other"
                )
            if source in copies:
                # One file, so that whatever looks for one file twice finds it.
                return copies[source]
            with working(f"reading {shown_source(source)}"):
                copy = str(stack.enter_context(local_copy(source)))
            options.given_names[copy] = shown_source(source)
            copies[source] = copy
            return copy

        for name in ("run", "baseline", "reference"):
            if isinstance(getattr(options, name, None), str):
                setattr(options, name, local(getattr(options, name)))
        if hasattr(options, "runs"):
            options.runs = list(map(local, options.runs))
        yield


def given_name(options: argparse.Namespace, path: str) -> str:
    """Name that the user gave to a run."""
    return _given_names(options).get(path, path)


def given_names_in(options: argparse.Namespace, message: str) -> str:
    """Name in a message the runs as the user did, in place of their copies."""
    for copy, name in _given_names(options).items():
        message = message.replace(visible(copy), visible(name))
    return message


def _given_names(options: argparse.Namespace) -> dict[str, str]:
    names: dict[str, str] = getattr(options, "given_names", {})
    return names
