"""What of a machine may show in the digits: NumPy's exp and log depend on its version and on the processor."""

from __future__ import annotations

from functools import cache

import numpy as np

__all__ = ["environment"]


@cache
def environment() -> str:
    """NumPy's version, and the widest of the processor's instructions that NumPy makes use of.

    >>> environment().startswith("NumPy ")
    True
    """
    try:
        from numpy._core._multiarray_umath import __cpu_features__ as features
    except ImportError:  # not a public name
        features = {}
    used = [name for name in TELLING if features.get(name)]
    return " ".join([f"NumPy {np.__version__}", *used[:1]])


# Those for which NumPy has loops of its own for exp, log and their kin, the widest first.
TELLING = ("AVX512_SPR", "AVX512_SKX", "AVX512F", "AVX2", "FMA3", "SVE", "ASIMD", "NEON", "VSX4", "VSX3", "VXE", "RVV")
