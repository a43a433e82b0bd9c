"""One study: from base models of one seed to the scores of every method on its test items."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from peft import set_peft_model_state_dict
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file, save_file

from muscle_metrics.adapter import CompatibilityConfig, Example, LossSettings, generate_answers
from muscle_metrics.adapter.evaluation.evaluate import evaluate_model, make_evaluator
from muscle_metrics.adapter.evaluation.frontier import interpolate_adapters, trace_frontier
from muscle_metrics.adapter.evaluation.selection import choose_standing, measure_standing
from muscle_metrics.adapter.evaluation.updates import score_run
from muscle_metrics.adapter.teachers.ensemble import Ensemble
from tests.benchmarks.replica.distilling import (
    Corpus,
    make_corpus,
    train_adapter,
    weigh_by_disagreement,
)
from tests.benchmarks.replica.language import CONTEXT, CONTINUATION, Language, make_tokenizer
from tests.benchmarks.replica.models import add_adapter, load_base

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import numpy as np
    import torch

    from muscle_metrics.runs.record import Run
    from tests.benchmarks.replica.methods import Method

__all__ = ["RATE", "STEPS", "Sizes", "Study"]

CROSS_ENTROPY = LossSettings(strategy="new_only", distillation_weight=0.0)
# Steps of the recipe and its control, and the rate of distillation without cross-entropy.
STEPS = {"choice": 800, "exact": 400, "generation": 400}
RATE = 1e-2
# Steps and rate of the task adapters of v1 and v2, and so of the controls.
TASK_STEPS = {"choice": 200, "exact": 200, "generation": 300}
TASK_RATE = {"choice": 1e-3, "exact": 1e-3, "generation": 3e-3}
# The student of on-policy replay answers anew so many times.
ON_POLICY = 4


class Sizes(NamedTuple):
    """How large a study is."""

    train: int = 320
    validation: int = 320
    test: int = 3000
    prompts: int = 4000


class Fitted(NamedTuple):
    """A trained model, and the quarter of its training that was kept; 0 is v2 as it was."""

    model: Any
    epoch: float


class Study:
    """Models, data and teachers of one seed and one family of tasks.

    `bases` are the base models of the old and the new version, which are v1 and v2 below whatever
    the names of their bases.
    """

    def __init__(
        self,
        family: str,
        seed: int,
        *,
        sizes: Sizes,
        folder: Path | None = None,
        unconverged: float = 1.0,
        bases: tuple[str, str] = ("v1", "v2"),
    ) -> None:
        language = Language()
        self.family, self.seed, self.sizes = family, seed, sizes
        self.tokenizer = make_tokenizer()
        self.config = CompatibilityConfig(
            metric="rouge1" if family == "generation" else "exact_match",
            evaluation_batch_size=1024,
            max_new_tokens=CONTEXT + 1,
        )
        self.metric = "rouge1" if family == "generation" else None
        self.train, self.validation, self.test, self.prompts = (
            language.items(family, (seed, part), count) for part, count in enumerate(sizes)
        )
        self.topics = language.topics(family, (seed, sizes._fields.index("test")), sizes.test)
        self._folder = folder
        self._bases = {name: load_base(name) for name in bases}
        self._new_base = bases[1]
        self.old = self._fit(bases[0], 1)
        self.new = self._fit(bases[1], 2, share=unconverged)
        self._unconverged = unconverged
        self.start = get_peft_model_state_dict(self.new)
        self.judge = make_evaluator(self.validation, self.config)
        self.old_validation = self.judge(self.old, self.tokenizer)
        self._start_standing = self._standing(self.new, 0)
        self._gold = self._corpus(self.train)
        self._replays: dict[str, Corpus] = {}
        self.trained: dict[str, dict[str, torch.Tensor]] = {}

    def _student(self) -> Any:
        model = add_adapter(load_copy(self._bases[self._new_base]), 0)
        set_peft_model_state_dict(model, self.start)
        return model

    def _fit(self, name: str, number: int, share: float = 1.0) -> Any:
        """Train a task adapter by cross-entropy on completions, unless the folder has it."""
        model = add_adapter(load_copy(self._bases[name]), 10 * self.seed + number)
        place = self._folder and self._folder / (
            f"{self.family}-{name}-{10 * self.seed + number}-{share:g}.safetensors"
        )
        if place and place.exists():
            set_peft_model_state_dict(model, load_file(place))
            return model
        gold = make_corpus(self.tokenizer, self.train, loss_over="completion")
        train_adapter(
            model,
            gold,
            CROSS_ENTROPY,
            steps=round(TASK_STEPS[self.family] * share),
            rate=TASK_RATE[self.family],
            seed=10 * self.seed + number,
        )
        if place:
            save_file(get_peft_model_state_dict(model), place)
        return model

    def _standing(self, model: Any, epoch: float) -> Any:
        scores = self.judge(model, self.tokenizer)
        return measure_standing(old=self.old_validation, new=scores, epoch=epoch)

    def _corpus(self, examples: Sequence[Example]) -> Corpus:
        over = "prompt_and_completion"
        return make_corpus(self.tokenizer, examples, loss_over=over, old=self.old, new=self.new)

    def replay(self, source: str, student: Any = None, *, draw: int = 0) -> Corpus:
        """Unlabelled prompts with completions, read by both teachers."""
        if source == "offered" and not self.prompts[0].choices:
            source = "old"
        if source in self._replays:
            return self._replays[source]
        if source == "offered":
            examples = [
                Example(id=prompt.id, prompt=prompt.prompt, completion=choice, choices=(choice,))
                for prompt in self.prompts
                for choice in prompt.choices
            ]
        else:
            prompts = self.prompts[: len(self.prompts) // (ON_POLICY if source == "student" else 1)]
            model = {"old": self.old, "new": self.new}.get(source, student)
            answers = generate_answers(
                model,
                self.tokenizer,
                [prompt.prompt for prompt in prompts],
                max_new_tokens=CONTINUATION if self.family == "choice" else CONTEXT + 1,
                batch_size=1024,
                temperature=1.0,
                seed=self.seed + draw,
            )
            examples = [
                replace(prompt, completion=answer, choices=prompt.choices and (answer,))
                for prompt, answer in zip(prompts, answers, strict=True)
                if answer
            ]
        corpus = self._corpus(examples)
        if source != "student":
            self._replays[source] = corpus
        return corpus

    def fit(self, method: Method, *, guarded: bool = True) -> Fitted:
        """Train by a method, and keep the epoch that the package's rule keeps, or else the last."""
        student = self._student()
        steps = round(method.times * STEPS[self.family])
        candidates = {0.0: (self._start_standing, dict(self.start))}

        def judge(epoch: float) -> None:
            weights = {
                name: value.clone() for name, value in get_peft_model_state_dict(student).items()
            }
            candidates[epoch] = (self._standing(student, epoch), weights)

        answered: dict[int, Corpus] = {}

        def replayed(step: int) -> Corpus | None:
            if method.replay is None:
                return None
            if method.replay != "student":
                corpus = self.replay(method.replay)
                if not method.weighing:
                    return corpus
                return answered.setdefault(0, weigh_by_disagreement(corpus))
            turn = step * ON_POLICY // steps
            if turn not in answered:
                answered.clear()
                answered[turn] = self.replay("student", student, draw=turn)
                student.train()
            return answered[turn]

        # Cross-entropy over few items bears no higher rate than the one it was tuned for.
        plain = method.settings.distillation_weight < 1
        control = method.settings.distillation_weight == 0
        gold = self._gold
        if control:
            gold = make_corpus(self.tokenizer, self.train, loss_over="completion")
        elif method.weighing:
            gold = weigh_by_disagreement(gold)
        train_adapter(
            student,
            gold,
            method.settings,
            steps=steps,
            rate=TASK_RATE[self.family] if plain else RATE,
            replayed=replayed,
            replay_weight=method.replay_weight,
            judge=judge,
            seed=self.seed,
        )
        standings = [one for one, _ in candidates.values()]
        best = choose_standing(standings, "negative_flips") if guarded else standings[-1]
        kept = candidates[best.epoch][1]
        self.trained[method.name] = kept
        set_peft_model_state_dict(student, kept)
        return Fitted(student, best.epoch)

    def run(self, model: Any, name: str) -> Run:
        """Answers to the test items."""
        return evaluate_model(
            model, self.tokenizer, self.test, name=name, config=self.config, task=self.family
        )

    def scores(self, model: Any, name: str = "") -> np.ndarray:
        """Scores of the test items."""
        return score_run(self.run(model, name), metric=self.metric)

    def rivals(self, *, retrained: bool = True) -> Iterable[tuple[str, Any]]:
        """The models of no method: v2, v2 trained once more, and the ensemble."""
        yield "v2", self.new
        if retrained:
            model = self._fit(self._new_base, 3, share=self._unconverged)
            yield "v2 retrained with another seed", model
        yield "v1 + v2 ensemble (two models at inference)", Ensemble(self.old, self.new)

    def half(self, name: str) -> Any:
        """The adapter half-way between v2's and a trained one."""
        student = self._student()
        weights = interpolate_adapters(self.start, self.trained[name], 0.5)
        set_peft_model_state_dict(student, weights)
        return student

    def frontier(self, names: Sequence[str]) -> Any:
        """Adapters between v2's and trained ones, judged on the validation items."""
        student = self._student()
        frontier = trace_frontier(
            student,
            self.tokenizer,
            start=self.start,
            trained={name: self.trained[name] for name in names},
            old_scores=self.old_validation,
            evaluate=self.judge,
        )
        return student, frontier


def load_copy(base: Any) -> Any:
    """Copy a base model, so that adapters of one do not meet those of another."""
    copied = type(base)(base.config)
    copied.load_state_dict(base.state_dict())
    return copied.eval().requires_grad_(requires_grad=False)
