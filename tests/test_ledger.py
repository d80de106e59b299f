"""Known deviations: what a ledger says of rows, and what it says of itself."""

from dataclasses import replace
from importlib import resources

import pytest

from agnostic_mask.conformance._ledger import Ledger, LedgerError
from agnostic_mask.conformance._row import FAILED, KNOWN, NOT_APPLICABLE, PASSED, Row
from agnostic_mask.conformance.laws import ViolationError

ENTRY = {
    "backend": "torch",
    "versions": ">=2.13,<2.14",
    "case": "mean *",
    "law": "matches_oracle",
    "share": 3.5,
    "link": "https://x.org/1",
    "why": "sums in float32",
}
RAISES = {**{k: v for k, v in ENTRY.items() if k != "share"}, "raises": "ArithmeticError"}
ROW = Row(
    case="mean [BT]",
    group="mean",
    covers="mean",
    law="matches_oracle",
    backend="torch",
    environment="torch",
    dtype="float32",
    outcome=FAILED,
    share=3.0,
    reason="off by much",
)
PASSES = replace(ROW, outcome=PASSED, share=0.5)
VIOLATION = ViolationError("off by much")


def toml(*entries):
    lines = []
    for entry in entries:
        lines.append("[[deviation]]")
        lines += [f"{key} = {value!r}" for key, value in entry.items()]
    return "\n".join(lines)


@pytest.fixture
def ledger(tmp_path):
    def load(*entries):
        file = tmp_path / "ledger.toml"
        file.write_text(toml(*entries))
        return Ledger.load(file)

    return load


def test_a_failure_that_is_expected_is_a_known_deviation(ledger):
    judged = ledger(ENTRY).judge(ROW, "2.13.1+cpu", VIOLATION)
    assert judged == replace(ROW, outcome=KNOWN, reason=ENTRY["why"], link=ENTRY["link"])


@pytest.mark.parametrize(
    "other",
    [
        {"backend": "jax"},
        {"case": "sum *"},
        {"case": "mean"},
        {"case": "mean ?"},
        {"law": "gradient"},
        {"environment": "torch default *"},
        {"dtype": "float64"},
        {"versions": ">=2.14"},
    ],
)
def test_a_row_that_no_entry_is_about_stays_as_it_is(ledger, other):
    found = ledger({**ENTRY, **other})
    assert found.judge(ROW, "2.13.1", VIOLATION) is ROW
    assert found.judge(PASSES, "2.13.1") is PASSES


@pytest.mark.parametrize(
    "same",
    [
        {"case": "*"},
        {"case": "mean [BT]"},
        {"law": "matches_*"},
        {"environment": "t?rch"},
        {"dtype": "float*"},
        {"versions": "<3"},
        {"versions": "==2.13.*"},
    ],
)
def test_patterns_know_two_signs_and_brackets_are_letters(ledger, same):
    assert ledger({**ENTRY, **same}).judge(ROW, "2.13.1", VIOLATION).outcome == KNOWN


@pytest.mark.parametrize("version", ["2.12.9", "2.14", "", "of our own"])
def test_an_entry_is_about_its_versions_alone(ledger, version):
    assert ledger(ENTRY).judge(ROW, version, VIOLATION) is ROW


def test_development_versions_are_versions(ledger):
    assert ledger(ENTRY).judge(ROW, "2.13.1.dev3", VIOLATION).outcome == KNOWN


@pytest.mark.parametrize("share", [3.6, float("inf"), float("nan"), None])
def test_a_failure_that_exceeds_its_entry_fails_and_says_so(ledger, share):
    judged = ledger(ENTRY).judge(replace(ROW, share=share), "2.13", VIOLATION)
    assert judged.outcome == FAILED
    assert judged.reason.startswith("off by much\n")
    assert "ledger.toml: entry 1 expects at most 3.5 times the bound" in judged.reason


def test_what_raises_is_expected_by_its_type_or_a_base_of_it(ledger):
    raised = replace(ROW, share=None)
    found = ledger(RAISES)
    assert found.judge(raised, "2.13", ZeroDivisionError()).outcome == KNOWN
    assert found.judge(raised, "2.13", ArithmeticError()).outcome == KNOWN
    other = found.judge(raised, "2.13", ValueError())
    assert other.outcome == FAILED
    assert "expects that ArithmeticError is raised" in other.reason


def test_a_law_that_is_broken_is_nothing_that_the_function_raised(ledger):
    found = ledger({**RAISES, "raises": "AssertionError"})
    assert found.judge(ROW, "2.13", VIOLATION).outcome == FAILED
    assert found.judge(ROW, "2.13", None).outcome == FAILED
    assert found.judge(ROW, "2.13", AssertionError()).outcome == KNOWN


