"""A large samples file is read in less time than json.loads takes over its lines."""

from __future__ import annotations

import hashlib
import json
import random
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from muscle_metrics import read_run

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = 10_000
WORDS = ["alpha", "beta", "gamma", "delta", "water", "the", "of", "question", "answer", "café"]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """65 MB of multiple choice with five examples in every prompt, as for MMLU."""
    generator = random.Random(1)

    def words(count: int) -> str:
        return " ".join(generator.choices(WORDS, k=count))

    def question() -> str:
        return words(21) + "".join(f"\n{letter}. {words(3)}" for letter in "ABCD") + "\nAnswer:"

    path = tmp_path_factory.mktemp("large") / "samples_mmlu_2026-11-23T07-13-39.347285.jsonl"
    with path.open("w") as file:
        for number in range(ITEMS):
            prompt = "\n\n".join([*(question() + " B" for _ in range(5)), question()])
            pairs = [[str(-30 * generator.random()), "False"] for _ in "ABCD"]
            best = max(range(4), key=lambda n: float(pairs[n][0]))
            target = str(number % 4)
            row = {
                "doc_id": number,
                "doc": {"question": words(21), "choices": [words(3) for _ in "ABCD"]},
                "target": target,
                "arguments": {
                    f"gen_args_{n}": {"arg_0": prompt, "arg_1": f" {letter}"}
                    for n, letter in enumerate("ABCD")
                },
                "resps": [[pair] for pair in pairs],
                "filtered_resps": pairs,
                "filter": "none",
                "metrics": ["acc"],
                "doc_hash": digest(f"{number}"),
                "prompt_hash": digest(prompt),
                "target_hash": digest(target),
                "acc": float(str(best) == target),
            }
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return path


def decode_lines(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        for line in file:
            json.loads(line)


def test_reading_is_faster_than_decoding_every_line(samples):
    assert 60 << 20 < samples.stat().st_size < 70 << 20
    rounds = []
    for _ in range(7):
        times = []
        for work in (decode_lines, read_run):
            begin = time.process_time()
            work(samples)
            times.append(time.process_time() - begin)
        rounds.append(times)
    decoding, reading = map(min, zip(*rounds, strict=True))
    print(f"\nread_run takes {reading / decoding:.2f} times what json.loads takes over the lines")
    assert reading < decoding


def test_memory_is_a_small_multiple_of_what_is_kept(samples):
    read_run(samples)
    tracemalloc.start()
    run = read_run(samples)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(run) == ITEMS
    print(f"\npeak {peak / kept:.1f} times the {kept >> 20} MiB kept, of a file of "
          f"{samples.stat().st_size >> 20} MiB")  # fmt: skip
    assert peak < 4 * kept
    assert peak < samples.stat().st_size / 4
