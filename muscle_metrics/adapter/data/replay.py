"""Replay: what the old model answers to prompts that nobody labelled."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from muscle_metrics.adapter.checkpoints import write_whole
from muscle_metrics.adapter.data.answering import generate_answers
from muscle_metrics.adapter.data.examples import read_examples
from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.data.examples import Example
    from muscle_metrics.adapter.models import LoadedModel

__all__ = ["answer_prompts"]


def answer_prompts(
    prompts: Sequence[Example],
    teacher: LoadedModel,
    config: CompatibilityConfig,
    path: Path,
    *,
    write: bool,
    resume: bool,
) -> list[Example]:
    """Let the old model answer prompts, and store what it says.

    A prompt that offers choices needs no answer: each of them is replayed, so that the models are
    compared on all that they choose from.

    Parameters
    ----------
    prompts : sequence of Example
    teacher : LoadedModel
    config : CompatibilityConfig
    path : Path
        JSON Lines file of the answers.
    write : bool
        Whether this process writes.
    resume : bool
        Take the answers of the file, if there is one.

    Returns
    -------
    list of Example
        Without the prompts that it has no answer to.

    Raises
    ------
    InputError
        If it answers none.

    Examples
    --------
    >>> from pathlib import Path
    >>> answer_prompts([], None, None, Path("replay.jsonl"), write=False, resume=False)
    []
    """
    offered = [
        replace(prompt, id=f"{prompt.id} {place}", completion=choice)
        for prompt in prompts
        for place, choice in enumerate(prompt.choices)
    ]
    prompts = [prompt for prompt in prompts if not prompt.choices]
    if not prompts:
        return offered
    if resume and path.is_file():
        return [*offered, *read_examples(path)]
    answers = generate_answers(
        teacher.model,
        teacher.tokenizer,
        [prompt.prompt for prompt in prompts],
        max_new_tokens=config.max_new_tokens,
        batch_size=config.evaluation_batch_size,
        stop=config.stop,
        temperature=config.replay_temperature,
        seed=config.seed,
    )
    answered = [
        replace(prompt, completion=answer.strip())
        for prompt, answer in zip(prompts, answers, strict=True)
        if answer.strip()
    ]
    if not answered:
        raise InputError(
            f"expected answers of the old model to replay, got {len(prompts)} empty ones: check "
            "the prompts, or train without replay"
        )
    if write:
        path.parent.mkdir(parents=True, exist_ok=True)
        names = ("id", "prompt", "completion", "weight")
        rows = ({name: getattr(one, name) for name in names} for one in answered)
        write_whole(path, "".join(json.dumps(row) + "\n" for row in rows))
    return [*offered, *answered]
