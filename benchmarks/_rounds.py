"""One workload at one size: every contender is checked, then all are timed in turns."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import _contenders
from benchmarks._ratios import ratio, spread
from benchmarks._references import Number, judged
from benchmarks._worker import WorkerError
from benchmarks._workloads import Workload

TURN = 0.02  # seconds that a contender's turn lasts at least
LONGEST = 3.0  # seconds that a contender may take in all, if that is FEWEST rounds at least
FEWEST = 3
PAUSE = 0.01  # seconds between turns, in which threads of the one before fall asleep
MOST_CALLS = 5000
SEED = 20

Entry = dict[str, Any]
Case = dict[str, Any]


def run(
    workload: Workload,
    size: str,
    workers: Mapping[str, Any],
    rounds: int,
    device: str = "cpu",
    say: Callable[[str], None] = lambda words: None,
) -> Case:
    """All that was measured of one workload at one size, ready for JSON."""
    shape = (workload.cuda or {})[size] if device == "cuda" else workload.shapes[size]
    numbers = workload.numbers(workload.inputs(shape, SEED))
    entries = [
        entry for name in workers for entry in _loaded(name, workers[name], workload, shape, device)
    ]
    for entry in entries:
        say(f"{entry['label']}: {entry['name']}")
        _check(entry, workers[entry["family"]], numbers)
    timed = [entry for entry in entries if entry["status"] == "timed"]
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        turn = number % max(len(timed), 1)
        for entry in timed[turn:] + timed[:turn]:
            _take_turn(entry, workers[entry["family"]], number, rounds)
    if device == "cuda":
        for entry in timed:
            _measure_on_gpu(entry, workers[entry["family"]])
    for worker in workers.values():
        _quietly(worker.unload)
    return {
        "workload": workload.name,
        "kind": workload.kind,
        "size": size,
        "shape": list(shape),
        "elements": workload.elements(shape),
        "about": workload.about,
        "floor": "half a copy of the inputs on the GPU" if device == "cuda" else workload.floor,
        "contenders": summed_up(entries),
    }


def _quietly(call: Callable[[], Any]) -> None:
    try:
        call()
    except WorkerError:
        return  # it says so when it is next asked for something that matters


def _loaded(
    family: str, worker: Any, workload: Workload, shape: tuple[int, ...], device: str
) -> list[Entry]:
    common = {"family": family, "label": _contenders.FAMILIES[family].label}
    try:
        field = worker.load(workload.name, shape, SEED, device)
    except WorkerError as error:
        why = str(error)
        if why.startswith(("ModuleNotFoundError", "ImportError")):
            why = f"not installed ({why})"
        nobody = {"name": "all", "number": "", "nan_safe": False, "compiled": False}
        return [{**common, **nobody, "seconds": [], "status": "cannot run", "why": why}]
    wanted = "device floor" if device == "cuda" else "floor"
    return [
        {**common, **entry, "seconds": [], "status": "timed", "why": ""}
        for entry in field
        if not entry["name"].endswith("floor") or entry["name"] == wanted
    ]


def _check(entry: Entry, worker: Any, numbers: Mapping[str, Number]) -> None:
    """Judge the number, and find out how many calls make a turn."""
    if entry["status"] != "timed":
        return
    name = entry["name"]
    try:
        answer = worker.answer(name)
        if answer is not None:
            verdict = judged(answer, numbers[entry["number"]])
            entry["answer"] = float(answer) if answer.ndim == 0 else None
            entry["error"], entry["bound"] = verdict.error, verdict.bound
            if not verdict.right:
                right = numbers[entry["number"]].value
                shown = f" {float(answer):.6g} for {right:.6g}," if answer.ndim == 0 else ""
                entry["why"] = f"{shown} off by {verdict.error:.1e} of {verdict.bound:.1e}".strip()
                entry["status"] = "wrong"
                return
        entry["calls"] = 1
        for _ in range(3):
            taken = worker.time(name, entry["calls"])
            entry["calls"] = max(1, min(MOST_CALLS, round(TURN / max(taken, 1e-9))))
            if entry["calls"] == 1:
                break
        turn = taken * (entry["calls"] + (entry["calls"] > 1))
        entry["rounds"] = max(FEWEST, int(LONGEST / turn))
    except WorkerError as error:
        entry["status"], entry["why"] = "cannot run", str(error)


def _take_turn(entry: Entry, worker: Any, number: int, rounds: int) -> None:
    if entry["status"] != "timed" or number >= min(entry["rounds"], rounds):
        return
    time.sleep(PAUSE)
    try:
        entry["seconds"].append(worker.time(entry["name"], entry["calls"]))
    except WorkerError as error:
        entry["status"], entry["why"] = "cannot run", str(error)


def _measure_on_gpu(entry: Entry, worker: Any) -> None:
    try:
        entry["gpu"] = worker.on_gpu(entry["name"])
    except WorkerError as error:
        entry["gpu"] = {"why": str(error)}


def base_of(family: str) -> str:
    """The family whose arrays it computes on; of TensorFlow there is none, so NumPy."""
    on = family.removeprefix("keras-")
    return on if on in ("torch", "jax", "cupy") else "numpy"


def summed_up(entries: list[Entry]) -> list[Entry]:
    """The entries with medians, quartiles, and ratios to the floor and to ours."""
    ours = {e["family"]: e["seconds"] for e in entries if e["name"] == "ours"}
    floors = [e["seconds"] for e in entries if e["name"].endswith("floor") and e["seconds"]]
    for entry in entries:
        for key in ("rounds", "scale"):
            entry.pop(key, None)
        if entry["status"] != "timed" or not entry["seconds"]:
            continue
        entry["milliseconds"] = spread([1e3 * s for s in entry["seconds"]])
        entry["to_floor"] = ratio(entry["seconds"], floors[0]) if floors else None
        entry["to_ours"] = ratio(entry["seconds"], ours.get(base_of(entry["family"]), []))
    return entries
