"""The completion script of bash."""

from flows.cli.completion.offered import OfferedCommand, known_values

SCRIPT = """\
# Completion of jepa for bash. In ~/.bashrc: eval "$(jepa completion bash)"

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
  local current="${COMP_WORDS[COMP_CWORD]}" command="${COMP_WORDS[1]}" flag="" between=0 index word
  local -a values
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "@COMMANDS@ --help --version" -- "$current"))
    return
  fi
  [[ $current == "=" ]] && current=""
  if [[ $current != -* ]]; then
    for (( index = COMP_CWORD - 1; index > 1; index-- )); do
      word="${COMP_WORDS[index]}"
      [[ $word == "=" ]] && continue
      if [[ $word == -* ]]; then
        flag="$word"
        break
      fi
      (( ++between ))
    done
    values=($(_jepa_values "$command" "$flag"))
    if [[ ${values[0]-} == many ]] || [[ ${values[0]-} == one && $between == 0 ]]; then
      # Where none is known, bash offers files.
      COMPREPLY=($(compgen -W "${values[*]:1}" -- "$current"))
      return
    fi
    values=($(_jepa_values "$command" argument))
    if [[ ${values[0]-} == one ]]; then
      COMPREPLY=($(compgen -W "${values[*]:1}" -- "$current"))
      return
    fi
  fi
  COMPREPLY=($(compgen -W "$(_jepa_flags "$command")" -- "$current"))
}

complete -o bashdefault -o default -F _jepa jepa
"""


def bash_script(commands: list[OfferedCommand]) -> str:
    """Returns the script."""
    flags = [f"    {one.name}) echo '{' '.join(flag.option for flag in one.flags)}' ;;" for one in commands]
    values = [f"    '{where}') echo '{words}' ;;" for where, words in known_values(commands)]
    return (
        SCRIPT.replace("@COMMANDS@", " ".join(one.name for one in commands))
        .replace("@FLAGS@", "\n".join(flags))
        .replace("@VALUES@", "\n".join(values))
    )
