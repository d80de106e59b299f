"""How long `import agnostic_mask` takes, as a multiple of `import numpy`.

Each import runs in processes of its own, of which the fastest counts; what starting Python
takes is measured likewise and subtracted. Ratios of one run mean something, seconds do not.

    python benchmarks/import_time.py [RUNS]
"""

import subprocess
import sys
import time

STATEMENTS = {"start": "pass", "numpy": "import numpy", "agnostic_mask": "import agnostic_mask"}


def fastest(runs: int) -> dict[str, float]:
    """Seconds of the fastest run of each statement; they take turns, so that load hits all."""
    found = dict.fromkeys(STATEMENTS, float("inf"))
    for _ in range(runs):
        for name, statement in STATEMENTS.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            found[name] = min(found[name], time.perf_counter() - begin)
    return found


def main(runs: int) -> None:
    """Print the ratio, and what it was made of."""
    seconds = fastest(runs)
    numpy, ours = (seconds[name] - seconds["start"] for name in ("numpy", "agnostic_mask"))
    print(f"import agnostic_mask takes {ours / numpy:.2f} times what import numpy takes")
    print(f"({1000 * ours:.0f} ms and {1000 * numpy:.0f} ms, the fastest of {runs} runs each)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20)
