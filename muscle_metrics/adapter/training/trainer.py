"""The trainer: transformers' own loop around the compatibility loss, with flips of each epoch."""

from __future__ import annotations

import hashlib
import json
import math
import pickle
import shutil
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from accelerate.utils import broadcast_object_list
from peft import set_peft_model_state_dict
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from muscle_metrics.adapter.checkpoints import (
    check_kept,
    check_manifest,
    fingerprint,
    hash_file,
    newest_checkpoint,
    write_json,
    write_manifest,
)
from muscle_metrics.adapter.data.examples import GoldAndReplay, collate, padding_token
from muscle_metrics.adapter.evaluation.selection import Standing, choose_standing, measure_standing
from muscle_metrics.adapter.models import STUDENT
from muscle_metrics.adapter.teachers.distillation import Distillation, count_tokens
from muscle_metrics.errors import InputError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.data.examples import EncodedExample
    from muscle_metrics.adapter.evaluation.evaluate import Evaluate
    from muscle_metrics.adapter.loss.losses import LossParts

__all__ = ["CompatibilityTrainer", "training_arguments"]

STANDINGS, WEIGHTS = "standings.json", "adapter_model.safetensors"


class CompatibilityTrainer(Trainer):
    """Train the student of a `Distillation`; keep the best epoch.

    Parameters
    ----------
    distillation : Distillation
    config : CompatibilityConfig
    tokenizer : transformers tokenizer
    gold, replayed, validation : sequence of EncodedExample
        Data of the loss; validation only for its value per epoch.
    evaluate_items : callable
        From a model and its tokenizer to one score per validation item.
    old_scores : sequence of float
        Scores of the old model on the same items.
    arguments : transformers.TrainingArguments
        As `training_arguments` makes them. The weights of kept epochs are in the folder ``epochs``
        of their output folder.
    say : callable, optional
        Called with one line per epoch.

    Notes
    -----
    The learning curve is in `standings`, the start first; `best` is the epoch that is kept. At the
    end of training the student holds its weights.
    """

    def __init__(
        self,
        distillation: Distillation,
        config: CompatibilityConfig,
        tokenizer: Any,
        *,
        gold: Sequence[EncodedExample],
        replayed: Sequence[EncodedExample] = (),
        validation: Sequence[EncodedExample] = (),
        evaluate_items: Evaluate,
        old_scores: Sequence[float],
        arguments: TrainingArguments,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.config = config
        self._say = say or (lambda _line: None)
        self.standings: list[Standing] = []
        self._evaluate_items, self._old_scores = evaluate_items, old_scores
        self._tokenizer = tokenizer
        self._seen: list[tuple[torch.Tensor, ...]] = []
        self._validation = validation
        # Places of examples are counted through gold, replayed and validation data.
        self._first_held = len(gold) + len(replayed)
        data = (list(gold), list(replayed), list(validation), list(map(float, old_scores)))
        described = repr((config, distillation.settings, data, fingerprint(distillation.student)))
        self._recipe = hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest()
        self._collate = partial(collate, padding=padding_token(tokenizer))
        if config.gradient_checkpointing:
            _save_memory(distillation.student)
        super().__init__(
            model=distillation,
            args=arguments,
            train_dataset=GoldAndReplay(gold, replayed),
            # Trainer refuses to evaluate without a data set; `evaluate` below does not read it.
            eval_dataset=GoldAndReplay(validation),
            data_collator=self._collate,
            callbacks=[_EveryEpoch(self)],
        )
        # PrinterCallback prints every log on the caller's standard output.
        self.remove_callback(PrinterCallback)
        # The loss is already a mean over all tokens of an accumulated batch.
        self.model_accepts_loss_kwargs = self.loss_is_scaled_for_ga = True

    @property
    def student(self) -> Any:
        """The PEFT model that is trained."""
        distillation: Any = self.accelerator.unwrap_model(self.model)
        return distillation.student

    @property
    def best(self) -> Standing:
        """The epoch that is kept, so far."""
        return choose_standing(self.standings, self.config.select_by)

    def train(
        self, resume_from_checkpoint: str | bool | None = None, *arguments: Any, **options: Any
    ) -> Any:
        """Train, judge every epoch, and leave the student at the one that is kept.

        Raises
        ------
        InputError
            If the checkpoint to resume from is not one that this run wrote.
        TrainingError
            If the loss stops being finite.
        """
        start = self._weights()
        if resume_from_checkpoint is True:
            newest = newest_checkpoint(self._output)
            resume_from_checkpoint = None if newest is None else str(newest)
        if resume_from_checkpoint:
            self._restore(Path(resume_from_checkpoint))
        outcome = super().train(resume_from_checkpoint or None, *arguments, **options)
        best = self.best
        weights = start if best.epoch == 0 else load_file(self._folder(best) / WEIGHTS)
        set_peft_model_state_dict(self.student, weights, adapter_name=STUDENT)
        return outcome

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: Any) -> torch.Tensor:
        counts = sum(
            (count_tokens(batch["labels"], batch["replayed"]) for batch in batch_samples),
            start=torch.zeros(2),
        ).to(device)
        if self.args.world_size > 1:
            counts = self.accelerator.gather(counts[None]).sum(0)
        return counts

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Compute the loss of one batch, as its share of the accumulated one."""
        parts: LossParts = model(**inputs, totals=num_items_in_batch)
        if not bool(torch.isfinite(parts.loss)):
            raise TrainingError(
                f"expected a finite loss, got {parts.loss.item()} at step "
                f"{self.state.global_step + 1}: lower the learning rate, or train in bf16 or fp32 "
                "rather than fp16"
            )
        self._remember(parts)
        # DDP averages gradients over processes, and the loss of each is a share of the sum.
        loss = parts.loss * self.accelerator.num_processes
        return (loss, parts) if return_outputs else loss

    def _remember(self, parts: LossParts) -> None:
        old = parts.old_share
        self._seen.append(
            (
                old.sum(),
                torch.tensor(float(len(old))),
                (old * parts.divergence).sum(),
                ((1 - old) * parts.divergence).sum(),
            )
        )

    def log(self, logs: dict[str, float], *arguments: Any, **options: Any) -> None:
        """Log; a training loss with the share of the old teacher and the divergences."""
        if "loss" in logs and self._seen:
            old, rows, to_old, to_new = (
                float(sum(column)) for column in zip(*self._seen, strict=True)
            )
            self._seen = []
            logs = {
                **logs,
                "old_share": old / rows,
                "divergence_where_old_teaches": to_old / old if old else math.nan,
                "divergence_where_new_teaches": to_new / (rows - old) if rows > old else math.nan,
            }
        super().log(logs, *arguments, **options)

    def evaluate(self, *_arguments: Any, **_options: Any) -> dict[str, float]:
        """Measure the student on the validation items."""
        epoch = round(float(self.state.epoch or 0), 6)
        found: list[Any] = [None]
        scores = self._evaluate_items(self.student, self._tokenizer)
        losses = self._validation_losses()
        if self.is_world_process_zero():
            found = [
                measure_standing(
                    old=self._old_scores,
                    new=scores,
                    epoch=epoch,
                    minimum_effect=self.config.minimum_effect,
                    **losses,
                )
            ]
        # Processes must agree on the best epoch: all take the numbers of the first.
        standing: Standing = broadcast_object_list(found)[0]
        self.standings = [one for one in self.standings if one.epoch < epoch] + [standing]
        if self.best is standing and epoch > 0:
            self.save_model(str(self._folder(standing)))
        if self.is_world_process_zero():
            self._say(str(standing))
        metrics = {
            f"eval_{name}": value
            for name, value in standing.to_dict().items()
            if name != "epoch" and value is not None
        }
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        self._stop_early()
        return metrics

    def _stop_early(self) -> None:
        patience = self.config.patience
        if patience is not None and self.standings[-1].epoch - self.best.epoch >= patience:
            self.control.should_training_stop = True

    def _validation_losses(self) -> dict[str, float]:
        """Loss per token and divergence from each teacher on the validation data."""
        if not self._validation:
            return {}
        distillation: Any = self.accelerator.unwrap_model(self.model)
        settings = distillation.settings
        names = ("loss", "kl_to_old", "kl_to_new")
        asked = [settings, settings.towards("old_only"), settings.towards("new_only")]
        sums = torch.zeros(len(names), dtype=torch.float64)
        rows = 0.0
        size = self.config.batch_size
        was_training = distillation.training
        distillation.eval()
        for start in range(0, len(self._validation), size):
            items = [
                [(self._first_held + place, False, self._validation[place])]
                for place in range(start, min(start + size, len(self._validation)))
            ]
            batch = self._prepare_inputs(self._collate(items))
            count = float(count_tokens(batch["labels"], batch["replayed"]).sum())
            with torch.no_grad(), self.accelerator.autocast():
                parts = distillation(**batch, settings=asked)
            sums += count * torch.tensor([float(part.loss) for part in parts])
            rows += count
        distillation.train(was_training)
        return dict(zip(names, (sums / rows).tolist(), strict=True))

    @property
    def _output(self) -> Path:
        return Path(str(self.args.output_dir))

    def _folder(self, standing: Standing) -> Path:
        return self._output / "epochs" / f"{standing.epoch:g}"

    def _restore(self, checkpoint: Path) -> None:
        kept = check_manifest(checkpoint, self._recipe)
        content = json.loads((checkpoint / STANDINGS).read_text(encoding="utf-8"))
        self.standings = [Standing.from_dict(values) for values in content]
        if self.best.epoch > 0:
            check_kept(self._folder(self.best) / WEIGHTS, kept)

    def _load_optimizer_and_scheduler(self, checkpoint: Any) -> None:
        with _without_code(checkpoint):
            super()._load_optimizer_and_scheduler(checkpoint)

    def _load_rng_state(self, checkpoint: Any) -> None:
        with _without_code(checkpoint):
            super()._load_rng_state(checkpoint)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        weights = load_file(Path(resume_from_checkpoint, WEIGHTS))
        set_peft_model_state_dict(self.student, weights, adapter_name=STUDENT)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if not self.args.should_save:
            return
        checkpoint = self._output / f"checkpoint-{self.state.global_step}"
        write_json(checkpoint / STANDINGS, [standing.to_dict() for standing in self.standings])
        best = self._folder(self.best) / WEIGHTS
        write_manifest(checkpoint, self._recipe, hash_file(best) if self.best.epoch > 0 else None)
        # An earlier checkpoint may need other epochs: remove them only once this one is complete.
        for folder in (self._output / "epochs").glob("*"):
            if folder != self._folder(self.best):
                shutil.rmtree(folder)

    def _weights(self) -> dict[str, torch.Tensor]:
        weights = get_peft_model_state_dict(
            self.student, adapter_name=STUDENT, save_embedding_layers=False
        )
        return {name: value.detach().cpu().clone() for name, value in weights.items()}

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        # Only the adapter, as safetensors and JSON.
        if self.args.should_save:
            self.student.save_pretrained(
                output_dir or self.args.output_dir,
                selected_adapters=[STUDENT],
                save_embedding_layers=False,
            )


@contextmanager
def _without_code(checkpoint: Any) -> Iterator[None]:
    """Say that a checkpoint holds a pickle which would run code.

    Raises
    ------
    InputError
        In place of the error of torch, which loads weights only.
    """
    try:
        yield
    except (pickle.UnpicklingError, EOFError) as error:
        raise InputError(
            f"expected a state of training that runs no code in {str(checkpoint)!r}, got "
            f"{type(error).__name__}: resume only from checkpoints of your own runs"
        ) from error


class _EveryEpoch(TrainerCallback):
    """Choose the replayed examples of each epoch, and evaluate the start before training."""

    def __init__(self, trainer: CompatibilityTrainer) -> None:
        self._trainer = trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step == 0:
            self._trainer.evaluate()

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        data: Any = self._trainer.train_dataset
        data.start_epoch(int(float(state.epoch or 0) + 1e-6))


def _save_memory(model: Any) -> None:
    """Recompute activations; the input of the first layer must then require a gradient."""
    model.enable_input_require_grads()
    enable = getattr(model, "activation_checkpointing_enable", None)
    (enable or model.gradient_checkpointing_enable)()


def training_arguments(
    config: CompatibilityConfig,
    examples: int,
    output: Any,
    arguments: Mapping[str, Any] | None = None,
) -> TrainingArguments:
    """Translate a configuration for `transformers.Trainer`.

    `examples` is the number of gold examples; `arguments` override the configuration.
    """
    ours = {
        "output_dir": str(output),
        "num_train_epochs": config.epochs,
        "per_device_train_batch_size": config.batch_size,
        "gradient_accumulation_steps": config.accumulation,
        "learning_rate": config.learning_rate,
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_gradient_norm,
        "lr_scheduler_type": "linear",
        "bf16": config.precision == "bf16",
        "fp16": config.precision == "fp16",
        "seed": config.seed,
        "data_seed": config.seed,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "logging_strategy": "epoch",
        "save_total_limit": 2,
        "remove_unused_columns": False,
        "label_names": ["labels"],
        "ddp_find_unused_parameters": False,
        "disable_tqdm": True,
        "report_to": "none",
        "use_cpu": not torch.accelerator.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        "logging_nan_inf_filter": False,
    }
    warming = TrainingArguments(**{**ours, **(arguments or {})})
    batch = config.batch_size * config.accumulation * max(warming.world_size, 1)
    warming.warmup_steps = round(config.warmup_share * config.epochs * math.ceil(examples / batch))
    return warming
