"""The whole way, from two tiny models and rows of data to an adapter that peft alone can load."""

from __future__ import annotations

import json
import math
import pickle
import shutil
from dataclasses import replace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")

from muscle_metrics.adapter import CompatibilityConfig, TaskModel, train_compatibility_adapter  # noqa: E402
from muscle_metrics.adapter.models import load_student  # noqa: E402
from muscle_metrics.adapter.training.trainer import training_arguments  # noqa: E402
from muscle_metrics.errors import InputError, TrainingError, UsageError  # noqa: E402

CONFIG = CompatibilityConfig(
    epochs=3, batch_size=8, lora_rank=4, lora_alpha=8, learning_rate=0.02, max_new_tokens=4
)
ROWS = [
    {
        "prompt": f"w{number % 20} w{number * 7 % 20} ?",
        "choices": ["yes", "no"],
        "answer": number % 2,
    }
    for number in range(32)
]
PROMPTS = [{"prompt": f"w{number % 20} w{number * 3 % 20} w5"} for number in range(24)]


@pytest.fixture(scope="module")
def models(make_model, tokenizer) -> dict[str, TaskModel]:
    return {
        name: TaskModel(make_model(seed), tokenizer=tokenizer)
        for name, seed in (("old", 1), ("new", 2))
    }


@pytest.fixture(scope="module")
def folders(models, tokenizer, tmp_path_factory) -> dict[str, TaskModel]:
    """The same on disk, each with a task adapter of its own."""
    folder = tmp_path_factory.mktemp("models")
    sources = {}
    for name, source in models.items():
        source.model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        base = transformers.AutoModelForCausalLM.from_pretrained(folder / name)
        with torch.random.fork_rng():
            torch.manual_seed(5)
            lora = peft.LoraConfig(
                task_type="CAUSAL_LM",
                r=4,
                target_modules="all-linear",
                init_lora_weights=False,
            )
            adapted = peft.get_peft_model(base, lora)
        adapted.save_pretrained(folder / f"{name}_adapter")
        sources[name] = TaskModel(folder / name, folder / f"{name}_adapter")
    return sources


def train(
    models: dict[str, TaskModel], config: CompatibilityConfig = CONFIG, **options: Any
) -> Any:
    given = {"train": ROWS, "validation": ROWS[:16], **models, **options}
    return train_compatibility_adapter(config=config, **given)


def weights(result: Any) -> dict[str, torch.Tensor]:
    return peft.get_peft_model_state_dict(
        result.model, adapter_name="default", save_embedding_layers=False
    )


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor], **within: float):
    assert one.keys() == other.keys()
    for name, values in one.items():
        torch.testing.assert_close(values, other[name], **within)


@pytest.fixture(scope="module")
def trained(folders, tmp_path_factory) -> tuple[Any, list[str], Any]:
    said: list[str] = []
    output = tmp_path_factory.mktemp("output")
    config = replace(CONFIG, select_by="loss")
    result = train(folders, config, replay=PROMPTS, output=output, say=said.append)
    return result, said, output


def test_the_start_is_the_new_model_and_learning_lowers_the_loss(trained):
    result, said, _ = trained
    start, *epochs = result.standings
    assert (start.epoch, [one.epoch for one in epochs]) == (0, [1, 2, 3])
    assert start.kl_to_new == pytest.approx(0, abs=1e-6)
    assert min(one.loss for one in epochs) < start.loss
    assert result.best.loss == min(one.loss for one in result.standings)
    assert said[-4:] == [str(one) for one in result.standings]


def test_the_old_models_answers_are_stored(trained, folders):
    from muscle_metrics.adapter import generate_answers

    old = transformers.AutoModelForCausalLM.from_pretrained(folders["old"].model)
    old = peft.PeftModel.from_pretrained(old, folders["old"].adapter)
    rows = [json.loads(line) for line in (trained[2] / "replay.jsonl").read_text().splitlines()]
    assert rows
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders["old"].model)
    prompts = [row["prompt"] for row in rows]
    answers = generate_answers(old, tokenizer, prompts, max_new_tokens=4)
    assert [row["completion"] for row in rows] == [answer.strip() for answer in answers]


def test_the_student_holds_the_kept_epoch(trained, tokenizer):
    from muscle_metrics.adapter import make_evaluator, read_examples

    result, _, _ = trained
    scores = make_evaluator(read_examples(ROWS[:16]), CONFIG)(result.model, tokenizer)
    assert sum(scores) / 16 == result.best.accuracy


