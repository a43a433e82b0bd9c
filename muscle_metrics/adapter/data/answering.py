"""How a model answers: log-likelihoods of choices and generated text, batched and repeatable.

N is the number of items throughout.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from muscle_metrics.adapter.data.examples import (
    collate,
    encode_pair,
    encode_prompt,
    pad_rows,
    padding_token,
    read_examples,
)
from muscle_metrics.adapter.models import all_logits, answering
from muscle_metrics.errors import InputError
from muscle_metrics.reports.files import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.data.examples import EncodedExample, Example
    from muscle_metrics.adapter.models import LoadedModel

__all__ = [
    "ChoiceScores",
    "answer_items",
    "answer_prompts",
    "choice_log_likelihoods",
    "generate_answers",
    "run_examples",
]


class ChoiceScores(NamedTuple):
    """Log-likelihoods of the choices of one item.

    Parameters
    ----------
    log_likelihoods : tuple of float
        Of each choice after the prompt, in nats, at most 0.
    characters : tuple of int
        Length of each choice.
    """

    log_likelihoods: tuple[float, ...]
    characters: tuple[int, ...]

    def best(self, *, length_normalized: bool = False) -> int:
        """Index of the most likely choice, the first of equals.

        Parameters
        ----------
        length_normalized : bool
            Divide by the number of characters first (acc_norm of lm-evaluation-harness).
        """
        values = self.log_likelihoods
        if length_normalized:
            values = tuple(
                value / max(length, 1)
                for value, length in zip(values, self.characters, strict=True)
            )
        return values.index(max(values))


def choice_log_likelihoods(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    choices: Sequence[Sequence[str]],
    *,
    batch_size: int = 32,
    delimiter: str = " ",
) -> list[ChoiceScores]:
    """Score every choice of every item by its log-likelihood after the prompt.

    Parameters
    ----------
    model : transformers causal language model
    tokenizer : transformers tokenizer
    prompts : sequence of str, length N
    choices : sequence of sequence of str, length N
        At least one per item.
    batch_size : int
        Choices per forward pass, longest first, so that padding stays small.
    delimiter : str
        Put between prompt and choice unless there is white space.

    Returns
    -------
    list of ChoiceScores, length N

    Examples
    --------
    See the how-to page of the adapter; a model is needed.

    >>> choice_log_likelihoods(torch.nn.Identity(), None, [], [])
    []
    """
    pairs = [
        (item, encode_pair(tokenizer, prompt, choice, delimiter=delimiter))
        for item, (prompt, offered) in enumerate(zip(prompts, choices, strict=True))
        for choice in offered
    ]
    sums = [0.0] * len(pairs)
    with answering(model):
        for chosen in _longest_first([len(tokens) for _, (tokens, _) in pairs], batch_size):
            rows = [pairs[pair][1] for pair in chosen]
            for pair, value in zip(chosen, _continuation_scores(model, rows), strict=True):
                sums[pair] = value
    scores: list[list[float]] = [[] for _ in prompts]
    for (item, _), value in zip(pairs, sums, strict=True):
        scores[item].append(value)
    return [
        ChoiceScores(tuple(values), tuple(map(len, offered)))
        for values, offered in zip(scores, choices, strict=True)
    ]


def _longest_first(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Batches of row indices, longest rows first, so that a batch needs little padding."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def _continuation_scores(model: Any, rows: Sequence[tuple[list[int], int]]) -> list[float]:
    device = next(model.parameters()).device
    tokens, mask = pad_rows([values for values, _ in rows], 0, device=device)
    # Only places that predict a continuation need the head; they start after the shortest prompt.
    first = min(length for _, length in rows) - 1
    kept = tokens.shape[1] - first
    keep = {"logits_to_keep": kept} if _keeps_logits(model) else {}
    logits = model(input_ids=tokens, attention_mask=mask, **keep).logits[:, -kept:-1]
    predicted = tokens[:, first + 1 :]
    likelihoods = logits.float().log_softmax(-1).gather(2, predicted[:, :, None]).squeeze(2)
    places = torch.arange(first + 1, tokens.shape[1], device=device)
    lengths = torch.tensor([length for _, length in rows], device=device)
    continuation = (places >= lengths[:, None]) & mask[:, first + 1 :].bool()
    values: list[float] = likelihoods.masked_fill(~continuation, 0.0).double().sum(1).tolist()
    return values


def _keeps_logits(model: Any) -> bool:
    model = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(model.forward).parameters


def generate_answers(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    *,
    max_new_tokens: int = 64,
    batch_size: int = 32,
    stop: Sequence[str] = (),
    temperature: float = 0.0,
    seed: int = 0,
) -> list[str]:
    """Let a model answer prompts in free text.

    Parameters
    ----------
    model : transformers causal language model
    tokenizer : transformers tokenizer
    prompts : sequence of str, length N
    max_new_tokens : int
        Most tokens of an answer.
    batch_size : int
        Prompts per batch, padded on the left; longest first.
    stop : sequence of str
        An answer ends before the first of these.
    temperature : float
        0 takes the most likely token each time; above, tokens are drawn.
    seed : int
        Of the draws. The global generators keep their states.

    Returns
    -------
    list of str, length N
        Without special tokens; empty where the first token is that of the end.

    Examples
    --------
    See the how-to page of the adapter; a model is needed.

    >>> generate_answers(torch.nn.Identity(), None, [])
    []
    """
    rows = [encode_prompt(tokenizer, prompt) for prompt in prompts]
    answers = [""] * len(rows)
    with answering(model):
        for number, chosen in enumerate(_longest_first(list(map(len, rows)), batch_size)):
            with torch.random.fork_rng():
                torch.manual_seed(seed + number)
                texts = _continue(
                    model, tokenizer, [rows[row] for row in chosen], max_new_tokens, temperature
                )
            for row, text in zip(chosen, texts, strict=True):
                answers[row] = _before(text, stop)
    return answers


def _continue(
    model: Any, tokenizer: Any, rows: list[list[int]], max_new_tokens: int, temperature: float
) -> list[str]:
    from transformers import GenerationConfig

    padding = padding_token(tokenizer)
    tokens, mask = pad_rows(rows, padding, left=True, device=next(model.parameters()).device)
    # Set every option: a model's generation_config.json must not change an answer.
    how = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
    configure: Any = GenerationConfig
    settings = configure(
        max_new_tokens=max_new_tokens,
        num_beams=1,
        repetition_penalty=1.0,
        pad_token_id=padding,
        eos_token_id=tokenizer.eos_token_id,
        **(how if temperature > 0 else {"do_sample": False}),
    )
    generated = model.generate(input_ids=tokens, attention_mask=mask, generation_config=settings)
    texts: list[str] = tokenizer.batch_decode(
        generated[:, tokens.shape[1] :], skip_special_tokens=True
    )
    return texts


def _before(text: str, stop: Sequence[str]) -> str:
    for end in stop:
        text = text.partition(end)[0]
    return text


def run_examples(
    model: Any, examples: Sequence[EncodedExample], *, batch_size: int
) -> Iterator[tuple[dict[str, torch.Tensor], torch.Tensor]]:
    """Run a model over examples without gradients.

    Yields
    ------
    batch : dict of str to Tensor
        As `collate` makes it, `batch_size` examples in order.
    logits : Tensor, shape (B, L, V)
    """
    device = next(model.parameters()).device
    for start in range(0, len(examples), batch_size):
        rows = [[(0, False, example)] for example in examples[start : start + batch_size]]
        batch = collate(rows, padding=0, device=device)
        with answering(model):
            logits = all_logits(model, batch)
        yield batch, logits


def answer_items(
    model: Any, tokenizer: Any, examples: Sequence[Example], config: CompatibilityConfig
) -> list[str]:
    """Let a model answer items: the most likely choice, or greedily generated text.

    The result has one text per item, without white space around generated ones.
    """
    answers = [""] * len(examples)
    offered = [index for index, example in enumerate(examples) if example.choices]
    free = [index for index, example in enumerate(examples) if not example.choices]
    if offered:
        scores = choice_log_likelihoods(
            model,
            tokenizer,
            [examples[index].prompt for index in offered],
            [examples[index].choices for index in offered],
            batch_size=config.evaluation_batch_size,
            delimiter=config.delimiter,
        )
        for index, score in zip(offered, scores, strict=True):
            best = score.best(length_normalized=config.length_normalized)
            answers[index] = examples[index].choices[best]
    if free:
        texts = generate_answers(
            model,
            tokenizer,
            [examples[index].prompt for index in free],
            max_new_tokens=config.max_new_tokens,
            batch_size=config.evaluation_batch_size,
            stop=config.stop,
        )
        for index, text in zip(free, texts, strict=True):
            answers[index] = text.strip()
    return answers


def answer_prompts(
    prompts: Sequence[Example],
    teacher: LoadedModel,
    config: CompatibilityConfig,
    path: Path,
    *,
    write: bool,
    resume: bool,
) -> list[Example]:
    """Let the old model answer prompts, and store its answers.

    A prompt with choices needs no answer: every choice is replayed, so that the student learns the
    old model's probabilities of all of them.

    Parameters
    ----------
    prompts : sequence of Example
    teacher : LoadedModel
    config : CompatibilityConfig
    path : Path
        JSON Lines file of the answers.
    write : bool
        Whether this process writes the file.
    resume : bool
        Read the answers from the file, if there is one.

    Returns
    -------
    list of Example
        Without the prompts that got an empty answer.

    Raises
    ------
    InputError
        If every answer is empty.
    """
    offered = [
        replace(prompt, id=f"{prompt.id} {index}", completion=choice)
        for prompt in prompts
        for index, choice in enumerate(prompt.choices)
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
        write_text(path, "".join(json.dumps(row) + "\n" for row in rows))
    return [*offered, *answered]
