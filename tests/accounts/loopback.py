"""A server on loopback that answers exactly what a test says, byte for byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Script = Callable[[socket.socket, "Asked"], None]


@dataclass
class Asked:
    """A request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]


@dataclass
class Server:
    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.place}{path}"


def answer(
    status: str = "200 OK", body: bytes = b"", headers: dict[str, str] | None = None, length: bool = True
) -> bytes:
    """A plain answer in full."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def says(raw: bytes) -> Script:
    return lambda connection, asked: connection.sendall(raw)


@contextlib.contextmanager
def serving(
    script: Script, *, host: str = "127.0.0.1", family: int = socket.AF_INET, tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """The server, in threads of its own, for as long as the block runs."""
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, 0))
        listener.listen(16)
        server = Server(listener.getsockname()[1])
        thread = threading.Thread(target=_accept, args=(listener, server, script, tls), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _accept(listener: socket.socket, server: Server, script: Script, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _where = listener.accept()
            threading.Thread(target=_serve, args=(connection, server, script, tls), daemon=True).start()


def _serve(connection: socket.socket, server: Server, script: Script, tls: ssl.SSLContext | None) -> None:
    with contextlib.suppress(OSError), connection:
        connection.settimeout(10)
        talk = tls.wrap_socket(connection, server_side=True) if tls else connection
        with talk, talk.makefile("rb") as stream:
            line = stream.readline().decode().strip()
            headers = {}
            while text := stream.readline().decode().strip():
                name, _colon, value = text.partition(":")
                headers[name.lower()] = value.strip()
            asked = Asked(line, headers, stream.read(int(headers.get("content-length", 0))))
            server.asked.append(asked)
            script(talk, asked)
