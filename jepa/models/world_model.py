"""The world model: an encoder, and a predictor of the next latent from the latent and an action block.

LeWorldModel (arXiv:2603.19312), section 3. One model, no teacher, no decoder; planning and probing read its latents.
Shapes: B sequences, T frames, H × W pixels, C colours, K actions in an action block (the frameskip), A action
dimensions, D latent; E is the width of an embedded action, and a rollout has H action blocks.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import torch
from pydantic import Field, PositiveInt, ValidationInfo, field_validator
from torch import Tensor, nn

from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.numerics import at_least_float32, constant
from jepa.core.seeds import seeded
from jepa.models.encoders.encoder import ENCODERS, Encoder, encoder_config
from jepa.models.layers.heads import ActionEncoder, Projector
from jepa.models.layers.recompute import recomputed
from jepa.models.predictors.predictor import PREDICTORS, predictor_config
from jepa.models.predictors.stored import predictor_fields

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of red, green and blue in [0, 1]: the constants that most published vision models scale their input with."""


class ModelConfig(Config):
    """Everything that the shape of a world model depends on; it travels with the weights."""

    image_size: int = Field(64, gt=0, le=8192)
    """Side of the square frames, in pixels."""
    action_size: int = Field(2, gt=0, le=100_000)
    """A, dimensions of one action."""
    frameskip: int = Field(5, gt=0, le=10_000)
    """K, actions between two frames that the model sees."""
    history: int = Field(1, gt=0, le=10_000)
    """Frames that the predictor looks back on, the current one included."""
    latent_size: int = Field(32, gt=0, le=1_000_000)
    """D."""
    encoder: str = "conv"
    """Registered name of the encoder."""
    encoder_options: dict[str, Any] = Field(default_factory=dict, validate_default=True)
    """The encoder's own configuration."""
    pixel_scaling: Literal["unit", "imagenet"] = "unit"
    """What the encoder sees: `unit` maps 0 … 255 to [-1, 1], `imagenet` z-scores by ImageNet's colour statistics."""
    projector_size: PositiveInt = 256
    """Hidden size of the MLP from the encoder's features to the latent."""
    projector: Literal["mlp", "none"] = "mlp"
    """What makes latents of features: that MLP, or nothing, so that the features are the latents."""
    projector_bias: bool = False
    """Whether that MLP has a bias before its BatchNorm, which changes nothing but is part of released weights."""
    predictor: str = "lean"
    """Registered name of the predictor."""
    predictor_options: dict[str, Any] = Field(default_factory=dict, validate_default=True)
    """The predictor's own configuration."""

    @classmethod
    def with_new_names(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns values under today's names, a predictor of before with its options beside it."""
        values = super().with_new_names(values)
        held = values.get("predictor")
        if not isinstance(held, Mapping):
            return values
        if "predictor_options" in values:
            raise ValueError("predictor.* are old names of predictor and predictor_options.*, and both are given")
        del values["predictor"]
        return values | predictor_fields(held)

    @field_validator("encoder")
    @classmethod
    def _known_encoder(cls, name: str) -> str:
        ENCODERS.get(name)
        return name

    @field_validator("predictor")
    @classmethod
    def _known_predictor(cls, name: str) -> str:
        PREDICTORS.get(name)
        return name

    @field_validator("encoder_options")
    @classmethod
    def _complete_encoder_options(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # Defaults are written out, so that a stored configuration keeps its meaning when they change.
        if "encoder" not in info.data:
            return options
        return encoder_config(info.data["encoder"], options).model_dump(mode="json")

    @field_validator("predictor_options")
    @classmethod
    def _complete_predictor_options(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if "predictor" not in info.data:
            return options
        return predictor_config(info.data["predictor"], options).model_dump(mode="json")


class WorldModel(nn.Module):
    """Encodes frames, predicts latents under actions, and holds the action statistics that it was trained with."""

    action_mean: Tensor
    action_std: Tensor
    micro_batches: int = 1
    """Into how many micro-batches the encoder splits a training batch; each is computed again for the gradient."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        options = encoder_config(config.encoder, config.encoder_options)
        self.encoder = ENCODERS.get(config.encoder)(options, config.image_size)
        self.projector = _projector(config, self.encoder)
        kind = PREDICTORS.get(config.predictor)
        sizes = predictor_config(config.predictor, config.predictor_options)
        self.action_encoder = ActionEncoder(
            config.frameskip * config.action_size,
            sizes.action_mlp_size,
            kind.action_width(sizes, config.latent_size),
            sizes.action_inner_size,
        )
        # A projector mixes the encoder's tokens, and leaves none to tell apart.
        tokens = self.encoder.tokens if config.projector == "none" else 1
        self.predictor = kind(sizes, config.latent_size, config.history, tokens)
        self.register_buffer("action_mean", torch.zeros(config.action_size))
        self.register_buffer("action_std", torch.ones(config.action_size))

    @classmethod
    def from_config(cls, config: ModelConfig, seed: int = 0) -> "WorldModel":
        """Returns a freshly initialised model; equal seeds give equal weights, whatever was drawn before."""
        with seeded(seed, "model"):
            return cls(config)

    def set_action_statistics(self, mean: Any, std: Any) -> None:
        """Sets the mean and standard deviation (A,) that raw actions are z-scored with.

        Raises:
            ValueError: a wrong shape, or a value that is not finite.
        """
        for buffer, values in ((self.action_mean, mean), (self.action_std, std)):
            values = torch.as_tensor(values, dtype=torch.float32)
            if values.shape != buffer.shape or not values.isfinite().all():
                raise ValueError(f"action statistics must be {len(buffer)} finite numbers, got {values.tolist()}")
            buffer.copy_(values)
        # An action that never varies carries nothing; dividing by its zero spread would make that nothing infinite.
        self.action_std[self.action_std < 1e-6] = 1.0

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        """Returns latents (B, T, D), float32.

        Args:
            pixels_BTHWC: frames, uint8 (B, T, H, W, 3).

        Raises:
            ValueError: frames of another size, layout or type.
        """
        size = self.config.image_size
        if pixels_BTHWC.dtype != torch.uint8 or pixels_BTHWC.shape[2:] != (size, size, 3):
            raise ValueError(
                f"expected uint8 frames (B, T, {size}, {size}, 3), got {pixels_BTHWC.dtype} {tuple(pixels_BTHWC.shape)}"
            )
        # The permuted view is torch's channels_last layout, which convolutions take without a copy.
        pixels_NCHW = pixels_BTHWC.flatten(0, 1).permute(0, 3, 1, 2)
        micro_batches = min(self.micro_batches, len(pixels_NCHW)) if self.training else 1
        if micro_batches == 1:
            features_NF = self._features(pixels_NCHW)
        else:
            # Where no gradient is asked for there is nothing to hold, and nothing to compute again.
            encode = partial(recomputed, self._features) if torch.is_grad_enabled() else self._features
            features_NF = torch.cat([encode(part_NCHW) for part_NCHW in pixels_NCHW.tensor_split(micro_batches)])
        z_ND: Tensor = self.projector(features_NF)
        z_BTD: Tensor = at_least_float32(z_ND).unflatten(0, pixels_BTHWC.shape[:2])
        return z_BTD

    def predict(self, z_BTD: Tensor, action_BTKA: Tensor) -> Tensor:
        """Returns (B, T, D), float32: entry t predicts frame t+1 from frames t-history+1 … t and their actions.

        Args:
            z_BTD: latents of consecutive frames.
            action_BTKA: the raw action block taken at each of them.
        """
        action_BTE = self._embed(action_BTKA)
        history, steps = self.config.history, z_BTD.shape[1]
        if steps <= history:
            zhat_BTD: Tensor = self.predictor(z_BTD, action_BTE)
            return at_least_float32(zhat_BTD)
        # One window for each frame that has a full history; frames before the first full one are predicted inside it.
        zhat_BWLD = self.predictor(_windows(z_BTD, history), _windows(action_BTE, history))
        zhat_BWLD = zhat_BWLD.unflatten(0, (len(z_BTD), -1))
        return at_least_float32(torch.cat([zhat_BWLD[:, 0, :-1], zhat_BWLD[:, :, -1]], dim=1))

    def rollout(self, z_PTD: Tensor, action_BHKA: Tensor, past_action_PTKA: Tensor | None = None) -> Tensor:
        """Returns (B, H, D): the latents after each of H action blocks, each prediction feeding the next.

        Args:
            z_PTD: latents of the contexts, one for all sequences of actions or one for each B/P of them, in order; the
                last `history` frames are used, the last one is the present.
            action_BHKA: raw actions to take; the first action block acts on the last context frame.
            past_action_PTKA: the T-1 action blocks between a context's frames; needed where T > 1 and history > 1.

        Raises:
            ValueError: the context has several frames and the actions between them are not given, or the contexts
                do not share out the sequences evenly.
        """
        sequences, contexts = len(action_BHKA), len(z_PTD)
        if sequences % max(1, contexts):
            raise ValueError(f"{sequences} sequences of actions cannot go on from {contexts} contexts, so many each")
        z_PTD = z_PTD[:, -self.config.history :]
        past = z_PTD.shape[1] - 1
        if past and (past_action_PTKA is None or past_action_PTKA.shape[1] < past):
            raise ValueError(f"a context of {past + 1} frames needs the {past} action blocks taken between them")
        action_BHE = self._embed(action_BHKA)
        past_action_PTE = action_BHE[: len(z_PTD), :0]
        if past and past_action_PTKA is not None:
            past_action_PTE = self._embed(past_action_PTKA[:, -past:])
        zhat_BHD: Tensor = self.predictor.rollout(z_PTD, past_action_PTE, action_BHE)
        return zhat_BHD

    def _features(self, pixels_NCHW: Tensor) -> Tensor:
        kind = pixels_NCHW.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else self.action_mean.dtype
        features_NF: Tensor = self.encoder(self._scale(pixels_NCHW.to(dtype)))
        return features_NF

    def _scale(self, pixels_NCHW: Tensor) -> Tensor:
        if self.config.pixel_scaling == "unit":
            return pixels_NCHW.mul_(1 / 127.5).sub_(1.0)
        mean, std = (
            constant(values, pixels_NCHW.dtype, pixels_NCHW.device).view(3, 1, 1)
            for values in (IMAGENET_MEAN, IMAGENET_STD)
        )
        return pixels_NCHW.mul_(1 / 255).sub_(mean).div_(std)

    def _embed(self, action_BTKA: Tensor) -> Tensor:
        embedding_BTE: Tensor = self.action_encoder((action_BTKA - self.action_mean) / self.action_std)
        return embedding_BTE


def _projector(config: ModelConfig, encoder: Encoder) -> nn.Module:
    """Returns what makes latents of the encoder's features.

    Raises:
        InputError: the features are to be the latents, and are of another size.
    """
    if config.projector == "mlp":
        return Projector(encoder.feature_size, config.projector_size, config.latent_size, config.projector_bias)
    if config.latent_size != encoder.feature_size:
        raise InputError(
            f"latent_size {config.latent_size} with projector 'none' does not fit encoder {config.encoder!r}, whose "
            f"features are {encoder.tokens} × {encoder.feature_size // encoder.tokens} values; "
            f"set latent_size to {encoder.feature_size}"
        )
    return nn.Identity()


def _windows(x_BTX: Tensor, length: int) -> Tensor:
    """Returns (B·W, length, X): the W = T - length + 1 windows of consecutive frames of each sequence."""
    return x_BTX.unfold(1, length, 1).transpose(2, 3).flatten(0, 1)
