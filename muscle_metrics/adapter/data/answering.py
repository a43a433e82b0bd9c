"""How a model answers: log-likelihoods of choices and generated text, batched and repeatable.

Prompt and continuation are joined by one space, unless there is white space between them already,
and cut into tokens together; the space belongs to the continuation, as in lm-evaluation-harness.
N is the number of items throughout.
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "ChoiceScores",
    "answering",
    "choice_log_likelihoods",
    "encode_pair",
    "encode_prompt",
    "generate_answers",
    "pad_rows",
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
        """Place of the most likely choice, the first of equals.

        Parameters
        ----------
        length_normalized : bool
            Divide by the number of characters first (acc_norm of lm-evaluation-harness).

        Examples
        --------
        >>> ChoiceScores((-2.0, -3.0), (1, 6)).best(length_normalized=True)
        1
        """
        values = self.log_likelihoods
        if length_normalized:
            values = tuple(
                value / max(length, 1)
                for value, length in zip(values, self.characters, strict=True)
            )
        return values.index(max(values))


@contextmanager
def answering(model: Any) -> Iterator[None]:
    """Put a model in evaluation mode without gradients, and back into its mode afterwards.

    Examples
    --------
    >>> model = torch.nn.Dropout()
    >>> with answering(model):
    ...     model.training
    False
    >>> model.training
    True
    """
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def encode_pair(
    tokenizer: Any, prompt: str, continuation: str, *, delimiter: str = " "
) -> tuple[list[int], int]:
    """Cut prompt and continuation into tokens, together.

    Parameters
    ----------
    tokenizer : transformers tokenizer
        With its special tokens at the start, if it adds any, and none at the end.
    prompt, continuation : str
    delimiter : str
        Put between them unless there is white space; empty for scripts without spaces.

    Returns
    -------
    tokens : list of int
        Of both.
    length : int
        How many of them are the prompt's: at least 1, so that the first token of the continuation
        follows something.

    Raises
    ------
    InputError
        If the continuation is empty or becomes one token with its prompt, or the prompt is empty
        and the tokenizer has no token to start with.

    Examples
    --------
    >>> class Letters:
    ...     bos_token_id, eos_token_id = 0, None
    ...     def __call__(self, text):
    ...         return {"input_ids": [0, *map(ord, text)]}
    >>> encode_pair(Letters(), "a ", "b"), encode_pair(Letters(), "", "b")
    (([0, 97, 32, 98], 2), ([0, 98], 1))
    """
    if not continuation:
        raise InputError(
            f"expected a continuation of at least 1 token after the prompt {prompt[-40:]!r}, got "
            "none: drop the item or give it an answer"
        )
    start = encode_prompt(tokenizer, prompt)
    if not prompt.strip(" "):
        following = _encode(tokenizer, continuation)
        return [*start, *following[following[:1] == start :]], len(start)
    border = prompt[-1:] + continuation[:1]
    delimiter = delimiter if border == border.strip() else ""
    whole = _encode(tokenizer, prompt + delimiter + continuation)
    # A token that spans the border is the continuation's first, and needs one before it.
    length = min(len(start), len(whole) - 1)
    if not length:
        raise InputError(
            f"expected {prompt[-40:]!r} and {continuation[:40]!r} to be cut into 2 tokens at "
            "least, got one token of both: set a delimiter"
        )
    return whole, length


def _encode(tokenizer: Any, text: str) -> list[int]:
    tokens: list[int] = list(tokenizer(text)["input_ids"])
    # Some tokenizers close every text; a continuation is not closed.
    ending = getattr(tokenizer, "eos_token_id", None)
    if len(tokens) > 1 and tokens[-1] == ending and not text.endswith(tokenizer.eos_token):
        tokens.pop()
    return tokens


def pad_rows(
    rows: Sequence[Sequence[int]], padding: int, *, left: bool = False, device: Any = "cpu"
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad rows of tokens to one length.

    Returns
    -------
    tokens, mask : Tensor of int, shape (rows, length)
        The mask is 1 on tokens and 0 on padding.

    Examples
    --------
    >>> pad_rows([[1, 2], [3]], 0, left=True)[0].tolist()
    [[1, 2], [0, 3]]
    """
    length = max(map(len, rows))
    tokens = torch.full((len(rows), length), padding)
    mask = torch.zeros_like(tokens)
    for row, values in enumerate(rows):
        place = slice(length - len(values), length) if left else slice(len(values))
        tokens[row, place] = torch.tensor(values)
        mask[row, place] = 1
    return tokens.to(device), mask.to(device)


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
    order = sorted(range(len(pairs)), key=lambda pair: -len(pairs[pair][1][0]))
    sums = [0.0] * len(pairs)
    with answering(model):
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
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


def _continuation_scores(model: Any, rows: Sequence[tuple[list[int], int]]) -> list[float]:
    device = next(model.parameters()).device
    tokens, mask = pad_rows([values for values, _ in rows], 0, device=device)
    # Only the places that predict a continuation need the head: the shortest prompt says where.
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
    """Let a model answer prompts in its own words.

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
        Of the draws. Each batch draws anew, without touching the global generators.

    Returns
    -------
    list of str, length N
        Without special tokens; empty where a model ends at once.

    Examples
    --------
    See the how-to page of the adapter; a model is needed.

    >>> generate_answers(torch.nn.Identity(), None, [])
    []
    """
    rows = [encode_prompt(tokenizer, prompt) for prompt in prompts]
    order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
    answers = [""] * len(rows)
    with answering(model):
        for number, start in enumerate(range(0, len(order), batch_size)):
            chosen = order[start : start + batch_size]
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

    padding = next(
        token for token in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if token is not None
    )
    tokens, mask = pad_rows(rows, padding, left=True, device=next(model.parameters()).device)
    # Everything is said here, so that no default of the model's own file changes an answer.
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


def encode_prompt(tokenizer: Any, prompt: str) -> list[int]:
    """Cut a prompt into tokens, as `encode_pair` does.

    Examples
    --------
    >>> class Letters:
    ...     bos_token_id, eos_token_id = 0, None
    ...     def __call__(self, text):
    ...         return {"input_ids": [*map(ord, text)]}
    >>> encode_prompt(Letters(), "a "), encode_prompt(Letters(), "")
    ([97], [0])
    """
    tokens = _encode(tokenizer, prompt.rstrip(" "))
    if not tokens and tokenizer.bos_token_id is not None:
        return [tokenizer.bos_token_id]
    if not tokens:
        raise InputError(
            "expected a prompt of at least 1 token, got an empty one, and the tokenizer has no "
            "token for the beginning: give every item a prompt"
        )
    return tokens
