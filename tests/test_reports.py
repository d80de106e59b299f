"""Reports of a run, from rows made by hand: text, data and Markdown."""

import html
import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import jsonschema
import pytest

import agnostic_mask as am
from agnostic_mask.conformance._row import FAILED, KNOWN, NOT_APPLICABLE, PASSED, Row
from agnostic_mask.conformance.reports import (
    ReportError,
    as_data,
    markdown,
    matrix,
    read,
    rows_of,
    write,
)

OK = Row(
    case="mean  mask=BT",
    group="mean",
    covers="mean",
    law="matches_oracle",
    backend="numpy",
    environment="numpy",
    dtype="float32",
    outcome=PASSED,
    share=0.4,
    ulps=1.5,
)
BROKEN = replace(
    OK,
    backend="torch",
    environment="torch",
    outcome=FAILED,
    share=12.5,
    ulps=40.0,
    reason="the mean is 3\nexpected 4",
    command="agnostic-mask conform --case 'mean  mask=BT'",
)
EXPECTED = replace(
    OK, law="gradient", outcome=KNOWN, share=3.0, reason="is mended in 3.1", link="https://x.org/1"
)
NOTHING = replace(OK, law="compiles", outcome=NOT_APPLICABLE, share=None, ulps=None, reason="eager")
ROWS = [OK, EXPECTED, NOTHING, BROKEN]
NOT_RUN = {"cupy": "CUDARuntimeError: the driver is too old"}


def data(rows=ROWS, not_run=NOT_RUN, seed=0):
    return as_data(rows, seed=seed, not_run=not_run)


def lines(text):
    return [" ".join(line.split()) for line in text.splitlines()]


def schema():
    file = resources.files("agnostic_mask.conformance.reports") / "schema.json"
    return json.loads(file.read_text())


def test_the_matrix_has_a_cell_for_each_case_and_environment_and_says_what_was_not_run():
    other = replace(OK, case="sum", share=None)
    shown = lines(matrix([*ROWS, other], NOT_RUN))
    assert shown[:4] == [
        "case numpy torch cupy",
        "mean mask=BT 1 ok 40% 1 known 1 FAILED of 1 not run",
        "sum 1 ok not run",
        "all 2 ok 40% 1 known 1 FAILED of 1 not run",
    ]
    assert "not run: cupy: CUDARuntimeError: the driver is too old" in shown
    assert "2 passed, 1 failed, 1 known deviation, 1 do not apply" in shown


def test_names_in_the_matrix_can_be_given_back_as_they_are():
    assert matrix(ROWS, {}).splitlines()[1].startswith(f"{OK.case} ")


def test_a_failure_is_listed_with_all_that_is_known_of_it():
    shown = lines(matrix([OK, replace(BROKEN, link="https://x.org/2")], {}))
    at = shown.index("FAILED matches_oracle: mean mask=BT on torch, float32")
    assert shown[at + 1 : at + 6] == [
        "the mean is 3",
        "expected 4",
        "12.5 times the bound, 40 ulps",
        "https://x.org/2",
        "repeat: agnostic-mask conform --case 'mean mask=BT'",
    ]
    said = replace(BROKEN, reason="12.5 times the bound, 40 ulps off")
    assert sum("12.5" in line for line in lines(matrix([said], {}))) == 1


def test_failures_are_left_out_on_request_and_counted_all_the_same():
    shown = matrix(ROWS, {}, failures=False)
    assert "FAILED matches_oracle" not in shown
    assert "1 failed" in shown


def test_a_known_deviation_is_listed_once_with_its_link():
    other = replace(EXPECTED, environment="numpy wide", dtype="float64")
    shown = lines(matrix([EXPECTED, other], {}))
    at = shown.index("known: is mended in 3.1")
    assert shown[at + 1 : at + 3] == ["2 rows on numpy, numpy wide", "https://x.org/1"]


def test_rows_to_which_no_law_applies_are_not_counted_as_checked():
    assert lines(matrix([NOTHING], {}))[1] == "mean mask=BT n/a"
    assert "**Nothing was checked.**" in markdown(data([NOTHING]))


def test_of_many_cases_the_groups_are_shown():
    rows = [replace(OK, case=f"case {i}", group=f"group {i % 2}") for i in range(50)]
    shown = lines(matrix(rows, {}))
    assert shown[:4] == ["group numpy", "group 0 25 ok 40%", "group 1 25 ok 40%", "all 50 ok 40%"]


