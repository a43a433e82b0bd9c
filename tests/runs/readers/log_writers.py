"""Small logs of every harness, written from the answers of a model to four questions.

Each has the shape of the writer that its comment names, or of the log in `examples/harnesses`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

Answers = Mapping[str, str]
Files = dict[str, bytes]

QUESTIONS = {"1+1": "2", "2+2": "4", "3+3": "6", "4+4": "8"}
# Counted by hand: both right 1+1, broken 2+2, fixed 3+3, both wrong and changed 4+4.
OLD = {"1+1": "2", "2+2": "4", "3+3": "5", "4+4": "9"}
NEW = {"4+4": "7", "3+3": "6", "2+2": "3", "1+1": "2"}
STAMP = "2026-11-23T07-40-17.215230"


def encode(value: object) -> bytes:
    return json.dumps(value).encode()


def encode_lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(encode(row) + b"\n" for row in rows)


def lighteval(answers: Answers) -> Files:
    rows = [
        {
            "doc": {
                "id": question,
                "query": question,
                "choices": [QUESTIONS[question]],
                "gold_index": 0,
                "task_name": "sums|0",
            },
            "metric": {"em": int(answer == QUESTIONS[question])},
            "model_response": {"text": [answer], "logprobs": []},
        }
        for question, answer in answers.items()
    ]
    sink = io.BytesIO()
    # Other logs need no extra.
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), sink)
    return {f"details_sums|0_{STAMP}.parquet": sink.getvalue()}


def helm(answers: Answers) -> Files:
    stats, requests = [], []
    for question, answer in answers.items():
        key = {"train_trial_index": 0}
        score = {"name": {"name": "exact_match"}, "mean": float(answer == QUESTIONS[question])}
        stats.append({"instance_id": question, **key, "stats": [score]})
        reference = {"output": {"text": QUESTIONS[question]}, "tags": ["correct"]}
        requests.append(
            {
                "instance": {"id": question, "references": [reference]},
                **key,
                "request": {"prompt": question},
                "result": {"success": True, "completions": [{"text": answer, "logprob": 0}]},
            }
        )
    adapter = {"model": "tiny", "method": "generation"}
    return {
        "per_instance_stats.json": encode(stats),
        "scenario_state.json": encode({"adapter_spec": adapter, "request_states": requests[::-1]}),
    }


def promptfoo_rows(answers: Answers) -> list[dict[str, Any]]:
    return [
        {
            "success": answer == QUESTIONS[question],
            "score": float(answer == QUESTIONS[question]),
            "failureReason": int(answer != QUESTIONS[question]),
            "gradingResult": {"pass": answer == QUESTIONS[question]},
            "namedScores": {},
            "prompt": {"raw": question, "label": "plain"},
            "promptId": "p",
            "provider": {"id": "echo", "label": ""},
            "response": {"output": answer},
            "testCase": {
                "vars": {"q": question},
                "assert": [{"type": "equals", "value": QUESTIONS[question]}],
            },
            "testIdx": number,
            "vars": {"q": question},
        }
        for number, (question, answer) in enumerate(answers.items())
    ]


def promptfoo(answers: Answers) -> Files:
    rows = promptfoo_rows(answers)
    right = sum(row["success"] for row in rows)
    stats = {"successes": right, "failures": len(rows) - right, "errors": 0}
    results = {"version": 3, "results": rows, "stats": stats}
    return {"out.json": encode({"evalId": "eval-1", "results": results})}


def promptfoo_lines(answers: Answers) -> Files:
    return {"out.jsonl": encode_lines(promptfoo_rows(answers))}


def deepeval(answers: Answers) -> Files:
    cases = [
        {
            "name": f"test_case_{number}",
            "input": question,
            "actualOutput": answer,
            "expectedOutput": QUESTIONS[question],
            "success": answer == QUESTIONS[question],
            "metricsData": [{"name": "EM", "score": float(answer == QUESTIONS[question])}],
        }
        for number, (question, answer) in enumerate(answers.items())
    ]
    return {"test_run_20261123_073352.json": encode({"testCases": cases, "testPassed": 1})}


def openai_evals(answers: Answers) -> Files:
    rows: list[dict[str, Any]] = [{"spec": {"completion_fns": ["tiny"], "eval_name": "sums.s1.v0"}}]
    for number, (question, answer) in enumerate(answers.items()):
        event = {"run_id": "r", "sample_id": f"sums.{question}"}
        asked = {"prompt": question, "sampled": answer}
        judged = {
            "correct": answer == QUESTIONS[question],
            "expected": QUESTIONS[question],
            "picked": answer if answer == QUESTIONS[question] else None,
            "sampled": answer,
        }
        rows += [
            {**event, "event_id": 2 * number, "type": "sampling", "data": asked},
            {**event, "event_id": 2 * number + 1, "type": "match", "data": judged},
        ]
    return {"events.jsonl": encode_lines([*rows, {"final_report": {"accuracy": 0.5}}])}


def mlflow(answers: Answers) -> Files:
    columns = ["inputs", "ground_truth", "predictions", "em/score"]
    data = [
        [question, QUESTIONS[question], answer, float(answer == QUESTIONS[question])]
        for question, answer in answers.items()
    ]
    return {"eval_results_table.json": encode({"columns": columns, "data": data})}


def mlflow_traces(answers: Answers) -> Files:
    rows = [
        {
            "trace_id": f"tr-{id(answers)}-{number}",
            "state": "OK",
            "request": {"q": question},
            "response": answer,
            "assessments": [
                {
                    "assessment_name": "exact",
                    "feedback": {"value": answer == QUESTIONS[question]},
                },
                {
                    "assessment_name": "expected_response",
                    "expectation": {"value": QUESTIONS[question]},
                },
            ],
        }
        for number, (question, answer) in enumerate(answers.items())
    ]
    columns = list(rows[0])
    data = [[row[name] for name in columns] for row in rows]
    index = list(range(len(rows)))
    return {"traces.json": encode({"columns": columns, "index": index, "data": data})}


def deepeval_results(answers: Answers, references: Answers = QUESTIONS) -> Files:
    """What `evaluate` of deepeval 4.3.1 returns, by model_dump_json()."""
    results = [
        {
            "name": f"test_case_{number}",
            "success": answer == references[question],
            "metrics_data": [
                {
                    "name": "EM",
                    "threshold": 1.0,
                    "success": answer == references[question],
                    "score": float(answer == references[question]),
                    "strict_mode": False,
                    "evaluation_model": None,
                    "error": None,
                }
            ],
            "conversational": False,
            "input": question,
            "actual_output": answer,
            "expected_output": references[question],
            "turns": None,
        }
        for number, (question, answer) in enumerate(answers.items())
    ]
    return {"result.json": encode({"test_results": results, "confident_link": None})}


# NVIDIA-NeMo/Evaluator ac66aff: src/nemo_evaluator/engine/eval_loop.py and artifacts.py.
def nemo_evaluator(answers: Answers, references: Answers = QUESTIONS) -> Files:
    rows = [
        {
            "problem_idx": list(references).index(question),
            "repeat": 0,
            "reward": float(answer == references[question]),
            "scorer_rewards": {},
            "prompt": question,
            "model_response": f"It is {answer}.",
            "extracted_answer": answer,
            "expected_answer": references[question],
            "scoring_details": {"method": "exact"},
            "metadata": {"category": "sums"},
        }
        for question, answer in answers.items()
    ]
    bundle = {
        "run_id": "eval-20261123T074017Z-sums",
        "config_hash": "sha256:0",
        "sdk_version": "1.0",
        "config": {"benchmark": "sums", "repeats": 1},
        "benchmark": {"name": "sums", "samples": len(rows), "repeats": 1},
        "n_results": len(rows),
    }
    return {f"{bundle['run_id']}.json": encode(bundle), "results.jsonl": encode_lines(rows)}


# NVIDIA-NeMo/Gym 07d6b0d: nemo_gym/rollout_collection.py.
def nemo_gym(answers: Answers, references: Answers = QUESTIONS) -> Files:
    rows = [
        {
            "responses_create_params": {"input": [{"role": "user", "content": question}]},
            "response": {
                "model": "tiny",
                "output": [
                    {"type": "message", "content": [{"type": "output_text", "text": answer}]}
                ],
            },
            "question": question,
            "expected_answer": references[question],
            "reward": float(answer == references[question]),
            "_ng_task_index": list(references).index(question),
            "_ng_rollout_index": 0,
            "agent_ref": {"name": "sums"},
        }
        for question, answer in answers.items()
    ]
    return {"rollouts.jsonl": encode_lines(rows)}


# TIGER-AI-Lab/MMLU-Pro f418b11: evaluate_from_api.py.
def mmlu_pro(answers: Answers, references: Answers = QUESTIONS) -> Files:
    rows = [
        {
            "question_id": question,
            "question": f"{question}?",
            "options": ["2", "4", "6", "8"],
            "answer": references[question],
            "answer_index": 0,
            "cot_content": "",
            "category": "sums",
            "src": "tiny",
            "pred": answer,
            "model_outputs": f"The answer is ({answer}).",
        }
        for question, answer in answers.items()
    ]
    return {"sums_result.json": encode(rows)}


# WildEval/ZeroEval 8c1485e: src/evaluation/math_eval.py.
def zero_eval(answers: Answers, references: Answers = QUESTIONS) -> Files:
    rows = [
        {
            "session_id": f"s{question}",
            "chat_history": [question],
            "model_input": f"<user>{question}",
            "output": [f'{{"answer": "{answer}"}}'],
            "generator": "tiny",
            "dataset": "sums",
            "id": question,
            "model_answer": {"raw": answer, "sanitized": answer},
            "correct_answer": {"raw": references[question]},
            "matched": answer == references[question],
        }
        for question, answer in answers.items()
    ]
    return {"tiny.json": encode(rows)}


# lm-sys/FastChat 0e6d3e4: fastchat/llm_judge/common.py, play_a_match_single.
def mt_bench(answers: Answers, references: Answers = QUESTIONS) -> Files:
    rows = [
        {
            "question_id": question,
            "model": "tiny",
            "judge": ["gpt-4", "single-v1"],
            "user_prompt": f"{question} {answer}",
            "judgment": answer,
            "score": int(answer == references[question]),
            "turn": 1,
            "tstamp": 1.5,
        }
        for question, answer in answers.items()
    ]
    return {"gpt-4_single.jsonl": encode_lines(rows)}


LOGS: dict[str, Callable[[Answers], Files]] = {
    "lighteval": lighteval,
    "helm": helm,
    "promptfoo": promptfoo,
    "promptfoo lines": promptfoo_lines,
    "deepeval": deepeval,
    "openai-evals": openai_evals,
    "mlflow": mlflow,
    "mlflow traces": mlflow_traces,
    "deepeval results": deepeval_results,
    "nemo-evaluator": nemo_evaluator,
    "nemo-gym": nemo_gym,
    "mmlu-pro": mmlu_pro,
    "zeroeval": zero_eval,
    "mt-bench": mt_bench,
}
