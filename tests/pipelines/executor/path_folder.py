"""A folder of logs in a local directory, without a store."""

import threading
from dataclasses import dataclass
from pathlib import Path

from infra.work_log import JobRecord, UnitRecord


@dataclass(frozen=True)
class PathFolder:
    """Writes the documents as files; `broken` fails instead."""

    path: Path
    broken: bool = False
    kind: str = "test"
    name: str = "t0"

    def write_job(self, record: JobRecord) -> None:
        self._write("job", record.model_dump_json())

    def write_unit(self, file: str, record: UnitRecord) -> None:
        self._write(file, record.model_dump_json())

    def address(self, file: str) -> str:
        return str(self.path / f"{file}.json")

    def _write(self, file: str, text: str) -> None:
        if self.broken:
            raise OSError("the disk is full")
        self.path.mkdir(exist_ok=True)
        # Whole or not at all, as a store writes: the heart beats in a thread of its own while others read.
        unfinished = self.path / f"{file}.{threading.get_ident()}.unfinished"
        unfinished.write_text(text)
        unfinished.replace(self.path / f"{file}.json")

    def job(self) -> JobRecord:
        return JobRecord.model_validate_json((self.path / "job.json").read_text())

    def unit(self, file: str) -> UnitRecord:
        return UnitRecord.model_validate_json((self.path / f"{file}.json").read_text())
