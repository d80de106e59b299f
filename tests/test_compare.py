import io
import pickle
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import agnostic_mask as am
from agnostic_mask.conformance import _commands_compare as commands
from agnostic_mask.conformance import datafile
from agnostic_mask.conformance._environments import Environment, environments, unusable
from agnostic_mask.conformance.compare import LOSSES, REDUCTIONS, compare, exact
from agnostic_mask.conformance.datafile import Data, DataFileError
from agnostic_mask.conformance.naive import loss_of, naive

ROOT = Path(__file__).parent.parent
NAN = np.nan


def classes() -> dict[str, np.ndarray]:
    """Three sequences of up to two steps, three classes; what is excluded is garbage."""
    p = np.asarray([0.5, 0.25, 0.25], np.float32)
    return {
        "y_true": np.asarray([[0, 1], [2, -100], [1, 0]], np.int32),
        "y_pred": np.stack([[p, p], [p, p * NAN], [p, p]]),
        "weights": np.asarray([1.0, 2.0, 0.5], np.float32),
        "lengths": np.asarray([2, 1, 2]),
    }


def values() -> dict[str, np.ndarray]:
    return {
        "y_true": np.asarray([[1.0, 2.0], [3.0, NAN]], np.float32),
        "y_pred": np.asarray([[1.5, 2.0], [1.0, 7.0]], np.float32),
        "mask": np.asarray([[True, True], [True, False]]),
    }