def test_no_line_of_a_table_is_wider_than_the_terminal_and_none_gets_lost():
    labels = [f"torch compile dynamic {i}" for i in range(9)]
    rows = [replace(OK, case="m" * 200, environment=label) for label in labels]
    for width in range(80, 120):
        shown = matrix(rows, NOT_RUN, width)
        assert max(map(len, shown.splitlines())) <= width
        assert all(shown.count(label) == 1 for label in labels)


def test_of_many_failures_the_first_are_shown_and_the_rest_counted():
    rows = [replace(BROKEN, case=f"case {i}") for i in range(30)]
    for text, mark in (
        (matrix(rows, {}), "\nFAILED "),
        (markdown(data(rows, {})), "<code>matches"),
    ):
        assert "and 10 more" in text
        assert text.count(mark) == 20


def test_a_run_without_rows_has_a_report():
    assert "0 passed, 0 failed" in matrix([], NOT_RUN)
    assert "cupy" in markdown(data([]))


def test_data_has_versions_counts_environments_and_rows():
    found = data()
    assert (found["schema"], found["seed"]) == (2, 0)
    assert found["versions"]["agnostic_mask"] == am.__version__
    assert found["counts"] == {PASSED: 1, FAILED: 1, KNOWN: 1, NOT_APPLICABLE: 1}
    assert found["environments"] == {
        "numpy": {"backend": "numpy", "dtypes": ["float32"]},
        "torch": {"backend": "torch", "dtypes": ["float32"]},
    }
    assert rows_of(found) == ROWS
    assert (
        as_data([], seed=1, not_run={}, versions={"theirs": "1.2"})["versions"]["theirs"] == "1.2"
    )


def test_what_is_written_is_read_and_as_the_schema_says(tmp_path):
    file = tmp_path / "report.json"
    far = replace(BROKEN, dtype="float64", share=math.inf, ulps=math.nan)
    write(file, data([*ROWS, far]))
    found = read(file)
    assert found == data([*ROWS, far])
    assert rows_of(found)[-1].share == math.inf
    assert math.isnan(rows_of(found)[-1].ulps)
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(schema()).validate(json.loads(file.read_text()))


@pytest.mark.parametrize("key", [*data(), "rows.case", "rows.share", "environments.backend"])
def test_what_lacks_a_key_is_neither_read_nor_as_the_schema_says(tmp_path, key):
    found, (outer, _, inner) = data(), key.partition(".")
    if inner:
        part = found[outer][0] if outer == "rows" else found[outer]["numpy"]
        del part[inner]
    else:
        del found[outer]
    refused(tmp_path, json.dumps(found), f"'{inner or outer}'")
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(found))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("seed",), "0"),
        (("seed",), True),
        (("versions",), {"numpy": 2}),
        (("not_run",), ["cupy"]),
        (("rows",), {}),
        (("rows", 0), "passed"),
        (("rows", 0, "outcome"), "unknown"),
        (("rows", 0, "share"), "0.4"),
        (("rows", 0, "ulps"), True),
        (("rows", 0, "reason"), None),
        (("rows", 0, "more"), "than known"),
        (("counts", "failed"), 1.5),
        (("counts", "skipped"), 1),
        (("environments", "numpy"), []),
        (("environments", "numpy", "dtypes"), "float32"),
        (("more",), 1),
    ],
)
def test_a_wrong_value_is_neither_read_nor_as_the_schema_says(tmp_path, path, value):
    found = data()
    part = found
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(found))
    refused(tmp_path, json.dumps(found), "report.json")


def refused(folder, text, *words):
    file = folder / "report.json"
    file.write_text(text)
    with pytest.raises(ReportError) as caught:
        read(file)
    for word in ("report.json", *words):
        assert word in str(caught.value)
    return str(caught.value)


