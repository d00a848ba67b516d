"""The completion script of fish."""

from collections.abc import Iterator

from flows.cli.completion.offered import OfferedCommand, plain

HEAD = """\
# Completion of jepa for fish. In ~/.config/fish/config.fish: jepa completion fish | source

function __jepa_command
    set -l typed (commandline -opc)
    test (count $typed) -ge 2; and test $typed[2] = $argv[1]
end

function __jepa_no_command
    test (count (commandline -opc)) -eq 1
end

complete -c jepa -n __jepa_no_command -f
complete -c jepa -n __jepa_no_command -l help -d 'list the commands'
complete -c jepa -n __jepa_no_command -l version -d 'print the versions'
"""


def fish_script(commands: list[OfferedCommand]) -> str:
    """Returns the script."""
    return HEAD + "\n".join(line for one in commands for line in _lines(one)) + "\n"


def _lines(command: OfferedCommand) -> Iterator[str]:
    yield f"complete -c jepa -n __jepa_no_command -a {command.name} -d {_quoted(command.summary)}"
    start = f"complete -c jepa -n '__jepa_command {command.name}'"
    if command.values or not command.takes_argument:
        # No files, except where one can be meant.
        yield f"{start} -f" + (f" -a '{' '.join(command.values)}'" if command.values else "")
    for flag in command.flags:
        values = plain(flag.values)
        takes = f" -x -a '{' '.join(values)}'" if values else "" if flag.takes == "nothing" else " -r -F"
        yield f"{start} -l {flag.option.removeprefix('--')}{takes} -d {_quoted(flag.help)}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
