"""``lossctl list`` and ``lossctl explain``: the registry for people and for programs."""

from __future__ import annotations

from typing import Any

import click

from lossctl import index
from lossctl.cli.common import COMMON, HELP, Settings, apply_common, say
from lossctl.cli.terminal import looks, put
from lossctl.errors import UsageError

__all__ = ["explain", "explanation", "list_losses"]


def format_option() -> click.Option:
    return click.Option(
        ["-f", "--format"],
        type=click.Choice(["text", "json"]),
        default="text",
        help="For people, or for programs. [default: text]",
    )


@click.command(
    "list",
    params=[
        click.Argument(["words"], nargs=-1, metavar="[WORDS...]"),
        click.Option(["--family"], metavar="F", help="One family only."),
        format_option(),
        *COMMON(),
    ],
    context_settings=HELP,
)
@click.pass_context
def list_losses(ctx: click.Context, /, words: tuple[str, ...], family: str | None, format: str, **common: Any) -> None:
    """The losses by family, with titles and other names; with WORDS those about all of them."""
    settings = apply_common(ctx, common)
    families = index.families()
    if family is not None:
        families = {index.normal(family): families[known_family(family)]}
    if words:
        from lossctl.report.search import search

        found = set(search(words, [name for names in families.values() for name in names]))
        families = {f: kept for f, names in families.items() if (kept := [n for n in names if n in found])}
    chosen = [name for names in families.values() for name in names]
    if format == "json":
        from lossctl.report.catalogue import entry_json
        from lossctl.report.jsonout import dumps

        put("[\n" + ",\n".join(dumps(entry_json(name)) for name in chosen) + "\n]\n", utf8=True)
        return
    from lossctl.report.listing import counted, listing

    look = looks(settings)
    put("".join(f"{line}\n" for line in listing(families, width=look.width, color=look.color)))
    say(settings, counted(chosen))


def known_family(family: str) -> str:
    """The family under its own name, or a ``UsageError`` with all of them."""
    name = index.normal(family)
    if name not in index.families():
        raise UsageError(
            f"there is no family {family}", code="unknown-family", hint=f"families: {', '.join(index.families())}"
        )
    return name


@click.command(params=[click.Argument(["loss"], metavar="LOSS"), format_option(), *COMMON()], context_settings=HELP)
@click.pass_context
def explain(ctx: click.Context, /, loss: str, format: str, **common: Any) -> None:
    """One loss: formula, inputs, parameters, reduction, the same number elsewhere, traps, paper."""
    settings = apply_common(ctx, common)
    if format == "json":
        import json

        from lossctl.report.catalogue import entry_json

        put(
            json.dumps(entry_json(index.resolve(loss)), indent=1, ensure_ascii=False, allow_nan=False) + "\n", utf8=True
        )
    else:
        put(explanation(loss, settings))


def explanation(loss: str, settings: Settings) -> str:
    """What there is to say about a loss, under any of its names."""
    from lossctl.report.catalogue import entry_blocks
    from lossctl.report.page import Block, Para, Sub, literal
    from lossctl.report.pagetext import page_text

    name = index.resolve(loss)
    look = looks(settings)
    head: list[Block] = [Sub(f"{name}: {index.record(name)['title']}")]
    if index.normal(loss) != name:
        head.append(Para(literal(f"{index.normal(loss)} is another name of {name}.")))
    return page_text([*head, *entry_blocks(name)], width=look.page, color=look.color, encoding=look.encoding)
