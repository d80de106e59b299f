"""Run everything side by side: `python -m benchmarks`."""

import json
import os
import platform
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.status import Status

import agnostic_mask as am
from agnostic_mask.conformance._files import whole_file
from benchmarks import _bars, _contenders, _markdown, _memory, _report, _rounds, _workloads
from benchmarks._worker import Worker, WorkerError

SCHEMA = 1
BUSY = 0.5  # processes that run beside, above which the results say little


def _write(path: Path, text: str) -> None:
    with whole_file(path) as file:
        file.write(text)


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    """What it runs on."""
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "processor": processor(),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
    }


def versions(workers: dict[str, Worker]) -> dict[str, str]:
    """Of every library that takes part."""
    found = {"agnostic_mask": am.__version__}
    for worker in workers.values():
        try:
            found.update(worker.versions())
        except WorkerError:
            continue  # each workload's table says why
    return found


def workloads(names: tuple[str, ...], device: str) -> list[_workloads.Workload]:
    """Those whose names begin like one of the given, or all; on a GPU those that have sizes."""
    can = [workload for workload in _workloads.ALL if device == "cpu" or workload.cuda]
    wanted = [w for w in can if not names or any(w.name.startswith(name) for name in names)]
    if not wanted:
        known = ", ".join(repr(workload.name) for workload in can)
        raise click.BadParameter(f"expected the beginning of one of {known}", param_hint="workload")
    return wanted


def gpu_name(workers: dict[str, Worker]) -> str | None:
    """The GPU's name, of the first family that can tell."""
    for worker in workers.values():
        try:
            return str(worker.gpu_name())
        except WorkerError:
            continue
    return None


def _say(status: Status, title: str, words: str) -> None:
    status.update(f"{title}: {words}")


def measured(
    chosen: list[_workloads.Workload],
    sizes: tuple[str, ...],
    rounds: int,
    device: str,
    memory: bool,
    console: Console,
) -> dict[str, Any]:
    """All results, ready for JSON."""
    begin, before = time.monotonic(), machine()
    if before["load"] is not None and before["load"] > BUSY:
        console.print(f"The machine is busy (load {before['load']}): threads will wait for others.")
    workers = {name: Worker(name) for name in _contenders.ON[device]}
    memory_why = "" if _memory.AVAILABLE else "measured on Linux only"
    try:
        with console.status("starting", refresh_per_second=2) as status:
            found = versions(workers)
            if device == "cuda":
                before["gpu"] = gpu_name(workers)
            cases = []
            for workload in chosen:
                for size in sizes:
                    title = f"{workload.name}, {size}"
                    say = partial(_say, status, title)
                    cases.append(_rounds.run(workload, size, workers, rounds, device, say))
            rows = []
            if memory and device == "cpu" and not memory_why:
                rows = _memory.measured(chosen, status.update)
    finally:
        for worker in workers.values():
            worker.stop()
    return {
        "schema": SCHEMA,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": device,
        "machine": before,
        "versions": found,
        "rounds": rounds,
        "seed": _rounds.SEED,
        "minutes": round((time.monotonic() - begin) / 60, 1),
        "cases": cases,
        "memory": rows,
        "memory_why": memory_why,
    }


@click.command()
@click.option("--workload", "names", multiple=True, help="How its name begins; may be repeated.")
@click.option("--sizes", type=click.Choice([*_workloads.SIZES, "all"]), default="all")
@click.option("--rounds", type=click.IntRange(1), default=9, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write all results.")
@click.option("--svg", "svg_file", type=click.Path(path_type=Path), help="Write the chart.")
@click.option("--markdown", "markdown_file", type=click.Path(path_type=Path), help="Write a table.")
@click.option("--memory/--no-memory", default=True, show_default=True, help="Measure peak memory.")
def main(
    names: tuple[str, ...],
    sizes: str,
    rounds: int,
    device: str,
    json_file: Path | None,
    svg_file: Path | None,
    markdown_file: Path | None,
    memory: bool,
) -> None:
    """Time every contender on every workload, in turns, after checking its number.

    Contenders whose libraries are not installed are listed with the reason. The extra `bench`
    brings the libraries; tensorflow, installed beside it, adds Keras on TensorFlow.
    """
    chosen = workloads(names, device)
    of_size = _workloads.SIZES if sizes == "all" else (sizes,)
    console = Console(width=None if Console().is_terminal else 160)
    results = measured(chosen, of_size, rounds, device, memory, Console(stderr=True))
    bars = _bars.bars(results["cases"], results["memory"], device)
    results["bars"] = [{**bar._asdict(), "verdict": bar.verdict} for bar in bars]
    _report.printed(results, bars, console)
    console.print(f"{results['minutes']} minutes")
    if json_file:
        _write(json_file, json.dumps(results, indent=1, allow_nan=False) + "\n")
    if markdown_file:
        _write(markdown_file, _markdown.text(results))
    if svg_file:
        from benchmarks import _chart

        picture = _chart.svg(results)
        if picture is None:
            raise click.ClickException("the chart shows losses, and none was run")
        _write(svg_file, picture)


if __name__ == "__main__":
    main()
