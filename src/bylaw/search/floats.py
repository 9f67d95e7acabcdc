"""Arrays of 32-bit numbers: the vector of one text, or a row for each of many."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
