import contextlib
import subprocess
import sys

import array_api_strict
import dask
import ml_dtypes
import numpy as np
import pytest
import torch

import agnostic_mask as am

from .arrays import BACKENDS, backends, dtype_of, host, make, wide

DEVICES = [array_api_strict.Device(d) for d in ("CPU_DEVICE", "device1", "device2")]
DTYPES = ["bool", "int8", "uint8", "int16", "int32", "float32", "uint16", "uint32"]
WIDE = ["int64", "uint64", "float64"]


def strict_on(device, x):
    return make("array_api_strict", x).to_device(device)


def address(x):
    """Where the elements of `x` begin in memory."""
    if isinstance(x, torch.Tensor):
        return x.data_ptr()
    if hasattr(x, "unsafe_buffer_pointer"):
        return x.unsafe_buffer_pointer()
    return np.from_dlpack(x).__array_interface__["data"][0]


def aligned(n=256):
    """A NumPy array that begins at a multiple of 64 bytes, as JAX wants for sharing."""
    raw = np.zeros(n + 16, np.float32)
    start = -raw.__array_interface__["data"][0] % 64 // 4
    x = raw[start : start + n]
    x[:] = np.arange(n)
    return x


@backends
@pytest.mark.parametrize("source", BACKENDS)
@pytest.mark.parametrize("copy", [None, True])
def test_every_pair_keeps_elements_shape_and_dtype(backend, source, copy):
    like = make(backend, [1.0])
    for dtype in DTYPES:
        x = make(source, [[0, 1, 1], [1, 0, 1]], dtype)
        y = am.convert(x, like=like, copy=copy)
        assert type(y) is type(like)
        assert dtype_of(y) == dtype
        assert host(y).tolist() == host(x).tolist()


@backends
@pytest.mark.parametrize("source", BACKENDS)
@pytest.mark.parametrize("dtype", WIDE)
@pytest.mark.parametrize("copy", [None, True])
def test_types_of_64_bits_are_never_narrowed(backend, source, dtype, copy):
    values = {"float64": [1 / 3, 1e300]}.get(dtype, [2**53 + 1, 1])
    with wide(source):
        x = make(source, values, dtype)
    y = am.convert(x, like=make(backend, [1.0]), copy=copy)
    assert dtype_of(y) == dtype
    assert host(y).tolist() == values


@pytest.mark.parametrize("source", ["numpy", "torch", "jax", "dask"])
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "dask"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("copy", [None, True])
def test_half_types_keep_their_type(backend, source, dtype, copy):
    x = make(source, [0.5, 2.0], getattr(ml_dtypes, dtype, dtype))
    y = am.convert(x, like=make(backend, [1.0]), copy=copy)
    assert dtype_of(y) == dtype
    assert host(y).astype(float).tolist() == [0.5, 2.0]


@pytest.mark.parametrize("source", ["numpy", "torch", "jax", "dask"])
@pytest.mark.parametrize("copy", [None, True, False])
def test_a_dtype_that_the_target_lacks_is_a_named_error(source, copy):
    like = make("array_api_strict", [1.0])
    with pytest.raises(am.AgnosticMaskError, match="float16"):
        am.convert(make(source, [1.0], "float16"), like=like, copy=copy)


@backends
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1, 1)])
def test_small_shapes(backend, shape):
    for source in BACKENDS:
        y = am.convert(make(source, np.ones(shape)), like=make(backend, [1.0]))
        assert tuple(y.shape) == shape
        assert dtype_of(y) == "float32"


# -- sharing memory --


@backends
@pytest.mark.parametrize("copy", [None, False])
def test_at_home_nothing_happens(backend, copy):
    x = make(backend, [1.0, 2.0])
    assert am.convert(x, like=make(backend, [0.0]), copy=copy) is x


@pytest.mark.parametrize("backend", ["numpy", "torch", "array_api_strict"])
@pytest.mark.parametrize("source", ["numpy", "torch", "array_api_strict"])
def test_without_a_copy_a_write_goes_through(backend, source):
    x = make(source, [1.0, 2.0])
    for copy in (None, False):
        y = am.convert(x, like=make(backend, [0.0]), copy=copy)
        x[0] = 7.0
        assert host(y).tolist() == [7.0, 2.0]
        x[0] = 1.0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("source", ["numpy", "torch", "array_api_strict"])
