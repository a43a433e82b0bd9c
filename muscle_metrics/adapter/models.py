"""Models and adapters: loaded from folders or memory, and run as a body and a head.

Weights are read from safetensors and JSON alone: a pickle may run code when it is loaded.
"""

from __future__ import annotations

import copy
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, set_peft_model_state_dict
from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING
from peft.tuners.tuners_utils import BaseTunerLayer
from peft.utils import AuxiliaryTrainingWrapper, get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from muscle_metrics.errors import InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from muscle_metrics.adapter.config import CompatibilityConfig

__all__ = [
    "STUDENT",
    "TEACHER",
    "LoadedModel",
    "TaskModel",
    "all_logits",
    "answering",
    "check_no_pickle",
    "count_vocabulary",
    "head_of",
    "is_plain_head",
    "last_hidden",
    "load_student",
    "load_teacher",
]

# Names of the two adapters on the new model. peft saves its default adapter, the student's, at the
# top of the folder.
STUDENT, TEACHER = "default", "new_teacher"
# Formats that may run code when they are loaded.
PICKLES = frozenset(
    {".bin", ".ckpt", ".dill", ".joblib", ".npy", ".npz", ".pickle", ".pkl", ".pt", ".pth"}
)
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, slots=True)
class TaskModel:
    """A base model, and the adapter that fits it to the task.

    Parameters
    ----------
    model : str, path or model
        Folder or hub name of a transformers causal language model with safetensors weights, or
        the model itself, with its adapter if it has one; an object is copied, never changed.
    adapter : str or path, optional
        Folder of a PEFT adapter with safetensors weights.
    tokenizer : str, path or tokenizer, optional
        By default the one in the model's folder. Needed beside a model object.
    revision : str, optional
        Of a hub name.
    """

    model: Any
    adapter: Any = None
    tokenizer: Any = None
    revision: str | None = None


@dataclass(slots=True)
class LoadedModel:
    """A model in memory.

    Parameters
    ----------
    model : transformers or PEFT model
    tokenizer : transformers tokenizer
    name : str
        Its folder, hub name or class.
    teacher : str or None
        Name of the new model's own adapter; none if the new model has no adapter.
    """

    model: Any
    tokenizer: Any
    name: str
    teacher: str | None = None
    _adapted: list[Any] = field(default_factory=list, repr=False)

    @contextmanager
    def as_teacher(self) -> Iterator[Any]:
        """Switch the shared base to the new model's own adapter within the block."""
        if not self._adapted:
            kinds = (BaseTunerLayer, AuxiliaryTrainingWrapper)
            self._adapted = [layer for layer in self.model.modules() if isinstance(layer, kinds)]
        was_training = self.model.training
        self.model.eval()
        try:
            for layer in self._adapted:
                if self.teacher is None:
                    layer.enable_adapters(enabled=False)
                else:
                    layer.set_adapter(self.teacher, inference_mode=True)
            yield self.model
        finally:
            # This also sets requires_grad again, on the parameters that the optimizer holds.
            for layer in self._adapted:
                layer.enable_adapters(enabled=True)
                layer.set_adapter(STUDENT)
            self.model.train(was_training)


def load_teacher(source: TaskModel, config: CompatibilityConfig) -> LoadedModel:
    """Load the old model, frozen.

    Raises
    ------
    InputError
        If model or adapter cannot be loaded or do not fit each other, or hold pickles.
    UsageError
        If there is no tokenizer.
    """
    loaded = _load(source, config)
    loaded.model.eval().requires_grad_(requires_grad=False)
    return loaded


def load_student(source: TaskModel, config: CompatibilityConfig) -> LoadedModel:
    """Load the new model twice on one base: the adapter that is trained, and itself as teacher.

    It raises as `load_teacher` does.
    """
    loaded = _load(source, config)
    model = loaded.model
    if isinstance(model, PeftModel):
        own = model.active_adapter
        if own == STUDENT:
            _copy_adapter(model, STUDENT, TEACHER)
            own = TEACHER
        else:
            _copy_adapter(model, own, STUDENT)
        loaded.teacher = own
    else:
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            model = get_peft_model(
                model,
                LoraConfig(
                    task_type="CAUSAL_LM",
                    r=config.lora_rank,
                    lora_alpha=config.lora_alpha,
                    lora_dropout=config.lora_dropout,
                    target_modules="all-linear",
                ),
                adapter_name=STUDENT,
            )
    model.requires_grad_(requires_grad=False)
    model.set_adapter(STUDENT)
    loaded.model = model
    return loaded


