"""Commands that take LOSSES: one subcommand per loss, grown from the index, and comma lists of losses."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import click

from lossctl import index
from lossctl.cli.common import COMMON, HELP
from lossctl.cli.options import BATCHES, ROWS, reading
from lossctl.engine.options import LEVEL
from lossctl.errors import UsageError

__all__ = ["LossGroup", "Records", "batch_options", "input_options", "is_aligned", "reductions_of", "row_options"]

EVERYWHERE = "Everywhere"
Records: TypeAlias = Mapping[str, dict[str, Any]]  # of the index, by canonical name


class Sectioned(click.Command):
    """A command whose help shows its options under headings."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_levels(spelled_out(args, self.params)))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(param, "section", EVERYWHERE), []).append(record)
        everywhere = sections.pop(EVERYWHERE)
        for title, records in {**sections, EVERYWHERE: everywhere}.items():
            with formatter.section(title):
                formatter.write_dl(records)


def spelled_out(args: Sequence[str], params: Sequence[click.Parameter]) -> list[str]:
    """Short options as the long ones they stand for.

    click takes them for long ones first, and looks for names nearby: an import of 4 ms. What may be the value of the
    option before it stays as it is, and so does what stands behind ``--``.
    """
    options = [param for param in params if isinstance(param, click.Option)]
    longs = {name: option.opts[-1] for option in options for name in option.opts if name[1] != "-"}
    valued = {name for option in options if not option.is_flag for name in option.opts}
    end = list(args).index("--") if "--" in args else len(args)
    before = [None, *args]
    return [
        longs.get(word, word) if place < end and before[place] not in valued else word
        for place, word in enumerate(args)
    ]


def with_levels(args: Sequence[str]) -> list[str]:
    """``--ci`` may stand without its level: what follows is one only if it is a number, with % or without."""
    found = list(args)
    end = found.index("--") if "--" in found else len(found)  # behind it stand files
    for place, word in enumerate(found[:end]):
        if word == "--ci" and not any(map(LEVEL.fullmatch, found[place + 1 : place + 2])):
            found[place] = "--ci=0.95"
    return found


class LossGroup(click.Group):
    """``COMMAND LOSSES``: every canonical name and alias is a subcommand, and so is a comma list.

    A command says which files it takes, which options it has beside the parameters of the losses, and what it does.
    """

    files = ""  # how the usage line shows them
    example = ""  # a call, with {} for the losses

    @abstractmethod
    def options(self, records: Records) -> list[click.Option]:
        """Its options, for these losses."""

    @abstractmethod
    def work(self, ctx: click.Context, losses: str, values: dict[str, Any]) -> int:
        """Do it; the exit status."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return index.names()

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        try:
            names = [found for part in name.split(",") for found in index.named(part)]
        except UsageError:
            from lossctl.model.call import parse_calls

            parse_calls(name)  # says everything that is wrong with the list, not only the first thing
            raise
        return self.loss_command(name, list(dict.fromkeys(names)))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0].startswith("-"):
            raise UsageError(
                f"{args[0]} stands before the loss", code="usage", hint=f"lossctl {self.name} LOSS {args[0]} ... FILE"
            )
        return args[0], self.get_command(ctx, args[0]), args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for family, names in index.families().items():
            with formatter.section(family):
                formatter.write_dl([(name, index.record(name)["title"]) for name in names])

    def loss_command(self, text: str, names: list[str]) -> click.Command:
        """The command for one loss, or for several at once: their parameters and inputs are its options."""
        records = {name: index.record(name) for name in names}

        def callback(**values: Any) -> int:
            return self.work(click.get_current_context(), text, values)

        return Sectioned(
            text,
            params=[
                click.Argument(["files"], nargs=-1, metavar=self.files),
                *parameter_options(records, text),
                *self.options(records),
                *COMMON(),
            ],
            callback=callback,
            help=told(text, records),
            epilog=f"Example: {self.example.format(text)}" if self.example else None,
            context_settings=HELP,
        )


def told(text: str, records: Records) -> str:
    """What a command says of its losses."""
    names = list(records)
    if len(names) > 1:
        those = "those that fit the input of " if "@" in text else ""
        return f"{text}: {those}{', '.join(names)}, in one pass."
    record = records[names[0]]
    doc = f"{record['title']}. {record['summary']}"
    if names[0] != index.normal(text.split(":")[0]):
        doc += f" ({text} is {names[0]}.)"
    return f"{doc}\n\nFormula, conventions and equivalents: lossctl explain {names[0]}"


def input_options(records: Records) -> list[click.Option]:
    """Where the inputs of the losses stand, and how files are read."""
    words = {r: word for record in records.values() for r, word in record["synonyms"].items()}
    return reading(roles_of(records), words)


def row_options(records: Records) -> list[click.Option]:
    """Which rows count, and how, and which of them the losses see together."""
    return [*ROWS(), *batch_options(records)]


def batch_options(records: Records) -> list[click.Option]:
    """Which rows the losses see together, where any of them sees several."""
    return BATCHES() if any(record["scope"] == "batch" for record in records.values()) else []


def is_aligned(records: Records) -> bool:
    """Whether any of the losses compares sequences unit by unit."""
    return any(record["aligned"] for record in records.values())


def roles_of(records: Records) -> dict[str, str]:
    return {role: phrase for record in records.values() for role, _, _, phrase in record["inputs"]}


def reductions_of(records: Records) -> tuple[list[str], str]:
    """Every reduction of any of the losses, and which is the default."""
    views = [record["reductions"] for record in records.values()]
    defaults = {own[0] for own in views}
    return list(dict.fromkeys(view for own in views for view in own)), (
        defaults.pop() if len(defaults) == 1 else "each loss's own"
    )


def parameter_options(records: Records, text: str) -> list[click.Parameter]:
    """One option for each parameter of any of the losses; the losses parse the raw text themselves."""
    section = f"Parameters of {', '.join(records) if len(records) < 5 else text}"
    options: dict[str, tuple[dict[str, Any], list[str]]] = {}
    for name, record in records.items():
        for key, param in record["params"].items():
            options.setdefault(key, (param, []))[1].append(name)
    made: list[click.Parameter] = []
    for key, (param, owners) in options.items():
        word = "lambda" if key == "lam" else key.replace("_", "-")
        help_text = f"{param['help'][0].upper()}{param['help'][1:]}; {param['phrase']}. [default: {param['default']}]"
        if len(records) > 1:
            help_text = f"({', '.join(owners)}) {help_text}"
        # A preset's own parameter is an option all the same: another value is refused with a reason.
        hidden = all(records[name]["params"][key]["fixed"] for name in owners)
        if param["flag"]:
            option = click.Option([f"--{word}/--no-{word}", f"p_{key}"], default=None, help=help_text, hidden=hidden)
        else:
            option = click.Option([f"--{word}", f"p_{key}"], metavar=metavar(param), help=help_text, hidden=hidden)
        option.section = section  # type: ignore[attr-defined]
        made.append(option)
    return made


def metavar(param: Mapping[str, Any]) -> str:
    if param["list"]:
        return "LIST"
    if param["file"]:
        return "|".join([*param["choices"], "FILE"])
    if param["phrase"] == "loss":
        return "LOSS"
    return "|".join(param["choices"]) if param["choices"] and "number" not in param["phrase"] else "X"
