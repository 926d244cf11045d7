"""Stores that pyarrow reads: S3 and what speaks like it, Google, Azure, Hadoop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from pyarrow import fs

from lossctl.data.stored import Stored
from lossctl.data.stores.names import split
from lossctl.data.stores.remote import RemoteBytes, changed
from lossctl.data.stores.retry import TRIES, patiently
from lossctl.data.stores.store import Entry, Writable
from lossctl.errors import DataError, UsageError

__all__ = ["ArrowStore", "other_store", "s3_store"]

T = TypeVar("T")

_S3_ACCESS = "credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; another server or place: "
_S3_ACCESS += "--endpoint-url or AWS_ENDPOINT_URL, AWS_REGION"
_CONNECT = 10  # seconds
_READ = 60
_PARTS = ("ETag", "Last-Modified", "Content-Length")


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
    ) -> None:
        self.files = files
        self._root = root
        self._base = base
        self.whom = whom
        self._access = access
        self._make = writing
        self._writing: Any = None
        self._lock = threading.Lock()

    def entry(self, uri: str) -> Entry | None:
        """What is there; ``None`` for nothing."""
        path = self._inner(uri)
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
        path = self._inner(entry.path)

        def opened() -> tuple[Any, dict[str, bytes]]:
            file = self.files.open_input_file(path)
            told = file.metadata() or {}
            return file, {key: told[key] for key in _PARTS if key in told}

        file, first = self._tried(opened, entry.path)
        size = file.size()

        def check() -> None:
            again, now = self._tried(opened, entry.path)
            if now != first or again.size() != size:
                raise changed(entry.path)

        if entry.size is not None and size != entry.size:
            raise changed(entry.path)
        name, tried = entry.path, self._tried
        return RemoteBytes(name, size, lambda offset, count: tried(lambda: file.read_at(count, offset), name), check)

    def create(self, uri: str) -> Writable:
        """A file to be written from its start."""
        stream: Writable = self._once(lambda: self._writer().open_output_stream(self._inner(uri)), uri)
        return stream

    def move(self, uri: str, to: str) -> None:
        """Another name for a file."""
        self._once(lambda: self._writer().move(self._inner(uri), self._inner(to)), uri)

    def remove(self, uri: str) -> None:
        """The file is gone."""
        self._once(lambda: self._writer().delete_file(self._inner(uri)), uri)

    def _writer(self) -> Any:
        with self._lock:
            if self._writing is None:
                self._writing = self.files if self._make is None else self._make()
            return self._writing

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

    def made(tries: int) -> Any:
        return fs.S3FileSystem(
            region=region,
            connect_timeout=_CONNECT,
            request_timeout=_READ,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=tries),
            **place,
        )

    return ArrowStore(made(1), root, bucket, whom, _S3_ACCESS, lambda: made(TRIES))


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
