"""What a unit says is kept, and shown as if nobody kept it."""

import logging
import subprocess
import sys
import warnings

import pytest

from pipelines.executor.messages import LINE_CHARACTERS, LINES, Messages, captured_messages

log = logging.getLogger("some.library")


def test_log_records_and_warnings_are_kept() -> None:
    messages = Messages()
    with pytest.warns(UserWarning, match="odd value"), captured_messages(messages):
        log.warning("disk %d %% full", 97)
        log.debug("not for anybody")
        warnings.warn("odd value", UserWarning, stacklevel=1)
    log.warning("after the end")
    assert messages.lines[0] == "WARNING some.library: disk 97 % full"
    assert messages.lines[1].startswith("UserWarning: odd value (") and len(messages.lines) == 2


def test_a_talkative_unit_fills_no_store() -> None:
    messages = Messages()
    for _ in range(LINES + 5):
        messages.add("x" * 10_000)
    assert len(messages.lines) == LINES + 1 and messages.lines[-1] == "… and 5 more"
    assert max(map(len, messages.lines)) == LINE_CHARACTERS


def test_what_they_replace_is_put_back_by_an_exception_too() -> None:
    handlers, show = list(logging.getLogger().handlers), warnings.showwarning
    with pytest.raises(ValueError), captured_messages(Messages()):
        raise ValueError
    assert logging.getLogger().handlers == handlers and warnings.showwarning is show


@pytest.mark.parametrize("setup", ["", "logging.basicConfig(format='%(levelname)s:%(message)s'); "])
def test_a_warning_is_printed_once_as_without_us(setup: str) -> None:
    script = (
        f"import logging; {setup}"
        "from pipelines.executor.messages import Messages, captured_messages\n"
        "with captured_messages(Messages()), captured_messages(Messages()): logging.getLogger('a.b').warning('look')"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert answer.stderr == ("WARNING:look\n" if setup else "look\n")
