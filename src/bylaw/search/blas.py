"""How many threads multiply matrices."""

import ctypes
from pathlib import Path
from typing import Final

import numpy as np

_SET: Final = "scipy_openblas_set_num_threads64_"


def hold() -> bool:
    """Return whether products of arrays now run on the thread that asks for them, in this whole process.

    By default a product takes all cores and its threads wait for one another in a loop: beside a server at
    work that is several times slower, and slows decisions. NumPy has no word for it, so its library is told.
    Where NumPy stands on another one, nothing is done: there `OPENBLAS_NUM_THREADS=1` or its like does it.
    """
    for path in Path(np.__file__).parent.with_name("numpy.libs").glob("libscipy_openblas64_*"):
        library = ctypes.CDLL(str(path))
        if hasattr(library, _SET):
            getattr(library, _SET)(1)
            return True
    return False
