"""Tiny models with real tokenizers, made in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

# A program that tests start, and no test.
collect_ignore = ["worker.py"]

WORDS = [f"w{number}" for number in range(24)] + ["yes", "no", "?", "red", "blue", "green"]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch = pytest.importorskip("torch")
    for package in ("transformers", "peft", "accelerate", "safetensors"):
        pytest.importorskip(package)
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    """One token per word, the same for both models."""
    return word_tokenizer(WORDS)


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[[list[str]], Any]:
    """Maker of tokenizers with one token per word."""
    return word_tokenizer


def word_tokenizer(words: list[str]) -> Any:
    tokenizers = pytest.importorskip("tokenizers")
    transformers = pytest.importorskip("transformers")
    vocabulary = {word: number for number, word in enumerate(["<pad>", "<s>", "</s>", *words])}
    inner = tokenizers.Tokenizer(
        tokenizers.models.WordLevel(vocabulary | {"<unk>": len(vocabulary)}, unk_token="<unk>")
    )
    inner.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )


@pytest.fixture(scope="session")
def make_model(tokenizer: Any) -> Callable[..., Any]:
    """Maker of tiny random Llamas."""

    def make(seed: int, size: int = 16, vocabulary: int | None = None) -> Any:
        return tiny_llama(seed, vocabulary or len(tokenizer), size)

    return make


def tiny_llama(seed: int, vocabulary: int, size: int = 16) -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=size,
        intermediate_size=2 * size,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=64,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
        initializer_range=0.3,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return LlamaForCausalLM(config).eval()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The libraries beneath warn each other of their future versions.
    future = pytest.mark.filterwarnings("ignore::FutureWarning")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(future)
