"""Peak memory beyond the inputs, of one call in a fresh process. Linux only.

python -m benchmarks._memory FAMILY WORKLOAD CONTENDER ROWS [COLUMNS]
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import _contenders, _workloads
from benchmarks._worker import Bench

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
AVAILABLE = sys.platform == "linux"
WHO: dict[str, tuple[tuple[str, str], ...]] = {
    "squared error": (
        ("numpy", "ours"),
        ("torch", "ours"),
        ("numpy", "np.where formula"),
        ("torch", "where formula"),
        ("jax", "where formula, jax.jit"),
    ),
    "confusion matrix": (
        ("numpy", "ours"),
        ("torch", "ours"),
        ("numpy", "np.where, then bincount"),
        ("torch", "where, then bincount"),
        ("jax", "where, then bincount, jax.jit"),
    ),
    "masked mean": (
        ("numpy", "ours"),
        ("torch", "ours"),
        ("numpy", "np.where formula"),
        ("torch", "where formula"),
        ("jax", "jnp.mean(where=), jax.jit"),
    ),
}
WHO["binary crossentropy"] = WHO["squared error"]
SMALL = 16  # rows, or elements, of the call that loads and warms what it needs


def memory(field: str) -> int:
    """Bytes of this process: VmRSS now, VmHWM at its peak."""
    line = next(x for x in STATUS.read_text().splitlines() if x.startswith(field))
    return 1024 * int(line.split()[1])


def peak(family: str, workload: str, name: str, shape: tuple[int, ...]) -> int:
    """Bytes beyond what there was before the call."""
    bench = Bench(family, _contenders.load(family))
    bench.load(workload, (SMALL, *shape[1:]), 0)
    bench.answer(name)
    bench.load(workload, shape, 0)
    RESET.write_text("5")  # the peak is what there is now
    before = memory("VmRSS")
    bench.answer(name)
    return max(0, memory("VmHWM") - before)


def _in_a_process(task: tuple[str, _workloads.Workload, str, tuple[int, ...]]) -> dict[str, Any]:
    family, workload, name, shape = task
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks._memory", family, workload.name, name, *map(str, shape)],
        capture_output=True,
        text=True,
        env={**os.environ, **_contenders.environment(family)},
        cwd=Path(__file__).parent.parent,
    )
    found: dict[str, Any] = {
        "workload": workload.name,
        "family": family,
        "label": _contenders.FAMILIES[family].label,
        "name": name,
        "elements": workload.elements(shape),
    }
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return {**found, "status": "cannot run", "why": last[:200]}
    return {**found, "status": "measured", **json.loads(done.stdout.splitlines()[-1])}


def measured(
    workloads: Sequence[_workloads.Workload], say: Callable[[str], None] = lambda words: None
) -> list[dict[str, Any]]:
    """Of each contender of note, at each workload's two sizes; two at once, for time is not it."""
    tasks = [
        (family, workload, name, shape)
        for workload in workloads
        for family, name in WHO.get(workload.kind.partition(",")[0], ())
        for shape in workload.memory
    ]
    results: list[dict[str, Any]] = []
    with ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for result in pool.map(_in_a_process, tasks):
            say(f"memory {len(results) + 1} of {len(tasks)}: {result['workload']}")
            results.append(result)
    return results


if __name__ == "__main__":
    of_family, of_workload, of_name, *numbers = sys.argv[1:]
    print(json.dumps({"bytes": peak(of_family, of_workload, of_name, tuple(map(int, numbers)))}))
