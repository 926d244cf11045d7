"""Patience with stores: what may pass is tried again, what will not is said at once, and said well."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from typing import TypeVar

from lossctl.errors import DataError

__all__ = ["FailedError", "patiently"]

T = TypeVar("T")

TRIES = 5
FIRST_WAIT = 0.25  # seconds, doubled from one try to the next
LONGEST_WAIT = 8.0

_STATUS = re.compile(r"HTTP status (\d{3})|status(?:_code)?[=: ]+(\d{3})")
_ABSENT = re.compile(
    r"NO_SUCH_KEY|NO_SUCH_BUCKET|RESOURCE_NOT_FOUND|HTTP status 404|Bucket '.*' not found", re.IGNORECASE
)
_DENIED = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|INVALID_SIGNATURE|INVALID_CLIENT_TOKEN|"
    r"EXPIRED_TOKEN|MISSING_AUTHENTICATION|UNRECOGNIZED_CLIENT|OPT_IN_REQUIRED|HTTP status 40[13]|"
    r"AuthenticationFailed|AuthorizationFailure",
    re.IGNORECASE,
)
_PASSING = {408, 425, 429}


class FailedError(Exception):
    """A request that a server has answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def patiently(
    call: Callable[[], T], name: str, whom: str, access: str, *, tries: int | None = None, what: str = "read"
) -> T:
    """What the call returns, which is made again where it failed for what may pass.

    ``name`` is the file asked for, ``whom`` the server in words, ``access`` what to set where it denies access.
    Raises ``DataError``: ``not-found``, ``unreadable``.
    """
    wait, most = FIRST_WAIT, tries or TRIES
    for left in range(most - 1, -1, -1):
        try:
            return call()
        except (DataError, MemoryError):
            raise
        except Exception as error:
            if not left or not may_pass(error):
                raise _said(
                    error, name, whom, access, f"{most - left} tries" if most > left + 1 else "", what
                ) from None
        time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - so that many workers do not come at once
        wait = min(2 * wait, LONGEST_WAIT)
    raise AssertionError("a last try either returns or raises")


def may_pass(error: Exception) -> bool:
    """Whether the same request may succeed in a moment."""
    status = status_of(error)
    if status is not None:
        return status in _PASSING or status >= 500
    if isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError, NotImplementedError, ValueError)):
        return False
    text = str(error)
    if _ABSENT.search(text) or _DENIED.search(text):
        return False
    return isinstance(error, (OSError, TimeoutError)) or type(error).__module__.partition(".")[0] in _CLIENTS


_CLIENTS = {"aiohttp", "asyncio", "fsspec", "httpcore", "httpcore2", "httpx", "httpx2", "requests", "urllib3"}


def status_of(error: Exception) -> int | None:
    """The status of a server's answer, if there was one."""
    status = getattr(error, "status", None) or getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int) and status:
        return status
    found = _STATUS.search(str(error))
    return int(found[1] or found[2]) if found else None


def _said(error: Exception, name: str, whom: str, access: str, tries: str, what: str) -> DataError:
    status, text = status_of(error), " ".join(str(error).split())
    if isinstance(error, FileNotFoundError) or status in {404, 410} or _ABSENT.search(text):
        bucket = "NO_SUCH_BUCKET" in text or "Bucket '" in text
        message = f"{name}: no such bucket at {whom}" if bucket else f"{name}: no such file"
        return DataError(message, code="not-found", file=name, hint=f"asked: {whom}")
    if isinstance(error, PermissionError) or status in {401, 403} or _DENIED.search(text):
        message = f"{name} cannot be {what}: {whom} denies access"
        return DataError(message, code="unreadable", file=name, details=(_short(text),) if text else (), hint=access)
    after = f", after {tries}" if tries else ""
    message = f"{name} cannot be {what}: {whom} does not answer as it should{after}"
    return DataError(
        message, code="unreadable", file=name, details=(_short(text) or type(error).__name__,), hint=access
    )


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:300] + "..."
