"""Other libraries' functions, as functions of NumPy arrays."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import jax
import jax.numpy as jnp
import keras
import numpy as np
import torch

import agnostic_mask as am

assert keras.backend.backend() == "torch"


def tensors(fn):
    """A function of torch tensors, for NumPy arrays."""

    def of_numpy(*arrays):
        return fn(*(torch.from_numpy(np.array(a)) for a in arrays)).numpy()

    return of_numpy


def jaxed(fn):
    """A function of JAX arrays, for NumPy arrays and with float64."""

    def of_numpy(*arrays):
        with jax.enable_x64(True):
            return np.asarray(fn(*(jnp.asarray(a) for a in arrays)))

    return of_numpy


def last(fn):
    """The mean over the last axis of scores that keras takes by itself."""
    return lambda t, p: am.mean(fn(t, p), axis=-1)


def classes_second(fn):
    """torch wants the class axis second."""
    return lambda t, p: fn(p.movedim(-1, 1), t.movedim(-1, 1) if t.ndim == p.ndim else t)
