"""What tests ask of an evaluation."""

from pipelines.evaluate import EvaluateConfig


def config(**changes: object) -> EvaluateConfig:
    """Returns an evaluation of `m0` that takes seconds."""
    values: dict[str, object] = {"model": "m0", "protocol": "tiny-v1", "executor": "local"}
    return EvaluateConfig.model_validate(values | changes)
