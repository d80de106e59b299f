"""What a user installs: the wheel's files, and that they suffice in an empty folder."""

import configparser
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import agnostic_mask as am

ROOT = Path(__file__).parent.parent
FOLDERS = {
    "agnostic_mask": "agnostic_mask",
    "backends": "agnostic_mask/backends",
    "conformance": "agnostic_mask/conformance",
}
NOT_CODE = {
    "agnostic_mask/py.typed",
    "agnostic_mask/conformance/data/README.md",
    "agnostic_mask/conformance/data/japanese_vowels.npz",
    "agnostic_mask/conformance/data/ledger.toml",
    "agnostic_mask/conformance/reports/schema.json",
}
METADATA = {
    f"agnostic_mask-{am.__version__}.dist-info/{name}"
    for name in (
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "top_level.txt",
    )
}


def run(*command, **options):
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the tree: a build leaves folders in its source."""
    tree = tmp_path_factory.mktemp("tree")
    for folder in (*FOLDERS, "tests"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, tree)
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, tree)
    (found,) = out.iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    target = tmp_path_factory.mktemp("installed")
    options = ("--quiet", "--no-deps", "--no-index", "-t", target)
    run(sys.executable, "-m", "pip", "install", *options, wheel)
    return target


def test_the_wheel_has_every_module_the_data_the_licence_and_nothing_else(wheel):
    modules = {
        f"{inside}/{path.relative_to(ROOT / folder).as_posix()}"
        for folder, inside in FOLDERS.items()
        for path in (ROOT / folder).rglob("*.py")
    }
    with zipfile.ZipFile(wheel) as archive:
        assert set(archive.namelist()) == modules | NOT_CODE | METADATA


def test_the_wheel_has_one_top_level_name_and_claims_its_licence(wheel):
    info = f"agnostic_mask-{am.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(f"{info}/top_level.txt").decode().split() == ["agnostic_mask"]
        metadata = archive.read(f"{info}/METADATA").decode()
        licence = archive.read(f"{info}/licenses/LICENSE").decode()
    assert "\nLicense-Expression: MIT\n" in metadata
    assert licence.startswith("MIT License")
    required = {
        line.partition(": ")[2].partition(">")[0]
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist:") and "extra ==" not in line
    }
    assert required == {"array-api-compat", "numpy"}


def test_every_backend_has_its_entry_point(wheel):
    points = configparser.ConfigParser(delimiters=["="])
    with zipfile.ZipFile(wheel) as archive:
        points.read_string(
            archive.read(f"agnostic_mask-{am.__version__}.dist-info/entry_points.txt").decode()
        )
    modules = {path.stem for path in (ROOT / "backends").glob("[!_]*.py")}
    expected = {name: f"agnostic_mask.backends.{name}:backend" for name in modules}
    assert dict(points["agnostic_mask.backends"]) == expected
    assert "agnostic-mask" in points["console_scripts"]


IN_AN_EMPTY_FOLDER = """
import importlib.util, pkgutil, sys
from importlib import metadata, resources
import numpy as np
import agnostic_mask as am

target = sys.argv[1]
assert am.__file__.startswith(target), am.__file__
objective = am.weighted_masked_objective(am.losses.squared_error, reduction="mean")
mask = np.asarray([True, False])
assert float(objective(np.ones(2), np.asarray([3.0, np.nan]), mask=mask)) == 4.0
assert am.dispatch(mask).backend.__class__.__name__ == "NumpyBackend"
for point in metadata.entry_points(group="agnostic_mask.backends"):
    module = importlib.util.find_spec(point.module)
    assert module.origin.startswith(target), module.origin
import agnostic_mask.conformance
package = am.conformance
for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
data = resources.files("agnostic_mask.conformance.data") / "japanese_vowels.npz"
with data.open("rb") as file:
    assert len(np.load(file).files) > 2
"""


def environment(installed):
    return {**os.environ, "PYTHONPATH": str(installed)}


def test_the_installed_wheel_works_in_an_empty_folder(installed, tmp_path):
    command = (sys.executable, "-W", "error", "-c", IN_AN_EMPTY_FOLDER, str(installed))
    run(*command, cwd=tmp_path, env=environment(installed))
    assert list(tmp_path.iterdir()) == []


def test_its_command_runs_in_an_empty_folder(installed, tmp_path):
    command = (sys.executable, "-m", "agnostic_mask.conformance", "--help")
    shown = run(*command, cwd=tmp_path, env=environment(installed))
    for name in ("compare", "conform", "backends", "catalogue"):
        assert name in shown
