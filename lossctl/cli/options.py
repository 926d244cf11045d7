"""Options that every loss shares, by heading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from lossctl.data.formats import FORMATS as READ
from lossctl.data.sinks.sink import SINKS
from lossctl.engine.options import CHOICES
from lossctl.report.render import FORMATS

__all__ = ["BATCHES", "MANY", "RESULTS", "ROWS", "RUNNING", "SAMPLES", "reading"]

NONE: Mapping[str, str] = {}
LIBRARIES = ("torch", "keras", "sklearn", "optax")


def choice(name: str) -> click.Choice[str]:
    """The words that the engine's option of this name takes."""
    return click.Choice([word for word in CHOICES[name] if word is not None])


def option(section: str, *names: str, **attributes: Any) -> click.Option:
    made = click.Option(list(names), **attributes)
    made.section = section  # type: ignore[attr-defined]
    return made


def reading(roles: Mapping[str, str], synonyms: Mapping[str, str] = NONE) -> list[click.Option]:
    """Which columns, how labels are read, and the file format; ``synonyms`` are other words for roles.

    A role takes its name: a loss with a role ``positive`` has no labels to call positive.
    """
    c, f = "Columns", "File format"
    options = [
        *(
            option(
                c,
                f"--{role}",
                *([f"--{synonyms[role]}"] if role in synonyms else []),
                f"r_{role.replace('-', '_')}",
                metavar="COLS",
                help=f"Columns of {role}: {phrase}. A name, a list, 'logit_*', FILE or FILE:COLS.",
            )
            for role, phrase in roles.items()
        ),
        option(c, "-w", "--weight", metavar="COL", help="Sample weights >= 0."),
        option(c, "--mask", metavar="COL", help="Rows that count: 1, or 0 for rows that do not."),
        option(c, "-k", "--key", metavar="COL[,COL]", help="Names the rows; two files are paired by it, in any order."),
        option(
            c,
            "--unmatched",
            type=click.Choice(["error", "drop"]),
            help="Rows whose key the other file lacks. [default: error]",
        ),
        option(c, "-g", "--by", metavar="COL[,COL]", help="Slices: the total and every group in the same pass."),
        option(c, "--classes", metavar="a,b,c", help="Classes in the order of the scores."),
        option(c, "--positive", metavar="NAME", help="The positive label, where labels are text."),
        option(f, "--input-format", metavar="F", help=f"{', '.join(READ)}; else by name, then content."),
        option(f, "--delimiter", metavar="C", help="What separates cells of a text table."),
        option(f, "--no-header", is_flag=True, help="The table has no header: columns are 1, 2, 3, ..."),
        option(f, "--null-value", metavar="S", multiple=True, help="A cell that means missing (repeatable)."),
        option(
            f,
            "--endpoint-url",
            metavar="URL",
            help="Of an S3 service. [default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, else Amazon's]",
        ),
    ]
    return [o for o in options if o.name is not None and (o.name.startswith("r_") or o.name not in roles)]


def ROWS() -> list[click.Option]:  # noqa: N802 - a constant that click wants fresh for every command
    """Which rows count, and how."""
    s = "Rows"
    return [
        option(
            s,
            "--nan",
            type=choice("nan"),
            default="error",
            help="NaN or missing values. [default: error]",
        ),
        option(
            s, "--limit", type=click.IntRange(min=1), metavar="N", help="The first N rows only; the result is partial."
        ),
        option(s, "--renormalize", is_flag=True, help="Divide rows of probabilities by their sum."),
        option(
            s,
            "--empty",
            type=choice("empty"),
            default="error",
            help="Where nothing is left to score. [default: error]",
        ),
    ]


def BATCHES() -> list[click.Option]:  # noqa: N802
    """Which rows a loss sees together."""
    s = "Rows"
    return [
        option(
            s,
            "--batch-size",
            type=click.IntRange(min=1),
            metavar="N",
            help="Rows seen together, in the order of the file. [default: all, up to 8,192]",
        ),
        option(s, "--batch", metavar="COL", help="Rows seen together: those with one value in this column."),
    ]


def MANY() -> list[click.Option]:  # noqa: N802
    """What only a call over many files has."""
    s, o = "Files", "Output"
    return [
        option(s, "--targets", metavar="FILE", help="The targets of every file, where it has none of its own."),
        option(s, "--keep-going", is_flag=True, help="Score the others if a file cannot be; exit 3 at the end."),
        option(o, "--sort", metavar="LABEL|name", help="Order of the rows: by this column, best first, or by name."),
    ]


