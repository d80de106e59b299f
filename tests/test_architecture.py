"""Which way the arrows point, and what the public face is; read from the source, not imported."""

import ast
import inspect
import itertools
import json
import subprocess
import sys
from pathlib import Path

import pytest

import agnostic_mask as am

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "agnostic_mask": "agnostic_mask",
    "backends": "agnostic_mask.backends",
    "conformance": "agnostic_mask.conformance",
}
SOURCES = {folder: sorted((ROOT / folder).rglob("*.py")) for folder in PACKAGES}
ALL_SOURCES = [path for paths in SOURCES.values() for path in paths]
PUBLIC = {*am.__all__, "__all__", "__version__"}
OF_NAMED_TUPLES = {"_replace", "_fields", "_asdict"}  # public, in spite of their names
# npz is NumPy's own format, which NumPy reads and writes.
MAY_IMPORT = {"agnostic_mask/states/_file.py": "numpy"}
# What is there wherever these parts run: pytest brings packaging, strategies hypothesis.
OF_PARTS = {
    "conformance/_ledger.py": {"packaging"},
    "conformance/author/_search.py": {"hypothesis"},
    "conformance/plugin": {"pytest"},
}
NEEDS_CLI = {"click", "rich", "mpmath"}
BESIDE = {"cupy": ("cupyx",), "torch": ("ml_dtypes",)}  # what a framework comes or works with
FRAMEWORKS = [path.stem for path in SOURCES["backends"] if not path.stem.startswith("_")]
LONGEST_FILE = 400


def modules(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(ROOT)))


def package_of(path):
    folder, *inner = path.relative_to(ROOT).parent.parts
    return ".".join((PACKAGES[folder], *inner))


def called(node):
    return ast.unparse(node.func).rpartition(".")[2]


def imports(source, package):
    """Absolute names of all that is imported anywhere in a module of `package`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parts, *([base] if base else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            match node.args:
                case [ast.Constant(name), *_] if called(node) in ("import_module", "__import__"):
                    yield name


def root_of(name):
    return name.partition(".")[0]


def is_in(name, package):
    return name == package or name.startswith(f"{package}.")


def foreign_to_the_core(source, package):
    """What a module of the core imports and must not."""
    # Of array_api_compat that one function: array_api_compat.torch imports torch.
    allowed = {"array_api_compat", "array_api_compat.array_namespace"}
    for name in imports(source, package):
        root = root_of(name)
        if root == "agnostic_mask":
            if any(is_in(name, PACKAGES[other]) for other in ("backends", "conformance")):
                yield name
        elif name not in allowed and root not in sys.stdlib_module_names:
            yield name


def behind_the_face(source, package, home):
    """What a module of `home` uses of agnostic_mask that is not public, nor its own."""
    tree = ast.parse(source)
    for name in imports(source, package):
        theirs = root_of(name) == "agnostic_mask" and not is_in(name, home)
        if theirs and name.removeprefix("agnostic_mask").lstrip(".") not in {"", *PUBLIC}:
            yield name
    aliases = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "agnostic_mask"
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        owner = ast.unparse(node.value)
        if owner in aliases and node.attr not in PUBLIC:
            yield f"{owner}.{node.attr}"
        of_losses = owner in {f"{alias}.losses" for alias in aliases}
        if of_losses and node.attr not in {*am.losses.__all__, "__all__"}:
            yield f"{owner}.{node.attr}"


def others_secrets(source):
    """Private attributes of anything but self, cls and modules of the package beside it."""
    tree = ast.parse(source)
    beside = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            owner = ast.unparse(node.value)
            public = node.attr.endswith("__") or node.attr in OF_NAMED_TUPLES
            if not public and owner not in {"self", "cls"} | beside:
                yield f"{owner}.{node.attr}"


@modules(SOURCES["agnostic_mask"])
def test_the_core_imports_no_framework_and_neither_of_the_other_packages(path):
    foreign = set(foreign_to_the_core(path.read_text(), package_of(path)))
    assert foreign - {MAY_IMPORT.get(path.relative_to(ROOT).as_posix())} == set()


@modules(SOURCES["backends"])
def test_a_backend_imports_its_framework_and_the_public_face(path):
    source = path.read_text()
    assert list(behind_the_face(source, package_of(path), PACKAGES["backends"])) == []
    framework = next((f for f in FRAMEWORKS if path.stem.startswith(f"_{f}_")), path.stem)
    own = {framework, *BESIDE.get(framework, ())}
    allowed = own | {"agnostic_mask", "array_api_compat", "numpy"} | sys.stdlib_module_names
    assert {root_of(name) for name in imports(source, package_of(path))} - allowed == set()


@modules(SOURCES["conformance"])
def test_conformance_imports_no_framework_and_only_the_public_face(path):
    source = path.read_text()
    assert list(behind_the_face(source, package_of(path), PACKAGES["conformance"])) == []
    assert list(others_secrets(source)) == []
    where = path.relative_to(ROOT).as_posix()
    parts = [OF_PARTS[part] for part in OF_PARTS if where == part or where.startswith(f"{part}/")]
    allowed = {"agnostic_mask", "numpy", *NEEDS_CLI}.union(sys.stdlib_module_names, *parts)
    assert {root_of(name) for name in imports(source, package_of(path))} - allowed == set()


def test_what_authors_use_needs_numpy_and_pytest_alone():
    blocked = NEEDS_CLI | {"hypothesis", "torch", "jax", "dask", "cupy", "array_api_strict"}
    script = f"""
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
import agnostic_mask.conformance.plugin
from agnostic_mask import conformance as c
report = c.report(c.case(lambda x: x + 1, x=c.floats((2,))), backends=["numpy"])
assert not report.failed, report
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "source",
    [
        "import torch",
        "import numpy as np",
        "def f():\n    from jax import numpy",
        "from agnostic_mask import backends",
        "from . import conformance",
        "from ..backends import torch",
        "import agnostic_mask.conformance.cases",
        "import array_api_compat.torch",
        "from array_api_compat import dask",
        "import importlib\nimportlib.import_module('cupy')",
    ],
)
def test_a_wrong_import_in_the_core_is_seen(source):
    package = "agnostic_mask.losses" if ".." in source else "agnostic_mask"
    assert list(foreign_to_the_core(source, package))


