"""Folders for temporary files: private, locked while in use, swept where their owner was killed.

The lock is on the folder itself, and the kernel drops it when the owner dies. So a sweep needs no
process numbers, which are given out again and differ between containers.
"""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import sys
import tempfile
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from muscle_metrics.runs.files.undoing import undone

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["scratch_folder", "sweep"]

NAME = re.compile(r"muscle-metrics-([0-9a-f]{8})-[0-9a-f]{8}")
# Threads of a database may add files to a folder while it is removed.
_TRIES = 20


@contextmanager
def scratch_folder(parent: str | None = None) -> Iterator[str]:
    """Make a folder that only this user can read, and remove it after the body.

    Folders that killed processes left are removed first.

    Parameters
    ----------
    parent : str, optional
        Where to make it; by default the system's folder for temporary files.

    Yields
    ------
    str
        Its path.

    Raises
    ------
    OSError
        If no folder can be made there.

    Examples
    --------
    >>> with scratch_folder() as folder:
    ...     os.listdir(folder)
    []
    >>> os.path.exists(folder)
    False
    """
    parent = parent or tempfile.gettempdir()
    sweep(parent)
    folder, lock = _make(parent)
    try:
        with undone(partial(_remove, folder)):
            yield folder
    finally:
        if lock is not None:
            os.close(lock)


def sweep(parent: str | None = None) -> None:
    """Remove the folders of this user that killed processes left on this machine.

    A folder stays if a living process holds its lock, if another user owns it, or if its name is
    none that `scratch_folder` gives. `parent` is as there.

    Examples
    --------
    >>> with scratch_folder() as folder:
    ...     sweep()
    ...     os.path.exists(folder)
    True
    """
    parent = parent or tempfile.gettempdir()
    with suppress(OSError):
        for name in os.listdir(parent):
            found = NAME.fullmatch(name)
            if found and found[1] == _machine():
                _sweep_one(os.path.join(parent, name))


def _sweep_one(folder: str) -> None:
    with suppress(OSError):
        lock = _lock(folder)
        if lock is not None:
            _remove(folder)
            os.close(lock)


def _make(parent: str) -> tuple[str, int | None]:
    """Make a folder and lock it; no lock where the file system has none."""
    while True:
        name = f"muscle-metrics-{_machine()}-{secrets.token_hex(4)}"
        folder = os.path.join(parent, name)
        try:
            os.mkdir(folder, 0o700)
            return folder, _lock(folder)
        except (BlockingIOError, FileExistsError, FileNotFoundError):
            # A sweep may take a new folder before it is locked: make another.
            if not os.path.isdir(parent):
                raise


def _lock(folder: str) -> int | None:
    """Lock a folder of this user, and return the descriptor that holds the lock.

    Raises
    ------
    OSError
        If a process holds the lock, the folder is gone, or it is a link or another user's.
    """
    if sys.platform == "win32":
        # Windows cannot lock a folder: nothing is swept there.
        return None
    import fcntl

    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        locked = os.fstat(lock)
        if locked.st_uid != os.geteuid():
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        if not os.path.samestat(locked, os.lstat(folder)):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    except OSError as error:
        os.close(lock)
        # A file system without locks: a sweep cannot lock the folder either, and leaves it.
        if error.errno in (errno.ENOSYS, errno.ENOTSUP, errno.EBADF, errno.ENOLCK):
            return None
        raise
    return lock


def _remove(folder: str) -> None:
    for _ in range(_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.lexists(folder):
            return


@cache
def _machine() -> str:
    """Short name of this machine since its start.

    A disk may be shared with machines that the locks do not reach.
    """
    try:
        name = Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        name = platform.node().encode()
    return hashlib.sha256(name).hexdigest()[:8]
