"""The language model behind BERTScore: from texts to one vector per token."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from muscle_metrics.errors import UsageError, require

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Embedding", "Encoder"]

Embedding: TypeAlias = tuple[Any, Any]
"""Vectors of a text's tokens and their weights: torch tensors of shapes (T, D) and (T,)."""


class Encoder:
    """A pretrained model cut at one layer, as bert-score loads it.

    Parameters
    ----------
    model : str or path
        Folder of a model with safetensors weights, or a name on the Hugging Face hub, which
        transformers downloads unless it has it.
    num_layers : int, optional
        Layer whose output is used. By default bert-score's choice for a hub name it knows.
    device : str, optional
        By default ``cuda`` if there is one, else ``cpu``.

    Raises
    ------
    UsageError
        If the folder holds no such model, or the layer is not given or not there.
    MissingDependencyError
        If bert-score is not installed.
    """

    def __init__(
        self,
        model: str | os.PathLike[str],
        *,
        num_layers: int | None = None,
        device: str | None = None,
    ) -> None:
        name = self.name = _checked_name(os.fspath(model))
        self._library = require("bert_score.utils", "bertscore")
        self._torch = require("torch", "bertscore")
        self.num_layers = self._layer(name, num_layers)
        self._device = device or ("cuda" if self._torch.cuda.is_available() else "cpu")
        self._tokenizer = self._library.get_tokenizer(name)
        if not hasattr(self._tokenizer, "build_inputs_with_special_tokens"):
            # bert-score 0.3.13 calls it for blank texts, transformers 5 has dropped it.
            self._tokenizer.build_inputs_with_special_tokens = lambda _: self._tokenizer.encode("")
        try:
            self._model = self._library.get_model(name, self.num_layers).to(self._device)
        except AssertionError as error:
            raise UsageError(
                f"expected num_layers that the model has, got {self.num_layers}: {error}"
            ) from error

    @property
    def most_tokens(self) -> int:
        """Length at which texts are cut."""
        return int(self._tokenizer.model_max_length)

    def _layer(self, name: str, num_layers: int | None) -> int:
        known = self._library.model2layers
        if num_layers is None and name not in known:
            raise UsageError(
                f"expected num_layers for the model {name!r}, got none: "
                "bert-score has a default only for the hub names it knows"
            )
        return int(known[name] if num_layers is None else num_layers)

    def token_weights(self, documents: Sequence[str] | None) -> Mapping[int, float]:
        """Inverse document frequency of each token, or 1 for all but the two special tokens."""
        if documents is not None:
            # Without worker processes: forking beside torch's threads may hang.
            weights: Mapping[int, float] = self._library.get_idf_dict(
                documents, self._tokenizer, nthreads=0
            )
            return weights
        return _Even({self._tokenizer.sep_token_id: 0.0, self._tokenizer.cls_token_id: 0.0})

    def tokenize(self, text: str) -> list[int]:
        """Cut a text into the tokens that the model reads, the special ones among them."""
        tokens: list[int] = self._library.sent_encode(self._tokenizer, text)
        return tokens

    def embed(
        self, texts: Sequence[Sequence[int]], weights: Mapping[int, float]
    ) -> list[Embedding]:
        """Run one batch of tokenized texts through the model."""
        padded, _, masks = self._library.padding(texts, self._tokenizer.pad_token_id)
        vectors = self._library.bert_encode(
            self._model, padded.to(self._device), attention_mask=masks.to(self._device)
        )
        # A copy each, so that the padded batch can go.
        return [
            (
                vectors[row, : len(tokens)].clone(),
                self._torch.tensor([weights[token] for token in tokens], device=self._device),
            )
            for row, tokens in enumerate(texts)
        ]

    def match(self, pairs: Sequence[tuple[Embedding, Embedding]]) -> list[float]:
        """F-measure of each (prediction, reference) pair, by greedy matching of their tokens."""
        predicted, expected = zip(*pairs, strict=True)
        with self._torch.no_grad():
            scores = self._library.greedy_cos_idf(*self._pad(expected), *self._pad(predicted))[2]
        return [float(score) for score in scores.cpu()]

    def _pad(self, texts: Sequence[Embedding]) -> tuple[Any, Any, Any]:
        pad = self._torch.nn.utils.rnn.pad_sequence
        vectors = pad([vector for vector, _ in texts], batch_first=True, padding_value=2.0)
        weights = pad([weight for _, weight in texts], batch_first=True)
        lengths = self._torch.tensor([len(weight) for _, weight in texts], device=self._device)
        place = self._torch.arange(vectors.shape[1], device=self._device)
        return vectors, place < lengths[:, None], weights


class _Even(dict[int, float]):
    """Weight 1 for every token but those listed."""

    def __missing__(self, token: int) -> float:
        return 1.0


def _checked_name(model: str) -> str:
    if model.startswith("scibert"):
        raise UsageError(
            f"expected a folder or a hub name, got {model!r}: bert-score fetches this one with a "
            "shell command, write 'allenai/scibert_scivocab_uncased' instead"
        )
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not any(folder.glob("*.safetensors")):
            raise UsageError(
                f"expected weights as *.safetensors in the model folder {model!r}, got none: "
                "write them with save_pretrained"
            )
        return str(folder)
    if model.startswith((".", "~")) or folder.is_absolute():
        raise UsageError(
            f"expected a model folder at {model!r}, got none: check the path, or give a hub name"
        )
    return model
