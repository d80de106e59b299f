"""What forbids hidden work, and shapes and dtypes that are computed without any value."""

import threading

import array_api_strict
import dask.array
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import agnostic_mask as am
from agnostic_mask.conformance.cases import all_cases

from .arrays import backends, dtype_of, host, knowledge, make
from .calls import CALLS

SAMPLE = [call for call in CALLS if call.smooth][::6]
LONG = 2**20  # elements, of which tiles are made, for several threads

vector, number = torch.asarray([1.0, 2.0]), torch.asarray(1)
strict = array_api_strict.asarray([1.0, 2.0])

TO_NUMPY = {
    "numpy.asarray": np.asarray,
    "numpy.array": np.array,
    "numpy.sum of several": lambda x: np.asarray([x, x]),
    "numpy.add": lambda x: np.add(np.ones(2), x),
    "numpy.from_dlpack": np.from_dlpack,
}
TO_THE_HOST = {
    "numpy()": lambda x: x.numpy(),
    "tolist()": lambda x: x.tolist(),
    "cpu()": lambda x: x.cpu(),
    "in": lambda x: 1.0 in x,
    "item()": lambda x: x[0].item(),
    "bool()": lambda x: bool(x[0]),
    "if": lambda x: 1 if x[0] else 0,
    "float()": lambda x: float(x[0]),
    "int()": lambda x: int(x[0]),
    "complex()": lambda x: complex(x[0]),
    "range()": lambda x: range(x[0].int()),
    "a slice": lambda x: x[:number],
    "a format": lambda x: f"{x[0]:.2f}",
    "is_nonzero()": lambda x: x[0].is_nonzero(),
    "equal()": lambda x: x.equal(x),
    "allclose()": lambda x: x.allclose(x),
    "a mask as an index": lambda x: x[x > 1],
    "a mask to set by": lambda x: x.clone().__setitem__(x > 0, x + 1),
    "nonzero()": lambda x: torch.nonzero(x),
    "where(condition)": lambda x: torch.where(x > 1),
    "masked_select()": lambda x: torch.masked_select(x, x > 1),
    "unique()": lambda x: torch.unique(x),
    "repeat_interleave()": lambda x: torch.repeat_interleave(x, x.int()),
    "torch.equal()": lambda x: torch.equal(x, x),
    "torch.allclose()": lambda x: torch.allclose(x, x),
    "a number of a function": lambda x: torch.full((2,), x[0]),
    "a parameter": lambda x: np.asarray(torch.nn.Parameter(x, requires_grad=False)),
}
ON_THE_HOST = [
    *(pytest.param(f, vector, id=f"torch {name}") for name, f in TO_NUMPY.items()),
    *(pytest.param(f, vector, id=f"torch {name}") for name, f in TO_THE_HOST.items()),
    *(pytest.param(f, strict, id=f"array_api_strict {name}") for name, f in TO_NUMPY.items()),
]
guarded = pytest.mark.parametrize("backend", ["torch", "array_api_strict"])


def forbidden(backend):
    known = knowledge(backend)
    return known.forbid_hidden_work(known.devices()[0])


def own(cls):
    """What a class defines by itself, but for what Python keeps there."""
    return {name: x for name, x in vars(cls).items() if name != "__slotnames__"}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # NumPy's, of how torch answers it
@pytest.mark.parametrize(("leave", "x"), ON_THE_HOST)
def test_a_copy_to_the_host_raises_within_and_not_after(leave, x):
    backend = am.dispatch(x).backend.name
    before = own(type(x))
    leave(x)
    message = r"left the framework|copied to the host"
    with pytest.raises(RuntimeError, match=message), forbidden(backend):
        leave(x)
    assert own(type(x)) == before
    leave(x)


