"""Stores that pyarrow reads: S3 and what speaks like it, Google, Azure, Hadoop."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from pyarrow import fs

from lossctl.data.stored import Stored
from lossctl.data.stores.names import split
from lossctl.data.stores.remote import RemoteBytes, changed
from lossctl.data.stores.retry import TRIES, patiently
from lossctl.data.stores.sending import Sending
from lossctl.data.stores.store import Entry, Writable
from lossctl.errors import DataError, UsageError

__all__ = ["ArrowStore", "other_store", "s3_store"]

T = TypeVar("T")

_S3_ACCESS = "credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; another server or place: "
_S3_ACCESS += "--endpoint-url or AWS_ENDPOINT_URL, AWS_REGION"
_CONNECT = 10  # seconds
_READ = 60
_WRITING = {"background_writes": False, "allow_delayed_open": True}  # bounded memory; small files in one request
_SEEN = 64  # objects that were asked for, and most likely are read next


class _Seen(NamedTuple):
    """An object as it was when it was asked for."""

    file: Any
    size: int
    tag: bytes
    mark: str


class ArrowStore:
    """A file system of pyarrow. ``root`` is what URIs begin with, ``base`` what paths begin with in its place.

    Reading is tried again here; ``writing`` gives the file system to write with, which does so itself.
    """

    def __init__(
        self,
        files: Any,
        root: str,
        base: str,
        whom: str,
        access: str,
        writing: Callable[[], Any] | None = None,
        *,
        heads: bool = False,
    ) -> None:
        self.files = files
        self._root = root
        self._base = base
        self.whom = whom
        self._access = access
        self._make = writing
        self._writing: Any = None
        self._heads = heads  # whether a file tells its age when it is opened
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._lock = threading.Lock()

    def entry(self, uri: str) -> Entry | None:
        """What is there; ``None`` for nothing."""
        path = self._inner(uri)
        if self._heads and not uri.endswith("/") and path != self._base:  # one request, where a file is most likely
            seen = self._tried(lambda: self._there(path), uri)
            if seen is not None:
                with self._lock:
                    self._seen[path] = seen
                    while len(self._seen) > _SEEN:
                        self._seen.popitem(last=False)
                return Entry(uri, seen.size, seen.mark, folder=False)
        info = self._tried(lambda: self.files.get_file_info([path])[0], uri)
        if info.type == fs.FileType.NotFound or (info.type != fs.FileType.Directory and uri.endswith("/")):
            return None
        return Entry(uri, info.size, _mark(info), info.type == fs.FileType.Directory)

    def entries(self, uri: str, below: bool) -> Iterator[Entry]:
        """What stands in a folder, or the files below it."""
        selector = fs.FileSelector(self._inner(uri), recursive=below, allow_not_found=True)
        infos = self._tried(lambda: self.files.get_file_info(selector), uri)
        infos.reverse()
        while infos:  # each is let go once it is handed on: there may be a million
            info = infos.pop()
            folder = info.type == fs.FileType.Directory
            if not (folder and below):
                yield Entry(self._outer(info.path), info.size, _mark(info), folder)

    def stored(self, entry: Entry) -> Stored:
        """The bytes of a file."""
        name, path, tried = entry.path, self._inner(entry.path), self._tried
        with self._lock:
            known = self._seen.pop(path, None)
        if known is None or known.mark != entry.mark:
            known = tried(lambda: self._opened(path), name)
        first = known
        if entry.size is not None and first.size != entry.size:
            raise changed(name)

        def check() -> None:  # pyarrow does not see when an answer is shorter than asked for
            if tried(lambda: self._opened(path), name)[1:] != first[1:]:
                raise changed(name)

        return RemoteBytes(
            name, first.size, lambda offset, count: tried(lambda: first.file.read_at(count, offset), name), check
        )

    def create(self, uri: str) -> Writable:
        """A file to be written from its start."""
        stream = self._once(lambda: self._writer().open_output_stream(self._inner(uri)), uri)
        return Sending(stream, lambda call: self._once(call, uri))

    def move(self, uri: str, to: str) -> None:
        """Another name for a file."""
        self._once(lambda: self._writer().move(self._inner(uri), self._inner(to)), uri)

    def remove(self, uri: str) -> None:
        """The file is gone."""
        self._once(lambda: self._writer().delete_file(self._inner(uri)), uri)

    def clear(self, uri: str) -> None:
        """The folder is gone with all below it."""
        self._once(lambda: self._writer().delete_dir(self._inner(uri)), uri)

    def _writer(self) -> Any:
        with self._lock:
            if self._writing is None:
                self._writing = self.files if self._make is None else self._make()
            return self._writing

    def _there(self, path: str) -> _Seen | None:
        try:
            return self._opened(path)
        except FileNotFoundError:
            return None

    def _opened(self, path: str) -> _Seen:
        file = self.files.open_input_file(path)
        told = file.metadata() or {}
        tag = told.get("ETag", b"") + b" " + told.get("Last-Modified", b"")
        mark = ""
        if self._heads:
            seconds = datetime.fromisoformat(told["Last-Modified"].decode()).timestamp()
            mark = f"{file.size()}@{int(seconds)}"
        elif not tag.strip():
            tag = str(self.files.get_file_info([path])[0].mtime_ns).encode()
        return _Seen(file, file.size(), tag, mark)

    def _tried(self, call: Callable[[], T], uri: str) -> T:
        return patiently(call, uri, self.whom, self._access)

    def _once(self, call: Callable[[], T], uri: str) -> T:
        return patiently(call, uri, self.whom, self._access, tries=1, what="written")

    def _inner(self, uri: str) -> str:
        return f"{self._base}/{split(uri).key}".rstrip("/") if self._base else "/" + split(uri).key.rstrip("/")

    def _outer(self, path: str) -> str:
        return self._root + path[len(self._base) :].lstrip("/")


def _mark(info: Any) -> str:
    size = "" if info.size is None else str(info.size)
    return size if info.mtime_ns is None else f"{size}@{info.mtime_ns // 10**9}"


def s3_store(bucket: str, endpoint: str | None, region: str | None) -> ArrowStore:
    """A bucket at Amazon, or at the server behind an endpoint. The region is looked up where nobody names one."""
    root = f"s3://{bucket}/"
    place: dict[str, Any] = {}
    if endpoint is not None:
        scheme, sign, address = endpoint.partition("://")
        if not sign or scheme.lower() not in {"http", "https"} or not address.strip("/") or "@" in address:
            message = f"{endpoint.rpartition('@')[2]}: the endpoint is no address of a server"
            raise UsageError(message, code="bad-uri", hint="--endpoint-url http://127.0.0.1:9000")
        place = {"scheme": scheme.lower(), "endpoint_override": address.rstrip("/")}
    if region is None:
        region = patiently(lambda: fs.resolve_s3_region(bucket), root, "Amazon S3", _S3_ACCESS)
    whom = f"{endpoint or 'Amazon S3'} (region {region})"

    def made(tries: int, **writing: bool) -> Any:
        return fs.S3FileSystem(
            region=region,
            connect_timeout=_CONNECT,
            request_timeout=_READ,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=tries),
            **place,
            **writing,
        )

    return ArrowStore(made(1), root, bucket, whom, _S3_ACCESS, lambda: made(TRIES, **_WRITING), heads=True)


def other_store(scheme: str, host: str) -> ArrowStore:
    """Google Cloud Storage, Azure, or Hadoop."""
    root = f"{scheme}://{host}/"
    if scheme == "gs":
        access = "credentials: GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login"
        return ArrowStore(_made(fs.GcsFileSystem, root), root, host, "Google Cloud Storage", access)
    if scheme == "hdfs":
        server, _, port = host.partition(":")
        access = "HADOOP_HOME, JAVA_HOME and CLASSPATH tell where Hadoop is installed"
        files = _made(lambda: fs.HadoopFileSystem(server or "default", int(port or 0)), root, access)
        return ArrowStore(files, root, "", f"Hadoop at {host or 'its default'}", access)
    return _azure(root, host)


def _azure(root: str, host: str) -> ArrowStore:
    container, _, server = host.partition("@")
    names = ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT")
    account = server.partition(".")[0] or next((os.environ[name] for name in names if os.environ.get(name)), "")
    if not account:
        message = f"{root}: the URI names no storage account, and the environment neither"
        hint = f"{root.replace(host, container + '@ACCOUNT.dfs.core.windows.net')}..., or set {names[0]}"
        raise DataError(message, code="unreadable", file=root, hint=hint)
    key = os.environ.get("AZURE_STORAGE_ACCOUNT_KEY") or os.environ.get("AZURE_STORAGE_KEY")
    files = _made(lambda: fs.AzureFileSystem(account, account_key=key or None), root)
    access = "credentials: AZURE_STORAGE_ACCOUNT_KEY, or az login"
    return ArrowStore(files, root, container, f"Azure account {account}", access)


def _made(make: Callable[[], T], root: str, hint: str | None = None) -> T:
    try:
        return make()
    except Exception as error:
        cause = " ".join(str(error).split())[:300]
        message = f"{root} cannot be read: {cause or type(error).__name__}"
        raise DataError(message, code="unreadable", file=root, hint=hint) from None
