"""Checkpoints that may be resumed from: complete, unchanged, and of the same run.

torch saves the state of an optimizer as a pickle. It is loaded with `weights_only`, which runs no
code, and only from a folder whose manifest lists every file with its hash. The manifest is written
last, so an incomplete checkpoint has none.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import InputError
from muscle_metrics.reports.files import explained, write_text
from muscle_metrics.runs.files.undoing import undone

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MANIFEST",
    "check_kept",
    "check_manifest",
    "fingerprint",
    "hash_file",
    "hash_files",
    "newest_checkpoint",
    "replaced_files",
    "write_json",
    "write_manifest",
]

MANIFEST = "manifest.json"


def write_json(path: Path, content: object) -> None:
    """Write a JSON file whole or not at all.

    Raises
    ------
    UsageError
        If it cannot be written, or the disk is full.
    """
    write_text(path, json.dumps(content, indent=1) + "\n")


@contextmanager
def replaced_files(folder: Path, *, last: str) -> Iterator[Path]:
    """Give an empty folder for new files, and put them into `folder` once all are on the disk.

    A reader needs the file `last`: it is removed first and put there last.

    Raises
    ------
    UsageError
        If a file cannot be written, or the disk is full.
    """
    with explained(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=".muscle-metrics.", dir=folder))
        with undone(partial(shutil.rmtree, staged, ignore_errors=True)):
            yield staged
            files = sorted(staged.iterdir(), key=lambda path: path.name == last)
            for path in files:
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            (folder / last).unlink(missing_ok=True)
            for path in files:
                path.replace(folder / path.name)


def fingerprint(model: Any) -> str:
    """Hash of a model: of the names and sums of its tensors."""
    sums = {name: values.double().sum().item() for name, values in model.state_dict().items()}
    return hashlib.sha256(repr(sorted(sums.items())).encode()).hexdigest()


def write_manifest(folder: Path, recipe: str, kept: str | None) -> None:
    """List every file of a folder with its hash: the last file that is written there.

    `recipe` is a hash of the settings and data of the run, and `kept` that of the weights that are
    the best so far, which are in another folder.
    """
    content = {"recipe": recipe, "kept": kept, "files": hash_files(folder, besides=MANIFEST)}
    write_json(folder / MANIFEST, {"version": 2, **content})


def check_manifest(folder: Path, recipe: str) -> str | None:
    """Refuse a checkpoint that is not complete, not as it was written, or of another run.

    Returns
    -------
    str or None
        Hash of the best weights so far.

    Raises
    ------
    InputError
        If there is no manifest, a file is missing, changed or not listed, or the recipe differs.
    """
    try:
        manifest: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files, of, kept = dict(manifest["files"]), manifest["recipe"], manifest["kept"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"expected a manifest that this package wrote in {str(folder)!r}, got "
            f"{type(error).__name__}: resume only from checkpoints of your own runs"
        ) from error
    found = hash_files(folder, besides=MANIFEST)
    wrong = sorted(name for name in {*files, *found} if files.get(name) != found.get(name))
    if wrong:
        raise InputError(
            f"expected the files of {str(folder)!r} as its manifest lists them, got {wrong} "
            "missing, changed or added: resume from another checkpoint"
        )
    if of != recipe:
        raise InputError(
            f"expected a checkpoint of the same settings and data in {str(folder)!r}, got another "
            "run's: train into a new folder"
        )
    return None if kept is None else str(kept)


def check_kept(file: Path, kept: str | None) -> None:
    """Refuse best weights that are not those which a checkpoint was written with.

    Raises
    ------
    InputError
        If they are missing, changed or behind a link.
    """
    if kept is None or hash_files(file.parent, besides="").get(file.name) != kept:
        raise InputError(
            f"expected the weights that the checkpoint names in {str(file)!r}, got them missing "
            "or changed: resume from another checkpoint, or train into a new folder"
        )


def newest_checkpoint(output: Path) -> Path | None:
    """Find the last complete checkpoint; incomplete ones are skipped."""
    checkpoints = sorted(
        (int(path.name.partition("-")[2]), path)
        for path in output.glob("checkpoint-*")
        if path.name.partition("-")[2].isdigit() and path.is_dir() and not path.is_symlink()
    )
    complete = [path for _, path in checkpoints if (path / MANIFEST).is_file()]
    return complete[-1] if complete else None


def hash_files(folder: Path, *, besides: str) -> dict[str, str]:
    """Hash of every file of a folder by its name, but of the file `besides`."""
    hashes = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        # The target of a link may change after it was hashed.
        if path.is_symlink() or folder.is_symlink():
            hashes[name] = "link"
        elif path.is_file() and name != besides:
            hashes[name] = hash_file(path)
    return hashes


def hash_file(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
