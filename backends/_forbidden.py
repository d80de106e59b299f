"""Methods of a class of arrays that raise for as long as a context is open."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, NoReturn

_INHERITED = object()


class Forbidden:
    """Contexts in which some methods of a class raise, in every thread.

    They may be nested, and open in several threads at once: the last that closes puts the class
    back as it was.

    Parameters
    ----------
    cls : type
        The class of the arrays.
    methods : mapping of str to str
        Names of methods, and what the RuntimeError of each says.
    """

    def __init__(self, cls: type, methods: Mapping[str, str]) -> None:
        self._cls, self._methods = cls, methods
        self._open, self._lock = 0, Lock()
        self._before: dict[str, Any] = {}

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            self._open += 1
            if self._open == 1:
                self._forbid()
        try:
            yield
        finally:
            with self._lock:
                self._open -= 1
                if not self._open:
                    self._allow()

    def _forbid(self) -> None:
        own = vars(self._cls)
        self._before = {name: own.get(name, _INHERITED) for name in self._methods}
        for name, message in self._methods.items():
            setattr(self._cls, name, _refusing(message))

    def _allow(self) -> None:
        for name, method in self._before.items():
            if method is _INHERITED:
                delattr(self._cls, name)
            else:
                setattr(self._cls, name, method)


def _refusing(message: str) -> Callable[..., NoReturn]:
    def method(self: Any, *args: Any, **kwargs: Any) -> NoReturn:
        raise RuntimeError(message)

    return method


def left(done: str, cls: str) -> str:
    """Say that something `done` to an array of class `cls` took its values to NumPy."""
    return (
        f"{done} of {cls}: the computation left the framework; compute with functions of the "
        f"array's own namespace"
    )


def read(done: str, cls: str) -> str:
    """Say that something `done` to an array of class `cls` made a Python number of its value."""
    return (
        f"{done} of {cls}: a value was copied to the host, which a device is waited for; select "
        f"by where(), and keep numbers in arrays"
    )
