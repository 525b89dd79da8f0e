"""Cache of Brian2's templates as Jinja compiled them."""

import contextlib

from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from neuroanp.engine.build.cache import _claim, cache_folder, explained


class TemplateCache(FileSystemBytecodeCache):
    """Brian2's templates as Jinja compiled them; without space for them they are compiled again."""

    def __init__(self) -> None:
        with explained(folder := cache_folder()):
            _claim(folder)
            (folder / "templates").mkdir(mode=0o700, exist_ok=True)
        super().__init__(str(folder / "templates"))

    def dump_bytecode(self, bucket: Bucket) -> None:
        with contextlib.suppress(OSError):
            super().dump_bytecode(bucket)
