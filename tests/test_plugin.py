"""The plug-in route, by a package that is installed as anybody's would be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "plugin"

USE = """
import warnings
warnings.simplefilter("error")
import numpy as np
import tinyarray as xp
import agnostic_mask as am

assert not isinstance(xp.asarray([1.0]), np.ndarray)
rng = np.random.default_rng(0)
y_true, y_pred = rng.uniform(0.1, 0.9, (2, 4, 3)).astype("float32")
mask = np.asarray([[1, 1, 0], [0, 1, 1], [1, 1, 1], [0, 0, 0]], dtype=bool)
weights = np.asarray([1.0, 2.0, 0.0, 3.0], dtype="float32")
y_pred[~mask] = np.nan
host = y_true, y_pred, weights, mask
tiny = [xp.asarray(x) for x in host]

def same(actual, expected):
    assert type(actual) is xp.Array, type(actual)
    assert actual.dtype == expected.dtype
    np.testing.assert_array_equal(xp.to_numpy(actual), expected)

for reduction in ("keras2", "keras3", "mean", "sum", "none"):
    for loss in (am.losses.squared_error, am.losses.binary_crossentropy):
        objective = am.weighted_masked_objective(loss, reduction=reduction)
        same(objective(*tiny), objective(*host))
objective = am.weighted_masked_objective(am.losses.huber, reduction="mean")
state = objective.update(objective.zero(like=tiny[1]), *tiny)
same(objective.compute(objective.merge(state, state)), objective(*host))
labels = np.asarray([0, 2, -1, 1], dtype="int32")
sparse = am.weighted_masked_objective(am.losses.sparse_categorical_crossentropy)
kept = np.asarray([True, False, False, False])
clean = np.where(mask, y_pred, np.float32(0.5))
same(
    sparse(xp.asarray(labels), xp.asarray(clean), mask=xp.asarray(kept)),
    sparse(labels, clean, mask=kept),
)
for name in "sum mean var std count sum_of_weights min max any all logsumexp".split():
    for axis in (None, 0):
        fn = getattr(am, name)
        same(
            fn(tiny[1], mask=tiny[3], weights=tiny[2], axis=axis),
            fn(y_pred, mask=mask, weights=weights, axis=axis),
        )
same(am.softmax(tiny[1], mask=tiny[3], axis=1), am.softmax(y_pred, mask=mask, axis=1))
same(am.sequence_mask(xp.asarray(labels), 3), am.sequence_mask(labels, 3))
table = np.asarray([1.0, 2.0, 5.0])
same(am.class_weights(xp.asarray(labels), xp.asarray(table)), am.class_weights(labels, table))

found = am.dispatch(tiny[0])
assert found.xp is xp and found.device == "abacus"
deep = xp.zeros((1,) * 6)
"""

WITH_ENTRY_POINT = """
from tinyarray.agnostic import TinyBackend, backend
assert found.backend is backend
assert backend.accumulations > 0
try:
    am.sum(deep)
except am.UnsupportedArrayError as error:
    assert "more than 5 dimensions" in str(error), error
else:
    raise AssertionError("the backend's refusal was not heard")
probe = am.available_backends()["tinyarray"]
assert probe.usable and probe.version == "1.2.3" and probe.devices == ("abacus",), probe
assert probe.backend is backend
"""

WITHOUT_ENTRY_POINT = """
import sys
assert type(found.backend) is am.Backend
assert found.backend.name == "tinyarray"
assert "tinyarray.agnostic" not in sys.modules
same(am.sum(deep), am.sum(np.zeros((1,) * 6)))
assert "tinyarray" not in am.available_backends()
"""


def run(script, *, path, cwd):
    """Run Python with `path` searched first, in a folder that has nothing of ours."""
    cwd.mkdir()
    env = {**os.environ, "PYTHONPATH": str(path)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=cwd, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder into which pip has installed the package, from a copy: a build leaves things."""
    source = tmp_path_factory.mktemp("source") / "plugin"
    shutil.copytree(PLUGIN, source, ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-t", target]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, source], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return target


def test_an_installed_backend_is_found_by_its_entry_point_and_used(installed, tmp_path):
    run(USE + WITH_ENTRY_POINT, path=installed, cwd=tmp_path / "empty")


def test_a_library_without_a_backend_works_through_the_base(installed, tmp_path):
    alone = tmp_path / "alone"
    shutil.copytree(installed / "tinyarray", alone / "tinyarray")
    run(USE + WITHOUT_ENTRY_POINT, path=alone, cwd=tmp_path / "empty")


def test_two_packages_that_offer_one_backend_are_an_error(installed, tmp_path):
    twice = tmp_path / "twice"
    shutil.copytree(installed, twice)
    other = twice / "other-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[agnostic_mask.backends]\ntinyarray = other:backend\n")
    script = """
import agnostic_mask as am
try:
    am.available_backends()
except RuntimeError as error:
    assert "'tinyarray.agnostic:backend'" in str(error), error
    assert "'other:backend'" in str(error), error
else:
    raise AssertionError("one of the two was taken in silence")
"""
    run(script, path=twice, cwd=tmp_path / "empty")
