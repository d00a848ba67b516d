"""The completion script of zsh."""

from flows.cli.completion.offered import OfferedCommand, known_values

SCRIPT = """\
#compdef jepa
# Completion of jepa for zsh. In ~/.zshrc, after compinit: eval "$(jepa completion zsh)"
# or in a file _jepa of a folder of $fpath.

_jepa_flags() {
  case "$1" in
@FLAGS@
  esac
}

# How many values a flag takes (one or many), and those that are known.
_jepa_values() {
  case "$1 $2" in
@VALUES@
  esac
}

_jepa() {
  local current="${words[CURRENT]}" command="${words[2]}" flag="" index word
  local -i between=0
  local -a offers values
  if (( CURRENT == 2 )); then
    offers=(@COMMANDS@)
    _describe -t commands command offers
    return
  fi
  if [[ $current == --*=* ]]; then
    flag="${current%%=*}"
    compset -P 1 '*='
  elif [[ $current != -* ]]; then
    for (( index = CURRENT - 1; index > 2; index-- )); do
      word="${words[index]}"
      if [[ $word == -* ]]; then
        flag="$word"
        break
      fi
      (( ++between ))
    done
  fi
  if [[ $current != -* || -n $flag ]]; then
    _jepa_values "$command" "$flag"
    if [[ ${values[1]} == one && $between -gt 0 ]] || (( ! $#values )); then
      values=()
      _jepa_values "$command" argument
    fi
    if (( $#values == 1 )); then
      _files
      return
    elif (( $#values )); then
      compadd -- "${(@)values[2,-1]}"
      return
    fi
  fi
  _jepa_flags "$command"
  _describe -o -t flags flag offers
}

if [[ $funcstack[1] == _jepa ]]; then
  _jepa "$@"
else
  compdef _jepa jepa
fi
"""


def zsh_script(commands: list[OfferedCommand]) -> str:
    """Returns the script."""
    flags = []
    for one in commands:
        listed = " ".join(_described(flag.option, flag.help) for flag in one.flags)
        flags.append(f"    {one.name}) offers=({listed}) ;;")
    values = [f"    '{where}') values=({words}) ;;" for where, words in known_values(commands)]
    return (
        SCRIPT.replace("@COMMANDS@", " ".join(_described(one.name, one.summary) for one in commands))
        .replace("@FLAGS@", "\n".join(flags))
        .replace("@VALUES@", "\n".join(values))
    )


def _described(name: str, text: str) -> str:
    """Returns `name:text` in quotes."""
    text = text.replace("'", "'\\''")
    return f"'{name}:{text}'"
