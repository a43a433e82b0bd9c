"""BERTScore by bert-score's own functions, with every distinct text embedded once."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from muscle_metrics.errors import UsageError, require
from muscle_metrics.scorers.encoder import Embedding, Encoder
from muscle_metrics.scorers.texts import Scores, TextPair, check_texts, cut_blocks, pair_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["bertscore", "bertscore_both", "load_model"]

# Vectors of a block take some 100 MB with a small model, 300 MB with a large one.
_BLOCK_CHARACTERS = 1 << 18
_MOST_TEXTS_HELD = 256
# A batch is closed when the next text is that much longer, unless it has only a few yet.
_STRETCH = 1.05
_FEWEST = 8


def bertscore(
    predictions: Any,
    references: Any,
    *,
    model: str | os.PathLike[str] | Encoder,
    num_layers: int | None = None,
    idf: bool | Sequence[str] = False,
    rescale_with_baseline: bool = False,
    baseline_path: str | os.PathLike[str] | None = None,
    lang: str | None = None,
    device: str | None = None,
    batch_size: int = 64,
) -> Scores:
    """F-measure of greedily matched token vectors, by cosine similarity.

    Equal to the F of ``bert_score.score`` within 1e-6 on one device. Texts longer than the model
    reads are cut, with a warning. Memory does not grow with the number of items.

    Parameters
    ----------
    predictions : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of which the best counts.
    model : str, path or Encoder
        Folder of a model with safetensors weights, or a name on the Hugging Face hub; or a model
        that is loaded already. Nothing is downloaded for a folder.
    num_layers : int, optional
        Layer whose vectors are compared; has a default only for hub names that bert-score knows.
    idf : bool or sequence of str
        Weigh tokens by their inverse document frequency among all references, or among the texts
        given here.
    rescale_with_baseline : bool
        Stretch scores so that the baseline, the score of unrelated texts, becomes 0.
    baseline_path : path, optional
        A table of baselines like those of bert-score; by default its own for `lang` and `model`.
    lang : str, optional
        Language whose baseline to take, such as ``en``.
    device : str, optional
        By default ``cuda`` if there is one, else ``cpu``.
    batch_size : int
        Texts that go through the model together.

    Returns
    -------
    numpy.ndarray
        One score per item. Without rescaling in [-1, 1] up to rounding, in practice above 0;
        a blank text scores 0. With rescaling there is no lower bound.

    Raises
    ------
    UsageError
        If the model, its layer or its baseline is not there.
    InputError
        If the texts are no texts or do not pair up.
    MissingDependencyError
        If bert-score is not installed: ``pip install 'muscle-metrics[bertscore]'``.

    References
    ----------
    Zhang et al. 2020, BERTScore: Evaluating Text Generation with BERT (arXiv 1904.09675).

    Examples
    --------
    >>> bertscore(["a cat"], ["the cat"], model="/no/such/folder", num_layers=6)
    Traceback (most recent call last):
    muscle_metrics.errors.UsageError: expected a model folder at '/no/such/folder', got none: ...
    """
    if not (isinstance(batch_size, int) and batch_size >= 1):
        raise UsageError(f"expected batch_size of at least 1, got {batch_size!r}")
    pairs = pair_texts(predictions, references)
    encoder = (
        model
        if isinstance(model, Encoder)
        else Encoder(model, num_layers=num_layers, device=device)
    )
    baseline = 0.0
    if rescale_with_baseline:
        baseline = _read_baseline(encoder.name, encoder.num_layers, lang, baseline_path)
    if idf is True:
        idf = [pairs.distinct[place][1] for place in pairs.position]
    weights = encoder.token_weights(idf or None)
    scores = _score_pairs(encoder, pairs.distinct, weights, batch_size)
    return pairs.best((scores - baseline) / (1 - baseline))


def bertscore_both(old: Any, new: Any, references: Any, **options: Any) -> tuple[Scores, Scores]:
    """Score the old and the new predictions of the same items in one pass.

    Equal to two calls of `bertscore`, also in the token weights: every reference counts as one
    document. A text that stands in both columns is embedded once.

    Parameters
    ----------
    old, new : sequence of str
        One text per item.
    references : sequence of (str or sequence of str)
        One reference per item, or a list of them.
    **options
        Those of `bertscore`.

    Examples
    --------
    >>> bertscore_both(["a cat"], ["the cat"], ["a cat"], model="./none", num_layers=6)
    Traceback (most recent call last):
    muscle_metrics.errors.UsageError: expected a model folder at './none', got none: ...
    """
    old, expected = check_texts(old, references)
    new, _ = check_texts(new, references)
    if options.get("idf") is True:
        options["idf"] = list(chain.from_iterable(expected))
    scores = bertscore(old + new, expected + expected, **options)
    return scores[: len(old)], scores[len(old) :]


def load_model(options: Mapping[str, Any]) -> dict[str, Any]:
    """Load the model that options name, so that many calls may share it.

    Examples
    --------
    >>> load_model({"model": "/no/such/folder", "num_layers": 6})
    Traceback (most recent call last):
    muscle_metrics.errors.UsageError: expected a model folder at '/no/such/folder', got none: ...
    """
    named = {name: options.get(name) for name in ("num_layers", "device")}
    return {**options, "model": Encoder(options["model"], **named)}


def _score_pairs(
    encoder: Encoder,
    pairs: Sequence[TextPair],
    weights: Mapping[int, float],
    batch_size: int,
) -> Scores:
    """Score pairs of like length together, holding the vectors of one block of text at a time."""
    scores = np.zeros(len(pairs))
    order = sorted(range(len(pairs)), key=lambda k: (len(pairs[k][1]), pairs[k][1], pairs[k][0]))
    left = Counter(chain.from_iterable(pairs))
    held: dict[str, Embedding] = {}
    cut = 0
    for where in cut_blocks([pairs[k] for k in order], _BLOCK_CHARACTERS):
        block = order[where]
        unread = dict.fromkeys(text for k in block for text in pairs[k] if text not in held)
        tokens = {text: encoder.tokenize(text) for text in unread}
        cut += sum(len(own) >= encoder.most_tokens for own in tokens.values())
        for batch in _batch_texts(tokens, batch_size):
            vectors = encoder.embed([tokens[text] for text in batch], weights)
            held.update(zip(batch, vectors, strict=True))
        # A text whose tokens weigh nothing, such as a blank one, has score 0.
        weighty = [k for k in block if all(held[text][1].any() for text in pairs[k])]
        for start in range(0, len(weighty), batch_size):
            group = weighty[start : start + batch_size]
            scores[group] = encoder.match([(held[pairs[k][0]], held[pairs[k][1]]) for k in group])
        left.subtract(chain.from_iterable(pairs[k] for k in block))
        again = [text for text in held if left[text]]
        held = {text: held[text] for text in again[-_MOST_TEXTS_HELD:]}
    if cut:
        warnings.warn(
            f"{cut} texts fill the {encoder.most_tokens} tokens that the model reads: "
            "what goes beyond is not scored",
            stacklevel=3,
        )
    return scores


def _batch_texts(tokens: Mapping[str, Sequence[int]], most: int) -> Iterator[list[str]]:
    """Group texts of like length, so that little of a batch is padding."""
    batch: list[str] = []
    for text in sorted(tokens, key=lambda text: len(tokens[text])):
        longer = len(batch) >= _FEWEST and len(tokens[text]) > _STRETCH * len(tokens[batch[0]])
        if longer or len(batch) == most:
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _read_baseline(
    model: str, layer: int, lang: str | None, path: str | os.PathLike[str] | None
) -> float:
    """F-measure of unrelated texts, from bert-score's table for a model and a language."""
    if path is None:
        if lang is None:
            raise UsageError(
                "expected lang or baseline_path with rescale_with_baseline, got none: pass one"
            )
        library = Path(require("bert_score", "bertscore").__file__).parent
        path = library / "rescale_baseline" / lang / f"{model}.tsv"
    if not Path(path).is_file():
        raise UsageError(
            f"expected a table of baselines, got none at {os.fspath(path)!r}: "
            "pass baseline_path, or leave rescale_with_baseline"
        )
    rows = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    if not 0 <= layer < len(rows):
        raise UsageError(
            f"expected a baseline for layer {layer}, got {len(rows)} layers in "
            f"{os.fspath(path)!r}: pass the baseline_path of this model"
        )
    return float(rows[layer, 3])