def test_with_a_copy_it_does_not(backend, source):
    x = am.convert(aligned(), like=make(source, [0.0]))
    y = am.convert(x, like=make(backend, [0.0]), copy=True)
    x[0] = 7.0
    assert host(y)[0] == 0.0


@pytest.mark.parametrize("source", ["numpy", "torch", "array_api_strict"])
def test_a_lazy_array_does_not_see_later_writes(source):
    x = make(source, [1.0, 2.0])
    y = am.convert(x, like=make("dask", [0.0]))
    x[0] = 7.0
    assert host(y).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("source", ["numpy", "torch", "jax", "array_api_strict"])
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "array_api_strict"])
def test_aligned_memory_can_always_be_shared(backend, source):
    x = am.convert(aligned(), like=make(source, [0.0]), copy=False)
    y = am.convert(x, like=make(backend, [0.0]), copy=False)
    assert address(y) == address(x)
    assert address(am.convert(x, like=make(backend, [0.0]), copy=True)) != address(x)


def test_memory_that_jax_cannot_share_needs_a_copy():
    x, like = aligned()[1:], make("jax", [0.0])
    with pytest.raises(am.CopyRequiredError, match=r"numpy .* jax .*copy"):
        am.convert(x, like=like, copy=False)
    assert host(am.convert(x, like=like)).tolist() == x.tolist()


@pytest.mark.parametrize("dtype", WIDE)
def test_narrowing_is_a_copy_that_jax_may_not_hide(dtype):
    x = aligned().view(dtype)
    try:
        y = am.convert(x, like=make("jax", [0.0]), copy=False)
    except am.CopyRequiredError:
        return
    assert dtype_of(y) == dtype
    assert address(y) == address(x)


@pytest.mark.parametrize("other", [b for b in BACKENDS if b != "dask"])
def test_dask_shares_nothing(other):
    for x, like in (("dask", other), (other, "dask")):
        with pytest.raises(am.CopyRequiredError, match=f"{x} .*{like} .*cannot share"):
            am.convert(make(x, [1.0]), like=make(like, [1.0]), copy=False)


@pytest.mark.parametrize("copy", [None, True, False])
def test_a_lazy_array_stays_lazy_at_home(copy):
    def refuse(*args, **kwargs):
        raise RuntimeError("a lazy array was computed")

    x = make("dask", [1.0, 2.0])
    with dask.config.set(scheduler=refuse):
        y = am.convert(x, like=make("dask", [0.0]), copy=copy)
    assert host(y).tolist() == [1.0, 2.0]


# -- awkward NumPy arrays --

AWKWARD = {
    "negative stride": np.arange(4.0, dtype=np.float32)[::-1],
    "step": np.arange(8.0, dtype=np.float32)[::2],
    "broadcast": np.broadcast_to(np.float32(3), (2, 3)),
    "transposed": np.arange(6.0, dtype=np.float32).reshape(2, 3).T,
    "big-endian": np.arange(4.0).astype(">f4"),
    "misaligned": np.frombuffer(bytearray(17), np.uint8)[1:].view(np.float32),
}
IN_A_FRESH_PROCESS = """
import numpy as np, agnostic_mask as am
like = am.available_backends()[{backend!r}].backend.from_host(np.ones(1, np.float32), {device})
x = np.arange(4.0, dtype=np.float32)[::-1]
for copy in (None, True):
    y = am.convert(x, like=like, copy=copy)
    print(np.asarray(am.dispatch(y).backend.host(y)).tolist())
try:
    am.convert(x, like=like, copy=False)
except am.CopyRequiredError:
    pass
print("alive")
"""


def test_a_negative_stride_does_not_end_the_process_in_torch():
    code = IN_A_FRESH_PROCESS.format(backend="torch", device="'cpu'")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[3.0, 2.0, 1.0, 0.0]\n" * 2 + "alive\n", done.stderr[:400]


