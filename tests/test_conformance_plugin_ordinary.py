"""What people do with any test, done with those of the plugin: marks, choices, mistakes."""

import json
import re
import shlex

import pytest

from .test_conformance_plugin import BROKEN, CASES, LEDGER, LIBRARY, python, rows_of, run

FEW = """
import library
import pytest
from agnostic_mask import conformance as c

half = c.case(library.half, x=c.floats((4,)))
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "library.py").write_text(LIBRARY)
    return tmp_path


def outcomes(folder):
    return {(r["law"], r["dtype"]): (r["outcome"], r["reason"]) for r in rows_of(folder)}


# -- marks ---------------------------------------------------------------------------------


SKIPPED = """
test_one = pytest.mark.skip(reason="not today")(half.as_test())
test_two = pytest.mark.skipif(True, reason="not today")(half.as_test())


class TestIt:
    pytestmark = pytest.mark.skip(reason="not today")
    test_three = half.as_test()
"""


@pytest.mark.parametrize("above", ["", 'pytestmark = pytest.mark.skip(reason="all of it")\n'])
def test_what_is_skipped_by_a_mark_says_so(folder, above):
    tests = FEW + above + SKIPPED
    done = run(folder, tests, "-rs", "--am-json=report.json", "-k", "float32")
    assert done.returncode == 0, done.text
    assert re.search(r"= \d+ skipped, \d+ deselected", done.text), done.text
    line = tests[: tests.index("test_two")].count("\n") + 1
    assert above or re.search(rf"SKIPPED \[\d\] test_it\.py:{line}: not today", done.text), (
        done.text
    )
    assert ("not applicable", "Skipped: not today") in outcomes(folder).values()


EXPECTED = """
def wrong(x):
    return x + 1

def oracle(x):
    return x

test_wrong = pytest.mark.xfail(reason="off by one", strict=STRICT)(
    c.case(wrong, x=c.floats((4,)), oracle=oracle).as_test()
)
"""


def test_what_is_expected_to_fail_is_known_with_the_reason_of_its_mark(folder):
    done = run(folder, FEW + EXPECTED.replace("STRICT", "False"), "--am-json=report.json")
    assert done.returncode == 0, done.text
    found = outcomes(folder)
    assert found["matches_oracle", "float32"] == ("known deviation", "off by one")
    assert found["dtype_kept", "float32"][0] == "passed"
    assert "2 xfailed" in done.text
    assert "2 known" in done.text
    assert "FAILED" not in done.text
    done = run(folder, FEW + EXPECTED.replace("STRICT", "True"), "--am-json=report.json")
    assert done.returncode == 1, done.text
    found = outcomes(folder)
    assert found["matches_oracle", "float32"] == ("known deviation", "off by one")
    assert found["dtype_kept", "float32"] == ("failed", "[XPASS(strict)] off by one")


def test_a_mark_chooses_tests(folder):
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")
    tests = FEW + "test_half = pytest.mark.slow(half.as_test())\ntest_other = lambda: None\n"
    done = run(folder, tests, "-m", "not slow")
    assert re.search(r"1 passed, \d+ deselected", done.text), done.text
    done = run(folder, tests, "-m", "slow", "-k", "float32")
    assert done.returncode == 0, done.text
    assert re.search(r"[2-9] passed", done.text), done.text


# -- mistakes --------------------------------------------------------------------------------


def test_a_case_without_as_test_is_told_of(folder):
    done = run(folder, FEW + "test_half = half\n")
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert "test_half is a case; expected is a test" in done.text
    assert "test_half = c.case(...).as_test()" in done.text
    assert "half is a case" not in run(folder, FEW + "def test(): pass\n").text


def test_what_has_every_attribute_is_no_case(folder):
    done = run(folder, "from unittest.mock import call\n\n\ndef test(): pass\n")
    assert done.returncode == 0, done.text


def test_a_traceback_ends_in_the_code_of_the_author(folder):
    inner = folder / "conformance"
    inner.mkdir()
    (inner / "deep.py").write_text("def deep(x):\n    raise ValueError('so deep')\n")
    tests = FEW + (
        "from conformance.deep import deep\n"
        "scope = {}\n"
        "exec('def made(x):\\n    raise ValueError(\"so made\")', scope)\n"
        "test_deep = c.case(lambda x: deep(x), x=c.floats((4,))).as_test()\n"
        "test_made = c.case(scope['made'], x=c.floats((4,)), name='made').as_test()\n"
    )
    done = run(folder, tests, "-k", "float32 and dtype_kept")
    assert "INTERNALERROR" not in done.text
    assert "2 failed" in done.text
    assert "conformance/deep.py:2: ValueError" in done.text
    assert "<string>:2: ValueError" in done.text
    assert "_run.py" not in done.text
    assert "repeat: python -m pytest" in done.text


def test_where_no_code_of_the_author_raised_the_message_is_enough(folder):
    tests = FEW + "test_two = c.case(lambda x: (x, x), x=c.floats((4,))).as_test()\n"
    done = run(folder, tests, "-k", "float32 and matches_oracle")
    assert "1 failed" in done.text
    assert "Error: " in done.text
    assert "repeat: python -m pytest" in done.text
    assert len(done.text.splitlines()) < 40, done.text
    whole = run(folder, tests, "-k", "float32 and matches_oracle", "--full-trace")
    assert "_run.py" in whole.text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--am-json=."], "--am-json .: it is a folder"),
        (["--am-markdown=."], "--am-markdown .: it is a folder"),
        (["--am-seed=-1"], "--am-seed -1: expected an integer of at least 0"),
        (["--am-dtypes=bfloat16"], "none of the environments has this float type"),
    ],
)
def test_an_option_that_cannot_be_is_refused_before_anything_runs(folder, arguments, says):
    done = run(folder, CASES, *arguments)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert says in done.text
    assert "passed" not in done.text


def test_a_float_type_that_no_environment_has_is_in_the_summary(folder):
    done = run(folder, FEW + "test_half = half.as_test()\n", "--am-dtypes=float32,bfloat16")
    assert done.returncode == 0, done.text
    assert "not run: bfloat16: none of the environments has this float type" in done.text


def test_tests_that_are_only_collected_leave_a_report_alone(folder):
    (folder / "report.json").write_text("of before")
    done = run(folder, CASES, "--collect-only", "--am-json=report.json", "--am-markdown=report.md")
    assert done.returncode == 0, done.text
    assert (folder / "report.json").read_text() == "of before"
    assert not (folder / "report.md").exists()


# -- parts of a run --------------------------------------------------------------------------

STALE = LEDGER.replace('"torch"', '"numpy"').replace("through_the_host", "gone")
WITH_OTHERS = """
import pytest

