"""What may stand next on a command line: read off click's own declarations, the index and the file's header."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import click

from lossctl import index
from lossctl.errors import UsageError

__all__ = ["complete"]

Found: TypeAlias = list[tuple[str, str]]  # candidates, and what each means
FILES: tuple[bool, Found] = (True, [])
QUANTILES = ("p50", "p90", "p95", "p99")


class Typed(NamedTuple):
    """The words behind a command: options with their values, positional words, an option that waits for one."""

    values: Mapping[str, list[str]]
    positional: list[str]
    waiting: click.Option | None
    ended: bool  # by --


def complete(words: Sequence[str], word: str) -> tuple[bool, Found]:
    """(whether files are wanted, candidates) for the unfinished ``word`` behind the finished ones."""
    from lossctl.cli.main import COMMANDS, cli

    root = click.Context(cli, info_name="lossctl")
    outer = typed(cli.params, words, first_only=True)
    if outer.waiting is not None or not outer.positional:
        commands = [(name, text) for name, (_, _, text) in COMMANDS.items()]
        return part(cli, outer, word, lambda: (False, starting(commands, word)), "", root)
    name, rest = outer.positional[0], outer.positional[1:]
    command = cli.get_command(root, name)
    if command is None:
        return False, []
    if isinstance(command, click.Group):
        return within_group(command, rest, word, root)
    inner = typed(command.params, rest)
    return part(command, inner, word, lambda: positional(name, command, inner, word), "", root)


def within_group(group: click.Group, words: Sequence[str], word: str, root: click.Context) -> tuple[bool, Found]:
    """Behind ``compute``: losses, then the options of these losses and files."""
    outer = typed(group.params, words, first_only=True)
    if outer.waiting is not None or not outer.positional:
        return part(group, outer, word, lambda: (False, losses(word)), "", root)
    named, rest = outer.positional[0], outer.positional[1:]
    try:
        command = group.get_command(root, named)
    except UsageError:
        return FILES
    assert command is not None
    inner = typed(command.params, rest)
    return part(command, inner, word, lambda: FILES, named, root)


def typed(params: Sequence[click.Parameter], words: Sequence[str], *, first_only: bool = False) -> Typed:
    """Sort the words; with ``first_only`` all from the first positional word on are positional."""
    options = [param for param in params if isinstance(param, click.Option)]
    known = {name: option for option in options for name in (*option.opts, *option.secondary_opts)}
    values: dict[str, list[str]] = {}
    found: list[str] = []
    waiting: click.Option | None = None
    ended = False
    for place, word in enumerate(words):
        name, sign, value = word.partition("=")
        if waiting is not None:
            values.setdefault(str(waiting.name), []).append(word)
            waiting = None
        elif word == "--" and not ended:
            ended = True
        elif word.startswith("-") and word != "-" and not ended:
            option = known.get(name) or known.get(word[:2])
            if option is None:
                continue
            metavar = option.metavar or ""
            if option.is_flag or (metavar.startswith("[") and metavar.endswith("]")):  # its value may be left out
                values.setdefault(str(option.name), [])
            elif sign or (word not in known and not word.startswith("--")):
                values.setdefault(str(option.name), []).append(value if sign else word[2:])
            else:
                waiting = option
        else:
            if first_only:
                return Typed(values, list(words[place:]), None, ended)
            found.append(word)
    return Typed(values, found, waiting, ended)


def part(
    command: click.Command, done: Typed, word: str, otherwise: Any, named: str, root: click.Context
) -> tuple[bool, Found]:
    """The value of an option, an option, or what stands ``otherwise``."""
    if done.waiting is not None:
        return option_value(done.waiting, done, word, named)
    if done.ended or not word.startswith("-"):
        answer: tuple[bool, Found] = otherwise()
        return answer
    name, sign, value = word.partition("=")
    options = [param for param in command.get_params(root) if isinstance(param, click.Option) and not param.hidden]
    if sign:
        option = next((option for option in options if name in option.opts), None)
        if option is None or option.is_flag:
            return False, []
        files, found = option_value(option, done, value, named)
        return files, [(f"{name}={text}", said) for text, said in found]
    return False, starting(option_names(options, done, word), word)


def option_names(options: Sequence[click.Option], done: Typed, word: str) -> Iterator[tuple[str, str]]:
    """Long names, and short ones where only a dash stands; what was given and may not be repeated is left out."""
    for option in options:
        if option.multiple or str(option.name) not in done.values:
            for name in (*option.opts, *option.secondary_opts):
                if name.startswith("--") or word == "-":
                    yield name, (option.help or "").split(". ")[0].rstrip(".")


def starting(pairs: Any, word: str) -> Found:
    return [(text, said) for text, said in pairs if text.startswith(word)]


def bare(texts: Any) -> Found:
    return [(str(text), "") for text in texts]


def positional(name: str, command: click.Command, done: Typed, word: str) -> tuple[bool, Found]:
    """What is neither an option nor its value, by the command."""
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    place = min(len(done.positional), len(arguments) - 1)
    argument = arguments[place] if place >= 0 else None
    if argument is None or (argument.nargs == 1 and len(done.positional) > place):
        return False, []
    if isinstance(argument.type, click.Choice):
        return False, starting(bare(argument.type.choices), word)
    if argument.name == "loss":
        return False, names(word)
    if argument.name == "subject":
        from lossctl.cli.help import subject_titles

        return False, [*starting(subject_titles(), word), *names(word)]
    if argument.name == "words":
        return False, []
    return FILES


def option_value(option: click.Option, done: Typed, word: str, named: str) -> tuple[bool, Found]:
    """What an option may be set to: choices, parameters' words, columns, families, formats, files."""
    name, metavar = str(option.name), option.metavar or ""
    if isinstance(option.type, click.Choice):
        return False, starting(bare(option.type.choices), word)
    if name.startswith("p_"):
        if metavar.endswith("FILE"):
            return FILES
        if metavar == "LOSS":
            return False, losses(word)
        before = word[: word.rfind(",") + 1] if metavar == "LIST" else ""
        return False, [
            (before + text, said) for text, said in starting(parameter_words(named, name[2:]), word[len(before) :])
        ]
    if metavar.startswith("COL"):
        return columns(done, word)
    if metavar == "LOSSES":
        return False, losses(word)
    if name == "family":
        return False, starting(((family, index.heading(family)) for family in index.families()), word)
    if name == "input_format":
        from lossctl.data.formats import FORMATS

        return False, starting(bare(FORMATS), word)
    if name == "sort":
        return False, starting(bare([*called(named), "name"]), word)
    if name == "reduction":
        return False, starting(reductions(named), word)
    if metavar.startswith("[LOSS=]"):
        return False, starting(((f"{loss}=", "") for loss in called(named)), word)
    words = [choice for choice in metavar.split("|") if choice.isalpha() and choice.islower()]
    return (False, starting(bare(words), word)) if words or "FILE" not in metavar else FILES


