import difflib
import importlib
import re
import types
import typing
from pathlib import Path

import click.testing
import pytest

import agnostic_mask as am
from agnostic_mask.conformance._files import whole_file
from agnostic_mask.conformance.cases import all_cases
from agnostic_mask.conformance.catalogue import (
    COMMAND,
    OBJECTIVE,
    PEERS,
    CatalogueError,
    _entries,
    _page,
    entries,
    page,
    public,
)
from agnostic_mask.conformance.cli import main

from .peers import keras  # with the backend that all tests use

ROOT = Path(__file__).parent.parent
COMMITTED = ROOT / "docs" / "catalogue.md"


def outdated():
    """Lines by which the committed page differs from what the code says now."""
    before, now = COMMITTED.read_text(encoding="utf-8").splitlines(), page().splitlines()
    return list(difflib.unified_diff(before, now, "committed", "generated", n=0, lineterm=""))


def invoke(*arguments):
    return click.testing.CliRunner().invoke(main, ["catalogue", *arguments])


def found(name):
    """What a dotted name stands for, as far as modules can be imported, then by attributes."""
    parts = name.split(".")
    for i in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:i]))
        except ModuleNotFoundError:
            continue
        for part in parts[i:]:
            thing = getattr(thing, part)
        return thing
    raise AssertionError(f"no module of {name} can be imported")


def backend_names():
    return {module.stem for module in (ROOT / "backends").glob("[!_]*.py")}


def newcomer(y_true, y_pred, /):
    """A loss, ``0``, of which nothing else is known."""
    return 0 * (y_true - y_pred)


def interrupted(file):
    with whole_file(file) as half:
        half.write("half")
        raise KeyboardInterrupt


@pytest.fixture
def with_a_newcomer(monkeypatch):
    monkeypatch.setattr(am.losses, "newcomer", newcomer, raising=False)
    monkeypatch.setattr(am.losses, "__all__", [*am.losses.__all__, "newcomer"])


def test_the_committed_page_is_what_the_code_says():
    lines = outdated()
    assert lines == [], f"docs/catalogue.md is stale: run `{COMMAND}`\n" + "\n".join(lines[:20])


def test_every_public_name_has_one_row():
    rows = re.findall(r"^\| `([\w.]+)` \|", page(), flags=re.MULTILINE)
    known = {*public(), *backend_names()}
    assert sorted(rows) == sorted(known)


def test_rows_have_as_many_cells_as_their_tables():
    for table in re.findall(r"(?:^\|.*\|\n)+", page(), flags=re.MULTILINE):
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(columns) == 1, table[:200]


def test_what_is_not_of_the_code_is_not_in_it():
    text = page()
    assert "``" not in text  # of reStructuredText
    assert "Parameters" not in text
    assert " object at 0x" not in text
    assert str(ROOT) not in text


@pytest.mark.parametrize("library", _page.LIBRARIES)
def test_every_peer_is_there(library):
    written = [peers for peers in (*PEERS.values(), *OBJECTIVE.values()) if type(peers) is dict]
    names = {name for peers in written for name in peers if name.split(".")[0] == library}
    assert names
    for name in sorted(names):
        assert callable(found(name)), name


def test_a_name_that_no_peer_has_is_seen():
    assert found("keras.losses.huber") is keras.losses.huber
    with pytest.raises(AttributeError):
        found("numpy.linalg.no_such_norm")
    with pytest.raises(AssertionError):
        found("no_such_library.norm")


def test_who_has_no_peer_says_why():
    for name, peers in {**PEERS, **OBJECTIVE}.items():
        assert peers, name


def test_the_objective_s_reductions_are_those_of_its_signature():
    hints = typing.get_type_hints(am.weighted_masked_objective)
    reductions = set(typing.get_args(hints["reduction"]))
    assert reductions == set(OBJECTIVE)
    rows = page().partition("## The reductions")[2].partition("\n## ")[0]
    assert set(re.findall(r'^\| `"(\w+)"` \|', rows, flags=re.MULTILINE)) == reductions


