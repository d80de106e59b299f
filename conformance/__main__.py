"""Entry point of `agnostic-mask`; says what to install where the `cli` extra is missing."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from .cli import main as command
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich", "mpmath", "packaging"):
            raise
        sys.exit(f"agnostic-mask needs {error.name}: pip install 'agnostic-mask[cli]'")
    command()


if __name__ == "__main__":
    main()
