"""stable-worldmodel's own LeWM with the weights of one of our models, as its `--export` writes them."""

from typing import Any

import torch
from torch import nn

from jepa.models.import_lewm import export_lewm
from jepa.models.world_model import ModelConfig, WorldModel


def peer_of(model: WorldModel) -> Any:
    """Returns the peer's model, in evaluation mode; every tensor of it is taken from ours.

    Raises:
        InputError: the model is not of the released form.
    """
    peer = empty_peer(model.config)
    peer.load_state_dict(export_lewm(model))
    return peer.eval()


def empty_peer(config: ModelConfig) -> Any:
    """Returns the peer's model of a configuration of the released form."""
    from stable_worldmodel.wm.lewm.lewm import LeWM
    from stable_worldmodel.wm.lewm.module import MLP, Embedder, Predictor
    from transformers import ViTConfig, ViTModel

    encoder, predictor, width = config.encoder_options, config.predictor_options, config.latent_size
    sizes: Any = {
        "hidden_size": encoder["width"],
        "num_hidden_layers": encoder["depth"],
        "num_attention_heads": encoder["heads"],
        "intermediate_size": encoder["mlp_ratio"] * encoder["width"],
        "image_size": config.image_size,
        "patch_size": encoder["patch_size"],
    }
    vit = ViTModel(ViTConfig.from_dict(sizes), add_pooling_layer=False, use_mask_token=False)
    block = config.frameskip * config.action_size
    actions = Embedder(
        input_dim=block,
        smoothed_dim=predictor["action_inner_size"] or block,
        emb_dim=width,
        mlp_scale=predictor["action_mlp_size"] // width,
    )
    return LeWM(
        vit,
        Predictor(
            num_frames=config.history,
            input_dim=width,
            hidden_dim=width,
            **{name: predictor[name] for name in ("depth", "heads", "dropout")},
            dim_head=predictor["head_size"],
            mlp_dim=predictor["mlp_size"],
        ),
        actions,
        MLP(encoder["width"], config.projector_size, width, norm_fn=nn.BatchNorm1d),
        MLP(width, predictor["projector_size"], width, norm_fn=nn.BatchNorm1d),
    )


def random_released(config: ModelConfig, seed: int = 0) -> WorldModel:
    """Returns a model of random weights none of which is zero, as training would leave them."""
    model = WorldModel.from_config(config, seed).eval()
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.predictor.parameters():
            weight.add_(0.05 * torch.randn(weight.shape, generator=draw))
    return model
