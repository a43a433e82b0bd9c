"""What a training run gives back, and how it is saved for others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelerate import PartialState

from muscle_metrics.adapter.checkpoints import write_json
from muscle_metrics.adapter.models import STUDENT
from muscle_metrics.adapter.training.card import write_card

if TYPE_CHECKING:
    import os

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.evaluation.selection import Standing

__all__ = ["CompatibleAdapter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompatibleAdapter:
    """A trained adapter, and how it stands.

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
        What was seen and decided, one sentence each.
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

        Parameters
        ----------
        folder : str or path
        """
        if not PartialState().is_main_process:
            return
        path = Path(folder)
        self.model.save_pretrained(path, selected_adapters=[STUDENT], save_embedding_layers=False)
        card = write_card(
            old=self.old,
            new=self.new,
            start=self.standings[0],
            best=self.best,
            config=self.config,
            notes=self.notes,
        )
        (path / "README.md").write_text(card, encoding="utf-8")
        write_json(
            path / "compatibility.json",
            {
                "config": asdict(self.config),
                "standings": [standing.to_dict() for standing in self.standings],
                "kept_epoch": self.best.epoch,
                "notes": self.notes,
            },
        )
