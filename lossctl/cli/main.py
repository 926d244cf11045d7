"""The command line: one entry, one place where errors become exit statuses."""

from __future__ import annotations

import gc
import os
import sys
from typing import Any, NoReturn

import click

from lossctl import __version__
from lossctl.cli.common import COMMON, Settings, apply_common
from lossctl.errors import BUG, CLOSED_PIPE, INTERRUPTED, LossctlError, OutputError, UsageError

__all__ = ["cli", "entry", "main"]

COMMANDS = {
    "compute": ("lossctl.cli.compute", "compute", "Score predictions against targets: one loss or many, in one pass."),
    "score": ("lossctl.cli.score", "score", "Many prediction files with the same losses: one row for each file."),
    "inspect": ("lossctl.cli.inspect", "inspect", "What a file holds, and the command to run on it."),
    "list": ("lossctl.cli.catalogue", "list_losses", "Every loss, by family, or those about some words."),
    "explain": ("lossctl.cli.catalogue", "explain", "One loss: formula, inputs, parameters, reduction, equivalents."),
    "completion": ("lossctl.cli.completion", "completion", "The script that makes a shell complete this command."),
    "help": ("lossctl.cli.help", "help_command", "A page of the manual: a command, a topic, a family, a loss."),
}


class Root(click.Group):
    """Subcommands that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        import importlib

        module, attribute, _ = COMMANDS[name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


def show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"lossctl {__version__}")
        ctx.exit()


@click.command(
    cls=Root,
    params=[
        *COMMON(),
        click.Option(
            ["-V", "--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=show_version,
            help="The version.",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: lossctl compute huber --delta 1.0 preds.csv",
)
@click.pass_context
def cli(ctx: click.Context, /, **common: Any) -> None:
    """Losses of predictions against targets, right to the last digit."""
    ctx.obj = Settings()
    apply_common(ctx, common)


class Terminated(BaseException):
    """SIGTERM, as an exception, so that temporary files are removed on the way out."""


def terminate(*_: object) -> NoReturn:
    raise Terminated


def entry() -> NoReturn:
    """The installed command: like ``main``, and leaves without unloading NumPy and Arrow piece by piece.

    Their threads and destructors take longer than many a run, and may race at exit. Modules and results are many
    objects that stay: looking through them for garbage at the usual pace would take a tenth of a short run.
    """
    gc.set_threshold(100_000, 20, 20)
    status = main()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(status)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit status.

    0 done, 1 a verdict, 2 usage, 3 data, 4 output, 70 a bug, 130 interrupted, 141 closed pipe, 143 ended.
    """
    import signal

    arguments = sys.argv[1:] if argv is None else argv
    signal.signal(signal.SIGTERM, terminate)
    try:
        return run(arguments)
    except BrokenPipeError:
        silence(sys.stdout)
        return CLOSED_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    except Terminated:
        return 143


def run(arguments: list[str]) -> int:
    debug = "--debug" in arguments
    try:
        if sys.stdout is None:
            raise OutputError("standard output is closed", code="output", hint="redirect it to a file or a pipe")
        # Not cli.main: it turns a closed pipe into status 1 before anybody else sees it.
        with cli.make_context("lossctl", list(arguments)) as context:
            status = cli.invoke(context)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return UsageError.exit
    except LossctlError as error:
        return complain(error, arguments, debug)
    except click.ClickException as error:
        return complain(from_click(error), arguments, debug)
    except OSError as error:
        return complain(OutputError(f"cannot write: {error.strerror or error}", code="output"), arguments, debug)
    except MemoryError as error:
        trouble = LossctlError(
            "out of memory", code="memory", hint="--chunk-rows and --memory bound what is held at once"
        )
        trouble.exit = 3
        return complain(trouble, arguments, debug, error)
    except Exception as error:
        text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        hint = "this is a bug in lossctl: run again with --debug and report the traceback"
        return complain(LossctlError(text, code="bug", hint=hint), arguments, debug, error)


def from_click(error: click.ClickException) -> UsageError:
    """click's own complaints in our form."""
    context = getattr(error, "ctx", None)
    hint = f"{context.command_path} --help" if context is not None else None
    if isinstance(error, click.NoSuchOption):
        near = close(error.option_name, list(error.possibilities or ()))
        return UsageError(f"there is no option {error.option_name} here", code="usage", hint=near or hint)
    return UsageError(error.format_message().rstrip("."), code="usage", hint=hint)


def close(word: str, names: list[str]) -> str | None:
    import difflib

    near = difflib.get_close_matches(word, names, n=2, cutoff=0.7)
    return f"did you mean {' or '.join(near)}?" if near else None


def wants_json(arguments: list[str]) -> bool:
    """Whether errors go out as JSON; read from the bare arguments, as parsing itself may have failed."""
    pairs = list(zip(arguments, [*arguments[1:], ""], strict=True))
    said = {f"{a}={b}" for a, b in pairs if a in {"-f", "--format", "--error-format"}} | set(arguments)
    if "--error-format=text" in said:
        return False
    return bool(said & {"-f=json", "-fjson", "--format=json", "--error-format=json"})


def complain(error: LossctlError, arguments: list[str], debug: bool, cause: BaseException | None = None) -> int:
    """Say what is wrong on stderr; the exit status."""
    from lossctl.report.problem import error_json, error_text

    if debug:
        import traceback

        traceback.print_exception(cause or error)
    text = error_json(error) if wants_json(arguments) else error_text(error)
    if sys.stderr is not None:
        try:
            print(text, file=sys.stderr)
        except OSError:
            pass
    if error.exit == OutputError.exit:
        silence(sys.stdout)
    return error.exit if error.exit else BUG


def silence(stream: Any) -> None:
    """Point a broken stream at nothing, so that the interpreter's last flush stays quiet."""
    if stream is None:
        return
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        pass