def without(arrays: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    return {n: x for n, x in arrays.items() if n != name}


def put(x: np.ndarray, index: tuple[int, ...], value: float) -> np.ndarray:
    x = x.copy()
    x[index] = value
    return x


def saved(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    np.savez(path, **arrays)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(commands.compare, list(arguments))


# -- files that are as they should be -----------------------------------------------------


def test_class_probabilities_are_loaded(tmp_path: Path) -> None:
    data = datafile.load(saved(tmp_path / "a.npz", classes()))
    assert data.kind == "classes"
    assert data.mask is not None
    np.testing.assert_array_equal(data.mask, [[True, True], [True, False], [True, True]])
    np.testing.assert_array_equal(data.included, data.mask)


def test_whatever_the_dtype_it_is_computed_in_float32(tmp_path: Path) -> None:
    arrays = classes()
    arrays = {
        "y_true": arrays["y_true"].astype(">i8"),
        "y_pred": arrays["y_pred"].astype(">f8"),
        "weights": np.asarray([1, 0, 2], np.uint8),
        "mask": np.asarray([[2], [1], [0]], np.int16),
    }
    data = datafile.load(saved(tmp_path / "a.npz", arrays))
    assert (data.y_true.dtype, data.y_pred.dtype) == (np.int32, np.float32)
    assert data.weights is not None
    assert data.weights.dtype == np.float32
    np.testing.assert_array_equal(data.included, [[True, True], [False, False], [False, False]])


@pytest.mark.parametrize(("dtype", "kind"), [("float32", "values"), ("int64", "values")])
def test_same_shapes_are_real_values(tmp_path: Path, dtype: str, kind: str) -> None:
    arrays = values() | {"y_true": np.asarray([[1, 2], [3, 4]], dtype)}
    data = datafile.load(saved(tmp_path / "a.npz", arrays))
    assert (data.kind, data.y_true.dtype) == (kind, np.float32)


def test_boolean_targets_are_binary(tmp_path: Path) -> None:
    arrays = {"y_true": np.asarray([True, False]), "y_pred": np.asarray([0.75, 0.5])}
    assert datafile.load(saved(tmp_path / "a.npz", arrays)).kind == "binary"


def test_other_names_are_not_used(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.npz", values() | {"speakers": np.asarray(["a", None], object)})
    assert datafile.load(path).unused == ("speakers",)


# -- files that are not -------------------------------------------------------------------

C, V = classes(), values()
BAD = {
    "missing name": (without(C, "y_pred"), "has no array 'y_pred'. It has 'y_true', 'weights'"),
    "no name at all": ({}, "It has no array"),
    "misspelt name": (
        without(C, "y_pred") | {"y_perd": C["y_pred"]},
        "rename 'y_perd' to 'y_pred'",
    ),
    "misspelt option": (
        without(C, "weights") | {"weigths": C["weights"]},
        "rename 'weigths' to 'weights', or remove it",
    ),
    "Keras's name": (
        without(C, "weights") | {"sample_weight": C["weights"]},
        "rename 'sample_weight' to 'weights'",
    ),
    "two masks": (C | {"mask": np.ones(3, bool)}, "both 'mask' and 'lengths'"),
    "objects": (C | {"y_true": np.asarray([[1], None], object)}, "y_true holds Python objects"),
    "strings": (C | {"y_true": np.asarray(["a", "b"])}, "y_true has dtype <U1; expected integers"),
    "complex": (C | {"y_pred": C["y_pred"] * 1j}, "y_pred has dtype complex64; expected floats"),
    "integer scores": (V | {"y_pred": np.ones((2, 2), int)}, "y_pred has dtype int64"),
    "float labels": (C | {"y_true": np.ones((3, 2))}, "expected integer labels"),
    "column": (
        {"y_true": np.ones(3, np.float32), "y_pred": np.ones((3, 2, 1), np.float32)},
        "y_true has shape (3,) and dtype float32, y_pred shape (3, 2, 1); expected equal shapes",
    ),
    "float mask": (V | {"mask": np.ones((2, 2))}, "mask has dtype float64; expected booleans"),
    "trailing weights": (C | {"weights": np.ones(2)}, "Nothing is aligned from the right"),
    "deep weights": (V | {"weights": np.ones((2, 2, 1))}, "expected leading axes of y_true"),
    "string weights": (C | {"weights": np.asarray(["1"] * 3)}, "expected real numbers"),
    "nan weight": (C | {"weights": put(C["weights"], (1,), NAN)}, "weights is nan for element"),
    "tiny weight": (C | {"weights": np.full(3, 1e-60)}, "that are 0 in float32"),
    "trailing mask": (V | {"mask": np.ones((1, 3), bool)}, "mask has shape (1, 3) and y_true"),
    "float lengths": (C | {"lengths": np.ones(3)}, "lengths has dtype float64"),
    "lengths of steps": (C | {"lengths": np.ones((3, 2), int)}, "the axes before that of time"),
    "long length": (C | {"lengths": np.asarray([2, 3, 1])}, "lengths[1] is 3; expected 0 to 2"),
    "short length": (C | {"lengths": np.asarray([2, 1, -1])}, "lengths[2] is -1"),
    "label": (
        C | {"y_true": put(C["y_true"], (2, 0), 3)},
        "y_true[2, 0] is 3 and counts; expected 0 to 2",
    ),
    "padding counts": (without(C, "lengths"), "y_true[1, 1] is -100 and counts"),
    "logits": (
        C | {"y_pred": put(C["y_pred"], (0, 1, 2), -4)},
        "y_pred[0, 1, 2] is -4.0 and counts; expected a probability",
    ),
    "nan counts": (without(V, "mask"), "y_true is nan for element (1, 1), which counts"),
    "not float32": (V | {"y_pred": np.full((2, 2), 1e300)}, "y_pred is inf for element (0, 0)"),
    "all excluded": (C | {"lengths": np.zeros(3, int)}, "includes nothing of y_true (3, 2)"),
    "all weights 0": (C | {"weights": np.zeros(3)}, "includes nothing"),
    "empty": (
        {"y_true": np.zeros((0, 2)), "y_pred": np.zeros((0, 2))},
        "includes nothing of y_true (0, 2)",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_contents_are_named(tmp_path: Path, case: str) -> None:
    arrays, message = BAD[case]
    path = saved(tmp_path / "bad.npz", arrays)
    with pytest.raises(DataFileError) as raised:
        datafile.load(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)


def damaged(at: float) -> bytes:
    """A good file, cut off after a share of its bytes."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **C)
    return buffer.getvalue()[: int(at * buffer.tell())]


def corrupted() -> bytes:
    """A good file with bytes of its first array overwritten."""
    whole = bytearray(damaged(1))
    whole[80:90] = bytes(10)
    return bytes(whole)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; expected an .npz file: numpy.savez"),
        (b"y_true,y_pred\n1,0.5\n", "is not an .npz file"),
        (pickle.dumps({"y_true": [1]}), "is not an .npz file"),
        (damaged(0.1), "cut short or damaged"),
        (damaged(0.5), "cut short or damaged"),
        (damaged(0.99), "cut short or damaged"),
        (corrupted(), "y_true is cut short or damaged"),
    ],
    ids=["empty", "text", "pickle", "truncated 10%", "truncated 50%", "truncated 99%", "corrupted"],
)
def test_what_is_not_a_whole_npz_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(DataFileError) as raised:
        datafile.load(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)


def test_a_single_array_is_named(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.ones(3))
    with pytest.raises(DataFileError, match="holds a single array"):
        datafile.load(tmp_path / "one.npy")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="there is no such file"):
        datafile.load(tmp_path / "absent.npz")
    with pytest.raises(DataFileError, match="cannot be opened: Is a directory"):
        datafile.load(tmp_path)


def test_a_pickle_in_a_file_is_not_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "run",)

    path = saved(tmp_path / "a.npz", C | {"weights": np.asarray([Trap()] * 3, object)})
    with pytest.raises(DataFileError, match="weights holds Python objects"):
        datafile.load(path)
    assert not (tmp_path / "run").exists()


# -- the bundled data ---------------------------------------------------------------------


def test_the_script_makes_the_bundled_file(tmp_path: Path) -> None:
    made = tmp_path / "made.npz"
    runpy.run_path(str(ROOT / "examples" / "fit_speaker_model.py"))["main"](made)
    bundled = ROOT / "conformance" / "data" / "japanese_vowels.npz"
    assert bundled.stat().st_size < 500_000
    assert [p.name for p in tmp_path.iterdir()] == ["made.npz"]
    with np.load(made) as ours, np.load(bundled) as theirs:
        assert set(ours) == set(theirs) == {"y_true", "y_pred", "lengths", "weights"}
        for name in ours:
            assert ours[name].dtype == theirs[name].dtype
            # A unit in the last place of float32: another BLAS may round the other way.
            np.testing.assert_allclose(ours[name], theirs[name], rtol=2.0**-23, atol=0)


def test_the_bundled_data_is_padded_with_garbage() -> None:
    data = datafile.bundled()
    assert data.y_pred.shape == (370, 29, 9)
    assert int(data.included.sum()) == 5687
    assert np.isnan(data.y_pred[~data.included]).all()
    assert (data.y_true[~data.included] == -100).all()
    assert data.weights is not None
    speaker = data.y_true[:, 0]
    np.testing.assert_allclose(np.bincount(speaker, data.weights), 370 / 9, rtol=1e-6)


# -- the command --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def on_bundled_data() -> Result:
    return run()


def test_every_backend_is_within_bound_on_the_bundled_data(on_bundled_data: Result) -> None:
    assert on_bundled_data.exit_code == 0, on_bundled_data.output
    lines = on_bundled_data.output.splitlines()
    for backend in {e.backend for e in environments()}:
        mine = [line for line in lines if line.strip().startswith(backend)]
        assert len(mine) >= len(LOSSES["classes"]) * len(REDUCTIONS)
        assert all(line.rstrip().endswith("within") for line in mine)
    for name, reason in unusable().items():
        assert f"not run: {name}, {reason[:40]}" in on_bundled_data.output


def test_the_table_fits_100_columns(on_bundled_data: Result) -> None:
    assert max(map(len, on_bundled_data.output.splitlines())) <= 100
    assert "…" not in on_bundled_data.output


def test_the_naive_ways_are_listed(on_bundled_data: Result) -> None:
    listed = on_bundled_data.output.partition("The naive ways")[2]
    for way in ("multiply by the mask", "mean of batch means", "right-aligned", "float16 sums"):
        assert way in listed
    assert "ValueError: operands" in listed


class Perturbed(Environment):
    """Rounds what it is given to half precision."""

    def asarray(self, x: np.ndarray, dtype: str | None = None) -> am.Array:
        return super().asarray(x.astype("float16").astype(x.dtype) if x.dtype.kind == "f" else x)


class Broken(Environment):
    """Computes nothing."""

    def host(self, x: am.Array) -> np.ndarray:
        raise MemoryError("no room")


def numpy_as(cls: type[Environment]) -> Environment:
    real = environments(["numpy"])[0]
    return cls("planted", real.device, real.knowledge, "planted")


@pytest.mark.parametrize(
    ("planted", "shown"),
    [(Perturbed, " OUT"), (Broken, "MemoryError: no room")],
)
def test_a_backend_out_of_bound_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    planted: type[Environment],
    shown: str,
) -> None:
    arrays = values()
    arrays["y_pred"] += np.float32(0.001)
    path = saved(tmp_path / "a.npz", arrays)
    found = environments(["numpy"])
    monkeypatch.setattr(commands, "environments", lambda **_: found)
    assert run(str(path)).exit_code == 0
    monkeypatch.setattr(commands, "environments", lambda **_: [*found, numpy_as(planted)])
    result = run(str(path))
    assert result.exit_code == 1
    assert shown in result.output
    assert "9 of 18 results are out of bound" in result.output


def test_devices_that_differ_are_shown_apart(tmp_path: Path) -> None:
    data = datafile.load(saved(tmp_path / "a.npz", values()))
    real = environments(["numpy"])[0]
    same = [replace(real, label=label) for label in ("numpy", "numpy one", "numpy two")]
    labels = [r.label for r in next(compare(data, same)).results]
    assert labels == ["numpy (all 3 devices)"]

    off = Perturbed("numpy", real.device, real.knowledge, "numpy off")
    data = replace(data, y_pred=data.y_pred + np.float32(0.001))
    first = next(compare(data, [*same, off]))
    assert [r.label for r in first.results] == ["numpy (3 of 4 devices)", "numpy off"]
    assert [r.within for r in first.results] == [True, False]


def test_binary_data_is_compared(tmp_path: Path) -> None:
    arrays = {
        "y_true": np.asarray([[True, False], [True, True]]),
        "y_pred": np.asarray([[0.75, 0.1], [0.3, NAN]]),
        "mask": np.asarray([[1, 1], [1, 0]]),
    }
    data = datafile.load(saved(tmp_path / "a.npz", arrays))
    for comparison in compare(data, environments(["numpy"])):
        assert all(r.within for r in comparison.results)
    rows = list(naive(data, exact(loss_of(data), "mean", data)))
    assert np.isnan(rows[0].outcome)


@pytest.mark.parametrize("name", ["absent.npz", "bad.npz"])
def test_a_bad_file_is_an_error_without_a_traceback(tmp_path: Path, name: str) -> None:
    saved(tmp_path / "bad.npz", without(C, "y_true"))
    result = run(str(tmp_path / name))
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert isinstance(result.exception, SystemExit)


def test_the_backends_are_listed() -> None:
    result = CliRunner().invoke(commands.backends)
    assert result.exit_code == 0
    for name, probe in am.available_backends().items():
        (line,) = (x for x in result.output.splitlines() if x.startswith(name))
        assert ("yes" if probe.usable else "no") in line.split()


# -- the naive ways -----------------------------------------------------------------------


def test_naive_ways_go_wrong_on_the_bundled_data() -> None:
    data = datafile.bundled()
    rows = list(naive(data, exact(loss_of(data), "mean", data)))
    multiplied, batches, aligned, square, half = rows
    assert np.isnan(multiplied.outcome)
    assert batches.distance > 1e-3
    assert isinstance(aligned.outcome, str)
    assert aligned.outcome.startswith("ValueError: ")
    assert "(370,29) (370,)" in aligned.outcome
    assert square.distance > 1e-3
    assert half.share > 100


def test_a_naive_way_that_does_not_apply_says_so(tmp_path: Path) -> None:
    arrays = {"y_true": np.zeros(3), "y_pred": np.asarray([1.0, 2.0, 3.0])}
    data: Data = datafile.load(saved(tmp_path / "a.npz", arrays))
    rows = list(naive(data, exact(loss_of(data), "mean", data)))
    assert [r.outcome is None for r in rows] == [True, True, True, True, False]
    assert "there is no mask" in rows[0].why
    assert all(r.code and r.why for r in rows)


def test_a_naive_way_that_is_lucky_says_so(tmp_path: Path) -> None:
    arrays = values() | {"y_true": np.asarray([[1.0, 2.0], [3.0, 4.0]])}
    data = datafile.load(saved(tmp_path / "a.npz", arrays))
    multiplied = next(iter(naive(data, exact(loss_of(data), "mean", data))))
    assert multiplied.share <= 1
    assert multiplied.why.startswith("right on these data")
