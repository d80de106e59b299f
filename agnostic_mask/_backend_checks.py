"""What a check of conformance may ask about a framework, with an answer that is safe for any."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from agnostic_mask._array import Array


class Checks:
    """The part of `Backend` that no computation needs, only what checks one."""

    def value_and_grad(
        self, fn: Callable[..., Array], arrays: Sequence[Array]
    ) -> tuple[Array, Sequence[Array]] | None:
        """Value of ``fn(*arrays)`` (0-d) and its gradient for each of `arrays`.

        Returns None where the framework has no automatic differentiation.
        """
        return None

    def compiled(self, fn: Callable[..., Any]) -> Callable[..., Any] | None:
        """Compile `fn` as a whole, without a fall back; None where there is no compiler."""
        return None

    def forbid_hidden_work(self, device: Any) -> AbstractContextManager[Any] | None:
        """Context that raises a RuntimeError on work that nobody asked for, and says on which.

        That is: a lazy array is computed, a device is waited for, or the values of an array are
        copied to the host, as NumPy arrays or as Python numbers, or because the shape of a result
        depends on them. Where Python sees the copy, or torch the operation, it raises for arrays
        in host memory too, for which it costs little: a test without a GPU stands for one with
        it. Copies raise in all threads. Contexts may be nested, and open in several threads at
        once. Where something within catches what a copy raises, the context raises it when it is
        left; of a copy in a thread that opened none, every context that is open does.

        Returns None where there is nothing to hide, or no way to see it.
        """
        return None

    def outline(
        self, fn: Callable[..., Any], arrays: Sequence[Array]
    ) -> Sequence[tuple[tuple[int | None, ...], str]] | None:
        """Shape, and name of the dtype, of each array that ``fn(*arrays)`` returns.

        It is computed without any value, and raises what the framework raises where `fn` asks for
        one: ``if xp.any(mask)``, ``numpy.asarray``, a boolean index. A dimension that is not known
        before there are values is None.

        Returns None where the framework cannot.
        """
        return None

    def settings(self) -> Mapping[str, Callable[[], AbstractContextManager[Any]]]:
        """Settings of the framework under which all must hold too, each by what it is called.

        A context leaves all as it was. What it sets may be global: contexts of one setting may
        be open in several threads at once, if one that was opened first is closed last.
        """
        return {}

    def own_fault(self, error: BaseException) -> str | None:
        """Say why an exception is the framework's own fault, or None if it may be its caller's.

        That is: a function of the standard raised it for arguments of which the standard says
        that it takes them, and no other way to call it would do; or it is for want of something
        that the standard leaves to the framework.
        """
        return None

    def signature_of(self, fn: Callable[..., Any]) -> inspect.Signature | None:
        """Parameters of a function of the framework, which is not called; None if not known.

        Of a method of its arrays as the class has it, with the array as the first parameter.
        """
        try:
            return inspect.signature(fn)
        except (TypeError, ValueError):
            return None