def _copy_adapter(model: Any, source: str, target: str) -> None:
    settings = copy.deepcopy(model.peft_config[source])
    model.add_adapter(target, settings)
    weights = get_peft_model_state_dict(model, adapter_name=source, save_embedding_layers=False)
    set_peft_model_state_dict(model, weights, adapter_name=target)


def _load(source: TaskModel, config: CompatibilityConfig) -> LoadedModel:
    if isinstance(source.model, torch.nn.Module):
        model, name = copy.deepcopy(source.model), type(source.model).__name__
        if source.tokenizer is None:
            raise UsageError(
                "expected a tokenizer beside a model object, got none: pass "
                "TaskModel(model, tokenizer=...)"
            )
    else:
        name = str(source.model)
        try:
            model = AutoModelForCausalLM.from_pretrained(
                name,
                revision=source.revision,
                dtype=DTYPES[config.precision],
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=_is_local(name),
            )
        except (OSError, ValueError, SafetensorError) as error:
            raise InputError(
                f"expected a causal language model with safetensors weights in {name!r}, got "
                f"{_first_line(error)}"
            ) from error
    if source.adapter is not None:
        model = _with_adapter(model, Path(source.adapter))
    return LoadedModel(model, _tokenizer(source, name), name)


def _tokenizer(source: TaskModel, name: str) -> Any:
    if source.tokenizer is not None and not isinstance(source.tokenizer, (str, Path)):
        return source.tokenizer
    place = str(source.tokenizer or name)
    try:
        return AutoTokenizer.from_pretrained(
            place,
            revision=source.revision,
            trust_remote_code=False,
            local_files_only=_is_local(place),
        )
    except (OSError, ValueError) as error:
        raise InputError(
            f"expected a tokenizer in {place!r}, got {_first_line(error)}: pass "
            "TaskModel(model, tokenizer=...)"
        ) from error


def _is_local(place: str) -> bool:
    """Whether a model is in a folder: only a name of the hub may be asked for there."""
    return Path(place).exists()


def check_no_pickle(folder: Path) -> None:
    """Refuse a folder with files that may hold a pickle, without opening any.

    Raises
    ------
    InputError
        If there is one.
    """
    pickles = sorted(path.name for path in folder.rglob("*") if path.suffix.lower() in PICKLES)
    if pickles:
        raise InputError(
            f"expected only safetensors and JSON in {str(folder)!r}, got {pickles}: such files may "
            "run code when they are loaded; save the weights again as safetensors and remove them"
        )


def _with_adapter(model: Any, folder: Path) -> Any:
    if not (folder / "adapter_config.json").is_file():
        raise InputError(
            f"expected a PEFT adapter in {str(folder)!r}, got no adapter_config.json there: save "
            "the adapter with save_pretrained"
        )
    check_no_pickle(folder)
    _check_kind(folder)
    weights = folder / "adapter_model.safetensors"
    if not weights.is_file():
        raise InputError(
            f"expected weights in {str(weights)!r}, got none: save the adapter with save_pretrained"
        )
    try:
        with safe_open(weights, framework="pt") as content:
            given = set(content.keys())
        # The folder holds no other weights: peft reads the safetensors.
        model = PeftModel.from_pretrained(model, folder, adapter_name=STUDENT, is_trainable=True)
    # peft reads settings of any type, and fails where it uses them.
    except (OSError, ValueError, RuntimeError, SafetensorError, LookupError, TypeError,
            AttributeError) as error:  # fmt: skip
        raise InputError(
            f"expected an adapter in {str(folder)!r} that fits the model {_name_of(model)!r}, got "
            f"{_first_line(error)}: use the base model that it was trained on"
        ) from error
    wanted = _tensors(model, with_embeddings=False)
    if not given <= wanted:
        wanted = _tensors(model, with_embeddings=True)
    if given != wanted:
        raise InputError(
            f"expected an adapter in {str(folder)!r} with {len(wanted)} tensors for the model "
            f"{_name_of(model)!r}, got {len(given & wanted)} of them and {len(given - wanted)} "
            "others: use the base model that it was trained on"
        )
    return model


