"""The plugin of pytest, as its users run it: by command, in a folder of their own."""

import json
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

LIBRARY = """
import functools
from array_api_compat import array_namespace


def root_mean_square(x):
    xp = array_namespace(x)
    return xp.sqrt(xp.mean(x * x))


def through_the_host(x):
    import numpy as np
    xp = array_namespace(x)
    return xp.asarray(np.sqrt(np.mean(np.asarray(x) ** 2)))


def half(x):
    return x / 2 if x.shape[0] % 2 else x * 0.5


def never_called(x):
    return x
"""

CASES = """
import library
import numpy as np
from agnostic_mask import conformance as c

test_rms = c.case(
    library.root_mean_square,
    x=c.floats((6, 3), -2, 2),
    oracle=lambda x: np.sqrt(np.mean(x**2)),
    laws=[c.order_invariant],
).as_test()
"""

BROKEN = (
    CASES
    + """
test_host = c.case(library.through_the_host, x=c.floats((6, 3), -2, 2)).as_test()
"""
)

HAND = """
import library
import pytest


@pytest.fixture
def xp():
    return "mine"


def test_mine(xp):
    assert xp == "mine"


def test_rms(am_xp, am_dtype, am_device, am_backend, am_call):
    x = am_xp.asarray([3.0, 4.0, 0.0, 0.0], dtype=am_dtype, device=am_device)
    result = am_call(library.root_mean_square, x)
    assert result.dtype == am_dtype
    assert float(result) == 2.5
    assert am_backend in ("numpy", "torch", "array_api_strict")


def test_host(am_xp, am_call):
    am_call(library.through_the_host, am_xp.asarray([1.0, 2.0]))
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "library.py").write_text(LIBRARY)
    return tmp_path


def plain_environment():
    # Without what the run of pytest around this one, or its measure of coverage, has set.
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV_"))}


def python(folder, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env=plain_environment(),
    )


def run(folder, tests, *arguments, plugin=True):
    """Run pytest on the text of a test file; by default on NumPy alone, which starts quickly."""
    (folder / "test_it.py").write_text(tests)
    if not any(a.startswith("--am-backends") for a in arguments) and plugin:
        arguments = ("--am-backends=numpy", *arguments)
    options = ["-p", "agnostic_mask.conformance.plugin"] if plugin else []
    done = python(folder, "-m", "pytest", "-p", "no:cacheprovider", *options, *arguments)
    done.text = done.stdout + done.stderr
    return done


def rows_of(folder, name="report.json"):
    return json.loads((folder / name).read_text())["rows"]


def test_a_case_becomes_a_test_for_each_law_environment_and_float_type(folder):
    done = run(folder, CASES, "-v", "--am-json=report.json", "--am-markdown=report.md")
    assert done.returncode == 0, done.text
    for law in ("matches_oracle", "dtype_kept", "order_invariant"):
        for dtype in ("float32", "float64"):
            assert f"::test_rms[numpy-{dtype}-{law}] PASSED" in done.text
    rows = rows_of(folder)
    assert {r["outcome"] for r in rows} == {"passed", "not applicable"}
    assert all(r["reason"] for r in rows if r["outcome"] == "not applicable")
    assert re.search(r"root_mean_square +1\d ok \d+%", done.text)
    assert "All of 12 checks passed" in (folder / "report.md").read_text()


def test_a_line_in_conftest_is_enough(folder):
    (folder / "conftest.py").write_text('pytest_plugins = "agnostic_mask.conformance.plugin"\n')
    done = run(folder, CASES, "--am-backends=numpy", plugin=False)
    assert done.returncode == 0, done.text
    assert "1" in re.search(r"(\d+) passed", done.text)[1]
    assert "root_mean_square" in done.text


def test_without_the_plugin_a_case_is_one_test(folder):
    tests = CASES.replace("laws=", "name='rms', laws=")
    done = run(folder, tests, "-q", plugin=False)
    assert done.returncode == 0, done.text
    assert "1 passed" in done.text


def test_a_failure_names_its_law_and_the_command_that_repeats_it_alone(folder):
    done = run(folder, BROKEN, "--am-backends=numpy,torch", "--am-json=report.json")
    assert done.returncode == 1, done.text
    failed = [r for r in rows_of(folder) if r["outcome"] == "failed"]
    assert {(r["backend"], r["law"]) for r in failed} == {("torch", "nothing_hidden")}
    assert "nothing_hidden does not hold for through_the_host on torch, float32" in done.text
    first = failed[0]
    assert f"repeat: {first['command']}" in done.text
    words = shlex.split(first["command"])
    assert words[0] == "python"
    again = python(folder, *words[1:])
    assert again.returncode == 1
    assert "1 failed" in again.stdout
    assert "numpy.asarray, or what calls it, of a torch.Tensor" in again.stdout


def test_processes_of_xdist_give_the_same_rows_and_one_matrix(folder):
    alone = run(folder, BROKEN, "--am-backends=numpy,torch", "--am-json=alone.json")
    several = run(folder, BROKEN, "--am-backends=numpy,torch", "--am-json=several.json", "-n2")
    assert alone.returncode == several.returncode == 1, several.text

    def plain(name):
        return sorted(
            (r["case"], r["law"], r["environment"], r["dtype"], r["outcome"], r["share"] or 0)
            for r in rows_of(folder, name)
        )

    assert plain("alone.json") == plain("several.json")
    assert several.text.count("= conformance =") == 1


def test_the_seed_makes_the_inputs(folder):
    tests = CASES.replace("np.sqrt(np.mean(x**2))", "x.mean()")
    first, again, other = (run(folder, tests, f"--am-seed={seed}").text for seed in (0, 0, 1))
    values = [re.search(r"the result is (\S+);", text)[1] for text in (first, again, other)]
    assert values[0] == values[1] != values[2]


def test_frameworks_that_are_not_chosen_are_not_imported(folder):
    (folder / "conftest.py").write_text(
        "import sys\n\n\ndef pytest_unconfigure():\n"
        "    print('imported:', {'torch', 'jax', 'dask', 'array_api_strict'} & set(sys.modules))\n"
    )
    assert "imported: set()" in run(folder, CASES).text
    assert "imported: {'torch'}" in run(folder, CASES, "--am-backends=numpy,torch").text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--am-backends=nunpy"], "no backend is called 'nunpy'; did you mean 'numpy'?"),
        (["--am-dtypes=float31"], "no float type is called 'float31'; did you mean 'float32'?"),
        (["--am-require=torsh"], "no backend is called 'torsh'; did you mean 'torch'?"),
        (["--am-json=nowhere/report.json"], "its folder does not exist"),
        (["--am-ledger=nowhere.toml"], "nowhere.toml"),
        (["--am-seed=x"], "--am-seed"),
    ],
)
def test_a_bad_option_is_refused_before_anything_runs(folder, arguments, says):
    done = run(folder, CASES, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert says in done.text
    assert "passed" not in done.text


def test_a_required_backend_that_cannot_run_fails_with_the_reason_of_its_runtime(folder):
    (folder / "conftest.py").write_text(WITHOUT_GPU)
    done = run(folder, CASES, "--am-require=cupy")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "required, and cannot run: cupy: NoDriverError: the driver is too old" in done.text
    done = run(folder, CASES, "--am-backends=numpy,cupy")
    assert done.returncode == 0, done.text
    assert "not run: cupy: NoDriverError: the driver is too old" in done.text


WITHOUT_GPU = """
import agnostic_mask as am
probes = dict(numpy=am.available_backends()["numpy"])
probes["cupy"] = am.Probe("cupy", False, reason="NoDriverError: the driver is too old")
am.available_backends = lambda: probes
"""


def test_a_test_by_hand_runs_everywhere_and_a_fixture_xp_of_its_own_stays(folder):
    done = run(folder, HAND, "-v", "--am-backends=numpy,torch,array_api_strict")
    for place in (
        "numpy-float32",
        "torch-float64",
        "array_api_strict:device1-float32",
        "torch:default_float64-float32",
    ):
        assert f"::test_rms[{place}] PASSED" in done.text, place
    assert "::test_mine PASSED" in done.text
    assert "::test_host[numpy] PASSED" in done.text
    assert "::test_host[torch] FAILED" in done.text
    assert "left the framework" in done.text
    # Of a test that makes arrays on no device in particular, devices are left out.
    assert "::test_host[array_api_strict:device1]" not in done.text
    assert re.search(r"test_rms +2 ok +2 ok", done.text)


LEDGER = """
[[deviation]]
backend = "torch"
versions = ">=2"
case = "through_the_host"
law = "nothing_hidden"
raises = "ViolationError"
link = "https://example.org/issues/1"
why = "it is meant to be found"
"""


def test_a_known_deviation_is_expected_and_strict(folder):
    (folder / "known.toml").write_text(LEDGER)
    arguments = ("--am-backends=numpy,torch", "--am-ledger=known.toml")
    done = run(folder, BROKEN, *arguments, "-rx")
    assert done.returncode == 0, done.text
    assert "https://example.org/issues/1" in done.text
    assert "xfailed" in done.text

    mended = BROKEN.replace(
        "library.through_the_host,", "library.root_mean_square, name='through_the_host',"
    )
    done = run(folder, mended, *arguments)
    assert done.returncode == 1, done.text
    assert "is stale; delete" in done.text

    done = run(folder, CASES, *arguments)  # nothing that it is about
    assert done.returncode == 1, done.text
    assert "is stale: it is about nothing that ran" in done.text
    done = run(folder, CASES, *arguments, "-k", "float32")
    assert done.returncode == 0, done.text  # some were left out, so that nobody can tell


def test_a_ledger_can_be_set_in_the_ini_file(folder):
    (folder / "known.toml").write_text(LEDGER)
    (folder / "pytest.ini").write_text("[pytest]\nam_ledger = known.toml\n")
    done = run(folder, BROKEN, "--am-backends=numpy,torch")
    assert done.returncode == 0, done.text


def test_warnings_as_errors_and_junit_go_with_it(folder):
    done = run(folder, CASES, "-W", "error", "--junit-xml=junit.xml", "--am-backends=numpy,torch")
    assert done.returncode == 0, done.text
    suite = ElementTree.parse(folder / "junit.xml").getroot()[0]
    assert int(suite.get("failures")) == 0
    assert int(suite.get("tests")) > 20


def coverage_of(folder, *arguments):
    done = python(
        folder,
        "-m",
        "coverage",
        "run",
        "--branch",
        "--include=library.py",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *arguments,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    done = python(folder, "-m", "coverage", "json", "-o", "coverage.json")
    assert done.returncode == 0, done.stdout
    found = json.loads((folder / "coverage.json").read_text())["files"]["library.py"]
    return set(found["executed_lines"]), set(found["missing_lines"])


def test_coverage_of_what_is_tested_is_unharmed(folder):
    (folder / "test_it.py").write_text(
        """
