"""The benchmarks: that what they time is right, and that they say what they measured."""

import importlib
import importlib.util
import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner

import benchmarks.__main__ as command
from benchmarks import _bars, _contenders, _memory, _ratios, _references, _rounds
from benchmarks import _workloads as workloads
from benchmarks._contenders import numpy as of_numpy
from benchmarks._contenders import numpy_others as more_of_numpy
from benchmarks._field import Contender
from benchmarks._worker import Bench, Worker, WorkerError, replied

assert more_of_numpy.FIELD is of_numpy.FIELD

TINY = {
    "sparse categorical crossentropy": (8, 5),
    "confusion matrix": (300,),
    "streaming metric": (4,),
    "one metric update": (16,),
    "one call on 1 000 elements": (10,),
}
LOSS = workloads.named("squared error, random mask")


def tiny(workload):
    return TINY.get(workload.name, (6, 8))


def small(workload):
    """The workload at a size for tests."""
    return workloads.replace(workload, shapes={"small": tiny(workload)})


class Here:
    """A worker without a process."""

    def __init__(self, name, family=of_numpy):
        self._bench = Bench(name, family)

    def __getattr__(self, method):
        def ask(*args):
            well, reply = replied(lambda: self._bench, method, args)
            if not well:
                raise WorkerError(reply)
            return reply

        return ask

    def stop(self):
        """There is nothing to stop."""


def run(workload, family, rounds=2):
    return _rounds.run(small(workload), "small", {"numpy": Here("numpy", family)}, rounds)


def entry_of(case, name):
    (entry,) = (e for e in case["contenders"] if e["name"] == name)
    return entry


def with_contender(contender):
    """The NumPy family with one contender more."""
    field = SimpleNamespace(of={LOSS.kind: [*of_numpy.FIELD.of[LOSS.kind], contender]})
    kept = {name: getattr(of_numpy, name) for name in ("arrays", "wait", "host", "LIBRARIES")}
    return SimpleNamespace(FIELD=field, **kept)


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    monkeypatch.setattr(_rounds, "TURN", 1e-4)
    monkeypatch.setattr(_rounds, "PAUSE", 0.0)


NEEDS = {"scikit-learn": "sklearn", "numexpr": "numexpr", "scipy logsumexp": "scipy"}


@pytest.mark.parametrize("workload", workloads.ALL, ids=lambda w: w.name)
def test_every_contender_on_numpy_computes_the_number_and_is_timed(workload):
    case = run(workload, of_numpy)
    assert {"floor", "ours"} <= {e["name"] for e in case["contenders"]}
    for entry in case["contenders"]:
        needed = NEEDS.get(entry["name"])
        if needed and importlib.util.find_spec(needed) is None:
            assert (entry["status"], entry["why"][:20]) == ("cannot run", "ModuleNotFoundError:")
            continue
        assert (entry["status"], entry["why"]) == ("timed", ""), entry["name"]
        assert len(entry["seconds"]) == 2
        assert all(second > 0 for second in entry["seconds"])
        assert entry["to_floor"]["median"] > 0
        if entry["name"] != "floor":
            assert entry["error"] <= entry["bound"]


def test_references_agree_with_sums_that_are_written_out():
    x = workloads.named("binary crossentropy, padding").inputs((5, 8), 1)
    terms = [
        (float(x.weights[i]), float(x.y_true[i, j]), float(x.y_pred[i, j]))
        for i in range(5)
        for j in range(8)
        if x.mask[i, j]
    ]
    total = sum(-w * np.log(p if t else 1 - p) for w, t, p in terms)
    numbers = _references.of_pairs(x)
    assert float(numbers["mean"].value) == pytest.approx(total / sum(w for w, _, _ in terms))
    keras2 = total / 40 / (len(terms) / 40 + 1e-7)  # no weight is 0
    assert float(numbers["keras2"].value) == pytest.approx(keras2)


def test_references_are_the_same_in_tiles(monkeypatch):
    whole, parts = {}, {}
    for found, tile in ((whole, 1 << 20), (parts, 7)):
        monkeypatch.setattr(_references, "TILE", tile)
        for workload in workloads.ALL:
            found[workload.name] = workload.numbers(workload.inputs(tiny(workload), 3))
    for name, numbers in whole.items():
        for which, number in numbers.items():
            other = parts[name][which]
            np.testing.assert_allclose(other.value, number.value, rtol=1e-13, atol=0)
            np.testing.assert_allclose(other.scale, number.scale, rtol=1e-13, atol=0)


