"""An S3 server on the loopback, behind a door that can be told to fail."""

from __future__ import annotations

import contextlib
import http.client
import logging
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

moto = pytest.importorskip("moto.server")
ACCESS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Door(ThreadingHTTPServer):
    """Hands requests on to the server behind it; ``rule(method, path)`` may answer first.

    A rule returns ``None`` (hand it on), a status to answer with, "reset" (cut the line), "lost" (hand it on and cut
    the line before the answer) or an event that is waited for and one of these.
    """

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Passage)
        self.behind = port
        self.rule: Callable[[str, str], Any] = lambda method, path: None
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is what many tests are about."""


class Passage(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Door

    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def answer(self) -> None:
        body = self.body()
        with self.server.lock:
            self.server.requests.append((self.command, self.path))
            verdict = self.server.rule(self.command, self.path)
        if isinstance(verdict, tuple):
            verdict[0].wait(30)
            verdict = verdict[1]
        if verdict == "reset":
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(verdict, int):
            self.send_response(verdict)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.hand_on(body, lost=verdict == "lost")

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def hand_on(self, body: bytes, lost: bool) -> None:
        own = {"expect", "transfer-encoding", "content-length", "connection"}
        headers = {key: value for key, value in self.headers.items() if key.lower() not in own}
        line = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)
        try:
            line.request(self.command, self.path, body, headers)
            told = line.getresponse()
            content = told.read()
            if lost:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(told.status)
            for key, value in told.getheaders():
                if key.lower() not in {"connection", "transfer-encoding", "date", "server"}:
                    self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
        finally:
            line.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer


@pytest.fixture(scope="session")
def door() -> Iterator[Door]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    before = {key: os.environ.get(key) for key in ACCESS}
    os.environ.update(ACCESS)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    made = Door(server.get_host_and_port()[1])
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()
        thread.join()
        server.stop()
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value


class Bucket:
    """A fresh bucket, seen without lossctl."""

    def __init__(self, door: Door, name: str, client: Any) -> None:
        self.door, self.name, self.client = door, name, client
        self.uri = f"s3://{name}"

    def sizes(self) -> dict[str, int]:
        """The sizes of all objects but the marks of folders."""
        found = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return {item["Key"]: item["Size"] for item in found if not item["Key"].endswith("/")}

    def get(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        return content

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=data)

    @contextlib.contextmanager
    def failing(self, rule: Callable[[str, str], Any]) -> Iterator[list[tuple[str, str]]]:
        """The requests from here on, of which some fail."""
        self.door.requests.clear()
        self.door.rule = rule
        try:
            yield self.door.requests
        finally:
            self.door.rule = lambda method, path: None


@pytest.fixture(scope="session")
def client(door: Door) -> Any:
    boto3 = pytest.importorskip("boto3")
    return boto3.client("s3", endpoint_url=f"http://127.0.0.1:{door.behind}")


@pytest.fixture
def bucket(door: Door, client: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Bucket:
    monkeypatch.setenv("AWS_ENDPOINT_URL", door.url)
    monkeypatch.setattr("lossctl.data.stores.arrow.TRIES", 1)
    monkeypatch.setattr("lossctl.data.stores.retry.FIRST_WAIT", 0.001)
    name = f"bucket-{os.urandom(4).hex()}"
    client.create_bucket(Bucket=name)
    return Bucket(door, name, client)
