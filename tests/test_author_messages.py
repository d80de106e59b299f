"""What is said to an author whose case, law, oracle or ledger is not as it should be."""

import functools

import numpy as np
import pytest
from array_api_compat import array_namespace

from agnostic_mask import conformance as c
from agnostic_mask.conformance._row import FAILED

from .test_author_inputs import failures, raises, total

X = c.floats((8, 5), low=0.1, high=10)


@pytest.mark.parametrize("name", [3, "", ("a",)])
def test_a_name_is_text(name):
    raises(f"name={name!r}: expected text", lambda: c.case(total, x=X, name=name))


def test_what_a_case_takes_for_itself_is_passed_by_partial():
    def sized(x, dtype):
        return total(x)

    raises(
        ["sized needs dtype", "c.case takes dtype= for itself", "functools.partial(fn, dtype=...)"],
        lambda: c.case(sized, x=X, dtype="float32"),
    )
    assert not failures(functools.partial(sized, dtype=None), x=X)


def test_what_is_missing_is_named_with_what_makes_it():
    def masked(x, mask):
        return total(x)

    raises('which was not given: mask=c.masks(over="x")', lambda: c.case(masked, x=X))


def test_a_scalar_of_numpy_is_an_option():
    def scaled(x, factor):
        return x * float(factor)

    assert not failures(scaled, x=X, factor=np.float64(2))


def test_of_complex_numbers_two_cases_are_made():
    z = np.ones(3, dtype=complex)
    raises("the real and the imaginary part", lambda: c.case(total, x=z), error=TypeError)

    def spectrum(x):
        return array_namespace(x).fft.fft(x)

    found = failures(spectrum, x=X)
    assert (
        "CaseError: spectrum returned an array of complex64; expected real numbers"
        in (found[("matches_oracle", "numpy")])
    )


def test_a_law_returns_nothing_or_a_share():
    @c.law
    def talks(run):
        return "fine"

    found = failures(total, x=X, laws=[talks])
    says = "LawError: the law talks returned 'fine'; expected None, or the share of a bound"
    assert found[("talks", "numpy")].startswith(says)


def test_a_law_that_is_not_public_is_not_offered():
    raises("Did you mean c.order_invariant", lambda: c.case(total, x=X, laws=["order_invarient"]))
    with pytest.raises(TypeError) as caught:
        c.case(total, x=X, laws=["cut_invarient"])
    assert "cut_invariant" not in str(caught.value).partition("is not a law")[2]


def test_no_backend_at_all_is_refused():
    case = c.case(total, x=X)
    raises("backends=[]: expected a name at least", lambda: c.report(case, backends=[]))


def test_numbers_beyond_a_float_type_are_refused():
    case = c.case(total, x=c.floats(3, 0, 1e6))
    report = c.report(case, backends=["numpy"], dtypes=["float16"])
    reasons = {row.reason for row in report.rows if row.outcome == FAILED}
    assert reasons == {
        "OverflowError: x holds numbers that are beyond float16; give smaller ones, or leave "
        "float16 out"
    }


def test_an_oracle_of_another_shape_is_told_in_every_law():
    case = c.case(total, x=X, oracle=lambda x: x, laws=[c.order_invariant])
    report = c.report(case, backends=["numpy", "torch"], dtypes=["float32"])
    failed = [row for row in report.rows if row.outcome == FAILED]
    assert {"matches_oracle", "backends_agree", "order_invariant"} <= {row.law for row in failed}
    for row in failed:
        assert "has shape (); the value in higher precision has (8, 5)" in row.reason


@pytest.mark.parametrize("terms", [lambda x: x.sum(axis=0), lambda x: -1.0])
def test_terms_fit_the_result_and_are_not_negative(terms):
    found = failures(total, x=X, oracle=np.sum, terms=terms)
    assert (
        "expected numbers of at least 0, of the result's shape () or one for all"
        in (found[("matches_oracle", "numpy")])
    )


