"""Fixtures for tests that are written by hand, once for every backend."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest

import agnostic_mask as am

from .._environments import Environment
from ._session import KEY, place_id

FIXTURES = ("am_backend", "am_xp", "am_device", "am_dtype", "am_call")


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for one of the fixtures in every environment."""
    names = metafunc.fixturenames
    if not any(name in names for name in FIXTURES):
        return
    session = metafunc.config.stash[KEY]
    # Without the device a test makes arrays on the first.
    devices = "am_device" in names
    envs = [e for e in session.environments if devices or e.plain or e.setting is not None]
    places = [
        (env, dtype)
        for env in envs
        for dtype in (session.dtypes if "am_dtype" in names else [""])
        if not dtype or dtype in env.dtypes()
    ]
    ids = [place_id(env, dtype) for env, dtype in places]
    metafunc.parametrize("_am_place", places, ids=ids, indirect=True)


@pytest.fixture(name="_am_place")
def am_place(request: pytest.FixtureRequest) -> Iterator[tuple[Environment, str]]:
    """Environment and name of the float type, in whose scope the test runs."""
    env, dtype = request.param
    with env.scope(dtype):
        yield env, dtype


@pytest.fixture
def am_backend(_am_place: tuple[Environment, str]) -> str:
    """Name of the backend under test: "numpy", "torch"."""
    return _am_place[0].backend


@pytest.fixture
def am_xp(_am_place: tuple[Environment, str]) -> Any:
    """Array namespace under test."""
    return _am_place[0].knowledge.namespace()


@pytest.fixture
def am_device(_am_place: tuple[Environment, str]) -> Any:
    """Device under test, for ``device=``; every device of a backend has its turn."""
    return _am_place[0].device


@pytest.fixture
def am_dtype(_am_place: tuple[Environment, str], am_xp: Any) -> Any:
    """Float type under test, of the namespace: for ``dtype=``."""
    return getattr(am_xp, _am_place[1])


@pytest.fixture
def am_call(_am_place: tuple[Environment, str]) -> Callable[..., Any]:
    """``am_call(fn, *args, **kwargs)``: what `fn` returns, if it kept to its framework.

    The test fails if values went to the host meanwhile, a lazy array was computed or a device
    waited for, or if an array of the result is of another framework or on another device.
    """
    env = _am_place[0]

    def call(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        context = env.knowledge.forbid_hidden_work(env.device)
        with nullcontext() if context is None else context:
            result = fn(*args, **kwargs)
        for array in _leaves(result):
            _check_home(array, env)
        return result

    return call


def _leaves(result: Any) -> Iterator[Any]:
    if isinstance(result, list | tuple):
        for part in result:
            yield from _leaves(part)
    elif isinstance(result, Mapping):
        yield from _leaves(list(result.values()))
    elif hasattr(result, "dtype"):
        yield result


def _check_home(array: Any, env: Environment) -> None:
    got = am.dispatch(np.asarray(array) if isinstance(array, np.generic) else array)
    if got.backend.name != env.backend:
        pytest.fail(f"the result is an array of {got.backend.name}; expected one of {env.backend}")
    if got.device is not None and env.backend != "jax" and got.device != env.device:
        pytest.fail(f"the result is on device {got.device}; expected {env.device}")
