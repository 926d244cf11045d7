"""``lossctl completion``: the script for a shell, and the answers that the script asks for."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

import click

from lossctl.cli.common import COMMON, HELP, apply_common
from lossctl.cli.terminal import put
from lossctl.errors import UsageError

__all__ = ["SHELLS", "completion"]

SHELLS = ("bash", "zsh", "fish")
FOLDER = os.path.join(os.path.dirname(__file__), "shells")
GLUE = ":="  # bash cuts words at these, before and behind
OPENERS = "@"  # and before these


@click.command(
    params=[
        click.Argument(["shell"], type=click.Choice(SHELLS)),
        click.Option(["--answer"], is_flag=True, hidden=True, help="Complete the last of the words behind --."),
        click.Option(["--line"], hidden=True, help="All that stands before the cursor, where the shell tells."),
        click.Option(["--breaks"], default="", hidden=True, help="Signs at which the shell cuts words."),
        *COMMON(),
    ],
    context_settings={**HELP, "allow_extra_args": True},
)
@click.pass_context
def completion(ctx: click.Context, /, shell: str, answer: bool, line: str | None, breaks: str, **common: Any) -> None:
    """Print the script that makes a shell complete lossctl."""
    apply_common(ctx, common)
    if answer:
        put(reply(shell, list(ctx.args), line or "", breaks), utf8=True)
        return
    if ctx.args:
        raise UsageError(f"{ctx.args[0]} is one argument too many", code="usage", hint=f"lossctl completion {shell}")
    with open(os.path.join(FOLDER, f"lossctl.{shell}"), encoding="utf-8") as file:
        put(file.read(), utf8=True)


def reply(shell: str, words: list[str], line: str, breaks: str) -> str:
    """What the script reads: ``words``, ``glued`` (no blank behind) or ``files``, then a candidate a line.

    Behind a tab stands what the candidate means. For bash a candidate is what takes the place of the last
    piece of the word, quoted; the other shells do this themselves.
    """
    from lossctl.cli.complete import complete

    quote = ""
    if shell == "bash":
        words, quote = split(line) if line.strip() else (joined(words), "")
    files, found = complete(words[1:-1], words[-1] if len(words) > 1 else "")
    if files:
        return "files\n"
    values = [(value, said) for value, said in found if value.isprintable()]
    mode = "glued" if any(value.endswith(("=", ":", ",")) for value, _ in values) else "words"
    if shell == "bash":
        done = words[-1] if words else ""
        cut = 0 if quote else max((done.rfind(sign) + 1 for sign in GLUE + OPENERS if sign in breaks), default=0)
        keep = done[:cut]
        values = [(escaped(value.removeprefix(keep), quote), said) for value, said in values]
    return "".join(f"{row}\n" for row in [mode, *(f"{value}\t{said}".rstrip() for value, said in values)])


def split(line: str) -> tuple[list[str], str]:
    """The words of a line as a shell sees them, the last one unfinished, and the quote that is open in it."""
    words: list[str] = []
    word, quote, started = "", "", False
    signs = iter(line)
    for sign in signs:
        if quote:
            if sign == quote:
                quote = ""
            elif sign == "\\" and quote == '"':
                word += next(signs, "")
            else:
                word += sign
        elif sign in "'\"":
            quote, started = sign, True
        elif sign == "\\":
            word, started = word + next(signs, ""), True
        elif sign.isspace():
            words, word, started = [*words, word] if word or started else words, "", False
        else:
            word += sign
    return [*words, word], quote


def joined(pieces: Sequence[str]) -> list[str]:
    """Words that bash cut at signs, put together again."""
    words: list[str] = []
    stuck = False
    for piece in pieces:
        sign = bool(piece) and all(letter in GLUE for letter in piece)
        if words and (stuck or sign):
            words[-1] += piece
        else:
            words.append(piece)
        stuck = sign or (bool(piece) and all(letter in OPENERS for letter in piece))
    return words


def escaped(value: str, quote: str) -> str:
    """The candidate as it may stand on a command line, within the quote that is open."""
    if quote == "'":
        return value.replace("'", "'\\''")
    if quote:
        return re.sub(r'(["\\$`])', r"\\\1", value)
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", value)
