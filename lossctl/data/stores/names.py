"""URIs as text: what is one, and its parts. Nothing is looked up, and nothing heavy imported."""

from __future__ import annotations

from typing import NamedTuple

from lossctl.errors import UsageError

__all__ = ["SCHEMES", "Uri", "file_name", "is_uri", "joined", "listable", "local_path", "same_uri", "split", "tail"]

SCHEMES = ("s3", "gs", "abfs", "abfss", "hdfs", "http", "https", "hf")
WEB = ("http", "https")
_FILE = "file://"


class Uri(NamedTuple):
    """``scheme://host/key``; the key has no slash before it, and behind it as many as were typed."""

    scheme: str
    host: str
    key: str

    @property
    def root(self) -> str:
        """All before the key."""
        return f"{self.scheme}://{self.host}/"


def is_uri(path: str) -> bool:
    """Whether the path is that of a file elsewhere, rather than of one on this machine."""
    return "://" in path and path[: path.index("://")].lower() in SCHEMES


def local_path(path: str) -> str:
    """The path that ``file://`` URIs stand for; any other is as it is."""
    if path[:7].lower() != _FILE:
        return path
    rest = path[7:]
    if rest[:9].lower() == "localhost":
        rest = rest[9:]
    if not rest.startswith("/"):
        message = f"{path}: a file URI holds an absolute path behind two slashes"
        raise UsageError(message, code="bad-uri", hint="file:///folder/preds.csv, or the path alone")
    if "%" in rest:
        from urllib.parse import unquote

        rest = unquote(rest)
    return rest


def split(uri: str) -> Uri:
    """The parts of a URI. Raises ``UsageError`` (code ``bad-uri``) for one that holds a password or no host."""
    scheme, _, rest = uri.partition("://")
    scheme = scheme.lower()
    host, _, key = rest.partition("/")
    if scheme in WEB and "?" in host:
        host, _, query = host.partition("?")
        key = f"?{query}"
    user = host.rpartition("@")[0]
    if user and (":" in user or not scheme.startswith("abfs")):
        shown = f"{scheme}://...@{host.rpartition('@')[2]}/{key}"
        message = f"{shown}: credentials do not belong in a URI, which ends up in logs and results"
        raise UsageError(
            message, code="bad-uri", hint="set them in the environment, as the store's own tools read them"
        )
    if not host and scheme != "hdfs":
        what = "a bucket" if scheme in {"s3", "gs"} else "a host"
        raise UsageError(f"{uri}: the URI names no {what.split()[1]}", code="bad-uri", hint=f"{scheme}://{what}/...")
    return Uri(scheme, host, key)


def tail(path: str) -> str:
    """The path without what is no part of a file's name: the query and the fragment of a web address."""
    if path[:4].lower() != "http" or not is_uri(path):
        return path
    return path.partition("#")[0].partition("?")[0]


def file_name(path: str) -> str:
    """The last part of a URI, without a query."""
    return tail(path).rstrip("/").rpartition("/")[2]


def joined(folder: str, name: str) -> str:
    """Something in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def listable(uri: str) -> bool:
    """Whether the store can say what stands in a folder; web servers cannot."""
    return split(uri).scheme not in WEB


def same_uri(one: str, other: str) -> bool:
    """Whether two URIs name the same file, as far as their text tells."""
    return _plain(one) == _plain(other)


def _plain(uri: str) -> tuple[str, str, list[str]]:
    scheme, host, key = split(uri)
    if scheme in WEB:
        return scheme, host.lower(), [key]
    return scheme.replace("abfss", "abfs"), host, [part for part in key.split("/") if part]
