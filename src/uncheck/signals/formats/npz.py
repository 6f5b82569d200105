"""`.npz`: several arrays of NumPy in one archive, never unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator

import numpy as np

from uncheck.errors import UncheckError
from uncheck.signals.formats.table import Found
from uncheck.signals.paths import check_values
from uncheck.words import plural

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read(path: str) -> Iterator[Found]:
    """Read each array of numbers with two axes or more; others, such as labels, are left out and said.

    Raises:
        UncheckError: no such array; one that is too large by its header, which is read first: what is packed
            into kilobytes may fill the memory.
    """
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".npy")]
        kept = []
        for name in names:
            with archive.open(name) as file:
                version = np.lib.format.read_magic(file)
                shape, _, dtype = _HEADERS.get(version, np.lib.format.read_array_header_2_0)(file)
            if dtype.kind in "buif" and len(shape) >= 2:
                check_values(f"{path}:{name[:-4]}", shape)
                kept.append(name)
        if not kept:
            raise UncheckError(
                f"{path}: holds no array of numbers with two axes or more (it holds "
                f"{', '.join(name[:-4] for name in names[:5]) or 'nothing'}); save pictures in it"
            )
        left = len(names) - len(kept)
        notes = (f"Of its {plural(len(names), 'array')}, {left} left out: no pictures.",) if left else ()
        for name in kept:
            with archive.open(name) as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
            yield Found(array, f":{name[:-4]}", notes=notes)
