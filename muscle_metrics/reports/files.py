"""Write reports: files whole or not at all, pipes and devices through, "-" to standard output."""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from muscle_metrics.errors import UsageError
from muscle_metrics.runs.files.undoing import undone
from muscle_metrics.words.escape import shorten, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

__all__ = [
    "STANDARD_OUTPUT",
    "append_text",
    "check_target",
    "explained",
    "is_file",
    "is_standard_output",
    "write_text",
]

STANDARD_OUTPUT = "-"
"""Name of standard output; a file of this name is ``./-``."""

# Linux refuses longer chains of links too.
_MOST_LINKS = 40


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a file at once or not at all: a temporary file beside it, then a rename.

    A file that exists keeps its mode and, where permitted, its owner; a new one gets the mode that
    the umask leaves. A symbolic link stays, and its target is replaced. Of a hard link only this
    name is replaced. Pipes and devices, ``/dev/fd/N`` and ``-`` are written to as they are.

    Parameters
    ----------
    path : str or path
        Where to write; ``-`` is standard output.
    text : str
        The whole content, written as UTF-8.

    Raises
    ------
    UsageError
        If `path` is a folder, its folder is missing or not writable, or the disk is full.

    Examples
    --------
    >>> write_text("-", "PASS")
    PASS
    """
    name = os.fspath(path)
    with explained(name):
        descriptor = _descriptor(name)
        if descriptor is not None:
            _write_to(descriptor, text)
        elif _is_stream(name):
            _write_all(os.open(name, os.O_WRONLY), text.encode())
        else:
            _replace(os.path.realpath(name), text)


def append_text(path: str | os.PathLike[str], text: str) -> None:
    """Append text to a file, all of it or nothing; pipes and devices are written to as they are.

    Raises
    ------
    UsageError
        If the file cannot be written, or the disk is full.
    """
    name = os.fspath(path)
    with explained(name):
        if _descriptor(name) is not None or _is_stream(name):
            write_text(name, text)
            return
        with open(name, "ab", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            left = memoryview(text.encode())
            whole = False
            with undone(lambda: None if whole else _cut(file, end)):
                while left:
                    left = left[file.write(left) :]
                os.fsync(file.fileno())
                whole = True


def check_target(path: str | os.PathLike[str]) -> None:
    """Refuse, before any work, a path that could not be written after it.

    Raises
    ------
    UsageError
        If `path` is a folder, or its folder is missing.
    """
    name = os.fspath(path)
    with explained(name):
        if _descriptor(name) is not None:
            return
        if not name or os.path.isdir(name):
            raise _error(errno.EISDIR)
        if not os.path.isdir(os.path.dirname(os.path.realpath(name))):
            raise _error(errno.ENOENT)
        with suppress(FileNotFoundError):
            # Links that form a loop, and names that are too long.
            os.stat(name)


def is_standard_output(path: str | os.PathLike[str]) -> bool:
    """Whether a path names standard output, as ``-`` and ``/dev/stdout`` do.

    Examples
    --------
    >>> is_standard_output("-"), is_standard_output("./-")
    (True, False)
    """
    return _descriptor(os.fspath(path)) == 1


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path names a regular file, or one that does not exist yet.

    Examples
    --------
    >>> is_file("new.html"), is_file("-")
    (True, False)
    """
    name = os.fspath(path)
    return _descriptor(name) is None and not _is_stream(name)


def _replace(target: str, text: str) -> None:
    """Replace a regular file, or make a new one."""
    old = os.stat(target) if os.path.lexists(target) else None
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise _error(errno.EISDIR)
    if old is not None and not os.access(target, os.W_OK):
        # A rename would replace a file that its owner has protected from writing.
        raise _error(errno.EACCES)
    mode = 0o666 if old is None else stat.S_IMODE(old.st_mode) & 0o777
    temporary = os.path.join(
        os.path.dirname(target) or ".", f".muscle-metrics.{secrets.token_hex(8)}"
    )
    # With the final mode from the start: the content is never open to more people than it will be.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with undone(lambda: _unlink(temporary)):
        if old is not None:
            _take_over(descriptor, old, mode)
        _write_all(descriptor, text.encode(), sync=True)
        os.replace(temporary, target)


def _cut(file: FileIO, end: int) -> None:
    file.truncate(end)


def _unlink(path: str) -> None:
    # The error of the write is the one to show.
    with suppress(OSError):
        os.unlink(path)


def _take_over(descriptor: int, old: os.stat_result, mode: int) -> None:
    """Give a new file the owner and the mode of the one that it will replace."""
    # Only root may give a file away, and Windows has neither function.
    with suppress(OSError, AttributeError):
        os.fchown(descriptor, old.st_uid, old.st_gid)
    # After the owner, whose change resets some bits; and whatever the umask is.
    with suppress(AttributeError):
        os.fchmod(descriptor, mode)


def _write_to(descriptor: int, text: str) -> None:
    """Write to a descriptor that this process holds, after what Python has buffered for it."""
    streams = {1: sys.stdout, 2: sys.stderr}
    if descriptor not in streams:
        _write_all(os.dup(descriptor), text.encode())
        return
    stream = streams[descriptor]
    if stream is None:
        raise _error(errno.EBADF)
    # The bytes of a report must not depend on the encoding of a terminal.
    if buffer := getattr(stream, "buffer", None):
        stream.flush()
        buffer.write(text.encode())
        buffer.flush()
    else:
        stream.write(text)
        stream.flush()


def _write_all(descriptor: int, data: bytes, *, sync: bool = False) -> None:
    """Write all bytes and close the descriptor."""
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if sync:
            os.fsync(file.fileno())


def _descriptor(name: str) -> int | None:
    """Descriptor of this process that a path names, such as 1 for ``-`` and ``/dev/stdout``.

    To open such a path anew would cut off what was written to the descriptor before.
    """
    if name == STANDARD_OUTPUT:
        return 1
    descriptors = os.path.realpath("/dev/fd")
    for _ in range(_MOST_LINKS):
        folder, last = os.path.split(name)
        if last.isdecimal() and os.path.realpath(folder or ".") == descriptors:
            return int(last)
        if not os.path.islink(name):
            return None
        name = os.path.join(folder, os.readlink(name))
    return None


def _is_stream(name: str) -> bool:
    """Whether a path is there and is neither a regular file nor a folder."""
    try:
        mode = os.stat(name).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _error(code: int) -> OSError:
    return OSError(code, os.strerror(code))


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Name the output in the error of a write.

    Raises
    ------
    UsageError
        In place of an OSError.
    """
    try:
        yield
    except (BrokenPipeError, UsageError):
        # The reader closed the pipe, as `| head` does: the command line ends quietly.
        raise
    except (OSError, ValueError) as error:
        # A name with a NUL is a ValueError.
        shown = "standard output" if name == STANDARD_OUTPUT else f"'{shorten(visible(name), 300)}'"
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"expected to write {shown}, got {reason}: "
            f"give a file in a folder that exists and can be written"
        ) from error
