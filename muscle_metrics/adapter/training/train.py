"""From two models and data to a compatible adapter, in one call."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muscle_metrics.adapter.config import CompatibilityConfig
from muscle_metrics.adapter.data.answering import answer_prompts, run_examples
from muscle_metrics.adapter.data.examples import encode_examples, read_examples
from muscle_metrics.adapter.evaluation.evaluate import make_evaluator
from muscle_metrics.adapter.evaluation.selection import measure_standing
from muscle_metrics.adapter.loss.strategies import IGNORED
from muscle_metrics.adapter.models import (
    TaskModel,
    count_vocabulary,
    is_plain_head,
    load_student,
    load_teacher,
)
from muscle_metrics.adapter.teachers.distillation import Distillation, LiveTeacher
from muscle_metrics.adapter.teachers.stored import store_teacher
from muscle_metrics.adapter.training.result import CompatibleAdapter
from muscle_metrics.adapter.training.trainer import CompatibilityTrainer, training_arguments
from muscle_metrics.errors import UsageError
from muscle_metrics.runs.files.scratch import scratch_folder

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from muscle_metrics.adapter.config import LossOver
    from muscle_metrics.adapter.data.examples import EncodedExample, Example, Examples
    from muscle_metrics.adapter.evaluation.evaluate import Evaluate
    from muscle_metrics.adapter.models import LoadedModel
    from muscle_metrics.adapter.teachers.distillation import OldTeacher

__all__ = ["train_compatibility_adapter"]

# Training examples, about, that show whether the new model has converged.
PROBED = 256


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
        Prompts without completions. The old model answers them, and the student learns both
        teachers' probabilities of the answers, beside the training data. Prompts with choices need
        no answer: every choice is used.
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
        Called with one line per note and per epoch.
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
    vocabulary, same = count_vocabulary(teacher, student)

    def encode(chosen: list[Example], loss_over: LossOver) -> list[EncodedExample]:
        return encode_examples(
            student.tokenizer,
            chosen,
            loss_over=loss_over,
            max_length=config.max_length,
            delimiter=config.delimiter,
        )

    gold, held = encode(examples, config.loss_over), encode(judged, config.loss_over)
    with scratch_folder() as scratch:
        folder = Path(output or scratch)
        prepared = training_arguments(config, len(gold), folder, arguments)
        if output is None and prepared.world_size > 1:
            raise UsageError(
                f"expected an output folder that all {prepared.world_size} processes share, got "
                "none: pass output="
            )
        for loaded in (student, teacher):
            loaded.model.to(prepared.device)
        answered = answer_prompts(
            prompts,
            teacher,
            config,
            folder / "replay.jsonl",
            write=prepared.should_save,
            resume=resume,
        )
        replayed = encode(answered, config.loss_over)
        old_scores = evaluate(teacher.model, teacher.tokenizer)
        completions = encode(examples, "completion")
        weight, notes = _decide_weight(student, completions, old_scores, evaluate, config)
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
                old_teacher = store_teacher(
                    teacher, student, every, folder / "old_logits", config, vocabulary, same=same
                )
            # The stored rows replace the old model from here on.
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
        if say is not None and prepared.should_log:
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
    kept = [example for index, example in enumerate(examples) if index not in held]
    return kept, [examples[index] for index in sorted(held)]


def _decide_weight(
    student: LoadedModel,
    gold: Sequence[EncodedExample],
    old_scores: Sequence[float],
    evaluate: Evaluate,
    config: CompatibilityConfig,
) -> tuple[float, list[str]]:
    """Decide lambda and note the reasons.

    Distillation alone loses accuracy where the new model is much better than the old one or has not
    converged. The labels of `gold` are completions alone: prompts need not be predicted.
    """
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
    student: LoadedModel, gold: Sequence[EncodedExample], config: CompatibilityConfig
) -> float:
    """Share of training examples whose labels are all predicted rightly."""
    step = max(len(gold) // PROBED, 1)
    probed = gold[::step]
    learnt = 0
    for batch, logits in run_examples(
        student.model, probed, batch_size=config.evaluation_batch_size
    ):
        labels = batch["labels"][:, 1:]
        predicted = logits[:, :-1].argmax(-1)
        learnt += int(((predicted == labels) | (labels == IGNORED)).all(1).sum())
    return learnt / len(probed)