def test_arguments_by_position_alone_may_be_left_out():
    def affine(x, scale=1.0, offset=0.0, /):
        return x * scale + offset

    assert not failures(affine, x=X, offset=2.0, oracle=lambda x: x + 2)
    assert not failures(affine, x=X, scale=2.0, oracle=lambda x: 2 * x)


def test_an_oracle_may_take_its_input_by_name_alone():
    def oracle(*, x):
        return x.sum()

    assert not failures(total, x=X, oracle=oracle)


def test_nan_of_some_places_is_the_oracles_to_say():
    def means(x, labels):
        xp = array_namespace(x)
        kinds = xp.arange(3, dtype=labels.dtype)
        hot = xp.astype(labels[:, None] == kinds[None, :], x.dtype)
        return xp.sum(hot * x[:, None], axis=0) / xp.sum(hot, axis=0)

    def oracle(x, labels):
        found = [x[labels == kind] for kind in range(3)]
        return np.asarray([np.mean(each) if each.size else np.nan for each in found])

    labels = np.asarray([0, 0, 2, 2, 2], dtype=np.int32)
    x = c.floats(5)
    assert not failures(means, x=x, labels=labels, oracle=oracle)
    # It is still held to them.
    found = failures(means, x=x, labels=labels, oracle=lambda x, labels: np.zeros(3))
    assert found[("matches_oracle", "numpy")].endswith("]; expected [0. 0. 0.]")
    # Without an oracle nobody says that they are right.
    found = failures(means, x=x, labels=labels)
    assert "gives NaN for inputs without NaN" in found[("matches_oracle", "numpy")]


def off(x):
    return total(x) + 1


def in_float32(x):
    xp = array_namespace(x)
    found = xp.asarray(0.0, dtype=x.dtype)
    for i in range(x.shape[0]):
        found = found + x[i]
    return found


@pytest.mark.parametrize(
    ("fn", "law", "more"),
    [
        (off, c.matches_oracle, {"oracle": np.sum}),
        (in_float32, c.accumulates_wide, {"laws": [c.accumulates_wide]}),
    ],
)
def test_what_a_report_says_repeats_a_failure(fn, law, more):
    case = c.case(fn, x=c.floats(8, 0.1, 10), **more)
    report = c.report(case, backends=["numpy"], dtypes=["float32"], seed=3)
    (row,) = [row for row in report.rows if row.outcome == FAILED]
    again = eval(row.command, {"c": c, fn.__name__: case})
    assert [(r.law, r.reason) for r in again.rows] == [(law.name, row.reason)]


def test_what_compares_backends_is_repeated_with_all_and_a_name_may_be_any():
    def by_framework(x):
        return total(x) + (1 if hasattr(x, "detach") else 0)

    case = c.case(by_framework, x=X, name="it's mine")
    report = c.report(case, backends=["numpy", "torch"], dtypes=["float32"])
    (command,) = {r.command for r in report.rows if r.law == "backends_agree" and r.command}
    assert 'of the case called "it\'s mine"' in command
    again = eval(command, {"c": c, "case": case})
    assert again.failed == sum(r.law == "backends_agree" and bool(r.command) for r in report.rows)


LEDGER = """
[[deviation]]
backend = "numpy"
versions = ">=2"
case = "{case}"
law = "{law}"
raises = "ViolationError"
link = "https://example.org/issues/1"
why = "it is meant to be found"
"""


@pytest.mark.parametrize(
    ("case", "law", "stale"),
    [
        ("total", "gradient", True),
        ("total", "matches_oracle", True),  # which passes
        ("another", "gradient", False),  # about which this report says nothing
    ],
)
def test_a_report_tells_stale_entries_about_its_cases(tmp_path, case, law, stale):
    known = tmp_path / "known.toml"
    known.write_text(LEDGER.format(case=case, law=law))
    report = c.report(c.case(total, x=X), backends=["numpy"], dtypes=["float32"], ledger=known)
    assert bool(report.failed) == stale
    assert ("is stale" in " ".join(str(report).split())) == stale
