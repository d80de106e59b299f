"""One module for each family of contenders, which runs in a process of its own."""

import importlib
import os
from typing import NamedTuple, cast

from benchmarks._field import Family


class Kind(NamedTuple):
    """A family: its label, its modules (the first converts), and Keras's backend, if any."""

    label: str
    modules: tuple[str, ...]
    keras: str = ""


FAMILIES = {
    "numpy": Kind("NumPy", ("numpy", "numpy_others")),
    "torch": Kind("torch", ("torch", "torch_others")),
    "jax": Kind("JAX", ("jax", "jax_others")),
    "keras-numpy": Kind("Keras on NumPy", ("keras",), "numpy"),
    "keras-torch": Kind("Keras on torch", ("keras",), "torch"),
    "keras-jax": Kind("Keras on JAX", ("keras",), "jax"),
    "keras-tensorflow": Kind("Keras on TensorFlow", ("keras",), "tensorflow"),
    "cupy": Kind("CuPy", ("cupy",)),
}
ON = {
    "cpu": tuple(name for name in FAMILIES if name != "cupy"),
    "cuda": ("torch", "cupy"),
}


def environment(family: str) -> dict[str, str]:
    """Variables that the family's process starts with."""
    backend = FAMILIES[family].keras
    return {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"} if backend else {}


def load(family: str) -> Family:
    """The module of a family; raises ImportError where its framework is not installed."""
    kind = FAMILIES[family]
    if kind.keras and os.environ.get("KERAS_BACKEND") != kind.keras:
        raise RuntimeError(f"{family} must run in a process of its own")
    first, *_ = [importlib.import_module(f"benchmarks._contenders.{name}") for name in kind.modules]
    return cast(Family, first)
