"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from uncheck.errors import UncheckError


def write_file(path: Path, content: bytes) -> None:
    """Write one file as `write_files` does."""
    write_files({path: content})


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write files so that all replace older ones, or none does.

    All are written beside their places and forced to disk first, then renamed. A link stays a link, an older
    file's permissions stay, and what is no ordinary file (/dev/null, a pipe) is written to, not replaced.

    Args:
        files: contents by path, in folders that exist.

    Raises:
        UncheckError: one cannot be written; older files are then as they were, unless renaming itself failed
            half way.
    """
    contents = {Path(os.path.realpath(path)): content for path, content in files.items()}
    waiting: dict[Path, Path] = {}
    renamed: list[str] = []
    try:
        for target, content in contents.items():
            if target.is_file() or not target.exists():
                beside = target.with_name(f".uncheck-{secrets.token_hex(8)}")
                waiting[target] = beside
                _write_beside(beside, content, target)
        for target in contents.keys() - waiting.keys():
            target.write_bytes(contents[target])
        for target, beside in list(waiting.items()):
            beside.replace(target)
            del waiting[target]
            renamed.append(target.name)
    except OSError as error:
        where = next(iter(files)) if len(files) == 1 else next(iter(files)).parent
        left = f"only {', '.join(renamed)} is new" if renamed else "what was there is as it was"
        raise UncheckError(
            f"{where} cannot be written ({error.strerror or error}), and {left}; make room or name another "
            "place"
        ) from error
    finally:
        for beside in waiting.values():
            with suppress(OSError):
                beside.unlink()


def _write_beside(beside: Path, content: bytes, target: Path) -> None:
    """Write a new file, with the permissions of the one it will replace if there is one."""
    with beside.open("xb") as file:
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o7777)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
