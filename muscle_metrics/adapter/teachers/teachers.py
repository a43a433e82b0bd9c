"""Which form the old model teaches in: stored rows, of its own tokens or of spelled-out ones."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from muscle_metrics.adapter.checkpoints import fingerprint
from muscle_metrics.adapter.teachers.retokenized import check_spelling, score_candidates
from muscle_metrics.adapter.teachers.stored import StoredTeacher, compute_rows, store_rows
from muscle_metrics.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics.adapter.config import CompatibilityConfig
    from muscle_metrics.adapter.data.examples import EncodedExample
    from muscle_metrics.adapter.models import LoadedModel

__all__ = ["count_vocabulary", "store_teacher"]


def count_vocabulary(old: LoadedModel, new: LoadedModel) -> tuple[int, bool]:
    """Count the tokens that the loss is over, and say whether both tokenizers are the same.

    Parameters
    ----------
    old, new : LoadedModel

    Returns
    -------
    vocabulary : int
    same : bool

    Raises
    ------
    InputError
        If a head knows fewer tokens than its tokenizer.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import torch
    >>> tokenizer = SimpleNamespace(get_vocab=lambda: {"a": 0, "b": 1})
    >>> model = SimpleNamespace(get_output_embeddings=lambda: torch.nn.Linear(1, 2))
    >>> loaded = SimpleNamespace(model=model, tokenizer=tokenizer, name="v1")
    >>> count_vocabulary(loaded, loaded)
    (2, True)
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

    Parameters
    ----------
    old, new : LoadedModel
    examples : list of EncodedExample
        Gold, replayed and validation data, in this order.
    folder : Path
    config : CompatibilityConfig
    vocabulary : int
    same : bool
        Whether both models have one tokenizer.

    Returns
    -------
    StoredTeacher

    Raises
    ------
    InputError
        If the folder holds rows of something else, or the tokenizers cannot be brought together.

    Examples
    --------
    >>> from pathlib import Path
    >>> import tempfile
    >>> from types import SimpleNamespace
    >>> import torch
    >>> from muscle_metrics.adapter.config import CompatibilityConfig
    >>> loaded = SimpleNamespace(model=torch.nn.Linear(1, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store_teacher(
    ...         loaded, loaded, [], Path(folder), CompatibilityConfig(), 2, same=True
    ...     ).temperature
    2.0
    """
    top_k = None if same and config.old_logits == "full" else config.top_k
    temperature = None if top_k is None else config.temperature
    models = (fingerprint(old.model), fingerprint(new.model))
    described = repr((models, examples, top_k, temperature, vocabulary))
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
