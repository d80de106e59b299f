"""A run as data, in a file of JSON: versions, what did not run and why, and every row."""

import dataclasses
import json
import math
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import agnostic_mask as am

from .._files import whole_file
from .._row import FAILED, KNOWN, NOT_APPLICABLE, PASSED, Row
from ._counts import counts

SCHEMA = 2
OUTCOMES = (PASSED, FAILED, KNOWN, NOT_APPLICABLE)
NOT_FINITE = {"inf": math.inf, "nan": math.nan}
"""Numbers for which JSON has no word, and the word that stands for them here."""


class ReportError(ValueError):
    """A file is no report that can be read; the message says what is expected."""


def as_data(
    rows: Sequence[Row],
    *,
    seed: int,
    not_run: Mapping[str, str],
    versions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """A run as data that JSON can hold.

    Parameters
    ----------
    rows : sequence of Row
    seed : int
        Of the inputs.
    not_run : mapping of str to str
        Backends that did not run, with the reason of each.
    versions : mapping of str to str, optional
        Of what else was tested: the library whose functions the cases call.

    Returns
    -------
    dict
        As ``schema.json`` beside this module says.
    """
    environments: dict[str, dict[str, Any]] = {}
    for row in rows:
        found = environments.setdefault(row.environment, {"backend": row.backend, "dtypes": []})
        if row.dtype not in found["dtypes"]:
            found["dtypes"].append(row.dtype)
    return {
        "schema": SCHEMA,
        "seed": seed,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {
            "agnostic_mask": am.__version__,
            "array_api_compat": metadata.version("array-api-compat"),
            **{name: probe.version for name, probe in am.available_backends().items()},
            **(versions or {}),
        },
        "environments": environments,
        "not_run": dict(not_run),
        "counts": counts(rows),
        "rows": [_as_json(row) for row in rows],
    }


def _as_json(row: Row) -> dict[str, Any]:
    data = dataclasses.asdict(row)
    for name in ("share", "ulps"):
        data[name] = _number(data[name])
    return data


def _number(x: float | None) -> float | str | None:
    if x is None or math.isfinite(x):
        return None if x is None else float(x)
    return "nan" if math.isnan(x) else "inf"


def rows_of(data: Mapping[str, Any]) -> list[Row]:
    """Rows of a report, as they were before they became data."""
    measured = ("share", "ulps")
    return [
        Row(**{**row, **{name: NOT_FINITE.get(row[name], row[name]) for name in measured}})
        for row in data["rows"]
    ]


def write(path: Path, data: Mapping[str, Any]) -> None:
    """Write a report: whole, or not at all."""
    head = json.dumps({k: v for k, v in data.items() if k != "rows"}, indent=1, allow_nan=False)
    with whole_file(path) as file:
        file.write(head.removesuffix("\n}") + ',\n "rows": [')
        # A row a line: half as long as with a field a line, and lines can be looked for.
        for i, row in enumerate(data["rows"]):
            file.write(",\n  " if i else "\n  ")
            file.write(json.dumps(row, allow_nan=False))
        file.write("\n ]\n}\n")


def read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a report.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    dict
        What `write` was given.

    Raises
    ------
    ReportError
        If the file cannot be read, is not JSON, or is no report of schema 2.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"), parse_constant=_no_constant)
    except OSError as error:
        raise ReportError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ReportError(f"{path} is not JSON: {error}; {EXPECTED}") from error
    if not isinstance(data, dict) or "schema" not in data or "rows" not in data:
        raise ReportError(f"{path} is no report: it has no key 'schema' or 'rows'; {EXPECTED}")
    _check_schema(path, data["schema"])
    _check(str(path), data, KEYS)
    for i, row in enumerate(data["rows"]):
        _check(f"{path}: row {i}", row, ROW_KEYS)
    for label, found in data["environments"].items():
        _check(f"{path}: environment {label!r}", found, ENVIRONMENT_KEYS)
    return data


EXPECTED = "expected is what `agnostic-mask conform --json FILE` writes"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _check_schema(path: str | os.PathLike[str], schema: Any) -> None:
    if schema == SCHEMA and isinstance(schema, int):
        return
    mend = "write it anew with this version"
    if isinstance(schema, int) and schema > SCHEMA:
        mend = "install a newer one: pip install --upgrade agnostic-mask"
    raise ReportError(
        f"{path} is a report of schema {schema!r}; agnostic_mask {am.__version__} reads schema "
        f"{SCHEMA}: {mend}"
    )


def _check(where: str, data: Any, keys: Mapping[str, tuple[str, Callable[[Any], bool]]]) -> None:
    if not isinstance(data, dict):
        raise ReportError(f"{where} is {data!r}; expected an object")
    for key, (expected, fits) in keys.items():
        if key not in data:
            raise ReportError(f"{where} has no key {key!r}; expected is {expected}")
        if not fits(data[key]):
            raise ReportError(f"{where}: {key!r} is {_short(data[key])}; expected is {expected}")
    unknown = data.keys() - keys.keys()
    if unknown:
        known = ", ".join(keys)
        raise ReportError(f"{where} has a key {min(unknown)!r}, which is unknown; known: {known}")


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 80 else f"{said[:77]}..."


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, str) for v in value.values())


def _is_measure(value: Any) -> bool:
    if isinstance(value, str):
        return value in NOT_FINITE
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "schema": ("a number", _is_count),
    "seed": ("a number", _is_count),
    "python": ("text", _is_text),
    "platform": ("text", _is_text),
    "versions": ("an object of texts", _texts),
    "environments": ("an object", lambda value: isinstance(value, dict)),
    "not_run": ("an object of texts", _texts),
    "counts": (
        f"an object with a number for each of {', '.join(OUTCOMES)}",
        lambda value: (
            isinstance(value, dict)
            and value.keys() == set(OUTCOMES)
            and all(map(_is_count, value.values()))
        ),
    ),
    "rows": ("an array", lambda value: isinstance(value, list)),
}
ENVIRONMENT_KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "backend": ("text", _is_text),
    "dtypes": (
        "an array of texts",
        lambda value: isinstance(value, list) and all(map(_is_text, value)),
    ),
}
ROW_KEYS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    field.name: ("text", _is_text) for field in dataclasses.fields(Row)
} | {
    "outcome": (f"one of {', '.join(OUTCOMES)}", lambda value: value in OUTCOMES),
    "share": ("a number, 'inf', 'nan' or null", _is_measure),
    "ulps": ("a number, 'inf', 'nan' or null", _is_measure),
}
