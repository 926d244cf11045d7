"""What a run settles before it looks at a row: losses, columns, and that the options fit them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from lossctl.data.roles.bind import bind, label_or_role
from lossctl.data.roles.binding import Batching, Binding, LeftOut, Request, left_out, nothing_fits
from lossctl.data.source import Source
from lossctl.engine.details import check_details
from lossctl.engine.job import Job
from lossctl.engine.options import Options
from lossctl.engine.pace import row_bytes
from lossctl.engine.plan import known_rows
from lossctl.engine.takings import check_units
from lossctl.errors import LossctlError, UsageError
from lossctl.model.call import LossCall, labels

__all__ = ["fitting", "ready"]

Made = TypeVar("Made")


def ready(
    calls: Sequence[LossCall],
    sources: list[Source],
    request: Request,
    options: Options,
    elsewhere: Mapping[str, int] | None = None,
) -> tuple[Request, Binding, list[Job]]:
    """Everything that a run settles before it looks at a row."""
    left = [left_out(call, call.refused) for call in calls if call.refused is not None]
    calls = [call for call in calls if call.refused is None]
    calls = [
        c for call in calls if (c := fitting(call, partial(with_convention, call, options.like), left)) is not None
    ]
    if not calls:
        raise nothing_fits(left)
    alone = [call for call in calls if not is_lost(call, request)]
    left += [left_out(call, NO_BATCH) for call in calls if call not in alone]
    if not (calls := alone):
        raise nothing_fits(left)
    request = label_or_role(request, calls, sources, elsewhere or {})
    binding = bind(calls, sources, request, elsewhere or {})
    binding = binding._replace(apart=options.nan if binding.unpaired else None)
    binding.left[:0] = left
    check_batches(binding, options)
    if options.per_sample is not None:
        from lossctl.engine.outlet import check_path  # seldom wanted

        check_path(options.per_sample, binding)
    names = labels([bound.call for bound in binding.calls])
    weighted = binding.weight is not None
    made = [
        fitting(bound.call, partial(Job, bound, name, options, weighted=weighted, files=files), binding.left)
        for bound, name, files in zip(binding.calls, names, map(binding.files, binding.calls), strict=True)
    ]
    jobs = [job for job in made if job is not None]
    if not jobs:
        raise nothing_fits(binding.left)
    check_options(jobs, options)
    check_details(jobs, options)
    return request, binding, jobs


def fitting(call: LossCall, make: Callable[[], Made], left: list[LeftOut]) -> Made | None:
    """What ``make`` makes; ``None``, and noted as left out, if the call belongs to a set and that fails."""
    try:
        return make()
    except LossctlError as error:
        if call.of_set is None:
            raise
        left.append(left_out(call, error))
        return None


NO_BATCH = UsageError("sees rows in batches: --batch-size N, or --batch COL", code="batch-size")


def is_lost(call: LossCall, request: Request) -> bool:
    """Whether a call of ``@auto`` is for batches, and nobody has said what a batch is."""
    said = request.batch is not None or request.batch_size is not None
    return call.of_set == "@auto" and call.entry.spec.scope == "batch" and not said


def check_batches(binding: Binding, options: Options) -> None:
    """Refuse what is known to be too long for one batch before anything is read."""
    if binding.batching == Batching():
        from lossctl.data.batches import WHOLE, too_long  # seldom wanted

        if (known_rows(binding, options.limit) or 0) > WHOLE:
            raise too_long()
    size = 0 if binding.batching is None or binding.batching.size is None else binding.batching.size
    if (needed := min(size, known_rows(binding, options.limit) or size) * row_bytes(binding)) > options.memory:
        raise UsageError(
            f"--batch-size {size:,}: the arrays of a batch take {needed:,} bytes, and --memory allows "
            f"{options.memory:,}",
            code="memory",
            hint="smaller batches, or more --memory",
        )


def with_convention(call: LossCall, like: str | None) -> LossCall:
    """The call under a library's convention."""
    if like is None:
        return call
    known = call.entry.spec.like
    if like not in known:
        hint = f"--like takes, for it: {', '.join(known)}" if known else "leave --like out: no library has another one"
        raise UsageError(f"{call.name} has no convention of {like}", code="no-convention", hint=hint)
    preset = {k: v for k, v in known[like].items() if k in call.entry.spec.params and k not in call.entry.fixed}
    for name, value in preset.items():
        if name in call.given and call.given[name] != value:
            raise UsageError(
                f"--like {like} means {name}={value} for {call.name}, and the call says {call.given[name]}",
                code="preset-parameter",
                hint="leave one of them out",
            )
    return call.with_params(soft=preset)


def check_options(jobs: Sequence[Job], options: Options) -> None:
    """Refuse options that no named loss can follow, rather than let them do nothing."""
    named = ", ".join(job.bound.call.name for job in jobs)
    if options.row is not None and not any(job.reduce.row_mode for job in jobs):
        raise UsageError(f"--row: rows of {named} have no elements to add up", code="bad-option")
    if options.renormalize and not any(i.kind.sums_to_one(j.params) for j in jobs for i in j.spec.inputs):
        raise UsageError(f"--renormalize: {named} takes no rows of probabilities", code="bad-option")
    if options.ci is not None and (options.per_column or options.per_class):
        raise UsageError(
            "--ci is for totals and slices, not for --per-column and --per-class",
            code="bad-option",
            hint="leave one of them out; --by gives slices their intervals",
        )
    check_units(jobs, options)
