"""What webdataset lacks to read our shards from S3: an opener for `s3://` addresses, with no shell pipe in between."""

import io
from typing import IO

from infra.storage import open_store


def register_s3() -> None:
    """Has `webdataset.WebDataset` open `s3://bucket/path.tar` with the standard variables and patient retries."""
    from webdataset.gopen import gopen_schemes

    gopen_schemes["s3"] = _open


def _open(url: str, mode: str = "rb", bufsize: int = 8192, **options: object) -> IO[bytes]:
    if "r" not in mode:
        raise ValueError(f"{url} is opened for mode {mode!r}; shards are only read")
    folder, _, name = url.rpartition("/")
    # Whole, because a shard has a few megabytes and a body that breaks off in the middle could not be taken up again.
    return io.BytesIO(open_store(folder).read(name))