def _check_kind(folder: Path) -> None:
    """Refuse an adapter that peft does not know, or that names other adapters.

    Raises
    ------
    InputError
        If its settings are no JSON object with such a kind.
    """
    file = folder / "adapter_config.json"
    try:
        settings: Any = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        settings = None
    kind = settings.get("peft_type") if isinstance(settings, dict) else None
    # X-LoRA loads the adapters that its settings name, also from the hub.
    if not isinstance(kind, str) or kind not in PEFT_TYPE_TO_TUNER_MAPPING or kind == "XLORA":
        shown = "no JSON object" if not isinstance(settings, dict) else f"peft_type {kind!r:.40}"
        raise InputError(
            f"expected the settings of an adapter such as LORA in {str(file)!r}, got {shown}: save "
            "the adapter with save_pretrained"
        )


def _tensors(model: Any, *, with_embeddings: bool) -> set[str]:
    # By default peft asks the hub for the base model that the adapter's settings name.
    return set(
        get_peft_model_state_dict(
            model, adapter_name=STUDENT, save_embedding_layers=with_embeddings
        )
    )


def _name_of(model: Any) -> str:
    return str(getattr(model, "name_or_path", "") or type(model).__name__)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"


def count_vocabulary(old: LoadedModel, new: LoadedModel) -> tuple[int, bool]:
    """Count the tokens that the loss is over, and say whether both tokenizers are the same.

    Raises
    ------
    InputError
        If a head knows fewer tokens than its tokenizer.
    """
    vocabularies = [model.tokenizer.get_vocab() for model in (old, new)]
    heads = [int(model.model.get_output_embeddings().weight.shape[0]) for model in (old, new)]
    for model, tokens, head in zip((old, new), vocabularies, heads, strict=True):
        if head <= max(tokens.values()):
            raise InputError(
                f"expected a head over the {len(tokens)} tokens of {model.name!r}, got one over "
                f"{head}: resize the embeddings to the tokenizer"
            )
    if vocabularies[0] != vocabularies[1]:
        return heads[1], False
    return min(heads), True


@contextmanager
def answering(model: Any) -> Iterator[None]:
    """Put a model in evaluation mode without gradients, and back into its mode afterwards."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def last_hidden(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Run all of a causal language model but its head; shape (B, L, H)."""
    body = _causal(model).base_model
    output = body(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
    )
    hidden: torch.Tensor = output.last_hidden_state
    return hidden


def all_logits(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Run a causal language model; logits of shape (B, L, V)."""
    output = model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
    )
    logits: torch.Tensor = output.logits
    return logits


def head_of(model: Any, vocabulary: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Weight (V, H) and bias (V,) of a model's head, for the first tokens of its vocabulary."""
    head = _causal(model).get_output_embeddings()
    # An adapter that trains the head wraps it.
    head = head.modules_to_save[head.active_adapter] if hasattr(head, "modules_to_save") else head
    bias = getattr(head, "bias", None)
    return head.weight[:vocabulary], None if bias is None else bias[:vocabulary]


def is_plain_head(model: Any) -> bool:
    """Say whether a model's logits are its head's product with its last hidden states.

    The fused loss cannot be used with models that scale or cap their logits, or train an adapter on
    the head.

    Raises
    ------
    InputError
        If the model has no head over a vocabulary.
    """
    causal = _causal(model)
    head = causal.get_output_embeddings()
    if head is None or not hasattr(causal, "base_model"):
        raise InputError(
            f"expected a causal language model, got {type(causal).__name__} without a head: load "
            "it with AutoModelForCausalLM"
        )
    if not hasattr(head, "modules_to_save") and not isinstance(head, torch.nn.Linear):
        return False
    device = next(model.parameters()).device
    probe = torch.arange(1, 5, device=device)[None] % causal.config.get_text_config().vocab_size
    batch = {"input_ids": probe, "attention_mask": torch.ones_like(probe)}
    with answering(model):
        logits = all_logits(model, batch).float()
        weight, bias = head_of(model, logits.shape[-1])
        ours = torch.nn.functional.linear(last_hidden(model, batch), weight, bias).float()
    return ours.shape == logits.shape and torch.allclose(ours, logits, rtol=1e-3, atol=1e-3)


def _causal(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model