@backends
@pytest.mark.parametrize("case", AWKWARD)
@pytest.mark.parametrize("copy", [None, True])
def test_awkward_arrays_keep_their_elements(backend, case, copy):
    x = AWKWARD[case]
    if (backend, case) == ("torch", "negative stride"):
        x = x.copy()  # the test above, in a process of its own
    y = am.convert(x, like=make(backend, [1.0]), copy=copy)
    assert host(y).tolist() == x.tolist()
    assert host(y).dtype.newbyteorder("=") == np.float32


@backends
@pytest.mark.parametrize("copy", [None, True, False])
def test_a_read_only_array_is_never_made_writable(backend, copy):
    x = aligned()
    x.flags.writeable = False
    try:
        y = am.convert(x, like=make(backend, [1.0]), copy=copy)
    except am.CopyRequiredError:
        assert copy is False
        return
    assert host(y).tolist() == x.tolist()
    if backend in ("torch", "array_api_strict"):
        with contextlib.suppress(ValueError):
            y[0] = 9.0
    assert x[0] == 0.0


# -- devices, gradients, what cannot be --


@pytest.mark.parametrize("source", DEVICES, ids=str)
@pytest.mark.parametrize("target", DEVICES, ids=str)
@pytest.mark.parametrize("copy", [None, True])
def test_between_devices(source, target, copy):
    x = strict_on(source, [1.0, 2.0])
    y = am.convert(x, like=strict_on(target, [0.0]), copy=copy)
    assert y.device == target
    assert host(y).tolist() == [1.0, 2.0]


@backends
@pytest.mark.parametrize("copy", [None, True])
def test_from_and_to_another_device(backend, copy):
    there, here = strict_on(DEVICES[1], [1.0, 2.0]), make(backend, [3.0])
    assert host(am.convert(there, like=here, copy=copy)).tolist() == [1.0, 2.0]
    back = am.convert(here, like=there, copy=copy)
    assert back.device == DEVICES[1]
    assert host(back).tolist() == [3.0]


def test_another_device_needs_a_copy():
    for x, like in (
        (strict_on(DEVICES[0], [1.0]), strict_on(DEVICES[1], [1.0])),
        (strict_on(DEVICES[1], [1.0]), strict_on(DEVICES[2], [1.0])),
        (torch.ones(1), torch.ones(1, device="meta")),
    ):
        with pytest.raises(am.CopyRequiredError, match="cannot share memory"):
            am.convert(x, like=like, copy=False)


def test_a_tensor_without_data_is_a_named_error():
    with pytest.raises(am.AgnosticMaskError, match="meta"):
        am.convert(torch.ones(2, device="meta"), like=np.ones(1))


def test_bfloat16_without_the_package_that_names_it_is_a_named_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(am.UnsupportedArrayError, match=r"bfloat16.*install"):
        am.convert(torch.ones(1, dtype=torch.bfloat16), like=np.ones(1))


def test_to_the_meta_device():
    y = am.convert(torch.ones(2), like=torch.ones(1, device="meta"))
    assert (str(y.device), tuple(y.shape)) == ("meta", (2,))


@pytest.mark.parametrize("copy", [None, True, False])
def test_at_home_the_gradient_survives(copy):
    x = torch.ones(2, requires_grad=True)
    am.convert(3 * x, like=torch.ones(1), copy=copy).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize("backend", ["numpy", "jax", "dask", "array_api_strict"])
def test_a_tensor_that_requires_a_gradient_gives_its_elements(backend):
    x = torch.ones(2, requires_grad=True)
    assert host(am.convert(x, like=make(backend, [0.0]))).tolist() == [1.0, 1.0]


def test_the_message_tells_what_to_do():
    with pytest.raises(am.CopyRequiredError, match=r"Leave copy out, or set it to True"):
        am.convert(make("dask", [1.0]), like=np.ones(1), copy=False)
    for x, like, name in (([1.0], np.ones(1), "x"), (np.ones(1), [1.0], "like")):
        with pytest.raises(am.UnsupportedArrayError, match=f"^{name} is a builtins.list"):
            am.convert(x, like=like)
