import json
import shlex
from dataclasses import replace
from importlib import resources
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from click.testing import CliRunner

import agnostic_mask as am
from agnostic_mask.conformance import _commands_conform, _pool, reports
from agnostic_mask.conformance._choice import ChoiceError, chosen_backends
from agnostic_mask.conformance._globs import matches
from agnostic_mask.conformance._pool import Task
from agnostic_mask.conformance._row import FAILED, PASSED, Row
from agnostic_mask.conformance._selection import Selection
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
    assert (report["schema"], report["counts"]["failed"]) == (2, 0)
    assert report["versions"]["numpy"]
    for row in report["rows"]:
        assert row["outcome"] == "passed" or (row["outcome"] == "not applicable" and row["reason"])
    laws = {row["law"] for row in report["rows"] if row["outcome"] == "passed"}
    assert laws >= {
        "matches_oracle",
        "excluded_is_absent",
        "cut_invariant",
        "stays_home",
        "inputs_untouched",
        "layout_invariant",
        "thread_safe",
    }
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_required_backend_that_cannot_run_is_a_failure_with_its_reason(monkeypatch):
    probes = {**am.available_backends(), "cupy": am.Probe("cupy", False, reason="no such driver")}
    monkeypatch.setattr(am, "available_backends", lambda: probes)
    ended = invoke("--backends", "numpy", "--require", "cupy")
    assert ended.exit_code == 1
    assert "cannot run: cupy: no such driver" in ended.output


def test_a_required_kind_of_device_that_is_not_there_is_a_failure(monkeypatch):
    monkeypatch.setattr(knowledge("torch"), "devices", lambda: [torch.device("cpu")])
    for kind in ("cuda", ""):
        ended = invoke("--backends", "numpy", "--require", f"torch:{kind}")
        assert ended.exit_code == 1
        message = f"required, and cannot run: torch:{kind}: torch has no such device here, only cpu"
        assert message in ended.output
    ended = invoke("--backends", "numpy", "--require", "torsh:cuda")
    assert (ended.exit_code, "'torsh'; did you mean 'torch'?" in ended.output) == (2, True)


@pytest.mark.parametrize("required", ["torch:cpu", "jax:cpu", "array_api_strict:device1", "numpy"])
def test_a_required_device_that_is_there_has_its_backend_run(required):
    name = required.partition(":")[0]
    assert chosen_backends(["numpy"], [required])[0] == list(dict.fromkeys(["numpy", name]))


def test_a_required_device_of_a_backend_that_cannot_run_says_why(monkeypatch):
    probes = {**am.available_backends(), "cupy": am.Probe("cupy", False, reason="no such driver")}
    monkeypatch.setattr(am, "available_backends", lambda: probes)
    with pytest.raises(ChoiceError, match=r"cannot run: cupy:cuda: no such driver"):
        chosen_backends(["numpy"], ["cupy:cuda"])


def test_a_backend_that_does_not_exist_is_named_with_the_nearest():
    ended = invoke("--backends", "numpyy")
    assert ended.exit_code == 2
    assert "numpyy" in ended.output
    assert "'numpy'" in ended.output


@pytest.mark.parametrize("option", ["--json", "--markdown"])
def test_a_report_into_no_folder_is_refused_before_anything_runs(tmp_path, option):
    ended = invoke("--backends", "numpy", option, str(tmp_path / "nowhere" / "report.json"))
    assert ended.exit_code == 2
    assert "nowhere" in ended.output


def test_a_narrowed_run_is_as_narrow_as_it_says_and_its_report_as_the_schema_says(tmp_path):
    file = tmp_path / "report.json"
    options = ("--case", "sequence_*", "--case", "any axis=0*", "--law", "*s_untouched")
    ended = invoke(
        *("--backends", "numpy,array_api_strict", "--environment", "array_api_strict device?"),
        *(*options, "--dtypes", "float32", "--json", str(file)),
    )
    assert ended.exit_code == 0, ended.output
    report = json.loads(file.read_text())
    rows = report["rows"]
    assert {row["law"] for row in rows} == {"inputs_untouched"}
    assert {row["environment"] for row in rows} == {
        "array_api_strict device1",
        "array_api_strict device2",
    }
    assert {row["dtype"] for row in rows} == {"float32"}
    assert {row["covers"] for row in rows} == {"sequence_mask", "any"}
    schema = resources.files("agnostic_mask.conformance.reports") / "schema.json"
    jsonschema.Draft202012Validator(json.loads(schema.read_text())).validate(report)


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        (("--case", "sequence_mas"), "'sequence_mask'"),
        (("--law", "gradent"), "'gradient'"),
        (("--environment", "nunpy"), "'numpy'"),
        (("--dtypes", "float32,float46"), "'float64'"),
        (("--dtypes", "bfloat16"), "'float16'"),
    ],
)
def test_what_fits_nothing_is_named_with_the_nearest(options, meant):
    ended = invoke("--backends", "numpy", *options)
    assert ended.exit_code == 2
    assert f"{options[0]} {options[1].split(',')[-1]!r}" in ended.output
    assert f"did you mean {meant}" in ended.output


def test_a_pattern_for_brackets_and_dots_means_these_signs():
    assert matches("a[b].?", "a[b].c")
    assert not matches("a[b].c", "abxc")
    assert not matches("*a", "A")
    assert matches("a*", "a\nb")


def quoted(name):
    return Task(
        Selection(("numpy", "torch"), environments=("*",)), {name: "1"}, 3, 5, ledgers=("l",)
    )


