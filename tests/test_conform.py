import json

import numpy as np
import pytest
from click.testing import CliRunner

import agnostic_mask as am
from agnostic_mask.conformance import _pool, _report
from agnostic_mask.conformance.cli import main

from .arrays import knowledge


def invoke(*arguments):
    return CliRunner().invoke(main, ["conform", *arguments])


def test_a_run_on_one_backend_passes_and_its_report_has_every_row(tmp_path):
    file = tmp_path / "report.json"
    ended = invoke("--backends", "numpy", "--json", str(file))
    assert ended.exit_code == 0, ended.output
    assert "0 failed" in ended.output
    report = json.loads(file.read_text())
    assert (report["schema"], report["counts"]["failed"]) == (1, 0)
    assert report["versions"]["numpy"]
    for row in report["rows"]:
        assert row["outcome"] == "passed" or (row["outcome"] == "not applicable" and row["reason"])
    laws = {row["law"] for row in report["rows"] if row["outcome"] == "passed"}
    assert laws >= {"oracle", "excluded", "cuts", "home", "untouched", "layouts", "threads"}
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_required_backend_that_cannot_run_is_a_failure_with_its_reason(monkeypatch):
    probes = {**am.available_backends(), "cupy": am.Probe("cupy", False, reason="no such driver")}
    monkeypatch.setattr(am, "available_backends", lambda: probes)
    ended = invoke("--backends", "numpy", "--require", "cupy")
    assert ended.exit_code == 1
    assert "cannot run: cupy: no such driver" in ended.output


def test_a_backend_that_does_not_exist_is_named_with_the_nearest():
    ended = invoke("--backends", "numpyy")
    assert ended.exit_code == 2
    assert "numpyy" in ended.output
    assert "'numpy'" in ended.output


def test_a_report_into_no_folder_is_refused_before_anything_runs(tmp_path):
    ended = invoke("--backends", "numpy", "--json", str(tmp_path / "nowhere" / "report.json"))
    assert ended.exit_code == 2
    assert "nowhere" in ended.output


def test_a_report_is_never_half_written(tmp_path):
    file = tmp_path / "report.json"
    file.write_text("before")
    with pytest.raises(TypeError):
        _report.write_json(file, {"rows": [object()]})
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_tiles_are_forced_where_tiles_are_used_and_only_while_it_runs():
    numpy, jax = knowledge("numpy"), knowledge("jax")
    x = np.ones((4, 2))
    with _pool._tiles_of(["numpy", "jax"], 3):
        assert numpy.tile_rows(x, 2) == 3
        assert jax.tile_rows(jax.from_host(x, None), 2) is None
    assert numpy.tile_rows(x, 2) > 4
    with _pool._tiles_of(["numpy"], None):
        assert numpy.tile_rows(x, 2) > 4
