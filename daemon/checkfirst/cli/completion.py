"""`checkfirst completion`: the script that makes a shell complete our commands."""

import click

from checkfirst.cli import output

_WHERE = {
    "bash": 'eval "$(checkfirst completion bash)" in ~/.bashrc',
    "zsh": 'eval "$(checkfirst completion zsh)" in ~/.zshrc',
    "fish": "checkfirst completion fish > ~/.config/fish/completions/checkfirst.fish",
}


@click.command()
@click.argument("shell", type=click.Choice(list(_WHERE)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes your shell complete commands.

    \b
    bash: eval "$(checkfirst completion bash)" in ~/.bashrc
    zsh:  eval "$(checkfirst completion zsh)" in ~/.zshrc
    fish: checkfirst completion fish > ~/.config/fish/completions/checkfirst.fish
    """  # noqa: D301  (click takes the control character \b for "do not wrap")
    from click.shell_completion import get_completion_class  # noqa: PLC0415  (for this alone)

    kind = get_completion_class(shell)
    if kind is not None:
        script = kind(context.find_root().command, {}, "checkfirst", "_CHECKFIRST_COMPLETE")
        output.script(script.source())
