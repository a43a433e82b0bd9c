"""Checkpoints that may be resumed from: complete, unchanged, and of the same run.

torch saves the state of an optimizer as a pickle. It is loaded with `weights_only`, which runs no
code, and only from a folder whose manifest lists every file with its hash. The manifest is written
last, so an incomplete checkpoint has none.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "MANIFEST",
    "check_manifest",
    "fingerprint",
    "newest_checkpoint",
    "write_json",
    "write_manifest",
    "write_whole",
]

MANIFEST = "manifest.json"


def write_json(path: Path, content: object) -> None:
    """Write a JSON file whole or not at all."""
    write_whole(path, json.dumps(content, indent=1) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def fingerprint(model: Any) -> str:
    """Hash of a model: of the names and sums of its tensors."""
    sums = {name: values.double().sum().item() for name, values in model.state_dict().items()}
    return hashlib.sha256(repr(sorted(sums.items())).encode()).hexdigest()


def write_manifest(folder: Path, recipe: str) -> None:
    """List every file of a folder with its hash: the last file that is written there.

    `recipe` is a hash of the settings and data of the run.
    """
    write_json(folder / MANIFEST, {"version": 1, "recipe": recipe, "files": _hashes(folder)})


def check_manifest(folder: Path, recipe: str) -> None:
    """Refuse a checkpoint that is not complete, not as it was written, or of another run.

    Raises
    ------
    InputError
        If there is no manifest, a file is missing, changed or not listed, or the recipe differs.
    """
    try:
        manifest: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files, of = dict(manifest["files"]), manifest["recipe"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"expected a manifest that this package wrote in {str(folder)!r}, got "
            f"{type(error).__name__}: resume only from checkpoints of your own runs"
        ) from error
    found = _hashes(folder)
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


def newest_checkpoint(output: Path) -> Path | None:
    """Find the last complete checkpoint; incomplete ones are skipped."""
    checkpoints = sorted(
        (int(path.name.partition("-")[2]), path)
        for path in output.glob("checkpoint-*")
        if path.name.partition("-")[2].isdigit() and path.is_dir() and not path.is_symlink()
    )
    complete = [path for _, path in checkpoints if (path / MANIFEST).is_file()]
    return complete[-1] if complete else None


def _hashes(folder: Path) -> dict[str, str]:
    hashes = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        # The target of a link may change after it was hashed.
        if path.is_symlink():
            hashes[name] = "link"
        elif path.is_file() and name != MANIFEST:
            with path.open("rb") as file:
                hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes
