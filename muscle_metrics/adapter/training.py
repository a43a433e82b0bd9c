"""From two models and data to a compatible adapter, in one call."""

from __future__ import annotations

import hashlib
import random
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.adapter.answering import answering, generate_answers
from muscle_metrics.adapter.batches import collate
from muscle_metrics.adapter.card import write_card
from muscle_metrics.adapter.checkpoints import write_json
from muscle_metrics.adapter.config import CompatibilityConfig
from muscle_metrics.adapter.distillation import (
    Distillation,
    LiveTeacher,
    OldTeacher,
    all_logits,
    is_plain_head,
)
from muscle_metrics.adapter.examples import (
    EncodedExample,
    Example,
    Examples,
    encode_examples,
    read_examples,
)
from muscle_metrics.adapter.models import (
    STUDENT,
    LoadedModel,
    TaskModel,
    load_student,
    load_teacher,
)
from muscle_metrics.adapter.retokenized import check_spelling, score_candidates
from muscle_metrics.adapter.selection import Standing, measure_standing
from muscle_metrics.adapter.stored import StoredTeacher, compute_rows, store_rows
from muscle_metrics.adapter.strategies import IGNORED
from muscle_metrics.adapter.trainer import CompatibilityTrainer, training_arguments
from muscle_metrics.adapter.validation import Evaluate, make_evaluator
from muscle_metrics.errors import InputError, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

__all__ = ["CompatibleAdapter", "train_compatibility_adapter"]


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

        It loads with ``PeftModel.from_pretrained(base, folder)``, without this package.

        Parameters
        ----------
        folder : str or path
        """
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


def train_compatibility_adapter(
    *,
    old: TaskModel | str | os.PathLike[str],
    new: TaskModel | str | os.PathLike[str],
    train: Examples,
    validation: Examples | None = None,
    replay: Examples | None = None,
    config: CompatibilityConfig | None = None,
    evaluate: Evaluate | None = None,
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    say: Callable[[str], None] | None = None,
    arguments: dict[str, Any] | None = None,
) -> CompatibleAdapter:
    """Train an adapter of the new model that keeps its gains and breaks less of the old one's.

    Parameters
    ----------
    old, new : TaskModel, str or path
        The models before and after the update, with their task adapters. The adapter starts from
        the new one's.
    train : str, path, or iterable of Example or mapping
        Rows with a prompt and a completion, or with choices and an answer.
    validation : as train, optional
        Items that epochs are judged by; by default a share of the training data, held out.
    replay : as train, optional
        Prompts without completions. The old model answers them, and its answers are distilled
        towards both teachers beside the training data; of prompts with choices, which need no
        answer, every choice is.
    config : CompatibilityConfig, optional
    evaluate : callable, optional
        From a model and its tokenizer to one score per validation item; by default choices by
        log-likelihood and generated text by `config.metric`.
    output : str or path, optional
        Folder of checkpoints; by default a temporary one.
    resume : bool
        Go on from the last complete checkpoint in `output`, if there is one, as if nothing had
        stopped the run.
    say : callable, optional
        Told what is seen and decided, and one line per epoch.
    arguments : dict, optional
        More of `transformers.TrainingArguments`.

    Returns
    -------
    CompatibleAdapter
        Never worse than the new model on the validation items: the start is a candidate too.

    Raises
    ------
    InputError
        If models, adapters, tokenizers or data do not fit.
    UsageError
        If a setting is impossible.
    TrainingError
        If the loss stops being finite.

    References
    ----------
    Echterhoff et al. 2024, MUSCLE (arXiv 2407.09435), section 4.

    Examples
    --------
    See the how-to page of the adapter; two models are needed.

    >>> train_compatibility_adapter(old="v1", new="v2", train=[])
    Traceback (most recent call last):
    muscle_metrics.errors.InputError: expected at least 1 example, got none: give rows with ...
    """
    config = config or CompatibilityConfig()
    examples = read_examples(train)
    if validation is None:
        examples, judged = _held_out(examples, config)
    else:
        judged = read_examples(validation)
    prompts = [] if replay is None else read_examples(replay, answered=False)
    evaluate = evaluate or make_evaluator(judged, config)
    student = load_student(_task_model(new), config)
    teacher = load_teacher(_task_model(old), config)
    vocabulary, same = _vocabulary(teacher, student)
    encoding: dict[str, Any] = {
        "loss_over": config.loss_over,
        "max_length": config.max_length,
        "delimiter": config.delimiter,
    }
    gold = encode_examples(student.tokenizer, examples, **encoding)
    held = encode_examples(student.tokenizer, judged, **encoding)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(output or scratch)
        prepared = training_arguments(config, len(gold), folder, arguments)
        if output is None and prepared.world_size > 1:
            raise UsageError(
                f"expected an output folder that all {prepared.world_size} processes share, got "
                "none: pass output="
            )
        for loaded in (student, teacher):
            loaded.model.to(prepared.device)
        replayed = encode_examples(
            student.tokenizer, _answered(prompts, teacher, config), **encoding
        )
        old_scores = evaluate(teacher.model, teacher.tokenizer)
        weight, notes = _decide_weight(student, gold, old_scores, evaluate, config)
        settings = config.loss_settings(weight)
        fused = config.fused and is_plain_head(student.model) and is_plain_head(teacher.model)
        if config.fused and not fused:
            notes.append("the models do more than a head to their hidden states: trained unfused")
        old_teacher: OldTeacher
        if same and config.old_logits == "live":
            old_teacher = LiveTeacher(teacher.model, vocabulary)
        else:
            every = [*gold, *replayed, *held]
            with prepared.main_process_first(local=False, desc="logits of the old model"):
                old_teacher = _stored_teacher(
                    teacher, student, every, folder / "old_logits", config, vocabulary, same=same
                )
            # From here on the old model is only its rows.
            teacher.model = None
        distillation = Distillation(
            student,
            old_teacher,
            settings,
            vocabulary=vocabulary,
            replay_weight=config.replay_weight,
            fused=fused,
        )
        trainer = CompatibilityTrainer(
            distillation,
            config,
            student.tokenizer,
            gold=gold,
            replayed=replayed,
            validation=held,
            evaluate_items=evaluate,
            old_scores=old_scores,
            arguments=prepared,
            say=say,
        )
        if say is not None:
            for note in notes:
                say(note)
        trainer.train(resume_from_checkpoint=resume)
    best = trainer.best
    if best.epoch == 0:
        notes.append("no epoch broke less without losing accuracy: the new model is kept as it was")
    return CompatibleAdapter(
        model=trainer.student.eval(),
        tokenizer=student.tokenizer,
        standings=tuple(trainer.standings),
        best=best,
        config=config,
        notes=tuple(notes),
        old=teacher.name,
        new=student.name,
    )


def _task_model(source: TaskModel | str | os.PathLike[str]) -> TaskModel:
    return source if isinstance(source, TaskModel) else TaskModel(source)


def _held_out(
    examples: list[Example], config: CompatibilityConfig
) -> tuple[list[Example], list[Example]]:
    """Share of the training data to judge by, drawn once by the seed."""
    held = set(
        random.Random(config.seed).sample(  # noqa: S311
            range(len(examples)), round(config.validation_share * len(examples))
        )
    )
    kept = [example for place, example in enumerate(examples) if place not in held]
    return kept, [examples[place] for place in sorted(held)]


def _vocabulary(old: LoadedModel, new: LoadedModel) -> tuple[int, bool]:
    """Count the tokens that the loss is over, and say whether both tokenizers are the same."""
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


def _stored_teacher(
    old: LoadedModel,
    new: LoadedModel,
    examples: list[EncodedExample],
    folder: Path,
    config: CompatibilityConfig,
    vocabulary: int,
    *,
    same: bool,
) -> StoredTeacher:
    """Compute the old model's rows, unless the folder holds them already."""
    top_k = None if same and config.old_logits == "full" else config.top_k
    temperature = None if top_k is None else config.temperature
    described = repr((old.name, new.name, examples, top_k, temperature, vocabulary))
    recipe = hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest()
    if not (folder / "index.json").is_file():
        if same:
            blocks = compute_rows(
                old.model,
                examples,
                vocabulary=vocabulary,
                temperature=config.temperature,
                top_k=top_k,
                batch_size=config.evaluation_batch_size,
            )
        else:
            check_spelling(old, new, examples)
            blocks = score_candidates(
                old,
                new,
                examples,
                vocabulary=vocabulary,
                temperature=config.temperature,
                top_k=config.top_k,
                batch_size=config.evaluation_batch_size,
            )
        store_rows(blocks, folder, temperature=temperature, recipe=recipe)
    return StoredTeacher(folder, recipe, config.temperature)


def _answered(
    prompts: Sequence[Example], teacher: LoadedModel, config: CompatibilityConfig
) -> list[Example]:
    """Prompts with each choice they offer, or else with the old model's answer, if it has one."""
    free = [prompt for prompt in prompts if not prompt.choices]
    answers = generate_answers(
        teacher.model,
        teacher.tokenizer,
        [prompt.prompt for prompt in free],
        max_new_tokens=config.max_new_tokens,
        batch_size=config.evaluation_batch_size,
        temperature=config.replay_temperature,
        seed=config.seed,
    )
    return [
        *(replace(prompt, completion=choice) for prompt in prompts for choice in prompt.choices),
        *(
            replace(prompt, completion=answer.strip())
            for prompt, answer in zip(free, answers, strict=True)
            if answer.strip()
        ),
    ]


def _decide_weight(
    student: LoadedModel,
    gold: Sequence[Any],
    old_scores: Sequence[float],
    evaluate: Evaluate,
    config: CompatibilityConfig,
) -> tuple[float, list[str]]:
    """Lambda, and what was seen; distillation alone is for equals that have converged."""
    start = measure_standing(
        old=old_scores, new=evaluate(student.model, student.tokenizer), epoch=0
    )
    old_accuracy = sum(map(float, old_scores)) / len(old_scores)
    gap = start.accuracy - old_accuracy
    converged = _share_learnt(student, gold, config)
    notes = [
        f"on {start.items} validation items the old model scores {old_accuracy:.1%} and the new "
        f"one {start.accuracy:.1%}, with {start.negative_flip_rate:.1%} negative flips",
        f"the new model predicts {converged:.1%} of its training completions without a mistake",
    ]
    if config.distillation_weight is not None:
        return config.distillation_weight, notes
    if gap < config.large_gap and converged >= config.converged_at:
        return 1.0, notes
    reason = (
        "is much better than the old one"
        if gap >= config.large_gap
        else "has not converged on its training data"
    )
    return 0.5, [*notes, f"the new model {reason}: half of the loss is cross-entropy"]


def _share_learnt(
    student: LoadedModel, gold: Sequence[Any], config: CompatibilityConfig, most: int = 256
) -> float:
    """Share of training examples whose tokens of the loss are all predicted rightly."""
    step = max(len(gold) // most, 1)
    probed = gold[::step]
    learnt = 0
    with answering(student.model):
        for start in range(0, len(probed), config.evaluation_batch_size):
            items = [
                [(0, False, one)] for one in probed[start : start + config.evaluation_batch_size]
            ]
            batch = collate(items, padding=0)
            device = next(student.model.parameters()).device
            batch = {name: values.to(device) for name, values in batch.items()}
            predicted = all_logits(student.model, batch)[:, :-1].argmax(-1)
            labels = batch["labels"][:, 1:]
            learnt += int(((predicted == labels) | (labels == IGNORED)).all(1).sum())
    return learnt / len(probed)
