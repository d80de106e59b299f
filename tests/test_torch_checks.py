"""What torch answers to checks: gradients that are not there, and traces of code that imports."""

import importlib.util
import sys

import numpy as np
import pytest
import torch

from .arrays import knowledge


@pytest.mark.parametrize(
    "fn",
    [
        lambda x, y: torch.sum(x > y),
        lambda x, y: torch.sum(x.detach() * y.detach()),
        lambda x, y: torch.asarray(2.0),
    ],
    ids=["piecewise constant", "detached", "constant"],
)
def test_a_gradient_of_what_does_not_depend_on_the_inputs_is_zero(fn):
    x, y = torch.asarray([1.0, 3.0]), torch.asarray([[2.0]])
    value, found = knowledge("torch").value_and_grad(fn, [x, y])
    assert value == fn(x, y)
    assert [g.tolist() for g in found] == [[0.0, 0.0], [[0.0]]]
    assert [g.dtype for g in found] == [x.dtype, y.dtype]


def doubled(x):
    return 2 * x if sys.modules["numpy"] is np else x


def test_a_module_that_loads_when_it_is_looked_at_does_not_break_a_trace(tmp_path, monkeypatch):
    known, x = knowledge("torch"), torch.asarray(2.0)
    known.compiled(doubled)(x)  # for in a process the first trace looks at all modules by itself
    (tmp_path / "looked_at.py").write_text("import brought_along")
    (tmp_path / "brought_along.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    spec = importlib.util.find_spec("looked_at")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "looked_at", module)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    spec.loader.exec_module(module)
    assert known.compiled(doubled)(x) == 4.0
    assert "brought_along" in sys.modules
