"""Every draw comes from a named stream: the source makes no other generator, and no two draws share a stream."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HELPER = ROOT / "jepa/core/seeds.py"
MAKERS = {"derive_seed", "numpy_generator", "torch_generator", "python_generator", "seeded"}
"""Functions of the helper that take a seed and the names of a stream."""
RAW = {"manual_seed", "manual_seed_all", "default_rng", "RandomState", "SeedSequence", "Random", "fork_rng"}
"""What makes or seeds a generator in torch, numpy and Python."""
GLOBAL = {f"{module}.{name}" for module in ("np.random", "numpy.random", "random") for name in ("seed", "shuffle")}


def sources() -> list[Path]:
    """Returns all source files but the helper's own."""
    found = [path for room in ("jepa", "pipelines", "flows", "infra") for path in sorted((ROOT / room).rglob("*.py"))]
    return [path for path in found if path != HELPER]


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yields each call with the dotted name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def raw_generators(text: str) -> list[str]:
    """Returns the calls that make or seed a generator beside the helper."""
    return [
        ast.unparse(call)
        for name, call in calls(ast.parse(text))
        if name.split(".")[-1] in RAW or name.endswith("torch.Generator") or name in GLOBAL
    ]


def streams(text: str) -> list[str]:
    """Returns the constant names of each stream that is asked for, such as `frames`."""
    found = []
    for name, call in calls(ast.parse(text)):
        names = call.args[1:] if name.split(".")[-1] in MAKERS else []
        if names:
            assert isinstance(names[0], ast.Constant), f"a stream's name begins with a word: {ast.unparse(call)}"
            found.append(" ".join(str(word.value) for word in names if isinstance(word, ast.Constant)))
    return found


@pytest.mark.parametrize(
    "text",
    [
        "torch.manual_seed(0)",
        "torch.Generator().manual_seed(3)",
        "torch.cuda.manual_seed_all(0)",
        "np.random.default_rng([seed, 1])",
        "random.Random(5)",
        "generator = torch.Generator()",
        "np.random.seed(1)",
    ],
)
def test_a_generator_beside_the_helper_is_found(text: str) -> None:
    assert raw_generators(f"import torch\n{text}")
    assert not raw_generators("numpy_generator(seed, 'frames'); torch_generator(seed); world.reset(seed=0)")


def test_only_the_helper_makes_generators() -> None:
    found = {str(path.relative_to(ROOT)): raw_generators(path.read_text()) for path in sources()}
    assert len(found) > 200
    assert not {path: raw for path, raw in found.items() if raw}, "make it by jepa.core.seeds, under a name of its own"


def room(path: Path) -> str:
    """Returns the study that a file belongs to, nothing for what all share: no cell draws for two studies."""
    parts = path.relative_to(ROOT).parts
    return parts[2] if parts[:2] == ("jepa", "studies") and len(parts) > 3 else ""


def test_every_stream_has_a_name_of_its_own() -> None:
    """Two draws from one stream would be equal, or correlated: dropout and SIGReg's directions once were."""
    named = Counter((room(path), stream) for path in sources() for stream in streams(path.read_text()))
    shared = {stream for of, stream in named if not of}
    assert {"model", "objective", "dropout", "sigreg", "frames", "problem", "mlp probe", "decoder"} <= shared
    assert {of for of, _ in named} >= {"", "identifiability", "generalization", "auxiliary", "in_memory"}
    assert not [stream for stream, count in named.items() if count > 1]
