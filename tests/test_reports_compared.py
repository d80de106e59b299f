"""Two reports compared, from rows made by hand."""

from dataclasses import replace

import pytest

from agnostic_mask.conformance._row import KNOWN, NOT_APPLICABLE, PASSED
from agnostic_mask.conformance.reports import difference

from .test_reports import BROKEN, EXPECTED, OK, data


def test_two_like_reports_differ_in_nothing():
    found = difference(data(), data())
    assert not found.worse
    assert found.still_failing == 1
    assert "nothing got worse" in str(found)


def compared(old, new, **options):
    return difference(data(old, {}), data(new, options.get("not_run", {})))


def test_what_newly_fails_is_worse_whether_it_passed_or_was_not_there():
    mended = replace(BROKEN, outcome=PASSED, share=0.1)
    for before in ([OK, mended], [OK], [OK, replace(BROKEN, outcome=KNOWN)]):
        found = compared(before, [OK, BROKEN])
        assert found.failing == (BROKEN,)
        assert found.worse
        assert BROKEN.command in str(found)
    found = compared([OK, BROKEN], [OK, mended])
    assert found.passing == (mended,)
    assert not found.worse


def test_of_two_rows_with_one_name_the_failure_counts():
    passes = replace(BROKEN, outcome=PASSED)
    for rows in ([passes, BROKEN], [BROKEN, passes]):
        assert compared([passes], rows).failing == (BROKEN,)


def test_a_backend_that_is_not_run_any_more_is_one_line_with_its_reason():
    gone = [replace(BROKEN, outcome=PASSED, case=f"case {i}") for i in range(100)]
    found = compared([OK, *gone], [OK], not_run={"torch": "no such module"})
    assert found.missing == ("backend torch (100 rows): no such module",)
    assert found.worse


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        (replace(OK, environment="numpy wide"), "environment numpy wide (1 row)"),
        (replace(OK, case="sum"), "case sum (1 row)"),
        (replace(OK, law="thread_safe"), "law thread_safe (1 row)"),
        (replace(OK, dtype="float64"), "matches_oracle: mean  mask=BT on numpy, float64"),
    ],
)
def test_what_is_missing_is_named_by_the_largest_part_that_is_gone(gone, expected):
    found = compared([OK, gone], [OK])
    assert (found.missing, found.worse) == ((expected,), True)
    # A law that does not apply any more is checked no more than one that is gone.
    excused = replace(gone, outcome=NOT_APPLICABLE, share=None)
    assert compared([OK, gone], [OK, excused]).missing == (expected,)
    assert not compared([OK, excused], [OK]).worse
    added = compared([OK], [OK, gone])
    assert (added.new, added.worse) == ((expected,), False)


@pytest.mark.parametrize(
    ("before", "now", "worse"),
    [
        (0.1, 0.21, True),
        (0.1, 0.19, False),
        (0.01, 0.09, False),
        (0.0, 0.11, True),
        (None, 0.5, False),
        (0.5, None, False),
    ],
)
def test_a_bound_got_worse_if_it_more_than_doubled_and_is_worth_a_word(before, now, worse):
    old, new = replace(OK, share=before), replace(OK, share=now)
    found = compared([old], [new])
    assert found.worse is worse
    assert found.looser == (((old, new),) if worse else ())


def test_a_new_known_deviation_is_told_and_not_worse():
    found = compared([replace(EXPECTED, outcome=PASSED, share=0.1)], [EXPECTED])
    assert (found.known, found.worse) == ((EXPECTED,), False)
    assert EXPECTED.link in str(found)


def test_other_seeds_and_versions_are_told():
    old, new = data(), data(seed=7)
    new["versions"]["torch"] = "99.0"
    found = str(difference(old, new))
    assert "seed: 0 before, 7 now" in found
    assert "99.0 now" in found
