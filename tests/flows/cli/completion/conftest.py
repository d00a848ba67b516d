"""The scripts, as the command prints them."""

from collections.abc import Callable

import pytest

from flows.cli.main import main


@pytest.fixture
def script(capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Returns the script of a shell."""

    def printed(shell: str) -> str:
        assert main(["completion", shell]) == 0
        return capsys.readouterr().out

    return printed
