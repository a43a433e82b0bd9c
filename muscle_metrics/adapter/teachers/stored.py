"""A teacher whose rows were computed once and stored, so that its model need not be in memory.

The rows of the tokens of the loss are kept in safetensors shards: either all logits in half
precision, or the k most likely tokens and the probability of the rest as one bucket. Within the
rest, the student's own distribution is used. The forward KL divergence is then exactly that of
k + 1 outcomes, in value and in gradient.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from muscle_metrics.adapter.checkpoints import fingerprint, hash_files, write_json
from muscle_metrics.adapter.data.answering import run_examples
from muscle_metrics.adapter.loss.fused import LogitRows
from muscle_metrics.adapter.loss.strategies import IGNORED, TokenFacts, observe_tokens
from muscle_metrics.adapter.teachers.retokenized import check_spelling, score_candidates
from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.data.examples import EncodedExample
    from muscle_metrics.adapter.loss.fused import TeacherRows
    from muscle_metrics.adapter.models import LoadedModel
    from muscle_metrics.adapter.teachers.distillation import Places

__all__ = [
    "StoredTeacher",
    "TailRows",
    "compute_rows",
    "keep_most_likely",
    "store_rows",
    "store_teacher",
]

INDEX = "index.json"
SHARD_BYTES = 256 << 20

Block = dict[str, torch.Tensor]
"""Rows of one example: right, log_likelihood, and logits or tokens, log_probabilities, rest."""


class TailRows:
    """A teacher that knows its most likely tokens and the probability of the rest.

    Parameters
    ----------
    tokens : Tensor of int, shape (N, K)
        Distinct in each row; the index V marks an empty place.
    log_probabilities : Tensor, shape (N, K)
        Of these tokens, at the temperature of the loss; -inf in empty places.
    rest : Tensor, shape (N,)
        Logarithm of the probability of all others.
    known : TokenFacts
    """

    def __init__(
        self,
        tokens: torch.Tensor,
        log_probabilities: torch.Tensor,
        rest: torch.Tensor,
        known: TokenFacts,
    ) -> None:
        self._tokens, self._values, self._rest, self._known = tokens, log_probabilities, rest, known

    def cut(self, rows: slice) -> TailRows:
        """View of some of the rows."""
        return TailRows(
            self._tokens[rows], self._values[rows], self._rest[rows], self._known.cut(rows)
        )

    def facts(self, labels: torch.Tensor) -> TokenFacts:
        """Ratings of the right tokens from when the rows were computed."""
        return self._known

    def log_probabilities(
        self,
        chosen: torch.Tensor,
        temperature: float,
        student: torch.Tensor,
    ) -> torch.Tensor:
        """Log-probabilities of the chosen rows, the student's own within the rest."""
        tokens, student = self._tokens[chosen].long(), student[chosen]
        # The index V marks an empty place: one more column takes it.
        wide = torch.nn.functional.pad(student, (0, 1), value=-math.inf)
        wide.scatter_(1, tokens, -math.inf)
        wide += (self._rest[chosen] - wide.logsumexp(1))[:, None]
        wide.scatter_(1, tokens, self._values[chosen])
        return wide[:, :-1]


def compute_rows(
    model: Any,
    examples: Sequence[EncodedExample],
    *,
    vocabulary: int,
    temperature: float,
    top_k: int | None,
    batch_size: int,
) -> Iterator[Block]:
    """Run a model over examples, and yield the rows of each example's tokens of the loss.

    `vocabulary` is the number of tokens that both models know. Without `top_k` all logits are kept,
    and the temperature of the loss is not used.
    """
    for batch, logits in run_examples(model, examples, batch_size=batch_size):
        labels = batch["labels"][:, 1:]
        taken = labels != IGNORED
        for row, mask in enumerate(taken):
            rows = logits[row, :-1, :vocabulary][mask].float()
            facts = observe_tokens(rows, labels[row][mask])
            block = {"right": facts.right, "log_likelihood": facts.log_likelihood}
            if top_k is None:
                # Half precision is finest near 0: count logits from that of the likeliest token.
                block["logits"] = (rows - rows.amax(1, keepdim=True)).half()
            else:
                block |= keep_most_likely((rows / temperature).log_softmax(1), top_k)
            yield {name: values.cpu().contiguous() for name, values in block.items()}


def keep_most_likely(rows: torch.Tensor, top_k: int) -> Block:
    """Keep the most likely tokens of rows of log-probabilities, and the rest as one bucket."""
    values, tokens = rows.topk(min(top_k, rows.shape[1] - 1), dim=1)
    rest = rows.scatter(1, tokens, -math.inf).logsumexp(1)
    return {"tokens": tokens.int(), "log_probabilities": values, "rest": rest}