def test_a_report_of_another_schema_says_what_to_install(tmp_path):
    newer = refused(tmp_path, json.dumps({**data(), "schema": 3}), "schema 3", am.__version__)
    assert "pip install --upgrade agnostic-mask" in newer
    older = refused(tmp_path, json.dumps({"schema": 1, "rows": []}), "schema 1", am.__version__)
    assert "write it anew" in older
    refused(tmp_path, json.dumps({**data(), "schema": "2"}), "schema '2'")


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", '{"a": 1}', '{"schema": NaN}', "\ud800"])
def test_what_is_no_report_is_refused(tmp_path, text):
    file = tmp_path / "report.json"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ReportError, match=r"report\.json .*agnostic-mask conform --json"):
        read(file)


def test_numbers_for_which_json_has_no_word_are_neither_written_nor_read(tmp_path):
    found = data()
    for part in (found, found["rows"][0]):
        part["share" if part is not found else "seed"] = math.nan
        with pytest.raises(ValueError, match="JSON"):
            write(tmp_path / "report.json", found)
        found["seed"] = 0
    refused(tmp_path, json.dumps(found), "NaN is no number of JSON")


def test_a_report_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ReportError, match=r"nowhere\.json cannot be read"):
        read(tmp_path / "nowhere.json")


def test_a_report_is_never_half_written(tmp_path):
    file = tmp_path / "report.json"
    file.write_text("before")
    with pytest.raises(TypeError):
        write(file, {**data(), "rows": [object()]})
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_markdown_has_a_verdict_a_table_failures_deviations_and_what_was_not_run():
    text = markdown(data())
    assert text.startswith("**1 of 3 checks failed**: 1 case in 2 environments.\n")
    assert "| **1 FAILED of 1** |" in text
    assert "agnostic-mask conform --case" in text
    assert 'href="https://x.org/1"' in text
    assert "driver is too old" in text
    good = markdown(data([OK, EXPECTED]))
    assert good.startswith("**All of 2 checks passed, but for 1 known deviation**")
    assert "### Failures" not in good
    assert "### Not run" not in markdown(data([OK], {}))


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.seen, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)

    def handle_data(self, found):
        self.text += found


NASTY = "a | b `c` *d*\n</pre></details><script>x</script>\n\n| e | <!-- @f [g](javascript:h)"


def test_nothing_in_a_text_means_anything_to_markdown_or_html():
    row = replace(
        BROKEN,
        case=NASTY,
        environment=NASTY,
        reason=NASTY,
        link=f"javascript:{NASTY}",
        command=NASTY,
    )
    known = replace(EXPECTED, reason=NASTY, link=f"https://{NASTY}")
    text = markdown(data([row, known], {NASTY: NASTY}))
    found = Tags(text)
    assert set(found.seen) == {"code", "details", "summary", "pre"}
    assert found.seen.count("details") == 1
    assert NASTY in found.text  # in a <pre>, to the letter
    outside = re.sub("<pre>.*?</pre>", "", text, flags=re.DOTALL)
    rows = [line for line in outside.splitlines() if line.startswith("|") and "---" not in line]
    assert [line.count("|") for line in rows] == [5] * 4
    assert not any(mark in outside for mark in ("`", "*d*", "@", "[g]"))


def test_a_long_table_and_a_long_reason_are_folded_and_cut():
    rows = [replace(OK, case=f"case {i}") for i in range(30)]
    assert "<details><summary>30 cases</summary>" in markdown(data(rows, {}))
    long = markdown(data([replace(BROKEN, reason="x" * 100_000)]))
    assert len(long) < 10_000
    assert "the JSON report has it all" in long


def test_reports_and_ledgers_need_numpy_alone():
    script = """
import sys
for name in ("click", "rich", "mpmath"):
    sys.modules[name] = None
import agnostic_mask.conformance.reports, agnostic_mask.conformance._ledger
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_bounds_that_no_result_fills_are_told_of():
    seen = replace(OK, share=0.004, ulps=1.0)
    other = replace(OK, case="sum", share=0.02, ulps=1.0)
    exact = replace(OK, case="count", share=0.0, ulps=0.0)
    said = "no result fills 1 % of its bound: mean mask=BT (0.4%)"
    assert said in lines(matrix([seen, other, exact], {}))
    assert " ".join(said.split()) + "." in html.unescape(markdown(data([seen, other, exact])))
    # One backend that fills it is enough.
    filled = replace(seen, environment="torch", backend="torch", share=0.3)
    assert "no result fills" not in matrix([seen, filled, exact], {})
    assert "no result fills" not in markdown(data([seen, filled, exact]))
