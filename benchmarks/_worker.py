"""A family in a process of its own, so that thread pools and allocators do not meet."""

import gc
import importlib.metadata
import multiprocessing
import time
import warnings
from collections.abc import Callable
from functools import cache
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from agnostic_mask.conformance._variables import variables
from benchmarks import _contenders, _gpu, _workloads
from benchmarks._field import Family, Timed

PATIENCE = 300.0  # seconds that a worker may take to answer


class WorkerError(Exception):
    """The worker, or what it was asked to do, failed; the message says how."""


class Bench:
    """What a worker does; without a process, also what the tests use."""

    def __init__(self, name: str, family: Family) -> None:
        self._name, self._family = name, family
        self._inputs: Any = None
        self._field: dict[str, Any] = {}
        self._timed: dict[str, Timed] = {}

    def versions(self) -> dict[str, str]:
        """Of the libraries that the family is about, where they are installed."""
        found = {}
        for library in self._family.LIBRARIES:
            try:
                found[library] = importlib.metadata.version(library)
            except importlib.metadata.PackageNotFoundError:
                continue
        return found

    def load(
        self, workload: str, shape: tuple[int, ...], seed: int, device: str = "cpu"
    ) -> list[dict[str, Any]]:
        """Make the inputs, forget those before, and say who takes part."""
        self.unload()
        about = _workloads.named(workload)
        field = self._family.FIELD.of.get(about.kind, [])
        if field:
            self._inputs = self._family.arrays(about.inputs(shape, seed), device)
            self._field = {contender.name: contender for contender in field}
        return [
            {key: value for key, value in vars(contender).items() if key != "build"}
            for contender in field
        ]

    def unload(self) -> None:
        """Forget the inputs."""
        self._field, self._timed, self._inputs = {}, {}, None
        gc.collect()

    def _built(self, name: str) -> Timed:
        if name not in self._timed:
            made = self._field[name].build(self._inputs)
            self._timed[name] = made if isinstance(made, Timed) else Timed(made, made)
        return self._timed[name]

    def answer(self, name: str) -> Any:
        """The contender's number as a float64 array, or None where it has none."""
        result = self._built(name).answer()
        self._family.wait(result)
        return None if result is None else np.asarray(self._family.host(result), dtype=np.float64)

    def time(self, name: str, calls: int) -> float:
        """Seconds that one call takes, of `calls` in a row; of many the first does not count."""
        call, wait = self._built(name).call, self._family.wait
        if calls > 1:
            wait(call())
        gc.disable()
        try:
            begin = time.perf_counter()
            for _ in range(calls):
                wait(call())
            taken = time.perf_counter() - begin
        finally:
            gc.enable()
        return float(self._field[name].scale * taken / calls)

    def gpu_name(self) -> str:
        """The GPU's name."""
        return _gpu.name(self._name)

    def on_gpu(self, name: str) -> dict[str, Any]:
        """Peak memory of a call on a GPU, kernels, and whether it waits for the device."""
        return _gpu.measured(self._name, self._built(name).call)


def replied(bench: Callable[[], Bench], method: str, args: tuple[Any, ...]) -> tuple[bool, Any]:
    """Whether a method of the bench went well, and what it returned, or what went wrong."""
    try:
        return True, getattr(bench(), method)(*args)
    except NotImplementedError as error:  # a contender's own words
        return False, str(error)
    except Exception as error:
        first, *_ = str(error).strip().splitlines() or [""]
        return False, f"{type(error).__name__}: {first}"[:200]


def serve(name: str, connection: Connection) -> None:
    """Reply to questions until there are no more."""
    warnings.simplefilter("ignore")  # of the peers, about themselves

    @cache
    def bench() -> Bench:
        return Bench(name, _contenders.load(name))

    while True:
        try:
            method, args = connection.recv()
        except EOFError:
            return
        connection.send(replied(bench, method, args))


class Worker:
    """A `Bench` in another process, which is started when it is first asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: Any = None
        self._connection: Any = None

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)
        return lambda *args: self._ask(method, args)

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=serve, args=(self.name, theirs), daemon=True)
        with variables(_contenders.environment(self.name)):
            self._process.start()
        theirs.close()

    def _ask(self, method: str, args: tuple[Any, ...]) -> Any:
        if self._process is None:
            self._start()
        try:
            self._connection.send((method, args))
            if not self._connection.poll(PATIENCE):
                raise EOFError
            well, reply = self._connection.recv()
        except (EOFError, OSError) as error:
            self.stop()
            raise WorkerError("its process ended, or did not answer") from error
        if not well:
            raise WorkerError(reply)
        return reply

    def stop(self) -> None:
        """End the process, if it runs."""
        if self._process is not None:
            self._connection.close()
            self._process.terminate()
            self._process.join()
            self._process = None