def SAMPLES(*, aligned: bool) -> list[click.Option]:  # noqa: N802
    """Which rows are shown one by one; ``aligned``: a loss compares sequences unit by unit."""
    o = "Output"
    alignment = option(
        o,
        "--show-alignment",
        type=click.IntRange(min=1),
        metavar="N",
        help="The N worst rows, reference and hypothesis one above the other.",
    )
    return [
        option(o, "--rows", metavar="N|all", help="Per-sample values of the first N rows. [default: 10]"),
        option(o, "--worst", type=click.IntRange(min=1), metavar="N", help="Per-sample values of the N worst rows."),
        option(
            o,
            "--per-sample",
            metavar="FILE",
            help=f"Write every sample: {' '.join(SINKS)}.",
        ),
        *([alignment] if aligned else []),
    ]


def RESULTS(  # noqa: N802
    reductions: Sequence[str], default: str | None = None, samples: Sequence[click.Option] = ()
) -> list[click.Option]:
    """What is computed from the rows, and how it is shown; ``samples`` are the options of SAMPLES."""
    s, o = "Reduction", "Output"
    return [
        option(s, "--reduction", metavar="R", help=f"{', '.join(reductions)}. [default: {default or reductions[0]}]"),
        option(s, "--row", type=choice("row"), help="How a row of several elements becomes one value."),
        option(
            s,
            "--weight-norm",
            type=choice("weight_norm"),
            help="A weighted mean divides by the weights or by n. [default: sum]",
        ),
        option(s, "--like", type=click.Choice(LIBRARIES), help="That library's convention for this loss."),
        option(s, "--stats", is_flag=True, help="Also sum, std, min, max, median, p90, p99 and a histogram."),
        option(s, "--per-column", is_flag=True, help="Also each output column by itself."),
        option(s, "--per-class", is_flag=True, help="Also each class of the target by itself."),
        option(s, "--ci", metavar="[LEVEL]", help="An interval of each value; --ci alone is --ci 0.95."),
        option(
            s,
            "--ci-method",
            type=click.Choice(["bootstrap", "normal"]),
            help="Resampled rows, or the normal approximation. [default: bootstrap]",
        ),
        option(s, "--resamples", type=click.IntRange(1), metavar="N", help="Of the bootstrap. [default: 1000]"),
        option(s, "--seed", type=click.IntRange(0), metavar="N", help="Of the bootstrap. [default: 0]"),
        option(
            o,
            "-f",
            "--format",
            type=click.Choice(["auto", *FORMATS]),
            default="auto",
            help="auto is table on a terminal, else plain.",
        ),
        option(
            o, "-o", "--output", metavar="FILE", multiple=True, help="Also write .json .jsonl .csv .md (repeatable)."
        ),
        *samples,
        option(
            o, "--digits", type=click.IntRange(1, 17), default=6, metavar="N", help="Digits in tables. [default: 6]"
        ),
        option(o, "--csv-safe", is_flag=True, help="Guard CSV cells that a spreadsheet would run."),
        option(o, "--fail-above", metavar="[LOSS=]X", multiple=True, help="Exit 1 if the value is above X."),
        option(o, "--fail-below", metavar="[LOSS=]X", multiple=True, help="Exit 1 if the value is below X."),
    ]


def RUNNING() -> list[click.Option]:  # noqa: N802
    """How the work is cut."""
    s = "Running"
    return [
        option(
            s,
            "--threads",
            type=click.IntRange(min=1),
            metavar="N",
            help="At work at once; changes no digit. [default: one a core]",
        ),
        option(s, "--chunk-rows", type=click.IntRange(min=1), metavar="N", help="Rows held at once; changes no digit."),
        option(s, "--memory", metavar="SIZE", help="What may be held at once, such as 500M. [default: 2G]"),
        option(
            s,
            "--engine",
            type=choice("engine"),
            default="local",
            help="Threads of this machine, or a Dask cluster; changes no digit. [default: local]",
        ),
        option(
            s,
            "--scheduler",
            metavar="ADDR",
            help="Of a Dask cluster that is up. [default: DASK_SCHEDULER_ADDRESS, else processes of this machine]",
        ),
    ]
