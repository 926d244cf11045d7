"""The formulas, one file per kin. ``from lossctl.losses import huber``; nothing else is listed by hand."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossctl.model.registry import Loss


def discover() -> None:
    """Import every module of every family, sorted."""
    import pkgutil

    for family in sorted(m.name for m in pkgutil.iter_modules(__path__) if m.ispkg):
        package = importlib.import_module(f"{__name__}.{family}")
        for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
            importlib.import_module(f"{package.__name__}.{module}")


def __getattr__(name: str) -> Loss:
    from lossctl import index
    from lossctl.model.registry import door

    if name.startswith("_") or (index.normal(name) not in index.INDEX and index.normal(name) not in index.aliases()):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return door(name)


def __dir__() -> list[str]:
    from lossctl import index

    return sorted([*(n.replace("-", "_") for n in index.names()), "discover"])
