"""The manual: a page for each command, family and topic, from click's declarations, the index and the topics.

``python -m lossctl.cli.man`` rewrites the folder ``man``; a test holds it byte for byte.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator, Sequence

import click

from lossctl import index
from lossctl.cli.common import COMMON
from lossctl.cli.losses import LossGroup
from lossctl.report.catalogue import entry_blocks
from lossctl.report.page import Block, Item, Line, Page, Para, Section, Span, Sub, bold, literal
from lossctl.report.tables import status_items
from lossctl.report.topics import title, topics, words

__all__ = ["command_page", "family_page", "overview_page", "pages", "sources", "topic_page"]

EVERYWHERE = "Everywhere"
ROLE = "--pred, --target, --ROLE"
ROLE_WORDS = (
    "Columns of an input of the loss, by its name: a name, a list a,b,c, a pattern such as 'logit_*', or FILE:COLS to "
    "take them from another file."
)


def pages() -> Iterator[Page]:
    """Every page of the manual."""
    yield overview_page()
    yield from map(command_page, commands())
    yield from map(family_page, index.families())
    yield from map(topic_page, topics())


def commands() -> dict[str, str]:
    """Each command and its one line."""
    from lossctl.cli.main import COMMANDS

    return {name: text for name, (_, _, text) in COMMANDS.items()}


def overview_page() -> Page:
    """lossctl(1)."""
    from lossctl.cli.main import cli

    context = context_of(cli, "lossctl", None)
    said, rest = parted("lossctl")
    blocks = [
        *head("lossctl", "losses of predictions against targets, right to the last digit"),
        Section("SYNOPSIS"),
        Para((Span("lossctl ", "bold"), Span("COMMAND", "italic"), Span(" [OPTIONS] [ARGUMENTS...]"))),
        Section("DESCRIPTION"),
        *said,
        Section("COMMANDS"),
        *(Item(bold(name), (literal(text),)) for name, text in commands().items()),
        Section("OPTIONS"),
        *options(cli.get_params(context), context),
        Section("TOPICS"),
        *(Item(bold(name), (literal(title(name)),)) for name in topics()),
        Section("FAMILIES OF LOSSES"),
        *(Item(bold(name), (literal(index.heading(name)),)) for name in index.families()),
        *rest,
        *status(),
        *see("lossctl"),
    ]
    return Page("lossctl", 1, blocks)


def command_page(name: str) -> Page:
    """lossctl-NAME(1)."""
    from lossctl.cli.main import cli

    outer = context_of(cli, "lossctl", None)
    command = cli.get_command(outer, name)
    assert command is not None
    context = context_of(command, name, outer)
    said, rest = parted(name)
    blocks = [
        *head(f"lossctl-{name}", commands()[name].rstrip(".")),
        Section("SYNOPSIS"),
        Para((Span(f"lossctl {name}", "bold"), Span(f" {synopsis(command, context)}"))),
        Section("DESCRIPTION"),
        *own_words(command, whole=not said),
        *said,
        Section("OPTIONS"),
        *options(parameters(command, context), context),
        *rest,
        *status(),
        *see(f"lossctl-{name}"),
    ]
    return Page(f"lossctl-{name}", 1, blocks)


def parted(name: str) -> tuple[list[Block], list[Block]]:
    """The words about a command: its description, and the sections that stand below its options."""
    blocks = words(name)
    cut = next((place for place, block in enumerate(blocks) if isinstance(block, Section)), len(blocks))
    return blocks[:cut], blocks[cut:]


def own_words(command: click.Command, *, whole: bool) -> Iterator[Block]:
    """The command's help, or only how it begins."""
    parts = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    yield from (Para(literal(part)) for part in (parts if whole else parts[:1]))


def context_of(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent, **command.context_settings)


def synopsis(command: click.Command, context: click.Context) -> str:
    if isinstance(command, click.Group):
        return command.subcommand_metavar or ""
    return " ".join(command.collect_usage_pieces(context))


def family_page(name: str) -> Page:
    """lossctl-FAMILY(7): every loss of the family."""
    page = f"lossctl-{name}"
    names = index.families()[name]
    blocks: list[Block] = [
        *head(page, index.heading(name)),
        Section("LOSSES"),
        *(Item(bold(loss), (literal(index.record(loss)["title"]),)) for loss in names),
    ]
    for loss in names:
        blocks += [Section(loss), *entry_blocks(loss, inner=True)]
    return Page(page, 7, [*blocks, *see(page)])