import library
import numpy as np
from agnostic_mask import conformance as c
laws = [c.layout_invariant, c.compiles, c.thread_safe]
case = c.case(library.half, x=c.floats((6, 3)), laws=laws)
test_half = case.as_test()
test_by_hand = lambda: library.half(np.ones((6, 3)))
"""
    )
    plugin = ("-p", "agnostic_mask.conformance.plugin", "--am-backends=numpy,torch")
    by_hand = coverage_of(folder, "-k", "test_by_hand", *plugin)
    checked = coverage_of(folder, "-k", "test_half", *plugin)
    assert by_hand == checked
    executed, missing = checked
    lines = LIBRARY.splitlines()
    assert lines.index("    return x / 2 if x.shape[0] % 2 else x * 0.5") + 1 in executed
    assert lines.index("    return x") + 1 in missing


def test_failures_of_the_last_run_can_be_run_alone(folder):
    def again(*arguments):
        options = ("-q", "-p", "agnostic_mask.conformance.plugin", "--am-backends=numpy,torch")
        return python(folder, "-m", "pytest", *options, *arguments).stdout

    (folder / "test_it.py").write_text(BROKEN)
    assert "3 failed, 57 passed" in again()
    alone = again("--lf")
    assert "3 failed" in alone
    assert "57 passed" not in alone


def test_two_cases_of_one_name_are_refused(folder):
    twice = CASES + "\ntest_other = c.case(library.half, x=c.floats((2,)), name='twin').as_test()"
    twice += "\ntest_twin = c.case(library.half, x=c.floats((3,)), name='twin').as_test()\n"
    done = run(folder, twice)
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "another case is called twin; give it a name of its own" in done.text


def test_an_oracle_that_fails_is_told_in_few_words(folder):
    tests = CASES.replace("np.sqrt(np.mean(x**2))", "x / 0 + {}")
    done = run(folder, tests, "-k", "float32 and matches_oracle")
    assert "its oracle, of root_mean_square, raised TypeError" in done.text
    assert len(done.text.splitlines()) < 40, done.text
