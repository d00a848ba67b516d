"""What is typed, and what completion must offer, for every shell alike."""

import shutil

import pytest

TYPED: list[tuple[list[str], set[str], set[str]]] = [
    # words after `jepa`, the last one being completed; some that must be offered; some that must not
    ([""], {"collect", "doctor", "import-hdf5", "--help"}, {"--world"}),
    (["col"], {"collect"}, {"run"}),
    (["collect", "--wor"], {"--world"}, {"--store"}),
    (["collect", "--"], {"--world", "--store", "--config", "--json", "--import"}, {"two_room"}),
    (["collect", "--world", ""], {"two_room", "pusht"}, {"--world"}),
    (["collect", "--world", "pu"], {"pusht"}, {"two_room"}),
    (["collect", "--world", "pusht", ""], {"--episodes"}, {"two_room"}),
    (["collect", "--name", "d0", "--codec", ""], {"zstd", "auto"}, {"two_room"}),
    (["evaluate", "--kinds", "planning", ""], {"probing", "surprise"}, {"--kinds"}),
    (["pretrain", "--recipe", ""], {"lewm", "lewm-tiny"}, set()),
    (["run", "--preset", ""], {"smoke", "demo"}, set()),
    (["run", "--pretrain.rec"], {"--pretrain.recipe"}, set()),
    (["verify", "--no-"], {"--no-repair"}, {"--repair"}),
    (["ls", ""], {"datasets", "models", "runs"}, {"--what"}),
    (["completion", ""], {"bash", "zsh", "fish"}, set()),
    (["doctor", "--only", "store", "r"], {"ray", "renderers"}, {"store"}),
]


def installed(shell: str) -> str:
    """Returns the path of a shell, or skips the test where there is none."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed, so nobody has checked completion in it")
    return path
