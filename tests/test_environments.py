"""Where checks run: devices, and settings of a framework that are environments of their own."""

import functools
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import array_api_strict
import jax
import jax.numpy as jnp
import pytest
import torch
from array_api_compat import array_namespace

import agnostic_mask as am
from agnostic_mask import conformance as c
from agnostic_mask.conformance._environments import environments, hardware
from agnostic_mask.conformance.cases import all_cases

from .arrays import BACKENDS, knowledge

SETTINGS = {
    "array_api_strict flags off": lambda: array_api_strict.get_array_api_strict_flags(),
    "jax x64": lambda: jnp.asarray(1.0).dtype,
    "torch default float64": torch.get_default_dtype,
}
settings = pytest.mark.parametrize("label", SETTINGS)


def labelled(label):
    (found,) = (env for env in environments([label.partition(" ")[0]]) if env.label == label)
    return found


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_plain_one_is_the_first_and_the_only_one(backend):
    found = environments([backend])
    assert [env.plain for env in found] == [True] + [False] * (len(found) - 1)
    assert found[0].label == backend
    assert found[0].setting is None
    assert len({env.label for env in found}) == len(found)


def test_every_setting_is_an_environment_after_its_backend_s_devices():
    found = environments(BACKENDS)
    assert {env.label for env in found if env.setting is not None} == set(SETTINGS)
    order = [env.backend for env in found]
    assert order == sorted(order)
    of_strict = [env.setting is None for env in found if env.backend == "array_api_strict"]
    assert of_strict == [True] * (len(of_strict) - 1) + [False]


class Placed:
    """A device that says what hardware it is, as torch's do."""

    def __init__(self, kind, i=0):
        self.type, self.name = kind, f"{kind}:{i}"

    def __str__(self):
        return self.name


def test_the_first_device_of_each_kind_of_hardware_is_plain(monkeypatch):
    devices = [Placed("cpu"), Placed("cuda"), Placed("cuda", 1), Placed("mps")]
    monkeypatch.setattr(knowledge("torch"), "devices", lambda: devices)
    found = environments(["torch"], settings=False)
    assert [(env.label, env.plain) for env in found] == [
        ("torch", True),
        ("torch cuda:0", True),
        ("torch cuda:1", False),
        ("torch mps:0", True),
    ]


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        (torch.device("meta"), "meta"),
        (jax.devices()[0], "cpu"),
        (array_api_strict.Device("device1"), None),
        ("cpu", None),
    ],
)
def test_the_kind_of_hardware_is_what_the_framework_calls_it(device, kind):
    assert hardware(device) == kind


def test_every_law_is_checked_on_hardware_of_another_kind(monkeypatch):
    devices = [torch.device("cpu"), torch.device("meta")]
    monkeypatch.setattr(knowledge("torch"), "devices", lambda: devices)
    first, second = environments(["torch"], settings=False)
    case = next(iter(all_cases()))
    for law in (c.layout_invariant, c.order_invariant):
        assert law.why_not(case, second, "float32") == law.why_not(case, first, "float32")


def test_settings_can_be_left_out():
    assert environments(settings=False) == [e for e in environments() if e.setting is None]


@settings
def test_a_setting_has_float32_alone(label):
    assert labelled(label).dtypes() == ("float32",)
    plain = environments([labelled(label).backend])[0]
    assert set(plain.dtypes()) >= {"float32", "float64"}


@settings
@pytest.mark.parametrize("error", [None, RuntimeError])
def test_a_setting_is_in_force_within_a_check_and_not_after(label, error):
    asked, before = SETTINGS[label], SETTINGS[label]()
    env = labelled(label)
    for dtype in ("float32", "float64"):
        with nullcontext() if error is None else pytest.raises(error), env.scope(dtype):
            assert asked() != before
            if error is not None:
                raise error
        assert asked() == before


@settings
def test_a_setting_lasts_until_the_first_thread_closes_it(label):
    asked, env, before = SETTINGS[label], labelled(label), SETTINGS[label]()

    def other(_):
        with env.scope("float32"):
            return asked()

    with env.scope("float32"), ThreadPoolExecutor(4) as pool:
        within = asked()
        assert all(found == within for found in pool.map(other, range(8)))
        assert asked() == within != before
    assert asked() == before


