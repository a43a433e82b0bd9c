"""A training run as a TOML file: two models, the data, where to save, and settings."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from muscle_metrics.adapter.config import CompatibilityConfig
from muscle_metrics.adapter.models import TaskModel
from muscle_metrics.errors import UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Mapping

__all__ = ["Recipe", "read_recipe"]

MODEL_KEYS = ("model", "adapter", "tokenizer", "revision")
DATA_KEYS = ("train", "validation", "replay")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Arguments of `train_compatibility_adapter`.

    Parameters
    ----------
    old, new : TaskModel
    train : Path
    validation, replay : Path, optional
    output : Path
        Folder of the run; the adapter is saved in its folder ``adapter``.
    config : CompatibilityConfig
    arguments : dict
        Of `transformers.TrainingArguments`.
    """

    old: TaskModel
    new: TaskModel
    train: Path
    validation: Path | None
    replay: Path | None
    output: Path
    config: CompatibilityConfig
    arguments: dict[str, Any]


def read_recipe(path: str | os.PathLike[str]) -> Recipe:
    r"""Read a recipe; paths in it are relative to its folder.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Recipe

    Raises
    ------
    UsageError
        If the file cannot be read, a key is unknown or missing, or a value is impossible.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "recipe.toml")
    ...     lines = ['output = "run"', 'old.model = "v1"', 'new.model = "v2"']
    ...     lines += ['data.train = "train.jsonl"', "config.epochs = 3"]
    ...     _ = file.write_text(chr(10).join(lines))
    ...     read_recipe(file).config.epochs
    3
    """
    file = Path(path)
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"expected a recipe in TOML in {str(file)!r}, got {error}: see 'adapter train --help'"
        ) from error
    _check_keys("", content, ("output", "old", "new", "data", "config", "arguments"))
    tables = {name: _table(content, name) for name in ("old", "new", "data", "config", "arguments")}
    data = tables["data"]
    _check_keys("data.", data, DATA_KEYS)
    places = {name: file.parent / _text(f"data.{name}", data[name]) for name in data}
    if "train" not in places:
        raise UsageError(f"expected data.train in {str(file)!r}, got none: name a JSON Lines file")
    return Recipe(
        old=_model("old", tables["old"], file.parent),
        new=_model("new", tables["new"], file.parent),
        train=places["train"],
        validation=places.get("validation"),
        replay=places.get("replay"),
        output=file.parent / _text("output", content.get("output")),
        config=_config(tables["config"]),
        arguments=dict(tables["arguments"]),
    )


def _table(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"expected {name} to be a table, got {table!r}: write [{name}]")
    return table


def _check_keys(prefix: str, given: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {prefix}{near[0]}?" if near else f"known are {known}"
            raise UsageError(f"expected keys of a recipe, got {prefix + name!r}: {hint}")


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise UsageError(f"expected {name} to be a text, got {value!r}: name a file or folder")
    return value


def _model(name: str, table: Mapping[str, Any], folder: Path) -> TaskModel:
    _check_keys(f"{name}.", table, MODEL_KEYS)
    texts = {key: _text(f"{name}.{key}", table.get(key)) for key in {"model", *table}}

    def place(key: str) -> str | None:
        # The name of a model on the hub is no folder beside the recipe.
        text = texts.get(key)
        return str(folder / text) if text is not None and (folder / text).exists() else text

    adapter = texts.get("adapter")
    return TaskModel(
        place("model"),
        None if adapter is None else folder / adapter,
        place("tokenizer"),
        texts.get("revision"),
    )


def _config(table: Mapping[str, Any]) -> CompatibilityConfig:
    hints = get_type_hints(CompatibilityConfig)
    _check_keys("config.", table, [field.name for field in fields(CompatibilityConfig)])
    settings: dict[str, Any] = {}
    for name, value in table.items():
        if name == "stop":
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise UsageError(
                    f"expected config.stop to be a list of texts, got {value!r}: write ['\\n']"
                )
            settings[name] = tuple(value)
            continue
        wanted = _plain_type(hints[name])
        if wanted is float and type(value) is int:
            value = float(value)
        # Not isinstance: a boolean is an int to Python.
        if type(value) is not wanted:
            raise UsageError(
                f"expected config.{name} to be {WORDS[wanted]}, got {value!r}: check its type"
            )
        settings[name] = value
    return CompatibilityConfig(**settings)


WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def _plain_type(kind: Any) -> type:
    for wanted in (bool, int, float):
        if kind in (wanted, wanted | None):
            return wanted
    return str
