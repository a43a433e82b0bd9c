"""The house as a test: what may import what, and what every module owes its readers."""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import muscle_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(muscle_metrics.__file__).parent

# Bottom first. A module may import its own floor and those below; a name stands for what is in it.
FLOORS = [
    {"errors", "optional", "suggestion"},
    {"statistics"},
    {"rates"},
    {
        "answers",
        "arrays",
        "changes",
        "counting",
        "flips",
        "magnitudes",
        "scorers",
        "turns",
        "verdicts",
    }
    | {"likeness", "scoring"},
    {"runs"},
    {"comparison", "comparing", "items", "chains", "scale", "summary", "signature"},
    {
        "baseline",
        "clustered_evidence",
        "counted_criteria",
        "criteria",
        "evidence",
        "gate",
        "growing",
        "policy",
        "refusal",
    },
    {"reports", "plots"},
    {"integrations", "distributed", "cli", "__main__"},
]
# The adapter stands beside the tower: nobody imports it but the command that runs it, when it runs,
# and it sees no more than runs and comparisons.
BESIDE = {"adapter": 5}
RUNS_WHAT_STANDS_BESIDE = {"cli.adapter"}
# Leaves that import nothing of ours, so that anyone may import them.
LEAVES = {"reports.escape"}
# A result knows how to show itself, and pays for it when it is shown.
ALLOWED_UPWARD = {
    ("comparison", "reports.notebook"),
    ("comparison", "reports.text"),
    ("chains", "reports.text"),
    ("scale.counted", "reports.text"),
    ("gate", "reports.text"),
}
# Too slow, or not installed everywhere: imported by the call that needs them.
HEAVY = {
    "accelerate",
    "bert_score",
    "duckdb",
    "evaluate",
    "inspect_ai",
    "jinja2",
    "lm_eval",
    "matplotlib",
    "mlflow",
    "nltk",
    "pandas",
    "peft",
    "pyarrow",
    "rapidfuzz",
    "ray",
    "rich",
    "rouge_score",
    "sacrebleu",
    "safetensors",
    "scipy",
    "torch",
    "torchmetrics",
    "transformers",
    "zstandard",
}
HEAVY_AT_THE_TOP = {
    ("integrations.inspect_ai", "inspect_ai"),
    ("integrations.torchmetrics", "torchmetrics"),
    ("reports.fitting", "rich"),
    ("reports.text", "rich"),
}
# What a host loads by path, or by name, cannot be imported where the host is not installed.
HOSTED = ("integrations.evaluate_modules.", "integrations.inspect_ai", "integrations.torchmetrics")
# Modules of the adapter are made of these, and are themselves imported by the call that needs them.
OF_THE_ADAPTER = {"accelerate", "peft", "safetensors", "torch", "transformers"}

MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path != PACKAGE / "__init__.py"
)


