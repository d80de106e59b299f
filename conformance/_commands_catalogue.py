"""The command `agnostic-mask catalogue`."""

from pathlib import Path

import click

from ._files import whole_file
from .catalogue import CatalogueError, page


@click.command()
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file, not to the terminal.",
)
def catalogue(output: Path | None) -> None:
    """Print the page of all losses, reductions and metrics, as Markdown.

    Formulas, arguments and kinds of states are read from the code. The exit code is 1 if a public
    name lacks what the page needs.
    """
    if output is not None and not output.absolute().parent.is_dir():
        raise click.UsageError(f"--output {output}: its folder does not exist")
    try:
        text = page()
    except CatalogueError as error:
        raise click.ClickException(str(error)) from error
    if output is None:
        click.echo(text, nl=False)
        return
    with whole_file(output) as file:
        file.write(text)