def test_fails():
    assert OK

test_half = pytest.mark.skipif(SKIPS, reason="not here")(half.as_test())
"""


def stale(folder, *arguments, ok=True, skips=False, ledger=STALE):
    (folder / "known.toml").write_text(ledger)
    tests = FEW + WITH_OTHERS.replace("OK", str(ok)).replace("SKIPS", str(skips))
    done = run(folder, tests, "--am-ledger=known.toml", *arguments)
    found = "is stale: it is about nothing that ran" in done.text
    assert done.returncode == (not ok or found), done.text
    assert "numpy" in done.text
    return found


@pytest.mark.parametrize("arguments", [[], ["-n2", "-k", "test"], ["--rootdir=.", "."]])
def test_of_a_full_run_stale_entries_are_told(folder, arguments):
    assert stale(folder, *arguments)


def test_what_the_ini_file_ignores_is_no_part_of_a_full_run(folder):
    (folder / "pytest.ini").write_text(
        "[pytest]\naddopts = --ignore=other\ntestpaths = test_it.py\n"
    )
    assert stale(folder)
    assert stale(folder, "-n2")


@pytest.mark.parametrize(
    "arguments",
    [
        ["test_it.py"],
        ["test_it.py::test_half"],
        ["-n2", "-k", "float32"],
        ["--am-dtypes=float32"],
        ["--deselect=test_it.py::test_fails"],
        ["--ignore=nothing"],
        ["--lf", "-p", "cacheprovider"],
    ],
)
def test_of_part_of_a_run_nobody_can_tell_what_is_stale(folder, arguments):
    assert not stale(folder, *arguments)


@pytest.mark.parametrize("arguments", [["-x"], ["--maxfail=1"], ["-x", "-n1"]])
def test_a_run_that_stops_early_is_part_of_one(folder, arguments):
    tests = FEW + "test_half = half.as_test()\ndef test_fails(): assert False\n"
    (folder / "known.toml").write_text(STALE)
    text = run(folder, tests, "--am-ledger=known.toml", *arguments).text
    assert "= conformance =" in text
    assert "is stale" not in text
    assert "is stale" in run(folder, tests, "--am-ledger=known.toml").text


def test_a_file_that_was_not_collected_may_be_what_an_entry_is_about(folder):
    (folder / "test_other.py").write_text("import pytest\npytest.importorskip('nowhere')\n")
    assert not stale(folder)
    assert not stale(folder, "-n2")


def test_an_entry_about_what_is_skipped_is_not_stale(folder):
    about = STALE.replace("gone", "half")
    tests = "test_other = c.case(library.half, x=c.floats((4,)), name='other').as_test()\n"
    (folder / "test_more.py").write_text(FEW + tests)
    assert not stale(folder, ledger=about, skips=True)
    assert stale(folder, ledger=STALE, skips=True)


# -- tests by hand, and reports ----------------------------------------------------------------

HAND = """
import numpy as np
import pytest