def test_inputs_are_the_same_each_time_and_masks_include_seventy_percent():
    for workload in workloads.ALL[:4]:
        once, again = (workload.inputs((512, 1024), 3) for _ in range(2))
        for name in ("y_true", "y_pred", "weights", "mask"):
            assert np.array_equal(getattr(once, name), getattr(again, name))
        # Of 512 rows: a uniform length has a standard deviation of 0.6 / sqrt(12) of a row.
        assert abs(once.mask.mean() - workloads.SHARE) < 5 * 0.6 / np.sqrt(12 * 512)


def test_a_wrong_number_is_listed_as_wrong_and_is_not_timed():
    calls = []

    def build(x):
        right = of_numpy.ours(x)

        def call():
            calls.append(1)
            return right() * np.float32(1.001)

        return call

    case = run(LOSS, with_contender(Contender("planted", build)))
    planted = entry_of(case, "planted")
    assert planted["status"] == "wrong"
    assert planted["seconds"] == []
    assert "milliseconds" not in planted
    assert f"{planted['answer']:.6g} for" in planted["why"]
    assert len(calls) == 1
    assert entry_of(case, "ours")["status"] == "timed"


@pytest.mark.parametrize("answer", [np.nan, np.inf, [1.0, 1.0]])
def test_what_is_no_number_or_of_another_shape_is_wrong(answer):
    number = _references.Number(1.0, 1.0, 10)
    assert _references.judged(1.0, number).right
    assert not _references.judged(answer, number).right


def test_the_bound_lets_float32_sums_pass_and_not_an_error_of_a_thousandth():
    number = _references.Number(1.0, 1.0, 1 << 24)
    assert not _references.judged(1.001, number).right
    values = np.random.default_rng(0).random(1 << 16, dtype=np.float32)
    exact = float(np.sum(values, dtype=np.float64))
    one_by_one = np.cumsum(values, dtype=np.float32)[-1]
    assert _references.judged(one_by_one, _references.Number(exact, exact, values.size)).right


def test_a_contender_that_raises_says_why():
    def build(x):
        raise ValueError("not today\nnor tomorrow")

    case = run(LOSS, with_contender(Contender("planted", build)))
    planted = entry_of(case, "planted")
    assert (planted["status"], planted["why"]) == ("cannot run", "ValueError: not today")


def test_ratios_are_medians_of_the_rounds_ratios():
    ratio = _ratios.ratio([2.0, 8.0, 3.0], [1.0, 2.0, 3.0])
    assert ratio == {"q1": 1.5, "median": 2.0, "q3": 3.0}
    assert _ratios.ratio([2.0, 8.0], [1.0, 2.0, 100.0])["median"] == 3.0
    assert _ratios.ratio([], [1.0]) is None


def case_of(workload, seconds):
    return {
        "workload": workload,
        "size": "large",
        "contenders": [
            {"family": family, "name": name, "status": "timed", "seconds": [x]}
            for (family, name), x in seconds.items()
        ],
    }


def test_bars_are_measured_against_the_fastest_and_say_whether_they_are_reached():
    seconds = {
        _bars.NUMPY: 3.0,
        _bars.FLOOR: 1.0,
        _bars.WHERE: 10.0,
        _bars.COMPILED[0]: 2.0,
        _bars.COMPILED[1]: 4.0,
    }
    bars = {bar.what: bar for bar in _bars.bars([case_of(_bars.SQUARED, seconds)], [])}
    assert (bars["NumPy: times the floor"].measured, bars["NumPy: times the floor"].verdict) == (
        3.0,
        "reached",
    )
    assert bars["NumPy: of the np.where formula"].verdict == "missed"
    assert bars["NumPy: of torch.compile's formula"].measured == 1.5
    assert bars["NumPy: of jax.jit's formula"].verdict == "not measured"
    fast = _bars.bars([case_of(_bars.SQUARED, {**seconds, _bars.NUMPY: 2.5})], [])
    assert fast[0].verdict == "aim reached"


