"""BERTScore by bert-score's own functions, with every distinct text embedded once."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

import numpy as np

from muscle_metrics.errors import UsageError, check_choice, require
from muscle_metrics.scorers.signature import changed_options, describe_files
from muscle_metrics.scorers.texts import Scores, TextPair, check_texts, cut_blocks, pair_texts
from muscle_metrics.scorers.unread import Unread, find_unread, refuse_unread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = [
    "Embedding",
    "Encoder",
    "bertscore",
    "bertscore_both",
    "essential_options",
    "load_model",
]

Embedding: TypeAlias = tuple[Any, Any]
"""Vectors of a text's tokens and their weights: torch tensors of shapes (T, D) and (T,)."""

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
    unread: Unread = "raise",
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
        Layer whose vectors are compared. By default the one that bert-score found best, for hub
        names it knows; for any other model the last one, by the model's own config.
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
    unread : {"raise", "score"}
        Whether texts of which the model knows too few tokens are an error, or are scored as they
        are, as bert-score does.

    Returns
    -------
    numpy.ndarray
        One score per item. Without rescaling in [-1, 1], in practice above 0; a blank text scores
        0. With rescaling at most 1, and there is no lower bound.

    Raises
    ------
    UsageError
        If the model, its layer or its baseline is not there, or an option has no effect.
    InputError
        If the texts are no texts or do not pair up, or the model knows too few tokens of some.
    MissingDependencyError
        If bert-score is not installed: ``pip install 'muscle-metrics[bertscore]'``.

    References
    ----------
    Zhang et al. 2020, BERTScore: Evaluating Text Generation with BERT (arXiv 1904.09675).
    """
    if not (isinstance(batch_size, int) and batch_size >= 1):
        raise UsageError(f"expected batch_size of at least 1, got {batch_size!r}")
    if not rescale_with_baseline and not (lang is None and baseline_path is None):
        raise UsageError(
            "expected rescale_with_baseline=True beside lang or baseline_path, got False: alone "
            "they change nothing, so pass it or leave them"
        )
    check_choice("unread", unread, get_args(Unread))
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
    if unread == "raise":
        refuse_unread(
            "bertscore",
            pairs,
            find_unread(pairs.texts, encoder.known_tokens),
            "take an encoder of the language with --bertscore-model (model=), or use --metric chrf "
            "(metric='chrf'), which reads every script",
        )
    # Equal texts may come out a rounding above 1.
    scores = _score_pairs(encoder, pairs.distinct, weights, batch_size).clip(-1, 1)
    return pairs.best((scores - baseline) / (1 - baseline))


def bertscore_both(old: Any, new: Any, references: Any, **options: Any) -> tuple[Scores, Scores]:
    """Score the old and the new predictions of the same items in one pass.

    Equal to two calls of `bertscore` with these options, also in the token weights: every reference
    counts as one document. A text in both columns is embedded once.
    """
    old, expected = check_texts(old, references)
    new, _ = check_texts(new, references)
    if options.get("idf") is True:
        options["idf"] = list(chain.from_iterable(expected))
    scores = bertscore(old + new, expected + expected, **options)
    return scores[: len(old)], scores[len(old) :]


def load_model(options: Mapping[str, Any]) -> dict[str, Any]:
    """Load the model that options name, so that many calls may share it."""
    named = {name: options.get(name) for name in ("num_layers", "device")}
    return {**options, "model": Encoder(options["model"], **named)}


def essential_options(options: Mapping[str, Any]) -> dict[str, str]:
    """Describe the options of `bertscore` that change scores by more than rounding.

    A model in a folder, and a table of baselines, are named by a hash of their files.
    """
    left_out = {"device", "batch_size"}
    if not options.get("rescale_with_baseline"):
        left_out |= {"lang", "baseline_path"}
    named = {name: value for name, value in options.items() if name not in left_out}
    model = named.get("model")
    if isinstance(model, Encoder):
        named |= {"model": model.name, "num_layers": model.asked_layers}
    files = {
        name: describe_files(named[name])
        for name in ("model", "baseline_path")
        if named.get(name) is not None
    }
    texts = {**changed_options(bertscore, named), **files}
    return {name: texts[name] for name in ("model", *sorted(texts)) if name in texts}


def _score_pairs(
    encoder: Encoder,
    pairs: Sequence[TextPair],
    weights: Mapping[int, float],
    batch_size: int,
) -> Scores:
    """Score pairs of similar length together, with the vectors of one block in memory."""
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
    """Group texts of similar length, so that little of a batch is padding."""
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


class Encoder:
    """A pretrained model cut at one layer, as bert-score loads it; options as for `bertscore`.

    transformers downloads the model of a hub name, unless it has the model.

    Raises
    ------
    UsageError
        If the folder holds no such model, or the layer is not there.
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
        self.asked_layers = num_layers
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
                f"expected num_layers that the model has, got {self.num_layers} ({error}): change "
                f"--bertscore-layers (num_layers=)"
            ) from error

    @property
    def most_tokens(self) -> int:
        """Length at which texts are cut."""
        return int(self._tokenizer.model_max_length)

    def _layer(self, name: str, num_layers: int | None) -> int:
        known = self._library.model2layers
        if num_layers is None and name not in known:
            return _last_layer(name)
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

    def known_tokens(self, text: str) -> list[int | None]:
        """Tokens of a text without the special ones, None for each that the model does not know."""
        tokenizer = self._tokenizer
        # A tokenizer of bytes knows every text, and may use the mark of an end as unknown token.
        ends = {
            getattr(tokenizer, f"{name}_token_id") for name in ("cls", "sep", "bos", "eos", "pad")
        }
        return [
            None if token == tokenizer.unk_token_id else token
            for token in self._library.sent_encode(tokenizer, text)
            if token not in ends
        ]

    def embed(
        self, texts: Sequence[Sequence[int]], weights: Mapping[int, float]
    ) -> list[Embedding]:
        """Run one batch of tokenized texts through the model."""
        padded, _, masks = self._library.padding(texts, self._tokenizer.pad_token_id)
        vectors = self._library.bert_encode(
            self._model, padded.to(self._device), attention_mask=masks.to(self._device)
        )
        # Copies: a view would keep the padded batch in memory.
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


def _last_layer(name: str) -> int:
    """Read the number of layers in the config of a model that bert-score does not know."""
    configs = require("transformers", "bertscore").AutoConfig
    try:
        return int(configs.from_pretrained(name).num_hidden_layers)
    except (AttributeError, OSError, TypeError, ValueError) as error:
        raise UsageError(
            f"expected the number of layers in the config of the model {name!r}, got none: give "
            "--bertscore-layers N (num_layers=)"
        ) from error


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
