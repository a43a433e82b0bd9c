"""A small language of sticky topics, and three families of tasks asked in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from muscle_metrics.adapter import Example

__all__ = ["FAMILIES", "Language", "make_tokenizer"]

FAMILIES = ("choice", "exact", "generation")
CONTEXT = 10  # words of a prompt
CONTINUATION = 6  # words of a choice
CHOICES = 4
TOPICS = 5
WORDS = 92
PAD, START, END, ASK = range(4)
MARKS = {"choice": "continue:", "exact": "ends:", "generation": "keep:", "echo": "echo:"}
SPECIAL = ["<pad>", "<s>", "</s>", "=>", *MARKS.values()]
FIRST_WORD = len(SPECIAL)
VOCABULARY = FIRST_WORD + WORDS
SPELLED = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ai", "ou")][:WORDS]


def make_tokenizer() -> Any:
    """One token per word; texts begin with <s>."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    vocabulary = {word: place for place, word in enumerate([*SPECIAL, *SPELLED])}
    inner = Tokenizer(WordLevel(vocabulary, unk_token="<pad>"))
    inner.pre_tokenizer = WhitespaceSplit()
    inner.post_processor = TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", START)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


def _spell(words: Any) -> str:
    return " ".join(SPELLED[word] for word in words)


class Language:
    """Words follow each other as the topic of the text has it, and topics last.

    A topic has words it likes, and one word that often follows each word. Half of all words are
    words of content, the others of form.
    """

    def __init__(self, *, stay: float = 0.97, peaked: float = 0.25, follow: float = 0.3) -> None:
        # One language for all studies: what varies is who learnt it, from which texts.
        rng = np.random.default_rng([101, 1])
        self.stay = stay
        liked = rng.dirichlet(np.full(WORDS, peaked), size=TOPICS)
        steps = np.repeat(liked[:, None] * (1 - follow), WORDS, axis=1)
        for topic in range(TOPICS):
            steps[topic, np.arange(WORDS), rng.permutation(WORDS)] += follow
        self.steps = np.cumsum(steps, axis=-1)
        self.content = rng.permutation(WORDS) < WORDS // 2

    def walk(
        self,
        rng: np.random.Generator,
        count: int,
        length: int,
        *,
        topic: Any = None,
        after: Any = None,
    ) -> Any:
        """Words (count, length); of a topic that stays where one is given, after a given word."""
        stays = topic is not None
        topic = topic if stays else rng.integers(TOPICS, size=count)
        word = rng.integers(WORDS, size=count) if after is None else after
        words = np.empty((count, length), dtype=np.int64)
        for place in range(length):
            if place or after is not None:
                if not stays:
                    moved = rng.random(count) > self.stay
                    topic = np.where(moved, rng.integers(TOPICS, size=count), topic)
                draw = rng.random(count)[:, None]
                word = np.minimum((self.steps[topic, word] < draw).sum(-1), WORDS - 1)
            words[:, place] = word
        return words

    def texts(self, rng: np.random.Generator, count: int) -> Any:
        """Tokens (count, 2 * CONTEXT + 4) to pretrain on: walks, and echoes every second time.

        An echo repeats a walk, half of the time without some words, more often words of form.
        """
        length = 2 * CONTEXT + 4
        walks = self.walk(rng, count, length - 1)
        texts = np.concatenate([np.full((count, 1), START), walks + FIRST_WORD], axis=1)
        echo = SPECIAL.index(MARKS["echo"])
        for row in range(0, count, 2):
            source = kept = walks[row, :CONTEXT]
            if row % 4:
                share = np.where(self.content, 0.8, 0.2)
                kept = source[(rng.random(WORDS) < share)[source]]
            text = [START, echo, *(source + FIRST_WORD), ASK, *(kept + FIRST_WORD), END]
            texts[row] = PAD
            texts[row, : len(text)] = text
        return texts

    def items(self, family: str, seed: tuple[int, ...], count: int) -> list[Example]:
        """Items of a family.

        choice: which of four texts goes on in the topic of the prompt. exact: the last and the
        first word of the prompt. generation: the words of content of the prompt, in order.
        """
        rng, topic = self._begin(family, seed, count)
        words = self.walk(rng, count, CONTEXT, topic=topic)
        prompts = [f"{MARKS[family]} {_spell(row)} =>" for row in words]
        if family == "choice":
            return self._choices(rng, topic, words, prompts)
        told = [
            row[[-1, 0]] if family == "exact" or not self.content[row].any()
            else row[self.content[row]]
            for row in words
        ]  # fmt: skip
        return [
            Example(id=f"{family}{place:04}", prompt=prompt, completion=_spell(answer))
            for place, (prompt, answer) in enumerate(zip(prompts, told, strict=True))
        ]

    def topics(self, family: str, seed: tuple[int, ...], count: int) -> Any:
        """Topic (count,) of each of the items of the same family and seed."""
        return self._begin(family, seed, count)[1]

    def _begin(self, family: str, seed: tuple[int, ...], count: int) -> tuple[Any, Any]:
        rng = np.random.default_rng([*seed, FAMILIES.index(family), 2])
        return rng, rng.integers(TOPICS, size=count)

    def _choices(self, rng: np.random.Generator, topic: Any, words: Any, prompts: Any) -> Any:
        count = len(prompts)
        answers = rng.integers(CHOICES, size=count)
        others = (topic[:, None] + 1 + np.argsort(rng.random((count, TOPICS - 1)))) % TOPICS
        offered = []
        for place in range(CHOICES):
            theme = np.where(answers == place, topic, others[:, place])
            offered.append(self.walk(rng, count, CONTINUATION, topic=theme, after=words[:, -1]))
        return [
            Example(
                id=f"choice{place:04}",
                prompt=prompt,
                completion=_spell(offered[answers[place]][place]),
                choices=tuple(_spell(choice[place]) for choice in offered),
            )
            for place, prompt in enumerate(prompts)
        ]