def test_settings_change_what_a_function_may_do():
    strict, x64, wide = map(labelled, SETTINGS)
    with strict.scope("float32"):
        x = array_api_strict.asarray([1.0, -1.0])
        with pytest.raises(RuntimeError, match="boolean_indexing"):
            x[x > 0]
        with pytest.raises(RuntimeError, match="data_dependent"):
            array_api_strict.nonzero(x)
        assert not hasattr(array_api_strict, "linalg")
    with x64.scope("float32"):
        assert jax.numpy.arange(3).dtype == "int64"
    with wide.scope("float32"):
        assert (torch.asarray([1.0]) + 1).dtype == torch.float64


@settings
def test_every_20th_case_holds_under_a_setting(label):
    env = labelled(label)
    for case in all_cases()[::20]:
        with env.scope("float32"):
            arrays = {
                name: env.asarray(x, "float32" if name in case.floating else None)
                for name, x in case.inputs(case.rng(0)).items()
            }
            result = case.on_host(env, case.call(arrays))
            exact = {name: env.host(x) for name, x in arrays.items()}
            reference = case.reference(exact, "float32", env.accumulator())
        assert reference.share(result) <= 1, case.name


@pytest.mark.parametrize("calls", [1, 5])
def test_a_metric_that_was_called_before_follows_torch_s_default_dtype(calls):
    # Of five calls the last are replayed.
    x = torch.asarray([1, 0, 1])
    metric = am.metrics.MeanSquaredError()
    for _ in range(calls):
        assert metric(x, x).dtype == torch.float32
    with labelled("torch default float64").scope("float32"):
        for _ in range(calls):
            assert metric(x, x).dtype == torch.float64
    assert metric(x, x).dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "options", "own"),
    [
        ("argmax", {}, True),
        ("argsort", {}, True),
        ("sum", {}, True),
        ("cumulative_sum", {}, True),
        ("sum", {"dtype": "int64"}, False),
        ("astype", {"dtype": "int64"}, False),
    ],
)
def test_what_array_api_strict_cannot_do_by_itself_is_no_fault_of_the_function(name, options, own):
    checked = c.case(
        functools.partial(counted, name, options), x=c.floats((4,), 0, 1), dtype="int64", name=name
    )
    report = c.report(checked, backends=["array_api_strict"], dtypes=["float32"])
    rows = [row for row in report.rows if row.environment.endswith("no_x64")]
    assert {row.outcome for row in rows} == {"not applicable" if own else "failed"}
    assert all(name in row.reason for row in rows if own)
    others = [row for row in report.rows if not row.environment.endswith("no_x64")]
    assert {row.outcome for row in others} == {"passed"}


def length(x):
    return array_namespace(x).linalg.vector_norm(x)


def test_an_extension_that_is_off_does_not_apply():
    checked = c.case(length, x=c.floats((4,), 1, 2))
    report = c.report(checked, backends=["array_api_strict"], dtypes=["float32"])
    off = [row for row in report.rows if row.environment.endswith("flags off")]
    assert {row.outcome for row in off} == {"not applicable"}
    assert all("optional" in row.reason and "'linalg'" in row.reason for row in off)
    others = [row for row in report.rows if not row.environment.endswith("flags off")]
    assert {row.outcome for row in others} == {"passed"}


def test_an_attribute_that_there_is_not_is_a_fault_of_the_function():
    own_fault = knowledge("array_api_strict").own_fault
    with pytest.raises(AttributeError) as raised:
        array_api_strict.nansum  # noqa: B018
    assert own_fault(raised.value) is None


def counted(name, options, x):
    xp = array_namespace(x)
    given = {key: getattr(xp, value) for key, value in options.items()}
    if name == "astype":
        return xp.astype(x > 0, given["dtype"])
    taken = x if name.startswith("arg") else xp.astype(x > 0, xp.int32)
    return getattr(xp, name)(taken, **given)