@pytest.mark.parametrize("n", [1, 2])
def test_number(am_backend, n):
    assert n == 1, "one too many"


def test_alone(am_backend):
    pass


@pytest.mark.xfail(reason="some day")
def test_some_day(am_backend):
    raise ValueError


def test_other_framework(am_xp, am_call):
    am_call(lambda x: {"both": [x, np.ones(2)]}, am_xp.ones(2))


def test_other_device(am_xp, am_device, am_call):
    first = am_xp.ones(2).device
    am_call(lambda x: am_xp.ones(2, device=first), am_xp.ones(2, device=am_device))
"""


def test_rows_of_tests_by_hand_have_their_parameters_and_what_was_raised(folder):
    run(folder, HAND, "--am-backends=numpy,array_api_strict", "--am-json=report.json")
    rows = {(r["case"], r["environment"]): r for r in rows_of(folder)}
    assert rows["test_number[1]", "numpy"]["outcome"] == "passed"
    assert rows["test_number[2]", "numpy"]["outcome"] == "failed"
    assert "one too many" in rows["test_number[2]", "numpy"]["reason"]
    assert ("test_alone", "numpy") in rows
    known = rows["test_some_day", "numpy"]
    assert (known["outcome"], known["reason"]) == ("known deviation", "some day")


def test_a_call_fails_where_its_result_is_of_another_framework_or_device(folder):
    run(folder, HAND, "--am-backends=numpy,array_api_strict", "--am-json=report.json")
    reasons = {
        (r["case"], r["environment"]): r["reason"]
        for r in rows_of(folder)
        if r["outcome"] == "failed"
    }
    said = reasons["test_other_framework", "array_api_strict"]
    assert "the result is an array of numpy; expected one of array_api_strict" in said
    assert ("test_other_framework", "numpy") not in reasons
    said = reasons["test_other_device", "array_api_strict device1"]
    assert re.search(r"the result is on device .*CPU_DEVICE.*; expected .*device1", said)
    assert ("test_other_device", "array_api_strict") not in reasons


def test_a_command_names_the_backends_that_ran(folder):
    tests = CASES + (
        "def differs(x):\n"
        "    return x + (1 if type(x).__module__ == 'torch' else 0)\n\n"
        "test_differs = c.case(differs, x=c.floats((4,)), oracle=lambda x: x).as_test()\n"
    )
    arguments = ("--am-backends=numpy", "--am-require=torch", "--am-json=report.json")
    run(folder, tests, *arguments, "-k", "differs and backends_agree")
    failed = [r for r in rows_of(folder) if r["outcome"] == "failed"]
    assert {r["law"] for r in failed} == {"backends_agree"}
    again = python(folder, *shlex.split(failed[0]["command"])[1:])
    assert "1 failed" in again.stdout, again.stdout + again.stderr


def test_reports_are_in_the_order_of_the_tests_in_one_process_or_several(folder):
    def told(*arguments):
        run(folder, BROKEN, "--am-json=report.json", "--am-markdown=report.md", *arguments)
        data = json.loads((folder / "report.json").read_text())
        places = [(r["case"], r["law"], r["environment"], r["dtype"]) for r in data["rows"]]
        return places, list(data["environments"]), (folder / "report.md").read_text()

    arguments = ("--am-backends=numpy,array_api_strict",)
    alone = told(*arguments)
    assert told(*arguments, "-n2") == alone
