"""ResNet-18 (He et al. 2016, arXiv:1512.03385) from torchvision, its batch statistics those of the global batch.

The encoder of LeWorldModel's ablation (arXiv:2603.19312): 94 % on Push-T where ViT-Tiny has 96 %.
Shapes: N frames, C channels, H × W pixels, F = 512 features.
"""

from torch import Tensor, nn

from jepa.core.config import Config
from jepa.models.encoders.encoder import ENCODERS, Encoder
from jepa.models.encoders.layouts import Layout, Names
from jepa.models.layers.batch_norm import GlobalBatchNorm


class ResNet18Config(Config):
    """A ResNet-18 has no sizes to set."""


def _torchvision(config: ResNet18Config) -> Names:
    """Yields the tensors of torchvision's ResNet-18."""
    norms = [("network.bn1", "bn1")]
    yield "network.conv1.weight", ("conv1.weight",)
    for stage in (1, 2, 3, 4):
        for block in (0, 1):
            name = f"layer{stage}.{block}"
            shortcut = [("downsample.0", "downsample.1")] if stage > 1 and not block else []
            for convolution, norm in [("conv1", "bn1"), ("conv2", "bn2"), *shortcut]:
                yield f"network.{name}.{convolution}.weight", (f"{name}.{convolution}.weight",)
                norms.append((f"network.{name}.{norm}", f"{name}.{norm}"))
    for ours, theirs in norms:
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{ours}.{part}", (f"{theirs}.{part}",)


@ENCODERS.register("resnet18")
class ResNet18Encoder(Encoder):
    """torchvision's ResNet-18 up to its average pooling; frames of any size."""

    Config = ResNet18Config
    layouts = (Layout("torchvision", "layer1.0.conv1.weight", _torchvision, ("fc.",)),)
    config: ResNet18Config

    def __init__(self, config: ResNet18Config, image_size: int) -> None:
        super().__init__(config, image_size)
        # Its import takes seconds, which only those who use it should pay.
        from torchvision.models import resnet18

        self.network = resnet18(norm_layer=GlobalBatchNorm)
        self.feature_size = self.network.fc.in_features
        self.network.fc = nn.Identity()

    def forward(self, pixels_NCHW: Tensor) -> Tensor:
        """Returns features (N, F), averaged over the last grid of H/32 × W/32."""
        features_NF: Tensor = self.network(pixels_NCHW)
        return features_NF