def test_the_message_says_what_was_done_and_what_to_do():
    with forbidden("torch"):
        with pytest.raises(RuntimeError, match=r"^numpy\.asarray.* of a torch\.Tensor: the compu"):
            np.asarray(vector)
        with pytest.raises(RuntimeError, match=r"^item\(\) of a torch\.Tensor: .*select by where"):
            vector[0].item()


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda x: x[x > 1], "an index by a mask of a"),
        (lambda x: torch.full((2,), x[0]), "a number, which was wanted in place of a"),
        (lambda x: torch.unique(x), r"unique\(\) of a"),
        (lambda x: torch.bincount(x.int()), r"bincount\(\) of a"),
    ],
)
def test_the_message_names_the_operation_that_reads_values(read, said):
    with forbidden("torch"), pytest.raises(RuntimeError, match=f"^{said} torch.Tensor: a value "):
        read(vector)


@pytest.mark.parametrize(
    "select",
    [
        lambda x: torch.where(x > 1, x, 0),
        lambda x: x.masked_fill(x > 1, 0),
        lambda x: x[torch.asarray([1, 0])],
        lambda x: x[None, ..., :1],
        lambda x: x.clone().__setitem__(x > 1, 0.0),
        lambda x: x.clone().__setitem__(0, 1.0),
        lambda x: torch.repeat_interleave(x, torch.asarray([1, 2]), output_size=3),
        lambda x: torch.searchsorted(x, x),
        lambda x: torch.quantile(x, 0.5),
    ],
)
def test_what_no_device_is_waited_for_is_left(select):
    with forbidden("torch"):
        select(vector)


def test_torch_compiles_within():
    def doubled(x):
        return (2 * x).sum()

    compiled = torch.compile(doubled, fullgraph=True, backend="aot_eager")
    fused = am.weighted_masked_objective(am.losses.squared_error, fuse=True)
    with forbidden("torch"):
        results = [compiled(vector), fused(vector, 3 * vector), fused(vector, vector)]
    assert [float(x) for x in results] == [6.0, 10.0, 0.0]


def test_what_the_standard_allows_of_a_0d_array_is_left():
    with forbidden("array_api_strict"):
        assert bool(strict[0])
        assert float(strict[1]) == 2.0


@guarded
def test_contexts_may_be_nested(backend):
    x = make(backend, [1.0])
    with forbidden(backend):
        with forbidden(backend):
            pass
        with pytest.raises(RuntimeError, match="left the framework"):
            np.asarray(x)
    np.asarray(x)


@guarded
def test_the_last_of_several_threads_puts_all_back(backend):
    x, before = make(backend, [1.0]), own(type(make(backend, [1.0])))
    opened, closed = threading.Event(), threading.Event()

    def other():
        with forbidden(backend):
            opened.set()
            closed.wait(10)

    thread = threading.Thread(target=other)
    with forbidden(backend):
        thread.start()
        opened.wait(10)
    try:
        with pytest.raises(RuntimeError, match="left the framework"):
            np.asarray(x)
    finally:
        closed.set()
        thread.join()
    assert own(type(x)) == before


def test_another_thread_is_watched_too():
    raised = []

    def work():
        try:
            np.asarray(vector)
        except RuntimeError as error:
            raised.append(error)

    with forbidden("torch"):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(raised) == 1


def test_a_computed_dask_array_raises():
    lazy = dask.array.ones(3)
    with forbidden("dask"), pytest.raises(RuntimeError, match="was computed"):
        bool(lazy.sum() > 2)


@pytest.mark.parametrize("backend", ["numpy", "jax"])
def test_none_where_nothing_is_hidden_or_nothing_sees_it(backend):
    assert forbidden(backend) is None


def test_numpy_takes_the_buffer_of_a_jax_array_past_every_method(monkeypatch):
    # If it once does not, JAX can forbid hidden work too.
    x = jnp.ones(3)

    def refuse(*args, **kwargs):
        raise AssertionError

    for name in ("__array__", "__dlpack__", "_value", "tolist", "__iter__"):
        monkeypatch.setattr(type(x), name, refuse)
    assert np.asarray(x).sum() == 3


