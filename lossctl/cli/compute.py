"""``lossctl compute``: one model, one loss or many."""

from __future__ import annotations

from typing import Any

import click

from lossctl.cli.common import COMMON, HELP
from lossctl.cli.losses import LossGroup, Records, input_options, is_aligned, reductions_of, row_options
from lossctl.cli.options import RESULTS, RUNNING, SAMPLES

__all__ = ["compute"]


class ComputeGroup(LossGroup):
    """``compute LOSSES PREDS [TARGETS | MORE...]``."""

    files = "PREDS [TARGETS | MORE...]"

    def options(self, records: Records) -> list[click.Option]:
        results = RESULTS(*reductions_of(records), SAMPLES(aligned=is_aligned(records)))
        return [*input_options(records), *row_options(records), *results, *RUNNING()]

    def work(self, ctx: click.Context, losses: str, values: dict[str, Any]) -> int:
        from lossctl.cli.run import run_compute

        return run_compute(ctx, losses, values)


@click.command(
    cls=ComputeGroup, context_settings=HELP, params=[*COMMON()], subcommand_metavar="LOSSES [OPTIONS] PREDS [TARGETS]"
)
@click.pass_context
def compute(ctx: click.Context, /, **common: Any) -> None:
    """Score predictions against targets: one loss or many, in one pass.

    LOSSES is one of the names below, an alias, or a comma list with parameters after colons:
    mse,huber:delta=0.5,pinball:quantile=0.9

    @FAMILY is every loss of a family that fits the columns, @auto every loss that does.
    """
    from lossctl.cli.common import apply_common

    apply_common(ctx, common)
