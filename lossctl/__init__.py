"""lossctl: losses of predictions against targets, right to the last digit.

>>> import lossctl
>>> lossctl.compute("huber", [0.5, 3.0], [0.0, 0.0], delta=1.0).value
1.3125
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "compute", "names", "score"]

if TYPE_CHECKING:
    from lossctl.api import compute, score
    from lossctl.index import names


def __getattr__(name: str) -> Any:
    """Import on first use: `import lossctl` itself loads neither NumPy nor any reader."""
    if name in {"compute", "score"}:
        from lossctl import api

        return getattr(api, name)
    if name == "names":
        from lossctl.index import names

        return names
    raise AttributeError(f"module 'lossctl' has no attribute {name!r}")
