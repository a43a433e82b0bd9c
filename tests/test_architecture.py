"""The house as a test: what may import what, and what every module owes its readers."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import muscle_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PACKAGE = Path(muscle_metrics.__file__).parent
LONGEST = 600
# Too slow, or not installed everywhere: imported by the call that needs them.
HEAVY = {
    "accelerate",
    "bert_score",
    "duckdb",
    "evaluate",
    "inspect_ai",
    "jinja2",
    "lm_eval",
    "math_verify",
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
    "sympy",
    "torch",
    "torchmetrics",
    "transformers",
    "zstandard",
}

# These modules import their hosts on import, so without the hosts their import fails.
HOSTED = ("integrations.evaluate_modules.", "integrations.inspect_ai", "integrations.torchmetrics")
NEEDED_BY_THE_ADAPTER = ("accelerate", "peft", "safetensors", "torch", "transformers")
NO_ADAPTER = [name for name in NEEDED_BY_THE_ADAPTER if find_spec(name) is None]
needs_the_adapter = pytest.mark.skipif(bool(NO_ADAPTER), reason=f"not installed: {NO_ADAPTER}")

MODULES = sorted(
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    for path in PACKAGE.rglob("*.py")
    if path != PACKAGE / "__init__.py"
)
FOLDERS = sorted({module.rpartition(".")[0] for module in MODULES})
FOLDERS_OF_FOLDERS = sorted({folder.rpartition(".")[0] for folder in FOLDERS})

Edges = dict[str, set[str]]


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


def is_for_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def nodes(tree: ast.AST, leave_out: Callable[[ast.AST], bool]) -> Iterator[ast.AST]:
    """All nodes below a node, except those that `leave_out` rejects."""
    for child in ast.iter_child_nodes(tree):
        if not leave_out(child):
            yield child
            yield from nodes(child, leave_out)


def imports_when_run(module: str) -> set[str]:
    """Imports of a module, at its top or inside a function, except those for typing."""
    return {name for node in nodes(parse(module), is_for_typing) for name in imported(node)}


def imports_when_loaded(module: str) -> set[str]:
    """Imports of a module that run when the module itself is imported."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    at_top = nodes(parse(module), lambda node: is_for_typing(node) or isinstance(node, functions))
    return {name for node in at_top for name in imported(node)}


def imports_for_typing(module: str) -> set[str]:
    return {name for node in ast.walk(parse(module)) for name in imported(node)}


def ours(names: Iterable[str]) -> set[str]:
    """Modules of this package among full names; a name in a module stands for the module."""
    prefix = "muscle_metrics."
    inside = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    # "flips.counts.FlipCounts" is a name in the module "flips.counts".
    return {name if name in MODULES else name.rpartition(".")[0] for name in inside}


@cache
def graph(imports: Callable[[str], set[str]]) -> Edges:
    return {module: ours(imports(module)) - {module} for module in MODULES}


def sort_upward(edges: Edges) -> None:
    """Topological sort: raise with the circle, if there is one."""
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        pytest.fail(f"imports run in a circle: {' <- '.join(error.args[1])}")


def children(folder: str, edges: Edges) -> Edges:
    """Which entries of a folder import which others of the same folder."""
    prefix = f"{folder}." if folder else ""
    found: Edges = {}
    for module, others in edges.items():
        # The __init__ of a folder is its door, and no entry of it.
        if module.startswith(prefix):
            entry = module.removeprefix(prefix).partition(".")[0]
            below = {other.removeprefix(prefix) for other in others if other.startswith(prefix)}
            found.setdefault(entry, set()).update(
                {name.partition(".")[0] for name in below} - {entry}
            )
    return found


def test_no_module_imports_the_root():
    assert not [module for module in MODULES if "" in graph(imports_for_typing)[module]]


def test_no_module_imports_from_the_door_of_its_own_folder():
    """`from package import module` runs the `__init__` of the package, which imports the module."""
    doors = {
        (module, node.module)
        for module in MODULES
        for node in nodes(parse(module), is_for_typing)
        if isinstance(node, ast.ImportFrom)
        and node.module
        and f"muscle_metrics.{module}".startswith(f"{node.module}.")
        and ours(imports_when_run(node.module.removeprefix("muscle_metrics.")))
    }
    assert not doors


def test_imports_of_files_point_down():
    sort_upward(graph(imports_when_run))


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_of_folders_point_down(folder):
    sort_upward(children(folder, graph(imports_when_run)))