@guarded
@pytest.mark.parametrize("call", SAMPLE, ids=lambda c: c.name)
def test_what_is_ours_gives_its_bits_recorded_or_not(backend, call):
    arrays = [make(backend, x, x.dtype) for x in call.arrays.values()]
    alone = host(call.fn(*arrays))
    with forbidden(backend):
        results = [call.fn(*arrays) for _ in range(5)]  # of which the last are replayed
    for result in results:
        assert host(result).tobytes() == alone.tobytes()


def test_tiles_in_several_threads_hide_nothing():
    x = torch.linspace(0, 1, LONG)
    metric = am.metrics.MeanSquaredError()
    alone = metric(x, x * x, mask=x > 0.5, threads=2)
    with forbidden("torch"):
        inside = metric(x, x * x, mask=x > 0.5, threads=2)
    assert inside == alone


def test_a_planted_look_at_a_value_is_caught(monkeypatch):
    x, mask = make("torch", [1.0, 2.0]), make("torch", [True, False])
    with forbidden("torch"):
        am.mean(x, mask=mask)

    def zeroed(x, include):
        return torch.where(include, x, 0) if include.any() else x

    monkeypatch.setattr(knowledge("torch"), "zeroed", zeroed)
    assert am.mean(x, mask=mask) == 1.0
    with forbidden("torch"), pytest.raises(RuntimeError, match=r"^bool\(\)"):
        am.mean(x, mask=mask)


# -- without values ------------------------------------------------------------------

LAZY = pytest.mark.parametrize("backend", ["torch", "jax", "dask"])


def outline(backend, fn, *arrays):
    return knowledge(backend).outline(fn, arrays)


@LAZY
@pytest.mark.parametrize("call", SAMPLE, ids=lambda c: c.name)
def test_an_outline_is_that_of_the_result(backend, call):
    arrays = [make(backend, x, x.dtype) for x in call.arrays.values()]
    result = call.fn(*arrays)
    assert outline(backend, call.fn, *arrays) == [(tuple(result.shape), dtype_of(result))]


@LAZY
def test_an_outline_of_several_arrays_has_one_of_each(backend):
    xp = knowledge(backend).namespace()
    x = make(backend, [[1.0, 2.0, 3.0]])
    found = outline(backend, lambda x: (x > 0, xp.sum(x, axis=1)), x)
    assert found == [((1, 3), "bool"), ((1,), "float32")]
    interval = am.metrics.NormalInterval(am.metrics.Mean())
    assert outline(backend, interval, x) == [((), "float32")] * len(interval(x))


@LAZY
@pytest.mark.parametrize(
    "fn",
    [
        lambda x: x if (x > 0).any() else -x,
        lambda x: float(x.sum()) * x,
        lambda x: np.asarray(x).sum() * x,
    ],
    ids=["if", "float", "numpy.asarray"],
)
def test_a_function_that_asks_for_a_value_has_no_outline(backend, fn):
    x = make(backend, [1.0, -2.0])
    fn(x)
    with pytest.raises(Exception, match=r"(?i)meta|trace|computed"):
        outline(backend, fn, x)


def test_a_shape_that_depends_on_values_is_refused_or_not_known():
    def positive(x):
        return x[x > 0]

    for backend in ("torch", "jax"):
        with pytest.raises(Exception, match=r"(?i)meta|concrete"):
            outline(backend, positive, make(backend, [1.0, -2.0]))
    assert outline("dask", positive, make("dask", [1.0, -2.0])) == [((None,), "float32")]


@backends
def test_there_is_an_outline_or_none(backend):
    found = outline(backend, lambda x: x, make(backend, [1.0]))
    expected = [((1,), "float32")]
    assert found == (None if backend in ("numpy", "array_api_strict") else expected)


def test_every_tenth_case_hides_nothing_in_torch():
    device = torch.device("cpu")
    for case in all_cases()[::10]:
        arrays = {n: make("torch", x) for n, x in case.inputs(case.rng(0)).items()}
        expected = case.call(arrays)
        with knowledge("torch").forbid_hidden_work(device):
            result = case.call(arrays)
        torch.testing.assert_close(result, expected, rtol=0, atol=0, equal_nan=True)
