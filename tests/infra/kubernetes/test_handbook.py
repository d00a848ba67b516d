"""The README's afternoon, command by command, in an empty home and with stand-ins for the programs of others."""

import os
import re
import stat
import subprocess
from pathlib import Path

from infra.kubernetes.render import FOLDER

STANDINS = ("kubectl", "prefect", "jepa", "make")
ANSWER = "#!/bin/sh\ncase \"$*\" in *'get secret'*) printf dG9rZW4=;; esac\n"
"""What takes the place of each: it succeeds, and as `kubectl` knows one secret."""


def test_the_commands_run_where_nothing_is_yet(tmp_path: Path) -> None:
    """No folder is missing, and the token that is fetched is for nobody else to read."""
    (block,) = re.findall(r"^## An afternoon\n+```bash\n(.*?)^```", (FOLDER / "README.md").read_text(), re.M | re.S)
    programs, generated = tmp_path / "bin", tmp_path / "infra/kubernetes/overlays/dev/generated"
    programs.mkdir()
    for name in STANDINS:
        (programs / name).write_text(ANSWER)
        (programs / name).chmod(0o755)
    generated.mkdir(parents=True)
    (generated / "deployments.env").write_text("JEPA_STORE=s3://bucket\n")
    environment = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    command = ["bash", "-euo", "pipefail", "-c", block]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    token = tmp_path / ".ray/shared-token"
    assert token.read_text() == "token" and stat.S_IMODE(token.stat().st_mode) == 0o600