def topic_page(name: str) -> Page:
    """lossctl-TOPIC(7)."""
    page = f"lossctl-{name}"
    return Page(page, 7, [*head(page, title(name)), Section("DESCRIPTION"), *words(name), *see(page)])


def head(page: str, line: str) -> list[Block]:
    return [Section("NAME"), Para(literal(f"{page} - {line[0].lower()}{line[1:]}"))]


def parameters(command: click.Command, context: click.Context) -> list[click.Parameter]:
    """The command's options; where it takes losses those that every loss has, without the parameters of each."""
    if not isinstance(command, LossGroup):
        return command.get_params(context)
    usual = [
        name for name in index.names() if {role for role, *_ in index.record(name)["inputs"]} == {"pred", "target"}
    ]
    every = command.loss_command(",".join(usual), usual)
    return [param for param in every.get_params(context) if not str(param.name).startswith("p_")]


def options(params: Sequence[click.Parameter], context: click.Context) -> Iterator[Block]:
    """Options under their headings, what stands everywhere last."""
    everywhere = {word for option in COMMON() for word in option.opts} | {"--help"}
    found: dict[str, dict[str, Block]] = {}
    for param in params:
        record = param.get_help_record(context) if isinstance(param, click.Option) else None
        if record is not None:
            title = getattr(param, "section", EVERYWHERE if everywhere & set(param.opts) else "")
            role = str(param.name).startswith("r_")
            found.setdefault(title, {})[ROLE if role else param.opts[-1]] = option(param, *record)
    last = found.pop(EVERYWHERE, {})
    for title, items in {**found, EVERYWHERE: last}.items():
        if items:
            yield from [Sub(title)] if title else []
            yield from items.values()


def option(param: click.Parameter, words: str, meaning: str) -> Item:
    """One option. What depends on the loss is said of all of them."""
    if str(param.name).startswith("r_"):
        return Item(option_term(f"{ROLE} COLS"), (literal(ROLE_WORDS),))
    if param.name == "reduction":
        meaning = re.sub(r"\[default: .*?\]", "[default: the loss's own]", meaning)
    return Item(option_term(words), (literal(meaning),))


def option_term(text: str) -> Line:
    """``-f, --format [text|json]``: what is typed as it stands in bold, what is put in slanted."""
    spans: list[Span] = []
    for word in text.split(" "):
        plain = word.rstrip(",/")
        style = "bold" if plain.startswith("-") else "italic"
        spans += [Span(" ")] if spans else []
        spans += [Span(plain, style), *([Span(word[len(plain) :])] if plain != word else [])]  # type: ignore[arg-type]
    return tuple(spans)


def status() -> list[Block]:
    return [Section("EXIT STATUS"), *status_items()]


def see(page: str) -> list[Block]:
    """All other pages."""
    names = ["lossctl(1)", *(f"lossctl-{name}(1)" for name in commands())]
    names += [f"lossctl-{name}(7)" for name in (*index.families(), *topics())]
    return [Section("SEE ALSO"), Para(literal(", ".join(name for name in names if name[:-3] != page)))]


def sources() -> dict[str, str]:
    """Every page in roff, by its path below the folder."""
    from lossctl.report.roff import roff

    return {f"man{page.section}/{page.name}.{page.section}": roff(page) for page in pages()}


def write(folder: str) -> None:
    """Every page into the folder; pages of ours that are no more go."""
    texts = {os.path.join(folder, path): text for path, text in sources().items()}
    for path in {os.path.dirname(path) for path in texts}:
        os.makedirs(path, exist_ok=True)
        for name in os.listdir(path):
            if name.startswith("lossctl") and os.path.join(path, name) not in texts:
                os.unlink(os.path.join(path, name))
    for path, text in texts.items():
        with open(path, "w", encoding="ascii", newline="\n") as file:
            file.write(text)


FOLDER = os.path.join(os.path.dirname(inspect.getfile(index)), os.pardir, "man")

if __name__ == "__main__":
    write(FOLDER)