def test_peft_alone_loads_what_is_saved(trained, folders, tmp_path):
    result, _, _ = trained
    result.save_pretrained(tmp_path / "adapter")
    files = sorted(path.name for path in (tmp_path / "adapter").iterdir())
    assert files == [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "compatibility.json",
    ]
    base = transformers.AutoModelForCausalLM.from_pretrained(folders["new"].model)
    loaded = peft.PeftModel.from_pretrained(base, tmp_path / "adapter").eval()
    row = torch.arange(3, 9)[None]
    with torch.no_grad():
        torch.testing.assert_close(loaded(input_ids=row).logits, result.model(input_ids=row).logits)
    card = (tmp_path / "adapter" / "README.md").read_text(encoding="utf-8")
    assert f"| negative flips | {result.standings[0].negative_flip_rate:.2%} |" in card
    content = json.loads((tmp_path / "adapter" / "compatibility.json").read_text())
    assert content["kept_epoch"] == result.best.epoch


def test_only_the_adapter_is_trained(trained, models):
    result, _, _ = trained
    trainable = [name for name, values in result.model.named_parameters() if values.requires_grad]
    assert trainable
    assert all(".default." in name for name in trainable)
    frozen = models["new"].model.get_input_embeddings().weight
    torch.testing.assert_close(result.model.get_input_embeddings().weight, frozen)


def test_objects_are_left_alone(models, by_default):
    before, _ = by_default
    assert_same(models["new"].model.state_dict(), before)
    assert models["new"].model.get_input_embeddings().weight.requires_grad


@pytest.fixture(scope="module")
def by_default(models) -> tuple[dict[str, torch.Tensor], Any]:
    """The new model's weights before a training with the default loss, and its result."""
    before = {name: values.clone() for name, values in models["new"].model.state_dict().items()}
    return before, train(models, replace(CONFIG, epochs=1))


PLAIN = replace(CONFIG, epochs=1, select_by="loss", distillation_weight=0.5)


@pytest.fixture(scope="module")
def plainly_trained(models):
    result = train(models, PLAIN, replay=PROMPTS)
    assert result.best.epoch == 1
    return result


@pytest.mark.parametrize(
    "other",
    [
        {"batch_size": 4, "accumulation": 2},
        {"fused": False},
        {"gradient_checkpointing": True},
        {"old_logits": "full"},
        {"old_logits": "top_k", "top_k": 33},
    ],
    ids=str,
)
def test_the_same_adapter_however_it_is_computed(models, plainly_trained, other):
    another = train(models, replace(PLAIN, **other), replay=PROMPTS)
    # Stored logits are rounded to half precision; the sums of batches differ in their last bits.
    near = 1e-3 if other.get("old_logits") == "full" else 1e-4
    assert_same(weights(plainly_trained), weights(another), rtol=1e-3, atol=near)


def test_a_peft_model_in_memory_trains_as_its_folder_does(folders, tokenizer):
    config = replace(CONFIG, epochs=1, select_by="loss")
    from_folders = train(folders, config)
    objects = {}
    for name, source in folders.items():
        base = transformers.AutoModelForCausalLM.from_pretrained(source.model)
        adapted = peft.PeftModel.from_pretrained(base, source.adapter, adapter_name="task")
        objects[name] = TaskModel(adapted, tokenizer=tokenizer)
    assert_same(weights(train(objects, config)), weights(from_folders))


def test_the_default_recipe_never_ends_below_the_start(models):
    # A learning rate that destroys: whatever the epochs do, the start is a candidate.
    result = train(models, replace(CONFIG, learning_rate=5.0, max_gradient_norm=0, epochs=2))
    assert result.best.accuracy >= result.standings[0].accuracy
    assert result.best.negative_flip_rate <= result.standings[0].negative_flip_rate


def test_cross_entropy_is_switched_on_and_said(by_default, plainly_trained):
    _, result = by_default
    assert any("half of the loss is cross-entropy" in note for note in result.notes)
    # Nothing is switched on, and so nothing said, where the configuration decides.
    assert plainly_trained.config.distillation_weight is not None
    assert not any("half of the loss" in note for note in plainly_trained.notes)


def test_warm_up_is_a_share_of_all_steps(tmp_path):
    arguments = training_arguments(CompatibilityConfig(epochs=10), 80, tmp_path)
    assert arguments.warmup_steps == 5
    accumulated = CompatibilityConfig(epochs=10, batch_size=4, accumulation=5)
    assert training_arguments(accumulated, 81, tmp_path).warmup_steps == round(0.05 * 10 * 5)


def test_patience_ends_training(models):
    config = replace(CONFIG, epochs=6, learning_rate=1e-9, patience=2)
    assert len(train(models, config).standings) == 3


def test_generated_answers_are_judged_by_a_metric(models):
    rows = [{"prompt": f"w{number} ?", "completion": "w1 w2 w3"} for number in range(12)]
    config = replace(CONFIG, epochs=1, metric="rouge1")
    result = train(models, config, train=rows, validation=rows[:6])
    assert 0 <= result.standings[0].accuracy < 1


def test_bf16_trains(folders):
    result = train(folders, replace(CONFIG, precision="bf16", epochs=1, select_by="loss"))
    assert math.isfinite(result.standings[-1].loss)
    assert {values.dtype for values in weights(result).values()} == {torch.float32}


