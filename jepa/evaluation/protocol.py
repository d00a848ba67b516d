"""Named, versioned evaluation set-ups: a figure without one cannot be compared with another.

A protocol is a YAML file: a name, and for each kind of evaluation the settings that differ from its defaults. Those of
the package lie in `protocols/`. One is never changed once figures carry its name; what changes gets the next version.
"""

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field, ValidationError, model_validator

from jepa.core.config import Config, digest_of, first_problem, parse_options
from jepa.core.episodes import EpisodeSource
from jepa.core.errors import InputError
from jepa.core.input.files import read_file
from jepa.core.input.yaml_text import YamlProblem, read_yaml
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult

if TYPE_CHECKING:
    from jepa.models.world_model import WorldModel
    from jepa.planning.problem_manifest import ProblemManifest

FOLDER = Path(__file__).with_name("protocols")
SUFFIXES = (".yaml", ".yml")


class Protocol(Config):
    """A name with its version and, under the kind of each evaluation that is not left at its defaults, its settings."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, dict[str, Any]] = Field(init=False)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    """what figures are filed under, with a version at its end"""

    @model_validator(mode="before")
    @classmethod
    def _settings_as_data(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        plain = {kind: held.model_dump(mode="json") for kind, held in values.items() if isinstance(held, Config)}
        return {**values, **plain}

    @model_validator(mode="after")
    def _evaluations_take_their_settings(self) -> "Protocol":
        for kind in self.model_extra or {}:
            self.settings(kind)
        return self

    def settings(self, kind: str) -> Config:
        """Returns the complete settings of a kind of evaluation.

        Raises:
            InputError: there is no such kind, or it does not take what the protocol says.
        """
        return parse_options(EVALUATIONS.get(kind).Config, (self.model_extra or {}).get(kind, {}), kind)

    def digest(self, kind: str) -> str:
        """Returns the SHA-256 of the complete settings of a kind, in hexadecimal; a changed default changes it too."""
        return digest_of(self.settings(kind).model_dump(mode="json"))

    def same_as(self, other: "Protocol") -> bool:
        """Returns whether both say the same of every evaluation, however they are written."""
        kinds = {*(self.model_extra or {}), *(other.model_extra or {})}
        return all(self.digest(kind) == other.digest(kind) for kind in kinds)

    def evaluation(self, kind: str) -> Evaluation:
        """Returns the evaluation of that kind under this protocol; raises as `settings` does."""
        return EVALUATIONS.get(kind)(self.settings(kind), self.name)


def protocol_names() -> list[str]:
    """Returns the names of the package's protocols, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def get_protocol(name_or_file: str) -> Protocol:
    """Returns a protocol of the package by its name, or one of another's by the path of its YAML file.

    Raises:
        InputError: there is none, or the file is no protocol; the message names the file, and the line or the field.
    """
    if name_or_file in protocol_names():
        return _of_the_package(name_or_file)
    if not name_or_file.endswith(SUFFIXES):
        raise InputError(
            f"protocol {name_or_file!r} is not known; choose one of: {', '.join(protocol_names())}, or give a YAML file"
        )
    protocol = read_protocol(Path(name_or_file))
    if protocol.name in protocol_names() and not protocol.same_as(_of_the_package(protocol.name)):
        raise InputError(
            f"protocol file {name_or_file!r} has other settings than the known protocol {protocol.name!r}; give it a "
            "name of its own"
        )
    return protocol


@lru_cache
def _of_the_package(name: str) -> Protocol:
    return read_protocol(FOLDER / f"{name}.yaml")


def read_protocol(path: Path) -> Protocol:
    """Returns the protocol of a YAML file; raises as `get_protocol` does."""
    file = f"protocol file {str(path)!r}"
    if not os.path.lexists(path):
        raise InputError(f"{file} does not exist; choose one of: {', '.join(protocol_names())}")
    try:
        document, _ = read_yaml(read_file(file, path).decode())
    except YamlProblem as error:
        raise InputError(f"{file} {error.problem}{error.place}; correct it") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is no YAML; correct it") from error
    if not isinstance(document, dict):
        raise InputError(f"{file} holds a {type(document).__name__}; write `name: …` and settings by evaluation")
    try:
        return Protocol.model_validate(document)
    except ValidationError as error:
        raise InputError(f"{file}: {first_problem(error)}") from error


def evaluate(
    kind: str,
    model: "WorldModel",
    source: EpisodeSource,
    protocol: Protocol | str = "two-room-v1",
    seed: int = 0,
    problems: "ProblemManifest | None" = None,
) -> EvaluationResult:
    """Returns the rows of all units of one kind of evaluation, run one after the other in this process.

    Args:
        kind: a registered kind, e.g. `probing`, `planning`, `surprise`, `latent` or `decoding`.
        model: the model to judge.
        source: the held episodes, e.g. a stored dataset.
        protocol: a protocol, its name, or the path of its YAML file.
        seed: of everything that the evaluation draws.
        problems: planning problems to be solved, in the place of those that it would draw.

    Raises:
        InputError: an unknown name, or a source that this kind can do nothing with.
    """
    evaluation = (get_protocol(protocol) if isinstance(protocol, str) else protocol).evaluation(kind)
    if evaluation.solves_problems and problems is None:
        problems = evaluation.draw_problems(source, seed)
    if problems is not None:
        evaluation.use_problems(problems)
    result = EvaluationResult()
    for unit in evaluation.units(source):
        result.extend(evaluation.run(unit, model, source, seed))
    return result
