"""A run in words that a worker on another machine can follow: which files, which losses, which options.

It is JSON, and its hash stands in every state that comes of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from lossctl import __version__
from lossctl.data.inputs import Inputs
from lossctl.data.roles.binding import Request
from lossctl.engine.options import Options, Plan
from lossctl.errors import UsageError
from lossctl.model.call import LossCall

__all__ = ["Listed", "Recipe", "call_in", "call_out", "digest"]


class Listed(NamedTuple):
    """A data set of so many files, some of which are known by their places: those that say how all are read."""

    files: int
    known: Mapping[int, str]


class Recipe(NamedTuple):
    """``aim`` is what a task is for: to count rows, to survey them before the main pass, or to score them."""

    aim: str
    inputs: Inputs
    listed: Mapping[str, Listed]  # by path
    calls: Sequence[Mapping[str, Any]]
    request: Request
    options: Options
    chunk_rows: int
    staging: str | None = None  # where parts of the samples go
    run: str = ""  # no two runs share what was seen of the files
    version: str = __version__

    def dump(self) -> bytes:
        """The recipe as JSON."""
        tree = {
            **self._asdict(),
            "inputs": self.inputs._asdict(),
            "listed": {path: [one.files, sorted(one.known.items())] for path, one in self.listed.items()},
            "request": self.request._asdict(),
            "options": {**self.options._asdict(), "ci": None if self.options.ci is None else self.options.ci._asdict()},
        }
        return json.dumps(tree, sort_keys=True, separators=(",", ":")).encode()

    @classmethod
    def load(cls, text: bytes) -> Recipe:
        """The recipe out of JSON. Raises ``UsageError`` (code ``versions-differ``) for one of another lossctl."""
        tree = json.loads(text)
        if tree.get("version") != __version__:
            raise UsageError(
                f"a worker has lossctl {__version__}, and this is lossctl {tree.get('version')}",
                code="versions-differ",
                hint="install the same version on all machines of the cluster",
            )
        listed = {path: Listed(files, dict(known)) for path, (files, known) in tree["listed"].items()}
        request, options = (tupled(tree[name]) for name in ("request", "options"))
        plan = tree["options"]["ci"]
        options = {**options, "ci": None if plan is None else Plan(**plan)}
        inputs = Inputs(**{**tree["inputs"], "paths": tuple(tree["inputs"]["paths"])})
        made = {"inputs": inputs, "listed": listed, "request": Request(**request), "options": Options(**options)}
        return cls(**{**tree, **made})


def digest(recipe: bytes) -> str:
    """What tells states of one run from those of others."""
    return sha256(recipe).hexdigest()[:16]


def call_out(call: LossCall, label: str, resolved: Mapping[str, Any]) -> dict[str, Any]:
    """A call by its name and what was said of its parameters."""
    told = {"name": call.name, "given": dict(call.given), "of_set": call.of_set}
    return {**told, "label": label, "resolved": dict(resolved)}


def call_in(told: Mapping[str, Any]) -> LossCall:
    return LossCall.make(told["name"], tupled(told["given"]))._replace(of_set=told["of_set"])


def tupled(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Lists as the tuples that they were."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in tree.items()}
