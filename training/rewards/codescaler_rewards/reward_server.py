"""One codescaler server: an address, its kept connections, and how busy this process keeps it."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from urllib.parse import urlsplit

CONNECT_S = 10.0


class RewardServer:
    """Sends requests to one server. May be used from several threads.

    `in_flight`, `away_until` and `failures` (in a row) belong to the client, which chooses between servers and
    guards them with its own lock.
    """

    def __init__(self, url: str, token: str) -> None:
        """Raises ValueError when `url` is no address of a server."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            raise ValueError(f"{url!r} is no address of a server. Give one like http://127.0.0.1:8123.")
        self.url = url
        self.host, self.port, self.secure = parts.hostname, parts.port, parts.scheme == "https"
        self.path = parts.path.rstrip("/") + "/v1/rank"
        self.token = token
        self.in_flight = 0
        self.away_until = 0.0
        self.failures = 0
        self.lock = threading.Lock()
        self.idle: list[http.client.HTTPConnection] = []

    def post(self, body: bytes, seconds: float) -> tuple[int, float | None, bytes]:
        """(status, seconds of Retry-After, body). Raises OSError or HTTPException when there is no answer."""
        with self.lock:
            kept = self.idle.pop() if self.idle else None
        try:
            if kept is not None:
                try:
                    return self.exchange(kept, body, seconds)
                except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                    # It was closed while nothing was sent; this says nothing about the server.
                    kept.close()
            kept = self.connect(seconds)
            return self.exchange(kept, body, seconds)
        except BaseException:
            if kept is not None:
                kept.close()
            raise

    def close(self) -> None:
        """Closes the connections that are kept for the next request."""
        with self.lock:
            while self.idle:
                self.idle.pop().close()

    def connect(self, seconds: float) -> http.client.HTTPConnection:
        """An open connection: a server that cannot be reached must not use up the time of a whole call."""
        limit = min(seconds, CONNECT_S)
        connection: http.client.HTTPConnection
        if self.secure:
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=limit, context=context)
        else:
            connection = http.client.HTTPConnection(self.host, self.port, timeout=limit)
        connection.connect()
        return connection

    def exchange(
        self, connection: http.client.HTTPConnection, body: bytes, seconds: float
    ) -> tuple[int, float | None, bytes]:
        """One request and its reply; the connection is kept when the server keeps it."""
        if connection.sock is not None:
            connection.sock.settimeout(seconds)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        connection.request("POST", self.path, body, headers)
        reply = connection.getresponse()
        content = reply.read()
        if reply.will_close:
            connection.close()
        else:
            with self.lock:
                self.idle.append(connection)
        wait = reply.getheader("Retry-After")
        return reply.status, float(wait) if wait and wait.isdecimal() else None, content


def message_in(content: bytes) -> str:
    """The sentence of a server's error, or what came instead of one."""
    try:
        return str(json.loads(content)["error"]["message"])
    except (KeyError, TypeError, ValueError):
        return content[:200].decode("utf-8", "replace")