@pytest.mark.parametrize("folder", FOLDERS_OF_FOLDERS)
def test_imports_for_typing_point_down_between_folders(folder):
    sort_upward(children(folder, graph(imports_for_typing)))


def test_only_its_command_runs_the_adapter():
    outside = {
        module: others
        for module, others in graph(imports_for_typing).items()
        if not module.startswith("adapter")
    }
    assert {
        module
        for module, others in outside.items()
        if any(other.startswith("adapter") for other in others)
    } <= {"cli.adapter"}


def test_what_everyone_imports_is_light():
    """The package, its public names and the command line load no heavy package."""
    edges, waiting, light = graph(imports_when_loaded), {"cli", *muscle_metrics._PUBLIC}, set()
    while waiting:
        module = waiting.pop()
        light.add(module)
        waiting |= edges[module] - light
    loaded = {
        module: {name.partition(".")[0] for name in imports_when_loaded(module)} for module in light
    }
    assert not {module: names & HEAVY for module, names in loaded.items() if names & HEAVY}


def test_entries_of_the_package_are_few():
    entries = {path.name for path in PACKAGE.iterdir()} - {"__pycache__", "py.typed"}
    assert len(entries) <= 23


def test_modules_stay_short():
    lengths = {
        module: len(path_of(module).read_text(encoding="utf-8").splitlines()) for module in MODULES
    }
    assert not {module: length for module, length in lengths.items() if length > LONGEST}


@cache
def public_names(module: str) -> list[str] | None:
    for node in parse(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets) == "__all__":
            try:
                return ast.literal_eval(node.value)
            except ValueError:
                return list(importlib.import_module(f"muscle_metrics.{module}").__all__)
    return None


def definitions(module: str) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name: node for node in parse(module).body if isinstance(node, kinds)}


def constants_then_classes_then_functions(name: str) -> tuple[bool, bool, str]:
    return not name.isupper(), not name[0].isupper(), name


def test_all_is_sorted():
    for module in MODULES:
        names = public_names(module)
        if names is None:
            # Only a module without names of its own may lack the list.
            assert len(parse(module).body) <= 1 or module == "__main__", f"{module} has no __all__"
            continue
        in_order = sorted(set(names), key=constants_then_classes_then_functions)
        assert names in (in_order, sorted(set(names))), f"{module}.__all__ is not sorted"


def test_all_is_complete():
    for module in MODULES:
        public = {name for name in definitions(module) if not name.startswith("_")}
        left_out = public - {*(public_names(module) or public)}
        assert not left_out, f"{module}.__all__ lacks {left_out}"


def belongs_to_the_adapter(module: str) -> bool:
    return module.partition(".")[0] == "adapter"


def missing_names(modules: Iterable[str]) -> dict[str, list[str]]:
    """Names in an `__all__` that its module does not have, by module."""
    missing = {}
    for module in modules:
        try:
            loaded = importlib.import_module(f"muscle_metrics.{module}")
        except ImportError:
            assert module.startswith(HOSTED), f"{module} cannot be imported"
            continue
        missing[module] = [name for name in public_names(module) or [] if not hasattr(loaded, name)]
    return {module: names for module, names in missing.items() if names}


def test_all_exists():
    assert not missing_names(module for module in MODULES if not belongs_to_the_adapter(module))


@needs_the_adapter
def test_all_exists_in_the_adapter():
    assert not missing_names(filter(belongs_to_the_adapter, MODULES))


def test_package_gives_every_public_name():
    namespace: dict[str, object] = {}
    exec("from muscle_metrics import *", namespace)
    assert muscle_metrics.__all__ == sorted(set(muscle_metrics.__all__))
    assert {*namespace} - {"__builtins__"} == {*muscle_metrics.__all__}
    assert {*muscle_metrics.__all__} <= {*dir(muscle_metrics)}
    with pytest.raises(AttributeError):
        muscle_metrics.no_such_name  # noqa: B018


def test_no_module_hides_a_public_name():
    # Importing a module sets it as an attribute of the package, which hides a lazy name.
    assert not set(muscle_metrics.__all__) & {module.partition(".")[0] for module in MODULES}


