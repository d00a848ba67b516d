"""What the rooms of infra share in their tests."""

from tests.infra.kubernetes.conftest import manifests, overlay

__all__ = ["manifests", "overlay"]
