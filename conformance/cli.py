"""The command line: `agnostic-mask compare`, `conform`, `backends` and `catalogue`."""

import click

import agnostic_mask as am

from ._commands_catalogue import catalogue
from ._commands_compare import backends, compare
from ._commands_conform import conform


@click.group()
@click.version_option(am.__version__, prog_name="agnostic-mask")
def main() -> None:
    """Masked, weighted losses, reductions and metrics for any array API library."""


main.add_command(compare)
main.add_command(conform)
main.add_command(backends)
main.add_command(catalogue)
