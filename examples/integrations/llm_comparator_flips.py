"""All items of two runs side by side, for https://pair-code.github.io/llm-comparator/."""

from pathlib import Path

from muscle_metrics import compare_runs, read_run
from muscle_metrics.integrations.llm_comparator import llm_comparator_json

old, new = (
    read_run(f"examples/v{i}.jsonl", slice_field="topic", prompt_field="prompt") for i in (1, 2)
)
text = llm_comparator_json(compare_runs(old, new), prompts=new)
Path("v1-v2.json").write_text(text, encoding="utf-8")
print(text.count('"score": 1.0'), "got fixed,", text.count('"score": -1.0'), "broke")
