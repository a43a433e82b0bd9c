"""The result of a training run, saved with a model card."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelerate import PartialState
from peft.utils import CONFIG_NAME

from muscle_metrics.adapter.checkpoints import replaced_files, write_json
from muscle_metrics.adapter.models import STUDENT
from muscle_metrics.words.escape import markdown

if TYPE_CHECKING:
    import os

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.evaluation.selection import Standing

__all__ = ["CompatibleAdapter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatibleAdapter:
    """A trained adapter with its results on the validation items.

    Parameters
    ----------
    model : peft.PeftModel
        The new model with the adapter of the epoch that was kept.
    tokenizer : transformers tokenizer
    standings : tuple of Standing
        Of every epoch on the validation items; the first is the new model as it was.
    best : Standing
        Of the epoch that was kept.
    config : CompatibilityConfig
    notes : tuple of str
        Findings and decisions of the run, one sentence each.
    old, new : str
        Names of the base models.
    """

    model: Any
    tokenizer: Any
    standings: tuple[Standing, ...]
    best: Standing
    config: CompatibilityConfig
    notes: tuple[str, ...]
    old: str
    new: str

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Save a PEFT adapter, as safetensors and JSON, with a model card.

        It loads with ``PeftModel.from_pretrained(base, folder)``, without this package. Of several
        processes that trained it together only the first one writes.

        Every file is written whole or not at all. While files of an earlier adapter are replaced,
        there is no ``adapter_config.json``, so that no mixture of both can be loaded.

        Parameters
        ----------
        folder : str or path

        Raises
        ------
        UsageError
            If a file cannot be written, or the disk is full.
        """
        if not PartialState().is_main_process:
            return
        with replaced_files(Path(folder), last=CONFIG_NAME) as path:
            self.model.save_pretrained(
                path, selected_adapters=[STUDENT], save_embedding_layers=False
            )
            (path / "README.md").write_text(_card(self), encoding="utf-8")
            write_json(
                path / "compatibility.json",
                {
                    "config": asdict(self.config),
                    "standings": [standing.to_dict() for standing in self.standings],
                    "kept_epoch": self.best.epoch,
                    "notes": self.notes,
                },
            )


def _card(result: CompatibleAdapter) -> str:
    """Model card in Markdown: before and after on the validation items."""
    old, new = markdown(result.old), markdown(result.new)
    start, best, config = result.standings[0], result.best, result.config
    rows = [
        ("accuracy", start.accuracy, best.accuracy),
        ("negative flips", start.negative_flip_rate, best.negative_flip_rate),
        ("positive flips", start.positive_flip_rate, best.positive_flip_rate),
    ]
    lines = [
        "---",
        "library_name: peft",
        # A JSON string is a YAML string.
        f"base_model: {json.dumps(result.new)}",
        "tags: [compatibility, muscle-metrics]",
        "---",
        "# Compatibility adapter",
        "",
        f"It fits {new} to its task and keeps the right answers of {old}.",
        "",
        f"| on {start.items} validation items | before | after |",
        "|---|---|---|",
        *(f"| {name} | {before:.2%} | {after:.2%} |" for name, before, after in rows),
        "",
        f"Before is the new model as it was, after is epoch {best.epoch:g}, which was chosen on "
        "these items; rates on other items will be less favourable. Flips are counted against the "
        "old model: a negative flip is an item that it got right and this model gets wrong.",
        "",
        f"Strategy {config.strategy}, temperature {config.temperature:g}, seed {config.seed}.",
        "",
        *(f"- {markdown(note)}" for note in result.notes),
    ]
    return "\n".join(lines) + "\n"
