"""The layouts in which weights of Vision Transformers are published, by their names alone.

Hugging Face's are those of the classes in its transformers package; DINO's and DINOv2's own repositories share a third.
"""

from typing import Any

from jepa.models.encoders.layouts import Layout, Names, layer


def _hugging_face(config: Any) -> Names:
    """Yields what ViTModel and Dinov2Model have in common."""
    yield "class_token", ("embeddings.cls_token",)
    yield "position", ("embeddings.position_embeddings",)
    yield from layer("patch_embedding", "embeddings.patch_embeddings.projection")
    yield from layer("norm", "layernorm")
    for i in range(config.depth):
        ours, theirs = f"blocks.{i}", f"encoder.layer.{i}"
        yield from layer(
            f"{ours}.attention.qkv", *(f"{theirs}.attention.attention.{x}" for x in ("query", "key", "value"))
        )
        yield from layer(f"{ours}.attention.out", f"{theirs}.attention.output.dense")


def hugging_face_vit(config: Any) -> Names:
    """Yields the tensors of Hugging Face's ViTModel, in which DINO and LeWorldModel are published too."""
    yield from _hugging_face(config)
    for i in range(config.depth):
        ours, theirs = f"blocks.{i}", f"encoder.layer.{i}"
        yield from layer(f"{ours}.norm_attention", f"{theirs}.layernorm_before")
        yield from layer(f"{ours}.norm_mlp", f"{theirs}.layernorm_after")
        yield from layer(f"{ours}.mlp.0", f"{theirs}.intermediate.dense")
        yield from layer(f"{ours}.mlp.2", f"{theirs}.output.dense")


def hugging_face_dinov2(config: Any) -> Names:
    """Yields the tensors of Hugging Face's Dinov2Model and Dinov2WithRegistersModel."""
    yield from _hugging_face(config)
    if config.registers:
        yield "registers", ("embeddings.register_tokens",)
    for i in range(config.depth):
        ours, theirs = f"blocks.{i}", f"encoder.layer.{i}"
        yield from _block(ours, theirs)
        if config.layer_scale:
            yield f"{ours}.attention_scale", (f"{theirs}.layer_scale1.lambda1",)
            yield f"{ours}.mlp_scale", (f"{theirs}.layer_scale2.lambda1",)


def dino(config: Any) -> Names:
    """Yields the tensors of the models in DINO's and DINOv2's own repositories."""
    yield "class_token", ("cls_token",)
    yield "position", ("pos_embed",)
    yield from layer("patch_embedding", "patch_embed.proj")
    yield from layer("norm", "norm")
    if config.registers:
        yield "registers", ("register_tokens",)
    for i in range(config.depth):
        name = f"blocks.{i}"
        yield from _block(name, name)
        yield from layer(f"{name}.attention.qkv", f"{name}.attn.qkv")
        yield from layer(f"{name}.attention.out", f"{name}.attn.proj")
        if config.layer_scale:
            yield f"{name}.attention_scale", (f"{name}.ls1.gamma",)
            yield f"{name}.mlp_scale", (f"{name}.ls2.gamma",)


def _block(ours: str, theirs: str) -> Names:
    yield from layer(f"{ours}.norm_attention", f"{theirs}.norm1")
    yield from layer(f"{ours}.norm_mlp", f"{theirs}.norm2")
    yield from layer(f"{ours}.mlp.0", f"{theirs}.mlp.fc1")
    yield from layer(f"{ours}.mlp.2", f"{theirs}.mlp.fc2")


VIT_LAYOUTS = (
    Layout(
        "Hugging Face's ViTModel",
        "encoder.layer.0.layernorm_before.weight",
        hugging_face_vit,
        ("pooler.", "embeddings.mask_token"),
    ),
    Layout(
        "Hugging Face's Dinov2Model", "encoder.layer.0.norm1.weight", hugging_face_dinov2, ("embeddings.mask_token",)
    ),
    Layout("DINO and DINOv2", "blocks.0.norm1.weight", dino, ("mask_token", "head.")),
)
