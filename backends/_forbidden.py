"""What raises for as long as a context is open: methods of a class of arrays, and other things."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from threading import Lock, get_ident
from typing import Any, NoReturn

_INHERITED = object()


@dataclass(eq=False)
class _Open:
    """A context that is open: the thread that opened it, and what was refused first within."""

    thread: int = field(default_factory=get_ident)
    refused: str | None = None


class Shared:
    """Contexts in which one thing is set, for every thread, and which remember what it refused.

    They may be nested, and open in several threads at once: the first that opens sets it, and the
    last that closes puts all back as it was. One that is left without an exception raises the
    RuntimeError that something within had raised, and something else had caught: the ordinary run
    goes the forbidden way. What is refused in a thread with contexts of its own is theirs alone,
    what is refused in any other thread that of all.

    Parameters
    ----------
    setting : callable
        Gives the context in which it is set.
    """

    def __init__(self, setting: Callable[[], AbstractContextManager[Any]]) -> None:
        self._setting = setting
        self._set: AbstractContextManager[Any]
        self._open: list[_Open] = []
        self._lock = Lock()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        mine = _Open()
        with self._lock:
            if not self._open:
                self._set = self._setting()
                self._set.__enter__()
            self._open.append(mine)
        try:
            yield
        finally:
            with self._lock:
                self._open.remove(mine)
                if not self._open:
                    self._set.__exit__(None, None, None)
        if mine.refused is not None:
            raise RuntimeError(mine.refused)

    def refused(self, message: str) -> RuntimeError:
        """What to raise for something that is forbidden, which is remembered."""
        with self._lock:
            own = [context for context in self._open if context.thread == get_ident()]
            for context in own or self._open:
                context.refused = context.refused or message
        return RuntimeError(message)


class Forbidden(Shared):
    """Contexts in which some methods of a class raise, in every thread; see `Shared`.

    Parameters
    ----------
    cls : type
        The class of the arrays.
    methods : mapping of str to str
        Names of methods, and what the RuntimeError of each says.
    """

    def __init__(self, cls: type, methods: Mapping[str, str]) -> None:
        super().__init__(self._replaced)
        self._cls, self._methods = cls, methods

    @contextmanager
    def _replaced(self) -> Iterator[None]:
        own = vars(self._cls)
        before = {name: own.get(name, _INHERITED) for name in self._methods}
        for name, message in self._methods.items():
            setattr(self._cls, name, self._refusing(message))
        yield
        for name, method in before.items():
            if method is _INHERITED:
                delattr(self._cls, name)
            else:
                setattr(self._cls, name, method)

    def _refusing(self, message: str) -> Callable[..., NoReturn]:
        def method(x: Any, *args: Any, **kwargs: Any) -> NoReturn:
            raise self.refused(message)

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