def test_a_failure_has_the_command_that_repeats_it_alone():
    row = Row("mean  mask='BT'", "mean", "mean", "gradient", "torch", "torch x", "float32", FAILED)
    words = shlex.split(quoted("torch").judged(row, None).command)
    assert words == [
        *("agnostic-mask", "conform", "--backends", "torch", "--environment", "torch x"),
        *("--case", row.case, "--law", "gradient", "--dtypes", "float32", "--seed", "3"),
        *("--tile-rows", "5", "--ledger", "l"),
    ]
    assert quoted("torch").judged(replace(row, outcome=PASSED), None).command == ""


def test_what_repeats_a_disagreement_runs_the_others_too():
    row = Row("mean", "mean", "mean", "backends_agree", "torch", "torch", "float32", FAILED)
    words = shlex.split(quoted("torch").judged(row, None).command)
    assert words[2:6] == ["--backends", "numpy,torch", "--environment", "*"]


LEDGER = """
[[deviation]]
backend = "numpy"
versions = ">=1"
case = "{case}"
law = "inputs_untouched"
share = 2.0
link = "https://x.org/1"
why = "because"
"""


def test_a_known_deviation_that_is_gone_fails_the_run_and_is_repeated_by_its_command(tmp_path):
    ledger, file, page = (tmp_path / name for name in ("my ledger.toml", "r.json", "r.md"))
    ledger.write_text(LEDGER.format(case="sequence_mask"))
    ended = invoke(
        *("--backends", "numpy", "--case", "sequence_mask", "--law", "inputs_untouched"),
        *("--ledger", str(ledger), "--json", str(file), "--markdown", str(page)),
    )
    assert ended.exit_code == 1, ended.output
    assert "my ledger.toml: entry 1 is stale" in ended.output
    (row,) = json.loads(file.read_text())["rows"]
    assert row["outcome"] == FAILED
    assert row["command"] in ended.output
    assert "1 of 1 check failed" in page.read_text()
    again = shlex.split(row["command"])
    assert again[:2] == ["agnostic-mask", "conform"]
    assert invoke(*again[2:]).exit_code == 1
    ledger.write_text("")
    assert invoke(*again[2:]).exit_code == 0


def test_an_entry_that_is_about_nothing_fails_a_whole_run_alone(tmp_path, monkeypatch):
    ledger = tmp_path / "ledger.toml"
    ledger.write_text(LEDGER.format(case="no such case"))
    row = Row("a", "a", "a", "inputs_untouched", "numpy", "numpy", "float32", PASSED)
    monkeypatch.setattr(_commands_conform, "run_in_processes", lambda task, advance: [row])
    monkeypatch.setattr(_commands_conform, "uncovered", lambda rows: [])
    assert invoke("--backends", "numpy").exit_code == 0
    ended = invoke("--backends", "numpy", "--ledger", str(ledger))
    assert ended.exit_code == 1
    assert "ledger.toml: entry 1 is stale" in ended.output
    narrow = ("--backends", "numpy", "--law", "*", "--ledger", str(ledger))
    assert invoke(*narrow).exit_code == 0
    monkeypatch.setattr(_commands_conform, "uncovered", lambda rows: ["sum"])
    ended = invoke("--backends", "numpy")
    assert (ended.exit_code, "no case covers sum" in ended.output) == (1, True)
    assert invoke(*narrow).exit_code == 0


def test_a_ledger_that_is_none_and_a_run_of_nothing_are_refused(tmp_path, monkeypatch):
    ledger = tmp_path / "ledger.toml"
    ledger.write_text("[[deviation]]\n")
    ended = invoke("--backends", "numpy", "--ledger", str(ledger))
    assert ended.exit_code == 2
    assert "entry 1: backend is missing" in ended.output
    monkeypatch.setattr(_commands_conform, "run_in_processes", lambda task, advance: [])
    ended = invoke("--backends", "numpy")
    assert (ended.exit_code, "nothing is left to run" in ended.output) == (2, True)


def test_two_reports_are_compared_and_what_got_worse_is_the_exit_code(tmp_path):
    row = Row("a", "a", "a", "gradient", "numpy", "numpy", "float32", PASSED, share=0.2)
    old, new, none = (str(tmp_path / f"{name}.json") for name in ("old", "new", "none"))
    reports.write(Path(old), reports.as_data([row], seed=0, not_run={}))
    failed = replace(row, outcome=FAILED)
    reports.write(Path(new), reports.as_data([failed], seed=0, not_run={}))
    ended = invoke("--diff", old, new)
    assert ended.exit_code == 1
    assert "newly failing (1):\n  gradient: a on numpy, float32" in ended.output
    assert invoke("--diff", new, old).exit_code == 0
    for pair in ((old, none), (none, old)):
        ended = invoke("--diff", *pair)
        assert (ended.exit_code, "none.json cannot be read" in ended.output) == (2, True)
    ended = invoke("--diff", old, new, "--seed", "0")
    assert ended.exit_code == 2
    assert "--diff runs nothing: leave out --seed" in ended.output


def test_tiles_are_forced_where_tiles_are_used_and_only_while_it_runs():
    numpy, jax = knowledge("numpy"), knowledge("jax")
    x = np.ones((4, 2))
    with _pool._tiles_of(["numpy", "jax"], 3):
        assert numpy.tile_rows(x, 2) == 3
        assert jax.tile_rows(jax.from_host(x, None), 2) is None
    assert numpy.tile_rows(x, 2) > 4
    with _pool._tiles_of(["numpy"], None):
        assert numpy.tile_rows(x, 2) > 4
