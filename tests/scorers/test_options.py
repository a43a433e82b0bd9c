"""Options of scorers, as the signatures of their functions name, type and set them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muscle_metrics.errors import UsageError
from muscle_metrics.scorers import SCORERS, resolve_scorer, score
from muscle_metrics.scorers.options import REQUIRED, list_options
from muscle_metrics.scorers.table import base_name, names_scorer, scorer_name
from muscle_metrics.words.calls import Call, write_call

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OPTIONS = {name: list_options(one.function, one.options) or [] for name, one in SCORERS.items()}
EVERY = [(name, option) for name, options in OPTIONS.items() for option in options]


@pytest.mark.parametrize(("name", "option"), EVERY, ids=[f"{n}.{o.name}" for n, o in EVERY])
def test_every_option_says_what_it_takes(name: str, option: Any) -> None:
    assert option.values != "any value"
    if name == "bertscore" or option.default is REQUIRED:
        return
    # Its default behind the name is the scorer itself.
    usual = resolve_scorer(write_call(Call(name, {option.name: option.default})))
    assert (usual.name, usual.signature) == (name, SCORERS[name].signature)
    with pytest.raises(UsageError, match=f"expected {option.name} of .* to be "):
        resolve_scorer(write_call(Call(name, {option.name: "no such value"})))


VALUES = st.sampled_from(
    [{"stem": True}, {"stem": False}, {"statistic": "recall"}, {"tokenizer": "unicode"}]
)


@settings(max_examples=20, deadline=None)
@given(st.lists(VALUES, max_size=3), st.sampled_from(["rouge1", "rougeL"]))
def test_options_behind_the_name_are_those_beside_it(parts: list[Any], name: str) -> None:
    options = {key: value for part in parts for key, value in part.items()}
    text = write_call(Call(name, options))
    behind, beside = resolve_scorer(text), resolve_scorer(name, **options)
    assert behind.signature == beside.signature
    assert beside.name == name
    # Equal computations have one name, in whatever order and spelling.
    reordered = write_call(Call(name, dict(reversed(options.items())))).replace("true", " True")
    assert scorer_name(reordered) == behind.name == scorer_name(behind.name)
    texts = ["the cats sat"], ["a cat sits"]
    assert score(text, *texts).tolist() == score(name, *texts, **options).tolist()


def judge(
    predictions: Sequence[str],
    references: Sequence[str],
    *,
    scale: Literal["linear", "log"] = "linear",
    width: int | None = None,
    share: float = 0.5,
    note: str = "",
    anything: Any = None,
    plain=3,
) -> list[float]:
    return [share] * len(predictions)


PLACE = f"{__name__}:judge"


def test_options_of_a_function_of_a_user() -> None:
    scorer = resolve_scorer(f"{PLACE}(share=1, scale=log, plain=x)")
    assert scorer.options == {"share": 1, "scale": "log", "plain": "x"}
    assert scorer.name == f"{PLACE}(plain=x, scale=log, share=1)"
    assert scorer.signature == resolve_scorer(PLACE, share=1, scale="log", plain="x").signature
    assert resolve_scorer(f"{PLACE}(share=0.5, width=null)").name == PLACE


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "scale=lin",
            "scale of .*judge to be one of linear, log, got 'lin': did you mean",
        ),
        ("width=1.5", "width of .*judge to be a whole number, got 1.5: list its options with"),
        ("width=true", "to be a whole number, got True"),
        ("share=x", "share of .*judge to be a number, got 'x'"),
        ("note=1", 'note of .*judge to be text, got 1: write note="1"'),
        ("scle=log", "options of .* to be one of .*, got 'scle': did you mean 'scale'"),
    ],
)
def test_values_that_a_function_does_not_take(option: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        resolve_scorer(f"{PLACE}({option})")


def test_a_function_whose_annotations_cannot_be_read() -> None:
    def odd(predictions: Missing, references: Missing, *, x: Missing = 1) -> Missing:  # noqa: F821
        return [1.0] * len(predictions)

    assert [option.values for option in list_options(odd) or ()] == ["any value"]
    assert list_options(max) is None


@pytest.mark.parametrize(
    ("text", "base", "is_scorer"),
    [
        ("rouge1(stem=true)", "rouge1", True),
        ("judge:rate(x=a:b)", "judge:rate", True),
        ("f1(macro)", "f1", False),
        ("gsm8k=rouge1(stem=true)", "gsm8k=rouge1", False),
        ("task=judge:rate", "task=judge:rate", False),
    ],
)
def test_what_names_a_scorer(text: str, base: str, is_scorer: bool) -> None:
    assert (base_name(text), names_scorer(text)) == (base, is_scorer)


def test_a_range_is_lifted_by_an_option_behind_the_name() -> None:
    rescaled = resolve_scorer("bertscore(model=m, rescale_with_baseline=true)")
    assert (rescaled.low, rescaled.high) == (float("-inf"), float("inf"))


def test_a_text_of_a_number_is_quoted() -> None:
    assert resolve_scorer('bertscore(model="7")').name == 'bertscore(model="7")'
    # "none" is a tokenizer of sacrebleu, and no missing value.
    assert resolve_scorer("bleu(tokenize=none)").options == {"tokenize": "none"}


def test_a_name_shows_no_path_of_a_machine(tmp_path: Path) -> None:
    scorer = resolve_scorer(f"bertscore(model={tmp_path}/)")
    assert scorer.name == f"bertscore(model={tmp_path.name})"
    assert scorer.options["model"] == f"{tmp_path}/"
    # A name on a hub is no path.
    assert resolve_scorer("bertscore(model=no/such)").name == "bertscore(model=no/such)"
