"""``lossctl score``: many prediction files, one row for each, one column for each loss."""

from __future__ import annotations

import os
from typing import Any

import click

from lossctl.cli.common import COMMON, HELP
from lossctl.cli.losses import LossGroup, Records, input_options, reductions_of, row_options
from lossctl.cli.options import MANY, RESULTS, RUNNING
from lossctl.errors import UsageError

__all__ = ["named_path", "score"]


class ScoreGroup(LossGroup):
    """``score LOSSES PREDS...``."""

    files = "[NAME=]PREDS..."
    example = "lossctl score {} --targets truth.csv old=old.csv new=new.csv"

    def options(self, records: Records) -> list[click.Option]:
        views, default = reductions_of(records)
        results = RESULTS([view for view in views if view != "none"], default)
        *many, sort = MANY()
        return [*many, *input_options(records), *row_options(records), *results, sort, *RUNNING()]

    def work(self, ctx: click.Context, losses: str, values: dict[str, Any]) -> int:
        from lossctl.cli.scoring import run_score

        return run_score(ctx, losses, values)


def named_path(text: str) -> tuple[str, str]:
    """What a file is called, and its path: of ``NAME=path`` both, unless the whole of it is a path that exists."""
    name, sign, path = text.partition("=")
    if not sign or "://" in name or os.path.lexists(text) or matches(text):
        return text, text
    if not name or not path:
        raise UsageError(f"{text}: a name, and a path behind =", code="usage", hint="NAME=preds.csv")
    return name, path


def matches(text: str) -> bool:
    """Whether the text is a pattern of paths that there are."""
    import glob

    return glob.has_magic(text) and next(glob.iglob(text, recursive=True), None) is not None


@click.command(
    cls=ScoreGroup,
    context_settings=HELP,
    params=[*COMMON()],
    subcommand_metavar="LOSSES [OPTIONS] [NAME=]PREDS...",
    epilog=f"Example: {ScoreGroup.example.format('mse,mae')}",
)
@click.pass_context
def score(ctx: click.Context, /, **common: Any) -> None:
    """Score many prediction files with the same losses: one row for each file, one column for each loss.

    PREDS are tables with targets of their own, or predictions for one --targets FILE. NAME=PREDS calls a file
    NAME in the result.

    LOSSES is one of the names below, an alias, a comma list with parameters after colons, or a set: @FAMILY, @auto.
    """
    from lossctl.cli.common import apply_common

    apply_common(ctx, common)