def path_of(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def parse(module: str) -> ast.Module:
    return ast.parse(path_of(module).read_text(encoding="utf-8"))


def imported(node: ast.AST) -> Iterator[str]:
    """Full names that an import statement binds or loads."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "expected absolute imports"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """Statements that importing a module executes; not function bodies, nor types only."""
    for child in ast.iter_child_nodes(node):
        types_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and not types_only:
            yield child
            yield from run_on_import(child)


def our_imports(module: str) -> Iterator[str]:
    """Modules of this package that a module imports anywhere, even in a function or for types."""
    for node in ast.walk(parse(module)):
        for name in imported(node):
            head, _, rest = name.partition(".")
            if head == "muscle_metrics" and rest != "__version__":
                # "flips.FlipCounts" is a name in the module "flips".
                yield rest if rest in MODULES else rest.rpartition(".")[0] or rest


def floor_of(module: str) -> int:
    name = module.partition(".")[0]
    floors = [floor for floor, names in enumerate(FLOORS) if name in names]
    assert floors or name in BESIDE, f"no floor for {module!r}: give it one in FLOORS"
    return floors[0] if floors else BESIDE[name]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    for other in our_imports(module):
        outside = {other.partition(".")[0]} - {module.partition(".")[0]}
        beside = outside & BESIDE.keys()
        assert not beside or module in RUNS_WHAT_STANDS_BESIDE, f"{module} imports {other}"
        allowed = beside or other in LEAVES or (module, other) in ALLOWED_UPWARD
        assert allowed or floor_of(other) <= floor_of(module), f"{module} imports {other} above it"


@pytest.mark.parametrize("module", sorted(LEAVES & {*MODULES}))
def test_leaves_import_nothing_of_ours(module):
    assert not list(our_imports(module))


@pytest.mark.parametrize("module", sorted({module for module, _ in ALLOWED_UPWARD} & {*MODULES}))
def test_upward_imports_wait_for_the_call(module):
    loaded = {name for node in run_on_import(parse(module)) for name in imported(node)}
    assert not [name for name in loaded if name.startswith("muscle_metrics.reports.")]


@pytest.mark.parametrize("module", sorted(RUNS_WHAT_STANDS_BESIDE))
def test_what_stands_beside_is_run_by_the_call(module):
    loaded = {name for node in run_on_import(parse(module)) for name in imported(node)}
    assert not [name for name in loaded if name.startswith("muscle_metrics.adapter")]


@pytest.mark.parametrize("module", MODULES)
def test_heavy_packages_wait_for_the_call(module):
    loaded = {name for node in run_on_import(parse(module)) for name in imported(node)}
    heavy = {name.partition(".")[0] for name in loaded} & HEAVY
    if module.startswith("adapter."):
        heavy -= OF_THE_ADAPTER
    if not module.startswith("integrations.evaluate_modules."):
        assert not {(module, name) for name in heavy} - HEAVY_AT_THE_TOP


@pytest.mark.parametrize("module", MODULES)
def test_modules_stay_short(module):
    assert len(path_of(module).read_text(encoding="utf-8").splitlines()) <= 400


def public_names(module: str) -> list[str] | None:
    for node in parse(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets) == "__all__":
            return ast.literal_eval(node.value)
    return None


def definitions(module: str) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name: node for node in parse(module).body if isinstance(node, kinds)}


def constants_then_classes_then_functions(name: str) -> tuple[bool, bool, str]:
    return not name.isupper(), not name[0].isupper(), name


@pytest.mark.parametrize("module", MODULES)
def test_all_is_sorted_and_exists(module):
    names = public_names(module)
    if names is None:
        # Only what has no names of its own to give needs no list of them.
        assert len(parse(module).body) <= 1 or module == "__main__", f"{module} has no __all__"
        return
    assert names == sorted(set(names), key=constants_then_classes_then_functions)
    if module == "adapter" or module.startswith("adapter."):
        for package in sorted(OF_THE_ADAPTER):
            pytest.importorskip(package)
    try:
        loaded = importlib.import_module(f"muscle_metrics.{module}")
    except ImportError:
        assert module.startswith(HOSTED)
        return
    assert not [name for name in names if not hasattr(loaded, name)]


@pytest.mark.parametrize("module", MODULES)
def test_all_is_complete(module):
    public = {name for name in definitions(module) if not name.startswith("_")}
    assert public <= {*(public_names(module) or public)}


def test_package_gives_every_public_name():
    namespace: dict[str, object] = {}
    exec("from muscle_metrics import *", namespace)
    assert muscle_metrics.__all__ == sorted(
        set(muscle_metrics.__all__), key=constants_then_classes_then_functions
    )
    assert {*namespace} - {"__builtins__"} == {*muscle_metrics.__all__}
    assert {*muscle_metrics.__all__} <= {*dir(muscle_metrics)}
    with pytest.raises(AttributeError):
        muscle_metrics.no_such_name  # noqa: B018


def test_no_module_hides_a_public_name():
    # Importing a module sets it as an attribute of the package, in place of what is bound lazily.
    assert not set(muscle_metrics.__all__) & {module.partition(".")[0] for module in MODULES}


PUBLIC = [
    (module, name)
    for module in MODULES
    for name in public_names(module) or []
    if name in definitions(module)
]


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_public_names_are_documented(module, name):
    node = definitions(module)[name]
    text = ast.get_docstring(node)
    assert text, f"{module}.{name} has no docstring"
    # Errors, and the plain records that a function returns, are shown where they come from.
    shown_elsewhere = isinstance(node, ast.ClassDef) and (
        module == "errors" or name not in muscle_metrics.__all__
    )
    _, _, examples = text.partition("\nExamples\n--------\n")
    assert shown_elsewhere or ">>> " in examples, f"{module}.{name} shows no example"


@pytest.mark.parametrize("module", ["", *MODULES])
def test_every_module_says_what_it_is(module):
    tree = ast.parse((PACKAGE / "__init__.py").read_text()) if not module else parse(module)
    text = ast.get_docstring(tree)
    assert text
    assert text.splitlines()[0].endswith(".")