def test_models_in_folders_need_no_network(folders, tmp_path, monkeypatch):
    """Also where the settings of an adapter name a base model on the hub."""
    asked = []

    def refuse(*arguments: Any, **_: Any) -> None:
        asked.append(arguments)
        raise OSError("no network")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)
    foreign = {}
    for name, source in folders.items():
        folder = shutil.copytree(source.adapter, tmp_path / name)
        settings = json.loads((folder / "adapter_config.json").read_text())
        settings["base_model_name_or_path"] = "somebody/model"
        (folder / "adapter_config.json").write_text(json.dumps(settings))
        foreign[name] = replace(source, adapter=folder)
    train(foreign, replace(CONFIG, epochs=1)).save_pretrained(tmp_path / "saved")
    assert not asked


class Canary:
    """An object that writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, str]]:
        return (open, (self.path, "w"))


class TestRefused:
    def test_an_exploding_loss(self, models):
        config = replace(CONFIG, learning_rate=1e30, max_gradient_norm=0, warmup_share=0.0)
        with pytest.raises(TrainingError, match="expected a finite loss, got nan at step"):
            train(models, config)

    def test_a_folder_without_an_adapter(self, folders, tmp_path):
        new = replace(folders["new"], adapter=tmp_path)
        with pytest.raises(InputError, match=r"got no adapter_config.json there"):
            train({**folders, "new": new})

    @pytest.mark.parametrize(
        "settings",
        [[], 3, None, {}, {"peft_type": "EVIL"}, {"peft_type": []}, {"peft_type": "lora"},
         {"peft_type": "XLORA", "adapters": {"a": "somebody/adapter"}, "hidden_size": 8},
         {"peft_type": "PROMPT_TUNING", "task_type": "CAUSAL_LM", "num_virtual_tokens": 2},
         {"peft_type": "LORA", "r": "x"}, {"peft_type": "LORA", "r": -3},
         {"peft_type": "LORA", "target_modules": [1]}, {"peft_type": "LORA", "r": 2**70}],
        ids=str,
    )  # fmt: skip
    def test_settings_of_no_adapter(self, folders, tmp_path, settings):
        folder = shutil.copytree(folders["new"].adapter, tmp_path / "adapter")
        (folder / "adapter_config.json").write_text(json.dumps(settings))
        with pytest.raises(InputError, match="adapter") as refused:
            load_student(replace(folders["new"], adapter=folder), CONFIG)
        assert "\n" not in str(refused.value)

    def test_a_folder_without_a_model(self, folders, tmp_path):
        with pytest.raises(InputError, match="expected a causal language model"):
            train({**folders, "old": TaskModel(tmp_path)})

    def test_tokenizers_that_spell_nothing_alike(self, models, make_tokenizer):
        other = replace(models["old"], tokenizer=make_tokenizer(["w1", "w2"]))
        with pytest.raises(InputError, match=r"the 6 tokens of .* do not give back as the 34 of"):
            train({**models, "old": other})

    def test_heads_smaller_than_the_vocabulary(self, models, make_model):
        small = replace(models["old"], model=make_model(3, vocabulary=20))
        with pytest.raises(InputError, match="resize the embeddings"):
            train({**models, "old": small})

    def test_an_adapter_of_another_model(self, folders, make_model, tmp_path):
        make_model(4, size=8).save_pretrained(tmp_path)
        other = TaskModel(tmp_path, folders["new"].adapter, tokenizer=folders["new"].model)
        with pytest.raises(InputError, match="use the base model that it was trained on"):
            train({**folders, "new": other})

    def test_an_adapter_with_a_pickle(self, folders, tmp_path):
        # A pickle that would write a file when it is loaded.
        canary = tmp_path / "canary"
        folder = tmp_path / "adapter"
        shutil.copytree(folders["new"].adapter, folder)
        for name in ("adapter_model.bin", "deep/er/optimizer.PT"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(pickle.dumps(Canary(str(canary))))
            with pytest.raises(InputError, match="such files may run code"):
                train({**folders, "new": replace(folders["new"], adapter=folder)})
            path.unlink()
        (folder / "adapter_model.safetensors").unlink()
        with pytest.raises(InputError, match="expected weights in"):
            train({**folders, "new": replace(folders["new"], adapter=folder)})
        assert not canary.exists()

    def test_no_data(self, models):
        with pytest.raises(InputError, match="expected at least 1 example"):
            train(models, train=[])

    def test_a_model_without_its_tokenizer(self, models):
        with pytest.raises(UsageError, match="expected a tokenizer beside a model object"):
            train({**models, "old": TaskModel(models["old"].model)})

    def test_completions_that_are_cut_off(self, models):
        with pytest.raises(InputError, match="raise max_length"):
            train(models, replace(CONFIG, max_length=1))
