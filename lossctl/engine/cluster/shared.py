"""Paths that mean the same wherever a worker stands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from lossctl.data.roles.binding import Binding
from lossctl.data.stores.names import is_uri, local_path
from lossctl.engine.job import Job
from lossctl.engine.options import Options
from lossctl.errors import UsageError

__all__ = ["check_shared"]


def check_shared(binding: Binding, jobs: Sequence[Job], options: Options) -> None:
    """Refuse paths that begin in the working directory: workers of a cluster have other ones."""
    for what, path in named(binding, jobs, options):
        if not is_uri(path) and not os.path.isabs(local_path(path)):
            raise UsageError(
                f"{what}{path} is relative to this folder, and the workers of the cluster stand elsewhere",
                code="relative-path",
                file=path,
                hint=f"{os.path.abspath(path)}, if all of them see it there; or a URI",
            )


def named(binding: Binding, jobs: Sequence[Job], options: Options) -> Iterator[tuple[str, str]]:
    """Every path of the call, and what it is given by."""
    for source in binding.sources:
        yield "", source.name
    for job in jobs:
        for name, value in job.bound.call.given.items():
            parameter = job.spec.params[name]
            if parameter.file and isinstance(value, str) and value not in parameter.choices:
                yield f"--{name.replace('_', '-')} ", value
    if options.per_sample is not None:
        yield "--per-sample ", options.per_sample
