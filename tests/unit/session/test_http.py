# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Requests to an authority: whatever stands at the other end, one of two things comes back, and in time."""

from __future__ import annotations

import base64
import itertools
import threading
from collections.abc import Iterator

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError
from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.http import LIMIT, Answer, Http
from tests.unit.session.standin import Asked, Reply, StandIn, http, serving

HEADERS = {"X-Vault-Token": "s.secret"}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def ask(address: str, timeout: float = 5.0) -> Answer:
    return Http(address, "It", tls=None, timeout=timeout).send("POST", "v1/x", body={"a": 1}, headers=HEADERS)


def told(reply: Reply, timeout: float = 5.0) -> tuple[ProviderError, StandIn]:
    with serving(reply) as there:
        with pytest.raises(ProviderError) as error:
            ask(there.address, timeout)
        assert "s.secret" not in str(error.value)
        return error.value, there


def test_an_answer_is_an_answer_whatever_its_status() -> None:
    with serving(lambda asked: http(418, {"errors": ["no"]}, Date="Sun, 22 Nov 2026 19:41:25 GMT")) as there:
        answer = ask(f"{there.address}/below")
    (asked,) = there.asked
    assert (asked.method, asked.target, asked.json()) == ("POST", "/below/v1/x", {"a": 1})
    assert asked.headers["x-vault-token"] == "s.secret"
    assert (answer.status, answer.json(), answer.clock) == (418, {"errors": ["no"]}, 1795376485.0)
    assert "errors" not in repr(answer)


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Nov 2026 19:41:25 GMT"])
def test_no_clock_where_none_is_told(date: str) -> None:
    with serving(lambda asked: http(200, {}, Date=date)) as there:
        assert ask(there.address).clock is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff"])
def test_what_is_no_json_object_is_an_empty_one(body: bytes) -> None:
    with serving(lambda asked: http(200, body)) as there:
        assert ask(there.address).json() == {}


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("/elsewhere", "somewhere else"),
        ("http://[", "somewhere else"),
        ("http://127.0.0.2:1/?token=s.secret", "http://127.0.0.2"),
        ("https://s.secret@bao.example.com/x", "https://bao.example.com"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int, place: str, named: str) -> None:
    error, there = told(lambda asked: http(status, {}, Location=place))
    assert error.code == "SLW-7105"
    assert error.message == f"It redirects to {named}, and a token is not sent after it"
    assert len(there.asked) == 1


def test_an_endless_answer_is_cut() -> None:
    def endless(asked: Asked) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        yield from itertools.repeat(b"x" * 65536)

    error, _there = told(endless)
    assert (error.code, error.message) == ("SLW-7105", "It sent an answer of more than 1 MiB")


def test_a_large_answer_is_read() -> None:
    with serving(lambda asked: http(200, b" " * (LIMIT - 2) + b"{}")) as there:
        assert ask(there.address).body.endswith(b"{}")


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["status", "headers", "body", "body without length"],
)
def test_a_server_that_drips_does_not_hold_us(head: bytes) -> None:
    """Each byte arrives in time, and the whole never."""
    over = threading.Event()

    def drip(asked: Asked) -> Iterator[bytes]:
        yield head
        while not over.wait(0.05):
            yield b"H"

    error, _there = told(drip, timeout=0.3)
    over.set()
    assert (error.code, error.passes) == ("SLW-7101", True)
    assert error.message == "It does not answer: no answer within 0.3 s"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"", "Remote end closed connection without response"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", "the answer was cut off"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "the answer was cut off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{", "the answer was cut off"),
    ],
)
def test_what_is_no_answer(said: bytes, why: str) -> None:
    error, _there = told(lambda asked: said)
    assert (error.code, error.passes) == ("SLW-7101", True)
    assert error.message == f"It does not answer: {why}"


class TestProxy:
    def test_plain_requests_are_handed_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving(lambda asked: http(200, {})) as proxy:
            monkeypatch.setenv("http_proxy", f"http://me:p%40ss@127.0.0.1:{proxy.port}")
            ask("http://bao.example.com:8200")
        (asked,) = proxy.asked
        assert asked.target == "http://bao.example.com:8200/v1/x"
        assert base64.b64decode(asked.headers["proxy-authorization"].split()[1]) == b"me:p@ss"

    def test_tls_goes_through_a_tunnel_and_the_token_stays_inside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from ansible_collections.slipway.cluster.plugins.module_utils.session.providers.http import trusted

        with serving(lambda asked: http(403, {})) as proxy:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.port}")
            far = Http("https://bao.example.com:8200", "It", tls=trusted())
            with pytest.raises(ProviderError, match=r"SLW-7101 It does not answer: Tunnel connection failed: 403"):
                far.send("POST", "v1/x", headers=HEADERS)
        (asked,) = proxy.asked
        assert (asked.method, asked.target) == ("CONNECT", "bao.example.com:8200")
        assert "x-vault-token" not in asked.headers

    def test_not_for_hosts_that_are_excepted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        with serving(lambda asked: http(200, {})) as there:
            assert ask(there.address).status == 200

    def test_a_kind_that_nobody_here_speaks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
        with pytest.raises(ProviderError, match="names a socks5 proxy"):
            ask("http://bao.example.com")


def test_no_watch_goes_on_after_the_answer() -> None:
    with serving(lambda asked: http(200, {})) as there:
        ask(there.address)
    assert not [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, threading.Timer) and not thread.finished.is_set()
    ]
