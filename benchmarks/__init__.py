"""Everything side by side in one run: `python -m benchmarks`, from the repository root."""
