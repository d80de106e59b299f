"""States in files: NumPy's npz, which holds arrays and one line of JSON, and no code."""

import json
import os
import secrets
import zipfile
import zlib
from pathlib import Path
from typing import Any

# npz is NumPy's own format, so NumPy writes and reads it; the one module of the core that does.
import numpy as np

from agnostic_mask._array import Array
from agnostic_mask._dispatch import Dispatch, resolve
from agnostic_mask._errors import StateFileError, StateMismatchError
from agnostic_mask._metric import Metric
from agnostic_mask._state import State
from agnostic_mask._statistic import with_arrays
from agnostic_mask.metrics._set import MetricSet
from agnostic_mask.states._pack import States, arrays_of, leaves

SCHEMA = 1
_HEADER = "agnostic_mask"


def save(file: str | os.PathLike[str], states: States) -> None:
    """Write states to a file, whole or not at all.

    Parameters
    ----------
    file : str or path
        Its name as it is; ``.npz`` is usual. An existing file is replaced.
    states : state, or tuple of states
        Of any metrics and objectives. Arrays on a device are copied to the host.

    Raises
    ------
    TypeError
        If there is something that is no state.
    OSError
        If the file cannot be written; what was there before stays.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import agnostic_mask as am
    >>> mean = am.metrics.Mean()
    >>> state = mean.update(mean.zero(like=np.ones(1)), np.asarray([1.0, 2.0]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder) / "state.npz"
    ...     am.states.save(file, state)
    ...     restored = am.states.load(file, mean, like=np.ones(1))
    >>> mean.compute(restored)
    array(1.5)
    """
    states_in_order = list(leaves(states))
    d = resolve(arrays_of(states))
    header = {
        "schema": SCHEMA,
        "states": [{"made_for": s.made_for, "dtype": s.dtype} for _, s in states_in_order],
    }
    arrays = {
        f"{i}.{name}": np.asarray(d.backend.host(x))
        for i, (_, s) in enumerate(states_in_order)
        for name, x in s.arrays().items()
    }
    path = Path(file)
    # Not by tempfile, whose files nobody else may read.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as stream:
            named: dict[str, Any] = {_HEADER: np.asarray(json.dumps(header)), **arrays}
            np.savez(stream, **named)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(file: str | os.PathLike[str], metric: Metric | MetricSet, like: Array) -> Any:
    """Read the states of a metric from a file that `save` wrote.

    Parameters
    ----------
    file : str or path
    metric : metric, MetricSet or objective
        What the states are for, with the configuration that they were made with.
    like : array
        Says framework and device.

    Returns
    -------
    state, or tuple of states for a `MetricSet`

    Raises
    ------
    StateFileError
        If the file is damaged, no file of states, or of a newer schema.
    StateMismatchError
        If it holds states of other metrics, or of another configuration.
    TypeError
        If `metric` is none.
    FileNotFoundError
        If there is no such file.
    """
    if not isinstance(metric, Metric | MetricSet):
        raise TypeError(
            f"metric is a {_what(metric)}; expected a metric, a MetricSet or an objective, made "
            f"with the options that the states were made with"
        )
    d = resolve((("like", like),))
    found, arrays = _read(Path(file))
    zeros = _zeros(file, metric, like, _groups(arrays))
    wanted = [state for _, state in leaves(zeros)]
    ours, theirs = [s.made_for for s in wanted], [made_for for made_for, _ in found]
    if ours != theirs:
        order = ", in this order" if sorted(ours) == sorted(theirs) else ""
        raise StateMismatchError(
            f"{file} holds states made for {theirs}; expected {ours}{order}, what the metric was "
            f"made for"
        )
    read = [_state(d, file, s, i, found[i][1], arrays) for i, s in enumerate(wanted)]
    return read[0] if isinstance(zeros, State) else tuple(read)


def _zeros(file: Any, metric: Metric | MetricSet, like: Array, num_groups: int | None) -> Any:
    """States of no batch in the groups of those in a file.

    Raises
    ------
    StateMismatchError
        If the metric has other groups (or clusters) of its own.
    """
    zeros = metric.zero(like=like)
    (_, first), *_ = leaves(zeros)
    own = None if first.members is None else int(first.members.shape[-1])
    if own is None:
        return zeros if num_groups is None else metric.zero(like=like, num_groups=num_groups)
    if own != num_groups:
        what = "no groups" if num_groups is None else f"{num_groups} groups or clusters"
        raise StateMismatchError(
            f"{file} holds states of {what}; expected {own}, the number that the metric was made "
            f"with"
        )
    return zeros


def _groups(arrays: dict[str, Any]) -> int | None:
    """Number of groups of the states in a file, None if they are not grouped."""
    members = arrays.get("0.members")
    return None if members is None or not members.size else int(members.shape[-1])


def _state(
    d: Dispatch, file: Any, zero: State, i: int, dtype: str, arrays: dict[str, Any]
) -> State:
    stored = {n.partition(".")[2]: x for n, x in arrays.items() if n.startswith(f"{i}.")}
    known = {name: np.asarray(d.backend.host(x)) for name, x in zero.arrays().items()}
    for name in {*known, *stored}:
        x = stored.get(name)
        if x is None or name not in zero.array_fields or x.dtype.kind not in "if":
            raise StateFileError(
                f"{file} is damaged: {name} of state {i} is {'missing' if x is None else 'unknown'}"
            )
        like = known.get(name, x)
        if (x.shape, x.dtype.kind) != (like.shape, like.dtype.kind):
            raise StateFileError(
                f"{file} is damaged: {name} of state {i} has shape {x.shape} and dtype {x.dtype}; "
                f"expected {like.shape} and {like.dtype}"
            )
        if name in known:  # a device without float64 may have written it, or may be read for
            stored[name] = x.astype(known[name].dtype)
    with d.backend.wide():
        read = {name: d.backend.from_host(x, d.device) for name, x in stored.items()}
        return with_arrays(zero, read, dtype=dtype)


def _read(path: Path) -> tuple[list[tuple[str, str]], dict[str, Any]]:
    """What each state was made for and its dtype, and all arrays."""
    try:
        # Opened here, since NumPy leaves a damaged file open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        header = json.loads(str(arrays.pop(_HEADER)))
        schema = header["schema"]
        if not isinstance(schema, int):
            raise ValueError(f"schema is {schema!r}")
        if schema == SCHEMA:
            states = [(str(s["made_for"]), str(s["dtype"])) for s in header["states"]]
            if not {dtype for _, dtype in states} <= {"float32", "float64"}:
                raise ValueError(f"dtypes of states are {states}")
            return states, arrays
    except FileNotFoundError:
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError, EOFError) as error:
        raise _damaged(path, error) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise _damaged(path, error) from error
    raise StateFileError(
        f"{path} has schema {schema!r}; expected {SCHEMA}. A newer version of agnostic_mask wrote "
        f"it: install that"
    )


def _what(x: Any) -> str:
    return f"class, {x.__name__}" if isinstance(x, type) else type(x).__name__


def _damaged(path: Path, error: Exception) -> StateFileError:
    return StateFileError(
        f"{path} is damaged, or no file that agnostic_mask.states.save wrote: "
        f"{type(error).__name__}: {error}"
    )
