"""`jepa completion SHELL`: the script by which a shell completes commands, flags and their values."""

from typing import Literal

from flows.cli.commands.context import Context
from flows.cli.completion.bash import bash_script
from flows.cli.completion.fish import fish_script
from flows.cli.completion.offered import offered_commands
from flows.cli.completion.zsh import zsh_script
from jepa.core.config import Config

SCRIPTS = {"bash": bash_script, "zsh": zsh_script, "fish": fish_script}


class CompletionOptions(Config):
    """For which shell."""

    shell: Literal["bash", "zsh", "fish"]
    """`bash`, `zsh` or `fish`"""


Options = CompletionOptions
POSITIONAL = "shell"
EXAMPLE = 'eval "$(jepa completion bash)"       # in ~/.bashrc\n  jepa completion fish | source        # in config.fish'


def execute(options: CompletionOptions, context: Context) -> int:
    """Prints the script; names of datasets, models and runs are in no script, for they differ from store to store."""
    script = SCRIPTS[options.shell](offered_commands())
    context.show({"shell": options.shell, "script": script}, script.splitlines())
    return 0
