"""Real data that ships with the package: what `agnostic-mask compare` reads without a file."""
