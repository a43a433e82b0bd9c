"""Evaluate two tiny random models with lm-evaluation-harness; run in its own environment.

Usage: python run_lm_eval.py FOLDER [ADDRESS OF THE PACKAGE]. Writes FOLDER/logs/v1 and v2, and to
FOLDER/memory.json what the results in memory read as.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}

CHOICE = """\
task: tiny_choice
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: multiple_choice
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
doc_to_choice: "{{{{choices}}}}"
doc_to_target: "{{{{label}}}}"
metric_list:
  - {{metric: acc, aggregation: mean, higher_is_better: true}}
  - {{metric: acc_norm, aggregation: mean, higher_is_better: true}}
metadata: {{version: 1.0}}
"""
SUMS = """\
task: tiny_sums
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["Question:"], do_sample: false, max_gen_toks: 12}}
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true}}
filter_list:
  - name: strict-match
    filter: [{{function: regex, regex_pattern: "^([0-9])"}}, {{function: take_first}}]
  - name: flexible-extract
    filter: [{{function: regex, regex_pattern: "([0-9])"}}, {{function: take_first}}]
metadata: {{version: 1.0}}
"""
TEXT = """\
task: rolling_text
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{{{question}}}}"
metric_list: [{{metric: word_perplexity}}]
metadata: {{version: 1.0}}
"""


RULES = """\
task: tiny_rules
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "Follow the rules: {{{{question}}}}"
doc_to_target: 0
process_results: !function rules_of_tiny_rules.process_results
generation_kwargs: {{until: ["Question:"], do_sample: false, max_gen_toks: 12}}
metric_list:
  - {{metric: prompt_level_strict_acc, aggregation: mean, higher_is_better: true}}
  - {{metric: inst_level_strict_acc, aggregation: !function rules_of_tiny_rules.mean_of_parts,
     higher_is_better: true}}
  - {{metric: prompt_level_loose_acc, aggregation: mean, higher_is_better: true}}
metadata: {{version: 2.0}}
"""
TASKS = {"tiny_choice": CHOICE, "tiny_sums": SUMS, "tiny_rules": RULES, "rolling_text": TEXT}
# As IFEval does: a verdict, the verdict on each rule, and a verdict that forgives more.
RULES_CODE = """\
def process_results(doc, results):
    text = results[0]
    parts = [len(text) % 3 > 0, sum(map(ord, text)) % 4 > 0]
    return {
        "prompt_level_strict_acc": all(parts),
        "inst_level_strict_acc": parts,
        "prompt_level_loose_acc": any(parts),
    }


def mean_of_parts(items):
    parts = [part for item in items for part in item]
    return sum(parts) / len(parts)
"""


def write_tasks(folder: Path) -> None:
    """Write tasks over local data; one document stands twice."""
    folder.mkdir()
    rows = [
        {
            "question": f"What is {n} + {n % 3}?",
            "choices": [str(n % 10), str((7 * n + 1) % 10), "three", "none"],
            "label": n % 4,
            "answer": str((n + n % 3) % 10),
        }
        for n in range(24)
    ]
    rows.append(rows[5])
    data = folder / "data.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "rules_of_tiny_rules.py").write_text(RULES_CODE)
    for name, text in TASKS.items():
        (folder / f"{name}.yaml").write_text(text.format(data=json.dumps(str(data))))


def write_model(folder: Path, seed: int) -> None:
    """Save a random Llama that knows bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: n for n, letter in enumerate([*letters, "<s>", "</s>"])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=256,
        bos_token_id=vocabulary["<s>"],
        eos_token_id=vocabulary["</s>"],
        pad_token_id=vocabulary["</s>"],
        initializer_range=0.5,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def evaluate(folder: Path, version: str) -> None:
    """Run the command line of the harness."""
    from lm_eval.__main__ import cli_evaluate

    sys.argv = [
        "lm_eval",
        *("run", "--model", "hf"),
        *("--model_args", f"pretrained={folder / version},dtype=float32"),
        *("--tasks", ",".join(TASKS)),
        *("--include_path", str(folder / "tasks")),
        *("--output_path", str(folder / "logs" / version), "--log_samples"),
        *("--device", "cpu", "--batch_size", "8"),
    ]
    cli_evaluate()


def read_memory(folder: Path, version: str) -> list[list[object]]:
    """Evaluate from Python, and read the results without a file."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    from muscle_metrics.runs.readers.lm_eval import run_from_lm_eval

    results = lm_eval.simple_evaluate(
        model="hf",
        model_args=f"pretrained={folder / version},dtype=float32",
        tasks=[*TASKS],
        task_manager=TaskManager(include_path=str(folder / "tasks")),
        device="cpu",
        batch_size=8,
        log_samples=True,
    )
    run = run_from_lm_eval(results, filter="strict-match")
    return [
        [record.task, record.id, record.prediction, record.reference, dict(record.scores)]
        for record in run
    ]


def main(folder: Path) -> None:
    """Do everything in one process: importing the harness is the slowest part."""
    write_tasks(folder / "tasks")
    for seed, version in enumerate(("v1", "v2")):
        write_model(folder / version, seed)
        evaluate(folder, version)
    (folder / "memory.json").write_text(json.dumps(read_memory(folder, "v1")))


if __name__ == "__main__":
    sys.path[:0] = sys.argv[2:]
    main(Path(sys.argv[1]).absolute())