# Users import these names; a name leaves this list only with a deprecation.
FROZEN = [
    "AccuracyChange", "Candidates", "CandidatesVerdict", "Chain", "Check", "Comparison",
    "Consistency", "FileError", "FlipCounts",
    "FlipLabels", "FlipMatrix", "InputError", "Interval", "Item", "LogContents", "Magnitude",
    "MeanChange", "MissingDependencyError", "MuscleMetricsError", "Outcome", "PairingError",
    "PartContents", "Policy", "Quadrant", "Rate", "Record", "Run", "SCORERS", "ScoreChanges",
    "UsageError", "Verdict", "Waiver", "check_candidates", "check_gate", "compare",
    "compare_candidates", "compare_chain", "compare_labelled",
    "compare_runs", "compare_trajectories", "consistency", "count_chain", "count_flips",
    "find_slices", "flip_matrix", "html_report",
    "inconsistency_flip_rate", "inspect_log", "label_flips", "measure_changes",
    "negative_flip_rate", "pair_runs", "plan_labels", "positive_flip_rate",
    "read_policy", "read_run", "read_waivers", "relative_change", "run_from_lm_eval", "score",
    "score_flips", "tally_flips",
]  # fmt: skip


def test_no_public_name_is_lost():
    assert muscle_metrics.__all__ == FROZEN


@pytest.mark.slow
def test_public_names_have_types_for_users(project, tmp_path, monkeypatch):
    """A strict type checker sees each public name with its signature."""
    api = pytest.importorskip("mypy.api")
    monkeypatch.chdir(project)
    module = tmp_path / "users.py"
    module.write_text(
        f"from muscle_metrics import ({', '.join(FROZEN)})\n"
        "def count_broken(comparison: Comparison, policy: Policy) -> int:\n"
        "    return comparison.counts.negative if policy.max_nfr else 0\n"
        "count_broken(compare(old=['A'], new=['B'], references=['A']), Policy(max_nfr='0.1'))\n"
        "compare(old=['A'], new=['B'], references=['A'], no_such_option=1)\n"
    )
    # The imports of the package have a configuration of their own, which a user does not have.
    silent = ["--ignore-missing-imports", "--follow-imports=silent"]
    own = [f"--config-file={os.devnull}", f"--cache-dir={tmp_path}"]
    printed, _, _ = api.run(["--strict", *silent, *own, str(module)])
    errors = [line for line in printed.splitlines() if ": error: " in line]
    assert len(errors) == 1, printed
    assert 'users.py:5: error: Unexpected keyword argument "no_such_option"' in errors[0]


REFERENCE = (Path(__file__).parent.parent / "docs" / "reference.md").read_text(encoding="utf-8")


def documented_paths() -> list[str]:
    """Full names that the reference documents, in its order."""
    found, current = [], ""
    for directive, target in re.findall(r"^\.\. (\S+):: ([\w.]+)$", REFERENCE, re.MULTILINE):
        if directive == "currentmodule":
            current = target
        else:
            inside = target.startswith("muscle_metrics.")
            found.append(target if inside else f"{current}.{target}")
    return found


@pytest.mark.parametrize("adapter", [False, pytest.param(True, marks=needs_the_adapter)])
def test_documented_paths_can_be_imported(adapter):
    paths = documented_paths()
    assert len(paths) > 100
    for path in paths:
        if path.startswith("muscle_metrics.adapter.") is not adapter:
            continue
        try:
            assert pkgutil.resolve_name(path), path
        except (AttributeError, ImportError):
            # Without its host a module cannot be imported, and its names cannot be found.
            assert path.removeprefix("muscle_metrics.").startswith(HOSTED), path
            assert find_spec(path.split(".")[2]) is None, path


# Users call the names of the package and those that the reference documents.
PUBLIC = {*muscle_metrics.__all__, *(path.rpartition(".")[2] for path in documented_paths())}


def test_public_classes_and_functions_are_documented():
    for module in MODULES:
        for name in {*(public_names(module) or [])} & definitions(module).keys():
            node = definitions(module)[name]
            text = ast.get_docstring(node)
            assert text, f"{module}.{name} has no docstring"
            # The function that raises an error, or returns a record, shows the class.
            shown_elsewhere = isinstance(node, ast.ClassDef) and (
                module == "errors" or name not in muscle_metrics.__all__
            )
            _, _, examples = text.partition("\nExamples\n--------\n")
            if name in PUBLIC and not shown_elsewhere:
                assert ">>> " in examples, f"{module}.{name} shows no example"


def test_every_module_says_what_it_is():
    trees = {module: parse(module) for module in MODULES}
    trees["muscle_metrics"] = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    for module, tree in trees.items():
        text = ast.get_docstring(tree)
        assert text, f"{module} has no docstring"
        assert text.splitlines()[0].endswith("."), f"{module}: the first line is no sentence"
