"""Reports in files: the format is the extension's, and a file is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator

from lossctl.engine.result import Report
from lossctl.engine.scores import Scores
from lossctl.errors import LossctlError, OutputError, UsageError
from lossctl.report.render import render

__all__ = ["EXTENSIONS", "output_format", "write_atomically", "write_output"]

EXTENSIONS = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".md": "markdown"}


def output_format(path: str | os.PathLike[str]) -> str:
    """The format that the extension asks for; ask before the work begins."""
    name = os.fspath(path)
    extension = os.path.splitext(name)[1].lower()
    if extension in EXTENSIONS:
        return EXTENSIONS[extension]
    raise UsageError(
        f"{name} has no extension of a report" if not extension else f"{extension} is no report: {name}",
        code="unknown-extension",
        file=name,
        hint=f"end the name in {', '.join(EXTENSIONS)}",
    )


def write_output(
    report: Report | Scores,
    path: str | os.PathLike[str],
    *,
    digits: int = 6,
    csv_safe: bool = False,
) -> None:
    """Write the report to ``path``, in the format of its extension, whole or not at all."""
    format = output_format(path)
    write_atomically(os.fspath(path), render(report, format, digits=digits, csv_safe=csv_safe))


def write_atomically(path: str, chunks: Iterable[str]) -> None:
    """Put the text at ``path`` (UTF-8): readers see the old file or the new one, never a part.

    The text goes to a temporary file beside the target and is renamed once it is on the disk; if
    anything fails, an interrupt too, the temporary file is removed. Pipes and devices are written
    straight through.
    """
    with _naming(path):
        old = os.stat(path) if os.path.exists(path) else None
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise _refused(path, "Is a directory")
    if old is not None and not stat.S_ISREG(old.st_mode):
        return _pour(path, path, chunks, sync=False)
    target = os.path.realpath(path)  # through a symbolic link, not over it
    temporary = os.path.join(os.path.dirname(target), f".lossctl-{os.urandom(8).hex()}.tmp")
    try:
        _pour(path, temporary, chunks, sync=True)
        with _naming(path):
            if old is not None:
                os.chmod(temporary, stat.S_IMODE(old.st_mode))
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _pour(path: str, target: str, chunks: Iterable[str], *, sync: bool) -> None:
    """Write the chunks to ``target``; a failure to write is an error about ``path``."""
    with _naming(path):
        file = open(target, "xb" if sync else "wb")  # noqa: SIM115 (closed below, each failure named)
    try:
        for chunk in chunks:
            with _naming(path):
                file.write(chunk.encode("utf-8", "backslashreplace"))
        with _naming(path):
            file.flush()
            if sync:
                os.fsync(file.fileno())
            file.close()
    finally:
        with contextlib.suppress(OSError):
            file.close()


@contextlib.contextmanager
def _naming(path: str) -> Iterator[None]:
    """An error of the system inside becomes one that names the path and the cause."""
    try:
        yield
    except LossctlError:
        raise
    except OSError as error:
        raise _refused(path, error.strerror or str(error) or type(error).__name__) from error


def _refused(path: str, cause: str) -> OutputError:
    return OutputError(f"cannot write {path}: {cause}", file=path)