def test_every_bar_names_contenders_that_there_are():
    names = set()
    for file in ("numpy", "numpy_others", "torch", "torch_others", "jax", "jax_others"):
        importlib.import_module(f"benchmarks._contenders.{file}")
    for family in ("numpy", "torch", "jax"):
        of = _contenders.load(family).FIELD.of
        names |= {(family, kind, c.name) for kind, field in of.items() for c in field}
    for rule in _bars.RULES:
        kind = workloads.named(rule.workload).kind
        for family, name in (rule.who, *rule.others):
            known = (family, kind, name) in names
            # optax takes part in squared errors alone
            assert known or name == "optax, jax.jit", (family, kind, name)
    for kind, who in _memory.WHO.items():
        for full in {k for _, k, _ in names if k.partition(",")[0] == kind}:
            assert {(family, full, name) for family, name in who} <= names


def test_a_worker_runs_a_case_end_to_end():
    workers = {"numpy": Worker("numpy"), "nowhere": Worker("keras-numpy")}
    workers["nowhere"].load = lambda *args: (_ for _ in ()).throw(
        WorkerError("ModuleNotFoundError: No module named 'x'")
    )
    workers["keras-numpy"] = workers.pop("nowhere")
    try:
        case = _rounds.run(small(LOSS), "small", workers, 2)
    finally:
        for worker in workers.values():
            worker.stop()
    assert len(entry_of(case, "ours")["seconds"]) == 2
    absent = entry_of(case, "all")
    assert absent["status"] == "cannot run"
    assert absent["why"].startswith("not installed")


def test_a_worker_says_what_went_wrong():
    worker = Worker("numpy")
    try:
        with pytest.raises(WorkerError, match="KeyError"):
            worker.answer("nobody")
        worker._process.terminate()
        worker._process.join()
        with pytest.raises(WorkerError, match="ended"):
            worker.answer("nobody")
        assert "numpy" in worker.versions()  # by another process
    finally:
        worker.stop()


def test_files_are_whole_or_absent(tmp_path, monkeypatch):
    path = tmp_path / "results.json"
    command._write(path, "whole")
    assert path.read_text() == "whole"

    def broken(*names):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(OSError, match="disk full"):
        command._write(path, "half")
    assert path.read_text() == "whole"
    assert [file.name for file in tmp_path.iterdir()] == ["results.json"]


def test_the_command_writes_results_that_can_be_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "Worker", Here)
    monkeypatch.setitem(_contenders.ON, "cpu", ("numpy",))
    monkeypatch.setattr(command._workloads, "ALL", (small(LOSS),))
    json_file, markdown = tmp_path / "b.json", tmp_path / "b.md"
    arguments = ["--sizes", "small", "--rounds", "2", "--no-memory"]
    files = ["--json", str(json_file), "--markdown", str(markdown)]
    done = CliRunner().invoke(command.main, [*arguments, *files], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    results = json.loads(json_file.read_text())
    assert results["schema"] == command.SCHEMA
    assert results["versions"]["numpy"] == np.__version__
    assert [case["elements"] for case in results["cases"]] == [48]
    assert markdown.read_text().startswith("| times the floor | elements | ours, NumPy |")
    wrong = CliRunner().invoke(command.main, ["--workload", "nothing"])
    assert wrong.exit_code == 2


@pytest.mark.skipif(not _memory.AVAILABLE, reason="measured on Linux only")
def test_peak_memory_is_that_of_what_a_call_makes(monkeypatch):
    shape = (9216, 1024)  # above what any allocator keeps for the next time

    def build(x):
        return lambda: np.float32(np.square(x.y_pred - x.y_true).sum() * 0)

    family = with_contender(Contender("two temporaries", build))
    monkeypatch.setattr(_contenders, "load", lambda name: family)
    found = _memory.peak("numpy", LOSS.name, "two temporaries", shape)
    one = 4 * 9216 * 1024
    assert 1.9 * one < found < 2.5 * one


def test_a_keras_family_has_its_backend_and_runs_nowhere_else(monkeypatch):
    assert _contenders.environment("torch") == {}
    assert _contenders.environment("keras-jax")["KERAS_BACKEND"] == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(RuntimeError, match="a process of its own"):
        _contenders.load("keras-jax")