def store_rows(
    blocks: Iterable[Block], folder: Path, *, temperature: float | None, recipe: str
) -> None:
    """Store the rows of examples in shards, with an index that is written last.

    The rows of one example are in one shard. `temperature` is that of the rows, none for logits;
    `recipe` is a hash of the models, data and settings that they were computed from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    places: list[tuple[int, int, int]] = []
    pending: list[Block] = []
    shards, rows, size = 0, 0, 0

    def flush() -> None:
        nonlocal pending, shards, rows, size
        if pending:
            joined = {name: torch.cat([one[name] for one in pending]) for name in pending[0]}
            save_file(joined, folder / f"{shards:05}.safetensors")
            pending, shards, rows, size = [], shards + 1, 0, 0

    for block in blocks:
        count = len(block["right"])
        places.append((shards, rows, rows + count))
        pending.append(block)
        rows += count
        size += sum(values.nbytes for values in block.values())
        if size >= SHARD_BYTES:
            flush()
    flush()
    files = hash_files(folder, besides=INDEX)
    content = {"places": places, "temperature": temperature, "recipe": recipe, "files": files}
    write_json(folder / INDEX, content)


@dataclass(slots=True)
class StoredTeacher:
    """The old model as its stored rows.

    Parameters
    ----------
    folder : Path
        As `store_rows` wrote it.
    recipe : str
    temperature : float
        Of the loss.

    Raises
    ------
    InputError
        If the folder holds no such rows, or rows of other data, models or temperature.
    """

    folder: Path
    recipe: str
    temperature: float
    _places: Any = None
    _shards: Any = None

    def __post_init__(self) -> None:
        try:
            index = json.loads((self.folder / INDEX).read_text(encoding="utf-8"))
            of = index["temperature"], index["recipe"]
            is_whole = index["files"] == hash_files(self.folder, besides=INDEX)
            self._places = [tuple(map(int, place)) for place in index["places"]]
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise InputError(
                f"expected stored logits in {str(self.folder)!r}, got {type(error).__name__}: "
                "remove the folder, and they are computed again"
            ) from error
        if of[1] != self.recipe or of[0] not in (None, self.temperature):
            raise InputError(
                f"expected logits of these models, data and temperature in {str(self.folder)!r}, "
                "got those of others: remove the folder, and they are computed again"
            )
        if not is_whole:
            raise InputError(
                f"expected the files of {str(self.folder)!r} as its index lists them, got some "
                "missing, changed or added: remove the folder, and they are computed again"
            )
        self._shards = {}

    def teach(
        self,
        batch: Mapping[str, torch.Tensor],
        places: Places,
        *,
        fused: bool,
    ) -> TeacherRows:
        """Give the stored rows of a batch's examples."""
        device = batch["input_ids"].device
        blocks = [self._block(int(place)) for place in batch["examples"]]
        joined = {name: torch.cat([one[name] for one in blocks]).to(device) for name in blocks[0]}
        known = TokenFacts(joined["right"], joined["log_likelihood"])
        if "logits" in joined:
            return LogitRows(joined["logits"], known)
        return TailRows(joined["tokens"], joined["log_probabilities"], joined["rest"], known)

    def _block(self, place: int) -> Block:
        shard, start, stop = self._places[place]
        if shard not in self._shards:
            self._shards[shard] = safe_open(self.folder / f"{shard:05}.safetensors", "pt")
        content = self._shards[shard]
        return {name: content.get_slice(name)[start:stop] for name in content.keys()}  # noqa: SIM118


def store_teacher(
    old: LoadedModel,
    new: LoadedModel,
    examples: list[EncodedExample],
    folder: Path,
    config: CompatibilityConfig,
    vocabulary: int,
    *,
    same: bool,
) -> StoredTeacher:
    """Compute the old model's rows, unless the folder holds them already.

    `examples` are the gold, replayed and validation data, in this order; `vocabulary` and `same`
    come from `count_vocabulary`.

    Raises
    ------
    InputError
        If the folder holds other rows, or the tokenizers do not spell the same texts.
    """
    top_k = None if same and config.old_logits == "full" else config.top_k
    temperature = None if top_k is None else config.temperature
    models = (fingerprint(old.model), fingerprint(new.model))
    described = repr((models, examples, top_k, temperature, vocabulary))
    recipe = hashlib.sha256(described.encode("utf-8", "surrogatepass")).hexdigest()
    if not (folder / INDEX).is_file():
        how: dict[str, Any] = {
            "vocabulary": vocabulary,
            "temperature": config.temperature,
            "top_k": top_k,
            "batch_size": config.evaluation_batch_size,
        }
        if same:
            blocks = compute_rows(old.model, examples, **how)
        else:
            check_spelling(old, new, examples)
            blocks = score_candidates(old, new, examples, **how)
        store_rows(blocks, folder, temperature=temperature, recipe=recipe)
    return StoredTeacher(folder, recipe, config.temperature)