def test_every_backend_is_listed():
    rows = page().partition("## Backends")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", rows, flags=re.MULTILINE)) == backend_names()


def test_words_are_of_states_that_there_are():
    metrics = [x for x in map(_entries.metric_of, all_cases()) if x is not None]
    kinds = {x.statistic.state.__name__ for x in metrics if not _entries.wraps(x)}
    assert kinds == set(_entries.STATES)


def test_a_metric_of_bins_is_told_by_its_name():
    class BinnedVariance(am.metrics.Variance):
        pass

    class Spread(BinnedVariance):
        pass

    for metric, binned in ((am.metrics.Variance(), False), (Spread(), True)):
        section = _entries._section("metrics.Spread", types.SimpleNamespace(metric=metric))
        assert section == _entries.of_kind("centred moments", binned)


def test_a_metric_of_a_metric_is_not_told_by_its_states():
    metric = am.metrics.BetweenGroups(am.metrics.Variance(), 2, "gap")
    case = types.SimpleNamespace(metric=metric)
    assert _entries._section("metrics.BetweenGroups", case) == _entries.OF_METRICS


def test_arguments_and_formulas_come_from_the_code():
    huber = next(entry for entry in entries() if entry.name == "losses.huber")
    assert (huber.called, huber.options) == (("y_true", "y_pred"), ("delta=1.0",))
    assert "``delta * (r - delta / 2)``" in huber.about
    variance = next(entry for entry in entries() if entry.name == "metrics.Variance")
    assert variance.called[:3] == ("x", "weights=None", "mask=None")
    assert variance.options == ("correction=0.0",)
    deviance = next(entry for entry in entries() if entry.name == "losses.tweedie_deviance")
    assert "``q = 1:  2 (y log(y / p) - y + p)``".replace("  ", " ") in deviance.about


# -- what must not go unseen --


def test_a_function_that_nothing_is_written_of_is_named(with_a_newcomer):
    with pytest.raises(CatalogueError) as caught:
        page()
    assert "losses.newcomer: say in conformance/catalogue/_peers" in str(caught.value)
    assert "losses.newcomer: has no case" in str(caught.value)
    ended = invoke()
    assert ended.exit_code == 1
    assert "losses.newcomer" in ended.output


def test_an_entry_for_what_is_gone_is_named(monkeypatch):
    monkeypatch.setitem(PEERS, "losses.goner", "Nobody has it.")
    with pytest.raises(CatalogueError, match=r"losses\.goner: .* not public"):
        page()


def test_a_state_without_words_is_named(monkeypatch):
    monkeypatch.delitem(_entries.STATES, "Moments")
    with pytest.raises(CatalogueError, match=r"metrics\.Variance: say .* what a Moments holds"):
        page()


def test_a_page_of_another_code_is_stale(monkeypatch):
    before = outdated()
    monkeypatch.setitem(am.losses.huber.__kwdefaults__, "delta", 2.0)
    after = outdated()
    assert any("losses.huber" in line and "delta=2.0" in line for line in after)
    assert len(after) > len(before)


# -- the command --


def test_the_command_prints_the_page_or_writes_it(tmp_path):
    file = tmp_path / "catalogue.md"
    assert invoke().output == page()
    ended = invoke("--output", str(file))
    assert (ended.exit_code, ended.output) == (0, "")
    assert file.read_text(encoding="utf-8") == page()
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.md"]


def test_a_page_that_cannot_be_made_leaves_the_file_as_it_is(tmp_path, with_a_newcomer):
    file = tmp_path / "catalogue.md"
    file.write_text("before")
    assert invoke("--output", str(file)).exit_code == 1
    with pytest.raises(KeyboardInterrupt):
        interrupted(file)
    assert file.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["catalogue.md"]


def test_a_page_into_no_folder_is_refused(tmp_path):
    ended = invoke("--output", str(tmp_path / "nowhere" / "catalogue.md"))
    assert ended.exit_code == 2
    assert "nowhere" in ended.output
