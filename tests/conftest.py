"""What all tests share: the command as a process, the sample data, and servers on this machine."""

from __future__ import annotations

import importlib.util
import itertools
import logging
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# The same examples every time, and no clock: a slow machine is not a failure.
settings.register_profile("lossctl", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lossctl")

ROOT = Path(__file__).parent.parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real model outputs."""
    return ROOT / "sample_data"


@pytest.fixture
def lossctl(tmp_path: Path) -> Run:
    """Run ``lossctl ARGS`` as a process of its own in the test's folder."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "lossctl", *map(str, arguments)]
        settings: dict[str, object] = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 120, **options}
        return subprocess.run(command, **settings)  # type: ignore[call-overload,no-any-return]

    return run


@pytest.fixture(scope="session")
def scattered() -> Any:
    """A run as several processes would carry it out: the module ``scattered``."""
    spec = importlib.util.spec_from_file_location("scattered", ROOT / "tests" / "scattered.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class S3Server:
    """An S3 server in this process. ``log`` holds (method, path, range) of each request.

    ``faults`` are for the next requests that touch an object: (what its path ends with, status, or "reset" for a
    connection that breaks in the middle of the body).
    """

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import boto3
            from moto.server import DomainDispatcherApplication, create_backend_app
            from werkzeug.serving import WSGIRequestHandler, make_server
        logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
        self.log: list[tuple[str, str, str]] = []
        self.faults: list[tuple[str, int | str]] = []
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, True, request_handler=WSGIRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.client: Any = boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", **keys)

    def _answer(self, environ: dict[str, Any], start: Any) -> Any:
        path = environ["PATH_INFO"]
        self.log.append((environ["REQUEST_METHOD"], path, environ.get("HTTP_RANGE", "")))
        for at, (tail, what) in enumerate(self.faults):
            if path.endswith(tail):
                del self.faults[at]
                if what == "reset":
                    return _broken(self._app(environ, start))
                start(f"{what} Fault", [("Content-Length", "0")])
                return [b""]
        return self._app(environ, start)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _broken(body: Any) -> Iterator[bytes]:
    data = b"".join(body)
    yield data[: len(data) // 2]
    raise ConnectionResetError("a fault of the test")


class S3Bucket:
    """A bucket of its own for one test."""

    def __init__(self, server: S3Server, name: str) -> None:
        self.server = server
        self.name = name
        server.client.create_bucket(Bucket=name)

    def uri(self, key: str = "") -> str:
        return f"s3://{self.name}/{key}"

    def put(self, key: str, data: bytes | Path) -> str:
        """An object, and its URI."""
        body = data if isinstance(data, bytes) else data.read_bytes()
        self.server.client.put_object(Bucket=self.name, Key=key, Body=body)
        return self.uri(key)

    def get(self, key: str) -> bytes:
        body: bytes = self.server.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return body

    def keys(self) -> list[str]:
        return [each["Key"] for each in self.server.client.list_objects_v2(Bucket=self.name).get("Contents", [])]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server on the loopback, and credentials for it in the environment of all processes."""
    server = S3Server()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
                patch.delenv(name, raising=False)
            yield server
    finally:
        server.stop()


_BUCKETS = itertools.count()


@pytest.fixture
def s3_bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Bucket:
    """An empty bucket; the environment names its server."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    s3_server.faults.clear()
    bucket = S3Bucket(s3_server, f"bucket-{next(_BUCKETS)}")
    s3_server.log.clear()
    return bucket


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Readers go away when they know enough."""


class WebServer:
    """A web server in this process: ``files`` by path, ``/plain/...`` without ranges; ``faults`` as for S3."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.log: list[tuple[str, str, str]] = []
        self.faults: list[tuple[str, int | str]] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def put(self, path: str, data: bytes | Path) -> str:
        self.files[path] = data if isinstance(data, bytes) else data.read_bytes()
        return self.url + path

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        asked = request.headers.get("Range", "")
        self.log.append((request.command, request.path, asked))
        fault = next((at for at, (tail, _) in enumerate(self.faults) if path.endswith(tail)), None)
        what = 200 if fault is None else self.faults.pop(fault)[1]
        data = self.files.get(path)
        status = 404 if data is None else what if isinstance(what, int) else 200
        data = data if data is not None and status == 200 else b""
        head = {"ETag": f'"{hash(data) & 0xFFFFFFFF:x}-{len(data)}"'}
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", asked)
        if status == 200 and found and not path.startswith("/plain/"):
            start, stop = int(found[1]), min(int(found[2]) + 1, len(data))
            status = 206 if start < len(data) else 416
            head["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}" if status == 206 else f"bytes */{len(data)}"
            data = data[start:stop]
        head["Content-Length"] = str(len(data))
        request.send_response(status)
        for name, value in head.items():
            request.send_header(name, value)
        request.end_headers()
        if what == "reset":
            request.close_connection = True
            data = data[: len(data) // 2]
        try:
            request.wfile.write(data)
        except OSError:  # the reader needed the header only
            request.close_connection = True

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="session")
def _web() -> Iterator[WebServer]:
    server = WebServer()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def web_server(_web: WebServer) -> WebServer:
    """A web server on the loopback, with no files."""
    for each in (_web.files, _web.log, _web.faults):
        each.clear()
    return _web
