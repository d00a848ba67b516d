"""Recipes: whole configurations under a name: those that were found to learn here, and the paper's.

`tiny` (minutes on two cores), `small` (an hour) and `large` (one GPU) have inverse dynamics in the loss, and are what
presets of the whole job train; `lewm` is the released configuration (18.03 M parameters); `lewm-small` is the paper's
architecture cut down for frames of 64 pixels, `lewm-tiny` the paper's losses on a small convolution;
`dino-wm` and `frozen-small` predict the patches of a DINOv2 ViT-S/14 whose weights the user gives
(`objective_options.weights`); `smoke` only shows that the machine turns.
"""

from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from jepa.core.config import Config
from jepa.models.world_model import ModelConfig
from jepa.objectives import objective_config
from jepa.training.registry import RECIPES as RECIPES
from jepa.training.trainer import TrainConfig


class Recipe(Config):
    """A model, an objective and a training that go together."""

    model: ModelConfig = ModelConfig()
    """The model; its image and action sizes are replaced by the world's."""
    objective: str = "lewm"
    """Registered name of the objective."""
    objective_options: dict[str, Any] = Field(default_factory=dict, validate_default=True)
    """The objective's own configuration."""
    train: TrainConfig = TrainConfig()
    """Steps, batch and optimiser."""

    @field_validator("objective_options")
    @classmethod
    def _complete_objective_options(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # Defaults are written out, so that a stored recipe keeps its meaning when they change.
        return objective_config(info.data["objective"], options).model_dump(mode="json")

    def for_world(self, image_size: int, action_size: int) -> "Recipe":
        """Returns the recipe with the model's sizes set to a world's."""
        sizes = {"image_size": image_size, "action_size": action_size}
        model = ModelConfig.model_validate(self.model.model_dump() | sizes)
        return self.model_copy(update={"model": model})


LEWM_TINY = Recipe(
    model=ModelConfig(encoder_options={"channels": (16, 32, 64)}),
    objective_options={"sigreg_weight": 0.1, "sigreg_weight_end": 0.003, "hold": 0.1, "settle": 0.3},
    train=TrainConfig(steps=3000, learning_rate=2e-3),
)
RECIPES.register("lewm-tiny")(LEWM_TINY)

# The gradient of inverse dynamics brings the agent in: two thirds of the steps, better read (docs/worlds/two_room.md).
RECIPES.register("tiny")(
    Recipe(
        model=LEWM_TINY.model,
        objective_options=LEWM_TINY.objective_options | {"joint_head": "inverse"},
        train=LEWM_TINY.train.model_copy(update={"steps": 2000}),
    )
)

RECIPES.register("lewm-small")(
    Recipe(
        model=ModelConfig(
            history=3,
            latent_size=96,
            encoder="vit",
            encoder_options={"patch_size": 8, "depth": 6, "heads": 3, "width": 96},
            projector_size=512,
            predictor="paper",
            predictor_options={
                "depth": 3,
                "heads": 6,
                "mlp_size": 512,
                "action_mlp_size": 384,
                "action_inner_size": 10,
                "dropout": 0.1,
                "projector_size": 512,
            },
        ),
        objective_options={"sigreg_weight": 0.09, "sigreg_weight_end": 0.01, "reference_batch": 128},
        train=TrainConfig(steps=10_000, horizon=1, learning_rate=5e-4),
    )
)

PAPER_PREDICTOR: dict[str, Any] = {
    "depth": 6,
    "heads": 16,
    "head_size": 64,
    "mlp_size": 2048,
    "action_mlp_size": 768,
    "action_inner_size": 10,
    "dropout": 0.1,
}
"""The released predictor's sizes."""

# Released: 100 epochs configured and 10 trained, of 13,934 batches each on Push-T; the rate hardly falls by then.
RECIPES.register("lewm")(
    Recipe(
        model=ModelConfig(
            image_size=224,
            history=3,
            latent_size=192,
            encoder="vit",
            encoder_options={"norm_eps": 1e-12},
            pixel_scaling="imagenet",
            projector_size=2048,
            projector_bias=True,
            predictor="paper",
            predictor_options=PAPER_PREDICTOR,
        ),
        objective_options={
            "sigreg_weight": 0.09,
            "sigreg_weight_end": 0.09,
            "reference_batch": 128,
            "sigreg": {"directions": 1024},
        },
        train=TrainConfig(
            steps=139_340,
            batch_size=128,
            horizon=1,
            learning_rate=5e-5,
            weight_decay=1e-3,
            schedule_length=10.0,
            warmup=0.01,
            clip=1.0,
            precision="bf16",
        ),
    )
)

DINOV2_SMALL: dict[str, Any] = {
    "patch_size": 14,
    "depth": 12,
    "heads": 6,
    "width": 384,
    "layer_scale": True,
    "output": "patches",
}
"""DINOv2's ViT-S/14 (arXiv:2304.07193); its patch tokens are the latent."""

# DINO-WM (arXiv:2411.04983 and its code): 14 × 14 patches of frames resized to 196 pixels and scaled to [-1, 1],
# history 3, the predictor's sizes, batch and rate. Its predictor takes actions in another way (`tokens`);
# the number of steps, the schedule and the clipping are ours.
RECIPES.register("dino-wm")(
    Recipe(
        model=ModelConfig(
            image_size=224,
            history=3,
            latent_size=14 * 14 * 384,
            encoder="vit",
            encoder_options=DINOV2_SMALL | {"resize": 14 * 14},
            projector="none",
            predictor="tokens",
            predictor_options={
                "width": 384,
                "depth": 6,
                "heads": 16,
                "head_size": 64,
                "mlp_size": 2048,
                "dropout": 0.1,
            },
        ),
        objective="frozen",
        train=TrainConfig(steps=100_000, batch_size=32, horizon=1, learning_rate=5e-4),
    )
)

# The same weights on 8 × 8 patches of small frames, with a predictor that a workstation trains.
RECIPES.register("frozen-small")(
    Recipe(
        model=ModelConfig(
            history=3,
            latent_size=8 * 8 * 384,
            encoder="vit",
            encoder_options=DINOV2_SMALL | {"resize": 8 * 14},
            projector="none",
            predictor="tokens",
            predictor_options={"width": 192, "depth": 3, "heads": 6, "head_size": 32, "mlp_size": 512},
        ),
        objective="frozen",
        train=TrainConfig(steps=10_000, batch_size=32, horizon=1, learning_rate=5e-4),
    )
)

# For 64 pixels on two cores, in under an hour with the data and the judgement (docs/worlds). What is predicted says
# little about what moves by itself; the inverse dynamics in the loss bring in what the actions move (agent, arm).
SMALL = Recipe(
    model=ModelConfig(latent_size=64, encoder_options={"channels": (32, 64, 128)}),
    objective_options={
        "sigreg_weight": 0.1,
        "sigreg_weight_end": 0.03,
        "hold": 0.4,
        "settle": 0.8,
        "joint_head": "inverse",
        "joint_head_weight": 1.0,
    },
    train=TrainConfig(steps=4000, learning_rate=1e-3),
)
RECIPES.register("small")(SMALL)

# The same losses for one GPU: the paper's vision transformer and predictor, on frames of 96 pixels in patches of 8.
RECIPES.register("large")(
    Recipe(
        model=ModelConfig(
            history=3,
            latent_size=192,
            encoder="vit",
            encoder_options={"patch_size": 8},
            projector_size=2048,
            predictor="paper",
            predictor_options=PAPER_PREDICTOR,
        ),
        objective_options=SMALL.objective_options,
        train=TrainConfig(steps=50_000, batch_size=256, horizon=1, learning_rate=3e-4, precision="bf16"),
    )
)

RECIPES.register("smoke")(
    Recipe(
        model=ModelConfig(
            latent_size=16,
            encoder_options={"channels": (8, 16, 16)},
            projector_size=32,
            predictor_options={"width": 32, "depth": 1, "mlp_size": 64},
        ),
        objective_options={"sigreg": {"directions": 32}},
        train=TrainConfig(
            steps=40, batch_size=32, learning_rate=2e-3, precision="fp32", log_every=5, checkpoint_every=20
        ),
    )
)
