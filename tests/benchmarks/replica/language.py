"""A small language of sticky topics, and three task families asked in it."""

from typing import NamedTuple

import numpy as np

__all__ = ["FAMILIES", "Items", "Language", "decode", "make_items"]

PAD, BOS, SEP, EOS = range(4)
FAMILIES = ("choice", "exact", "generation")
MARKS = {"choice": 4, "exact": 5, "generation": 6, "echo": 7}
FIRST_WORD = 8
VOCABULARY = 100
TOPICS = 5
CONTEXT = 10  # words of a prompt
CONTINUATION = 6  # words of a choice
CHOICES = 4


class Items(NamedTuple):
    """Items of one family: prompts of one length, and the completions of every item."""

    family: str
    prompts: np.ndarray  # [items, prompt length]
    completions: np.ndarray  # [items, choices, longest completion], padded, with their end mark
    answers: np.ndarray  # [items]: which completion is the reference

    def __len__(self) -> int:
        return len(self.prompts)

    def __getitem__(self, rows):  # type: ignore[override]
        return Items(self.family, self.prompts[rows], self.completions[rows], self.answers[rows])


class Language:
    """Words walk from one to the next as the topic of the text has it, and topics last."""

    def __init__(self, seed: int = 101, *, stay: float = 0.97, peaked: float = 0.5, follow: float = 0.3) -> None:
        rng = np.random.default_rng([seed, 1])
        self.words = VOCABULARY - FIRST_WORD
        self.stay = stay
        liked = rng.dirichlet(np.full(self.words, peaked), size=TOPICS)
        steps = np.repeat(liked[:, None] * (1 - follow), self.words, axis=1)
        for topic in range(TOPICS):
            steps[topic, np.arange(self.words), rng.permutation(self.words)] += follow
        self.steps = np.cumsum(steps, axis=-1)
        self.content = rng.permutation(self.words) < self.words // 2

    def walk(self, rng: np.random.Generator, count: int, length: int, *, topic=None, start=None):
        """Return words [count, length] and the topic each text ends in; a given topic stays."""
        fixed = topic is not None
        topic = rng.integers(TOPICS, size=count) if topic is None else topic
        word = rng.integers(self.words, size=count) if start is None else start
        out = np.empty((count, length), dtype=np.int64)
        for at in range(length):
            if at or start is not None:
                if not fixed:
                    moved = rng.random(count) > self.stay
                    topic = np.where(moved, rng.integers(TOPICS, size=count), topic)
                draw = rng.random(count)[:, None]
                word = np.minimum((self.steps[topic, word] < draw).sum(-1), self.words - 1)
            out[:, at] = word
        return out, topic

    def pretraining(self, rng: np.random.Generator, count: int, length: int) -> np.ndarray:
        """Return texts [count, length]: two thirds walks, one third a walk and an echo of it.

        An echo repeats some of the words of the walk in their order: copying is part of the language.
        """
        walks, _ = self.walk(rng, count, length - 1)
        texts = np.concatenate([np.full((count, 1), BOS), walks + FIRST_WORD], axis=1)
        for row in range(0, count, 2):
            source = walks[row, :CONTEXT]
            kept = source
            if row % 4:
                share = np.where(self.content, 0.8, 0.2)
                kept = source[(rng.random(self.words) < share)[source]]
            text = [BOS, MARKS["echo"], *(source + FIRST_WORD), SEP, *(kept + FIRST_WORD), EOS]
            texts[row] = PAD
            texts[row, : len(text)] = text
        return texts


def make_items(language: Language, family: str, seed: int, count: int) -> Items:
    """Return `count` items of a family, drawn from a seed of their own."""
    rng = np.random.default_rng([seed, FAMILIES.index(family), 2])
    topic = rng.integers(TOPICS, size=count)
    words, _ = language.walk(rng, count, CONTEXT, topic=topic)
    prompts = np.concatenate(
        [
            np.full((count, 1), BOS),
            np.full((count, 1), MARKS[family]),
            words + FIRST_WORD,
            np.full((count, 1), SEP),
        ],
        axis=1,
    )
    answers = np.zeros(count, dtype=np.int64)
    if family == "choice":
        answers = rng.integers(CHOICES, size=count)
        completions = np.full((count, CHOICES, CONTINUATION + 1), EOS)
        others = (topic[:, None] + 1 + np.argsort(rng.random((count, TOPICS - 1)))) % TOPICS
        for place in range(CHOICES):
            theme = np.where(answers == place, topic, others[:, place])
            more, _ = language.walk(rng, count, CONTINUATION, topic=theme, start=words[:, -1])
            completions[:, place, :-1] = more + FIRST_WORD
    else:
        told = [w[language.content[w]] for w in words]
        if family == "exact":
            told = [w[[-1, 0]] for w in words]
        width = max(map(len, told)) + 1
        completions = np.full((count, 1, width), PAD)
        for row, text in enumerate(told):
            completions[row, 0, : len(text)] = text + FIRST_WORD
            completions[row, 0, len(text)] = EOS
    return Items(family, prompts, completions, answers)


def decode(tokens) -> str:
    """Return the words of a completion, up to its end mark, as text."""
    words = []
    for token in tokens:
        if token == EOS:
            break
        if token != PAD:
            words.append(f"w{int(token) - FIRST_WORD:02d}" if token >= FIRST_WORD else f"s{int(token)}")
    return " ".join(words)