@pytest.mark.parametrize(
    "source",
    [
        "from agnostic_mask._tally import tally",
        "from agnostic_mask import _staged",
        "import agnostic_mask._staged",
        "from agnostic_mask.losses._operands import paired",
        "import agnostic_mask as am\nam._staged.ratio",
        "import agnostic_mask as am\nam.losses._operands",
        "from agnostic_mask.backends import torch",
        "from .. import _tally",
    ],
)
def test_a_look_behind_the_face_is_seen(source):
    assert list(behind_the_face(source, PACKAGES["conformance"], PACKAGES["conformance"]))


def test_a_look_at_another_s_secrets_is_seen():
    assert list(others_secrets("objective._score(1)")) == ["objective._score"]
    assert list(others_secrets("from . import _pool\nself._x, _pool._y, x.__name__")) == []


@modules(ALL_SOURCES)
def test_no_file_is_too_long_to_read(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_importing_loads_numpy_alone_and_the_face_is_what_it_says():
    script = """
import json, sys
before = set(sys.modules)
import agnostic_mask as am
loaded = {name.partition(".")[0] for name in set(sys.modules) - before}
face = [name for name in vars(am) if not name.startswith("_")]
print(json.dumps([sorted(loaded - sys.stdlib_module_names), sorted(face)]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    loaded, face = json.loads(done.stdout)
    assert set(loaded) - {"agnostic_mask", "array_api_compat", "numpy"} == set()
    assert face == sorted(am.__all__)


def test_the_face_is_sorted_and_names_each_thing_once():
    for module in (am, am.losses):
        assert module.__all__ == sorted(set(module.__all__))
        assert all(hasattr(module, name) for name in module.__all__)


FUNCTIONS = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in (am, am.losses, am.metrics)
    for name in module.__all__
    if inspect.isfunction(getattr(module, name))
}


def sections(docstring):
    """Headings of a numpydoc docstring."""
    lines = [line.strip() for line in (docstring or "").splitlines()]
    return {a for a, b in itertools.pairwise(lines) if a and b == "-" * len(a)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_is_documented_with_an_example(name):
    fn = FUNCTIONS[name]
    wanted = {"Returns", "Examples"}
    if inspect.signature(fn).parameters:
        wanted.add("Parameters")
    assert wanted - sections(fn.__doc__) == set()
    assert ">>>" in fn.__doc__.partition("Examples")[2]