def test_a_row_that_passes_makes_its_entry_stale(ledger):
    judged = ledger({**ENTRY, "case": "sum"}, ENTRY).judge(PASSES, "2.13")
    assert judged.outcome == FAILED
    assert "ledger.toml: entry 2 is stale; delete or narrow it" in judged.reason


def test_a_row_to_which_no_law_applies_is_not_judged(ledger):
    row = replace(ROW, outcome=NOT_APPLICABLE)
    assert ledger(ENTRY).judge(row, "2.13") is row


def test_of_two_entries_either_may_expect_the_failure(ledger):
    both = ledger({**ENTRY, "share": 2.0}, ENTRY)
    assert both.judge(ROW, "2.13", VIOLATION).outcome == KNOWN


def test_merged_ledgers_have_the_entries_of_all_in_order(ledger):
    first, second = ledger(ENTRY), ledger(RAISES)
    assert Ledger.merged(first, second).entries == first.entries + second.entries
    assert Ledger.merged() == Ledger()


def test_an_entry_that_is_about_no_row_is_stale(ledger):
    found = ledger(ENTRY, {**ENTRY, "case": "sum"}, {**ENTRY, "backend": "jax"})
    first, second, _ = found.entries
    versions = {"torch": "2.13", "jax": "0.9"}
    assert found.stale([ROW], versions) == [second]
    assert found.stale([replace(ROW, outcome=NOT_APPLICABLE)], versions) == [first, second]
    assert found.stale([ROW], {"torch": "2.14"}) == []
    assert found.stale([], versions) == []


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({**ENTRY, "cases": "mean"}, ["'cases'", "did you mean 'case'"]),
        ({k: v for k, v in ENTRY.items() if k != "link"}, ["link is missing"]),
        ({k: v for k, v in ENTRY.items() if k != "why"}, ["why is missing"]),
        ({k: v for k, v in ENTRY.items() if k != "share"}, ["neither raises nor share"]),
        ({**ENTRY, "raises": "ValueError"}, ["raises and share", "exactly one"]),
        ({**ENTRY, "share": 1.0}, ["share is 1.0", "above 1"]),
        ({**ENTRY, "share": "3"}, ["share is '3'", "above 1"]),
        ({**RAISES, "raises": "a.B"}, ["raises is 'a.B'", "without its module"]),
        ({**RAISES, "raises": "Exception"}, ["raises is 'Exception'", "every exception"]),
        ({**ENTRY, "versions": "2.13"}, ["versions is '2.13'", "PEP 440"]),
        ({**ENTRY, "link": "issue 3"}, ["link is 'issue 3'", "https://"]),
        ({**ENTRY, "link": "https://x y"}, ["link is", "https://"]),
        ({**ENTRY, "link": "http://[x"}, ["link is", "https://"]),
        ({**ENTRY, "why": " "}, ["why is ' '", "text"]),
        ({**ENTRY, "case": 3}, ["case is 3", "text"]),
    ],
)
def test_a_wrong_entry_is_named_with_its_file_its_number_and_its_key(ledger, entry, words):
    with pytest.raises(LedgerError) as caught:
        ledger(ENTRY, entry)
    for word in ("ledger.toml: entry 2", *words):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("deviation", "is not TOML"),
        ("deviation = 3", r"\[\[deviation\]\]"),
        ("deviation = [3]", r"\[\[deviation\]\]"),
        ("[deviations]\n", "'deviations'"),
        ("share = inf\nversion = 1\n", "'share'"),
    ],
)
def test_what_is_no_ledger_is_refused(tmp_path, text, words):
    file = tmp_path / "ledger.toml"
    file.write_text(text)
    with pytest.raises(LedgerError, match=rf"ledger\.toml .*{words}|ledger\.toml: .*{words}"):
        Ledger.load(file)


def test_bytes_that_are_no_text_and_files_that_are_not_there_are_refused(tmp_path):
    file = tmp_path / "ledger.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(LedgerError, match="is not TOML"):
        Ledger.load(file)
    with pytest.raises(LedgerError, match=r"nowhere\.toml cannot be read"):
        Ledger.load(tmp_path / "nowhere.toml")


def test_our_own_ledger_is_in_order_and_so_is_the_example_in_it(tmp_path):
    Ledger.own()
    own = (resources.files("agnostic_mask.conformance.data") / "ledger.toml").read_text()
    example = [
        x.removeprefix("# ") for x in own.splitlines() if " = " in x or x == "# [[deviation]]"
    ]
    file = tmp_path / "ledger.toml"
    for left_out in ("raises", "share"):
        kept = "\n".join(line for line in example if not line.startswith(left_out))
        file.write_text(kept.replace("https://...", "https://x.org/1"))
        (entry,) = Ledger.load(file).entries
        assert getattr(entry, left_out) is None