def losses(word: str) -> Found:
    """A loss, also behind a comma; behind a colon its parameters, and behind an equals sign their words."""
    comma, sign, last = word.rpartition(",")
    before = comma + sign
    call, colon, setting = last.rpartition(":")
    if last.startswith("@"):
        found = [(f"@{family}", index.heading(family)) for family in index.families()]
        found.append(("@auto", "every loss that fits the columns"))
        return [(before + text, said) for text, said in starting(found, last)]
    if not colon:
        return [(before + text, said) for text, said in names(last)]
    key, equals, value = setting.partition("=")
    before += call + colon
    name = call.split(":")[0]
    if equals:
        before += f"{key}={value[: value.rfind('/') + 1]}"  # of a list the last word
        return [(before + text, "") for text, _ in starting(parameter_words(name, key), value.rpartition("/")[2])]
    given = {part.partition("=")[0] for part in call.split(":")[1:]}
    return [(before + text, said) for text, said in settings(name, key) if text.rstrip("=") not in given]


def names(word: str) -> Found:
    """Canonical names; other names too once something is typed."""
    start = index.normal(word)
    found = [(name, index.INDEX[name][1]) for name in index.names()]
    if start:
        found += [(alias, f"another name of {name}") for alias, name in sorted(index.aliases().items())]
    return starting(found, start)


def called(named: str) -> list[str]:
    """The losses of a comma list, those of sets among them; without their parameters."""
    found: dict[str, None] = {}
    for call in named.split(","):
        name = index.normal(call.split(":")[0])
        family = index.families().get(name.removeprefix("@"), index.names() if name == "@auto" else [])
        found.update(dict.fromkeys(family if name.startswith("@") else [name]))
    return list(found)


def record_of(name: str) -> Mapping[str, Any]:
    try:
        return index.record(index.resolve(name))
    except UsageError:
        return {"params": {}, "reductions": []}


def word_of(param: Mapping[str, Any]) -> str:
    """A parameter as it stands behind a colon."""
    return str(param["option"]).removeprefix("--").replace("-", "_")


def settings(name: str, start: str) -> Iterator[tuple[str, str]]:
    """Parameters of a loss as they stand behind a colon."""
    for param in record_of(name)["params"].values():
        word = word_of(param)
        if word.startswith(start.replace("-", "_")) and not param["fixed"]:
            yield (word if param["flag"] else f"{word}="), param["help"]


def parameter_words(named: str, key: str) -> Found:
    """The words that a parameter of any of the losses may be; ``key`` is its name, or as it is typed."""
    found: dict[str, None] = {}
    for name in called(named):
        for own, param in record_of(name)["params"].items():
            if key.replace("-", "_") in {own, word_of(param)}:
                words = [*param["choices"], *(["true", "false"] if param["flag"] else [])]
                found.update(dict.fromkeys([*words, *(["none"] if "none" in param["phrase"].split(" | ") else [])]))
    return bare(found)


def reductions(named: str) -> Found:
    found: dict[str, None] = {}
    for name in called(named):
        for view in record_of(name)["reductions"]:
            found.update(dict.fromkeys(QUANTILES if view == "pNN" else (view,)))
    return bare(found)


def columns(done: Typed, word: str) -> tuple[bool, Found]:
    """Columns of the files on the command line, or of the file named before a colon; the last of a comma list."""
    from lossctl.cli.headers import column_names

    reader = {
        "input_format": next(iter(done.values.get("input_format", ())), None),
        "delimiter": next(iter(done.values.get("delimiter", ())), None),
        "no_header": "no_header" in done.values,
    }
    path, colon, rest = word.rpartition(":")
    before, files = "", [*map(path_of, done.positional), *done.values.get("targets", ())]
    if colon and os.path.isfile(os.path.expanduser(path)):
        before, files, word = path + colon, [path], rest
    comma, sign, last = word.rpartition(",")
    taken = set(comma.split(","))
    known = dict.fromkeys(name for file in files for name in column_names(file, **reader))
    if not known and not before:
        return FILES
    return False, [
        (f"{before}{comma}{sign}{name}", "") for name in known if name.startswith(last) and name not in taken
    ]


def path_of(word: str) -> str:
    """A file without the name that it is given (``NAME=path``)."""
    from lossctl.cli.score import named_path

    try:
        return named_path(word)[1]
    except UsageError:
        return word
