"""Flips inside the real tools: each example runs in the environment of its tool, offline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from muscle_metrics import compare_runs, read_run
from muscle_metrics.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., str]

pytestmark = pytest.mark.harness

PROJECT = Path(__file__).parent.parent.parent
EXAMPLES = PROJECT / "examples" / "integrations"
OFFLINE = {
    "DO_NOT_TRACK": "true",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_OFFLINE": "1",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "OMP_NUM_THREADS": "1",
}


@pytest.fixture
def run(harness: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a tool's Python with this package, in the folder of the test, and return what it says."""
    monkeypatch.chdir(tmp_path)

    def run(tool: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(harness(tool)), *arguments],
            env={
                "HOME": str(tmp_path),
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(PROJECT),
                **OFFLINE,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


class TestMLflow:
    def test_the_example(self, run: Run) -> None:
        lines = run("mlflow", str(EXAMPLES / "mlflow_flips.py")).splitlines()
        assert lines[0] == (
            "{'inconsistency_flip_rate': 0.25, 'negative_flip_rate': 0.25, "
            "'positive_flip_rate': 0.25}"
        )
        assert lines[1] == "[0, 1, 0, 0]"
        assert lines[-1] == (
            "{'inconsistency_flip/mean': 0.25, 'negative_flip/mean': 0.25, "
            "'positive_flip/mean': 0.25}"
        )

    def test_an_item_that_cannot_be_compared_is_an_error_of_it(self, run: Run) -> None:
        found = json.loads(run("mlflow", "-c", MLFLOW).splitlines()[-1])
        assert "got ['expected_response']: add it" in found["errors"][2]
        # By default a scorer passes an item for which it says true.
        assert found["passes"] == {
            "negative_flip": [False, True],
            "positive_flip": [True, True],
            "inconsistency_flip": [False, True],
        }
        assert "expected an answer for every item, got None or NaN for 1 of 1" in found["table"]


MLFLOW = """
import json
import mlflow
import pandas
from muscle_metrics.integrations.mlflow import flip_metrics, flip_scorers

mlflow.set_tracking_uri("sqlite:///mlflow.db")
before = [{"old_response": old} for old in ("A", "B")] + [{}]
data = [
    {"inputs": {"i": i}, "outputs": "A", "expectations": {"expected_response": right, **old}}
    for i, (right, old) in enumerate(zip(["A", "B", "A"], before))
]
scorers = flip_scorers()
result = mlflow.genai.evaluate(data=data, scorers=scorers[:1])
found = {"errors": result.result_df["negative_flip/error_message"].astype(str).tolist()}
found["passes"] = {s.name: [s.pass_if(True), s.pass_if(False)] for s in scorers}
table = pandas.DataFrame(
    {"inputs": ["1"], "old_predictions": [None], "predictions": ["A"], "targets": ["A"]}
)
try:
    mlflow.models.evaluate(
        data=table, predictions="predictions", targets="targets", evaluators="default",
        extra_metrics=flip_metrics(),
    )
except Exception as error:
    found["table"] = str(error)
print(json.dumps(found))
"""


class TestInspect:
    @pytest.fixture(autouse=True)
    def baseline(self, run: Run) -> None:
        assert main(["baseline", str(EXAMPLES / "sums_v1.jsonl"), "-o", "sums.baseline"]) == 0

    def test_the_example(self, run: Run) -> None:
        assert run("inspect-ai", str(EXAMPLES / "inspect_flips.py")).splitlines() == [
            "accuracy 0.75",
            "negative_flip_rate 0.25",
            "positive_flip_rate 0.25",
            str(["both_right", "negative", "positive", "both_right"] * 2),
        ]

    def test_epochs_tasks_and_what_cannot_be_compared(self, run: Run) -> None:
        rows = [
            {"id": i, "prediction": answer, "reference": "A", "epoch": epoch}
            for i in (1, 2)
            for epoch, answer in ((1, "A"), (2, "B"))
        ]
        Path("old.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        flags = ["--repeat-field", "epoch", "-o", "old.baseline"]
        assert main(["baseline", "old.jsonl", *flags]) == 0
        lines = run("inspect-ai", "-c", INSPECT).splitlines()
        assert lines[0] == "success {'accuracy': 0.5, 'negative_flip_rate': 0.25, " + (
            "'positive_flip_rate': 0.25}"
        )
        assert lines[1].startswith("error ")
        assert "expected the item '3' with repeat '1' in 'old.jsonl'" in lines[1]
        assert lines[2].startswith("error ")
        assert "expected 'the score' to be a finite number, true or false" in lines[2]
        assert lines[3].startswith("error ")
        assert "expected samples scored by flips, got 2 of 2" in lines[3]


INSPECT = """
import inspect_ai
from inspect_ai.dataset import Sample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import CORRECT, PARTIAL, Score, match, scorer
from muscle_metrics.integrations.inspect_ai import flips, negative_flip_rate

def answer(messages, tools, tool_choice, config):
    output = ModelOutput.from_content("mockllm/model", messages[-1].text)
    output.usage = ModelUsage()
    return output

@scorer(metrics=[negative_flip_rate()])
def always(value):
    async def score(state, target):
        return Score(value=value)
    return score

def show(samples, score, epochs=1):
    dataset = [Sample(id=i, input=answer, target="A") for i, answer in samples]
    (log,) = inspect_ai.eval(
        inspect_ai.Task(dataset=dataset, scorer=score, epochs=epochs),
        model=get_model("mockllm/model", custom_outputs=answer),
        log_dir="logs", display="none", log_format="json",
    )
    if log.status == "success":
        found = {n: m.value for s in log.results.scores for n, m in s.metrics.items()}
        print(log.status, found)
    else:
        print(log.status, log.error.message.replace("\\n", " "))

old = "old.baseline"
show([(1, "A"), (2, "B")], flips(match(), old), epochs=2)
show([(3, "A")], flips(match(), old))
show([(1, "A")], flips(always(PARTIAL), old))
show([(1, "A"), (2, "A")], always(CORRECT))
"""


class TestLmEval:
    def test_flips_in_the_harness_are_those_of_the_logs(self, run: Run) -> None:
        def evaluate(version: str, tasks: str) -> None:
            run(
                "lm-eval", "-m", "lm_eval",
                "--model", "hf", "--model_args", f"pretrained=models/{version}",
                "--device", "cpu", "--include_path", ".", "--tasks", tasks,
                "--output_path", version, "--log_samples",
            )  # fmt: skip

        for seed in (1, 2):
            save_llama(Path("models", f"v{seed}"), seed)
        shutil.copytree(EXAMPLES / "lm_eval", ".", dirs_exist_ok=True)
        evaluate("v1", "sums")
        (old,) = Path("v1").iterdir()
        assert main(["baseline", str(old), "-o", "v1.baseline"]) == 0
        evaluate("v2", "sums,sums_flips")
        (new,) = Path("v2").iterdir()

        (log,) = new.glob("samples_sums_flips_*.jsonl")
        rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        counts = compare_runs(read_run(old), read_run(new, task="sums"), metric="acc").counts
        assert sum(row["negative_flip"] for row in rows) == counts.negative > 0
        assert sum(row["positive_flip"] for row in rows) == counts.positive > 0
        assert sum(row["acc"] for row in rows) == counts.new_right
        (results,) = new.glob("results_*.json")
        found = json.loads(results.read_text("utf-8"))["results"]["sums_flips"]
        assert found["negative_flip,none"] == pytest.approx(counts.negative_flip_rate)
        assert found["positive_flip,none"] == pytest.approx(counts.positive_flip_rate)


def save_llama(folder: Path, seed: int) -> None:
    """A Llama that reads bytes, with random weights large enough to prefer some answers."""
    import torch
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    names = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Tokenizer(BPE(vocab={name: i for i, name in enumerate(names)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    ).save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(names),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=256,
        bos_token_id=0,
        eos_token_id=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    with torch.no_grad():
        for weights in model.parameters():
            weights.mul_(20)
    model.save_pretrained(folder)
