"""Batches of clips from a stored dataset, on a schedule that depends on nothing but its seed.

The path of a clip through the native loader, each step in the file of its name in `native/`:

1. **schedule** says which clip comes in which slot of which batch: a pure function of the chunks, the seed and the
   epoch. So a position is two integers, and any number of workers reads the same global batches.
2. **tasks** group the clips that one slot takes from one chunk, so that a chunk is decoded once for several batches.
3. **fetch** reads the chunk's stored bytes, from a folder or from S3 ahead of time, whole shards through the
   **shard_cache** on the local disk; a chunk's digest is checked when it is first read.
4. **decode** decompresses the wanted frames, each straight into the row of a batch that it belongs to.
5. **assemble** copies frames that several clips share, and the clip's actions and state.
6. **buffers** hold the batches meanwhile, in pinned memory where a GPU will fetch them.
7. **damage_policy** decides what to do where steps 3-5 found a damaged chunk: stop, or take another clip.
8. **pipeline** runs 2-7 ahead of the training in threads, and hands out the batches in order.

>>> request = ClipRequest(dataset=dataset, split="train", history=3, horizon=1, frameskip=4, batch_size=12, seed=0)
>>> with open_loader(request) as loader:
...     clips = next(loader)
...     position = loader.position()
>>> clips.pixels_BTHWC.shape  # 12 clips of 3 + 1 frames, 4 environment steps apart
torch.Size([12, 4, 32, 32, 3])
>>> clips.action_BTKA.shape  # an action block of 4 actions between each two frames
torch.Size([12, 3, 4, 2])
>>> position  # of the next batch: save it with the weights, and `seek` continues there
{'epoch': 0, 'batch': 1}
"""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.loader.config import LoaderConfig
    from pipelines.loader.counters import LoaderCounters
    from pipelines.loader.loader import LOADERS, Loader, open_loader
    from pipelines.loader.request import ClipRequest, ClipShape

__all__ = ["LOADERS", "ClipRequest", "ClipShape", "Loader", "LoaderConfig", "LoaderCounters", "open_loader"]

offer_lazily(__name__)
