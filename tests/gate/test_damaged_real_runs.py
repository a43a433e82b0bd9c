"""No damage to rows of a real log or result file moves a gate towards PASS, by any metric.

Old is the real run with every answer right, so that there is something to break; new is old with
every third row as the real model answered.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from muscle_metrics import read_run
from muscle_metrics.errors import MissingDependencyError
from muscle_metrics.runs.fingerprints import FAULTS
from tests.fuzz.damages import DAMAGES, Case, describe, in_memory, rank

if TYPE_CHECKING:
    from pathlib import Path

    from muscle_metrics.runs.record import Record, Run


MMLU = {
    "id_field": "question_id", "prediction_field": "pred", "reference_field": "answer",
    "slice_field": "category",
}  # fmt: skip
PRIMES = {
    "prediction_field": "answer", "reference_field": "ref_answer",
    "where": {"model": "openaichat/gpt-4-0613"},
}  # fmt: skip
REAL: dict[str, dict[str, Any]] = {
    "logs/lm_eval/v2@gsm": {"task": "tiny_gsm", "filter": "strict-match"},
    "logs/lm_eval/v2@mc": {"task": "tiny_mc"},
    "logs/lm_eval/v2@summ": {"task": "tiny_summ"},
    "logs/helm/simple_mcqa_model_simple_model1": {},
    "logs/helm/simple_classification_model_simple_model1": {},
    "logs/inspect_ai/2026-11-23T07-20-32-00-00_tiny_ReravfE2Qy8iSdZZMfoKkx.eval": {},
    "logs/inspect_ai/2026-11-23T07-20-54-00-00_tiny-mc_bmuyU9B46BXAiogXjE8Mq2.eval": {},
    "logs/openai_evals/real_2023_test-match.jsonl": {},
    "logs/promptfoo/out.json": {"filter": "model-v2"},
    "logs/deepeval/test_run_20261123_073352.json": {},
    "logs/lighteval/details_tinymc|0_2026-11-23T07-40-17.215230.parquet": {},
    "logs/lighteval/details_tinygen|0_2026-11-23T07-40-17.215230.parquet": {},
    "data/mmlu_pro/Meta-Llama-3-8B.jsonl.gz": MMLU,
    "data/llm_drift/PRIME_FULL_EVAL.csv.gz": PRIMES,
}
MOST = 60
TEXT_METRICS = ("exact_match", "token_f1", "chrf", "bleu")
CHOICES = [
    {"missing": "drop", "conflict": conflict, "unanswered": unanswered}
    for conflict in ("own", "last", "drop")
    for unanswered in ("wrong", "drop")
]
POLICIES = [
    {
        "max_nfr": limit,
        "confidence": 0.6,
        "min_coverage": "0.01",
        "accepted_differences": tuple(FAULTS),
    }
    for limit in ("0.3", "0.45")
]


@pytest.mark.parametrize("name", REAL)
def test_no_damage_to_a_real_run_moves_a_gate_towards_pass(shared: Path, name: str) -> None:
    path = shared / name.partition("@")[0]
    try:
        real = read_run(path, **REAL[name])
    except MissingDependencyError as error:
        # The lowest versions of the core are tested without the extras of readers.
        pytest.skip(str(error))
    # Some logs hold an item without a score, which any comparison refuses.
    alike = real.records[0].scores.keys()
    records = [record for record in real if record.scores.keys() == alike][:MOST]
    right = [replace(record, **_right(record)) for record in records]
    mixed = [records[n] if n % 3 == 2 else record for n, record in enumerate(right)]
    old, new = replace(real, records=tuple(right)), replace(real, records=tuple(mixed))
    rng = random.Random(name)
    seen = set()
    for metric in _metrics(records):
        for policy in POLICIES:
            for choice in CHOICES:
                case = Case(
                    old=old,
                    new=new,
                    options={"metric": metric, "score_range": (0, 1), **choice}
                    if metric in records[0].scores
                    else {"metric": metric, **choice},
                    policy=policy,
                    broken=frozenset(range(2, len(mixed), 3)),
                )
                before = case.judged(in_memory)
                seen.add(before)
                damaged = _damaged(case, rng)
                after = case.judged(in_memory, damaged[0])
                assert rank(after) <= rank(before), describe(case, *damaged, before, after)
    assert seen & {"PASS", "FAIL", "INCONCLUSIVE"}, "nothing could be judged"


def _damaged(case: Case, rng: random.Random) -> tuple[Run, list[str]]:
    names = rng.sample(sorted(DAMAGES), 2)
    rows = list(case.new.records)
    for name in names:
        hit = [n for n in sorted(case.broken) if n < len(rows)]
        rows = DAMAGES[name](case, rows, hit, rng)
    return replace(case.new, records=tuple(rows)), names


def _right(record: Record) -> dict[str, Any]:
    accepted = record.prediction if record.reference is None else record.reference
    answer = accepted[0] if isinstance(accepted, (list, tuple)) else accepted
    return {"prediction": answer, "scores": dict.fromkeys(record.scores, 1.0)}


def _metrics(records: list[Record]) -> list[str]:
    recorded = sorted(set.intersection(*(set(record.scores) for record in records)))
    is_text = all(isinstance(r.prediction, str | None) and r.reference is not None for r in records)
    texts = [metric for metric in TEXT_METRICS if is_text and metric not in recorded]
    return [*recorded[:3], *texts]
