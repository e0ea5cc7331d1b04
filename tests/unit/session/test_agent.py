# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the agent answers, and to whom: everything else gets nothing."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from ansible_collections.slipway.cluster.plugins.module_utils.session import wire
from ansible_collections.slipway.cluster.plugins.module_utils.session.agent import Agent, Conversation
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError
from ansible_collections.slipway.cluster.plugins.module_utils.session.hosts import HostPolicy
from ansible_collections.slipway.cluster.plugins.module_utils.session.identity import Counts, Identity
from ansible_collections.slipway.cluster.plugins.module_utils.session.keys import public_blob
from ansible_collections.slipway.cluster.plugins.module_utils.session.wire import Reader, string

from .peers import Authority, Server, bind, login, sign_request

SESSION = b"s" * 32
HOSTS = ed25519.Ed25519PrivateKey.generate()


def agent(mode: str = "enforce", authority: Authority | None = None) -> Agent:
    counts = Counts()
    identity = Identity(authority or Authority(), ("slipway-test",), 600, patience=0, counts=counts)
    hosts = HostPolicy(mode, lambda: (public_blob(HOSTS.public_key()),))
    return Agent(identity, hosts, counts, dict)


def body(answer: bytes) -> Reader:
    """An answer without its length. The length is checked."""
    whole = Reader(answer)
    content = whole.string()
    whole.end()
    return Reader(content)


def listed(talk: Conversation) -> list[tuple[bytes, str]]:
    reader = body(talk.answer(bytes([wire.REQUEST_IDENTITIES])))
    if reader.byte() != wire.IDENTITIES_ANSWER:
        pytest.fail("no list")
    found = [(reader.string(), reader.string().decode()) for _number in range(reader.uint32())]
    reader.end()
    return found


def signs(talk: Conversation, blob: bytes, data: bytes, flags: int = 0) -> bool:
    kind = body(talk.answer(sign_request(blob, data, flags))).byte()
    return kind == wire.SIGN_RESPONSE


def bound(to: Agent, server: Server) -> Conversation:
    talk = Conversation(to)
    assert body(talk.answer(server.bind(SESSION))).byte() == wire.SUCCESS
    return talk


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "ecdsa384", "rsa"])
@pytest.mark.parametrize("hostbound", [False, True])
def test_a_login_to_a_certified_host_is_signed(kind: str, hostbound: bool) -> None:
    server = Server(HOSTS, kind)
    talk = bound(agent(), server)
    [(blob, comment)] = listed(talk)
    assert comment == "test"
    data = login(SESSION, blob, host_key=server.blob if hostbound else None)
    reader = body(talk.answer(sign_request(blob, data)))
    assert reader.byte() == wire.SIGN_RESPONSE
    signature = Reader(reader.string())
    assert signature.string() == b"ssh-ed25519"
    certificate = agent_key(talk)
    certificate.verify(signature.string(), data)


def agent_key(talk: Conversation) -> Any:
    return talk._agent.identity.issued.certificate.key


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize(
    ("server", "why"),
    [
        (lambda kind: Server(None, kind), "has no certificate"),
        (lambda kind: Server(ed25519.Ed25519PrivateKey.generate(), kind), "no host CA of ours"),
        (lambda kind: Server(HOSTS, kind, as_host=False), "no host CA of ours"),
        (lambda kind: Server(HOSTS, kind, life=-5), "outside its validity"),
    ],
)
def test_a_host_that_is_not_certified_gets_no_signature_and_hears_why(kind: str, server: Any, why: str) -> None:
    talk = bound(agent(), server(kind))
    [(blob, comment)] = listed(talk)
    assert comment.startswith("SLW-7201 ")
    assert why in comment
    assert not signs(talk, blob, login(SESSION, blob))


@pytest.mark.parametrize(("mode", "remembered"), [("warn", 1), ("off", 0)])
def test_without_enforcement_it_is_signed_and_with_a_warning_remembered(mode: str, remembered: int) -> None:
    own = agent(mode)
    talk = bound(own, Server())
    [(blob, _comment)] = listed(talk)
    assert signs(talk, blob, login(SESSION, blob))
    assert len(own.status()["hosts_not_certified"]) == remembered


def test_a_client_that_does_not_bind_is_refused_where_hosts_are_checked() -> None:
    talk = Conversation(agent())
    [(blob, _comment)] = listed(talk)
    assert not signs(talk, blob, login(SESSION, blob))
    old = Conversation(agent("warn"))
    [(blob, _comment)] = listed(old)
    assert signs(old, blob, login(SESSION, blob))


@pytest.mark.parametrize(
    "change",
    [
        {"kind": b"\x33"},
        {"service": string(b"ssh-userauth")},
        {"method": string(b"hostbased")},
        {"signed": b"\x00"},
        {"algorithm": string(b"ssh-ed25519")},
        {"more": b"x"},
    ],
)
def test_what_is_no_login_is_not_signed(change: dict[str, bytes]) -> None:
    server = Server(HOSTS)
    talk = bound(agent(), server)
    [(blob, _comment)] = listed(talk)
    assert not signs(talk, blob, login(SESSION, blob, **change))
    assert signs(talk, blob, login(SESSION, blob))


def test_a_login_of_another_session_key_or_host_is_not_signed() -> None:
    server, other = Server(HOSTS), Server(HOSTS)
    talk = bound(agent(), server)
    [(blob, _comment)] = listed(talk)
    assert not signs(talk, blob, login(b"o" * 32, blob))
    assert not signs(talk, blob, login(SESSION, other.blob))
    assert not signs(talk, other.blob, login(SESSION, other.blob))
    assert not signs(talk, blob, login(SESSION, blob, host_key=other.blob))
    assert not signs(talk, blob, login(SESSION, blob), flags=2)
    assert not signs(talk, blob, b"")
    assert signs(talk, blob, login(SESSION, blob, host_key=server.blob))


def test_a_forwarded_agent_gets_nothing() -> None:
    server = Server(HOSTS)
    talk = Conversation(agent())
    talk.answer(server.bind(SESSION, forwarded=True))
    assert listed(talk) == []
    blob = agent_blob(talk)
    assert not signs(talk, blob, login(SESSION, blob))


def agent_blob(talk: Conversation) -> bytes:
    return talk._agent.identity.certificate().blob


def test_a_connection_belongs_to_one_session() -> None:
    first, second = Server(HOSTS), Server(HOSTS)
    talk = bound(agent(), first)
    blob = agent_blob(talk)
    assert body(talk.answer(first.bind(SESSION))).byte() == wire.SUCCESS
    assert body(talk.answer(second.bind(b"t" * 32))).byte() == wire.FAILURE
    assert listed(talk) == []
    assert not signs(talk, blob, login(SESSION, blob))


def test_a_server_that_did_not_sign_the_session_spoils_the_connection() -> None:
    server = Server(HOSTS)
    talk = Conversation(agent("off"))
    blob = agent_blob(talk)
    wrong = bind(server.blob, SESSION, string(b"ssh-ed25519") + string(b"\0" * 64))
    assert body(talk.answer(wrong)).byte() == wire.FAILURE
    assert not signs(talk, blob, login(SESSION, blob))


def test_locked_it_shows_and_signs_nothing_until_the_same_word() -> None:
    talk = bound(agent(), Server(HOSTS))
    [(blob, _comment)] = listed(talk)
    word = string(b"word")
    assert body(talk.answer(bytes([wire.LOCK]) + word)).byte() == wire.SUCCESS
    assert listed(talk) == []
    assert not signs(talk, blob, login(SESSION, blob))
    assert body(talk.answer(bytes([wire.UNLOCK]) + string(b"other"))).byte() == wire.FAILURE
    assert body(talk.answer(bytes([wire.UNLOCK]) + word)).byte() == wire.SUCCESS
    assert signs(talk, blob, login(SESSION, blob))


@pytest.mark.parametrize("kind", [1, 9, 17, 18, 19, 20, 21, 25, 26, 0, 5, 255])
def test_nothing_can_be_added_or_taken_away(kind: int) -> None:
    talk = bound(agent(), Server(HOSTS))
    [(blob, _comment)] = listed(talk)
    assert body(talk.answer(bytes([kind]) + string(blob))).byte() == wire.FAILURE
    assert len(listed(talk)) == 1


def test_without_a_certificate_there_is_nothing_to_offer() -> None:
    own = agent(authority=Authority(answers=[ProviderError("SLW-7120", "no")]))
    talk = bound(own, Server(HOSTS))
    assert listed(talk) == []
    assert own.status()["error"]["code"] == "SLW-7120"


def test_questions_of_ours_are_answered_without_secrets() -> None:
    own = agent()
    talk = Conversation(own)
    reader = body(talk.answer(bytes([wire.EXTENSION]) + string(b"certify@slipway.cluster")))
    assert reader.byte() == wire.SUCCESS
    assert json.loads(reader.string()) == {"error": None}
    reader = body(talk.answer(bytes([wire.EXTENSION]) + string(b"status@slipway.cluster")))
    assert reader.byte() == wire.SUCCESS
    assert json.loads(reader.string())["certificate"]["serial"] == 7


def test_ten_thousand_mutations_of_real_messages_never_crash_and_never_sign() -> None:
    chance = random.Random(5)
    server = Server(HOSTS)
    own = agent()
    blob = agent_blob(Conversation(own))
    good = sign_request(blob, login(SESSION, blob, host_key=server.blob))
    seeds = [bytes([wire.REQUEST_IDENTITIES]), server.bind(SESSION), good, bytes([wire.LOCK]) + string(b""), b""]
    answered = set()
    for _number in range(10_000):
        message = bytearray(chance.choice(seeds))
        for _change in range(chance.randint(1, 6)):
            way, at = chance.randrange(3), chance.randrange(len(message) + 1)
            if way == 0 and message:
                message[at % len(message)] ^= 1 << chance.randrange(8)
            elif way == 1:
                message[at:at] = chance.randbytes(chance.randint(1, 9))
            else:
                del message[at : at + chance.randint(1, 40)]
        if bytes(message) in seeds:
            continue
        talk = bound(own, server)
        kind = body(talk.answer(bytes(message))).byte()
        answered.add(kind)
        assert kind != wire.SIGN_RESPONSE or is_the_users_name(bytes(message), good)
        own.unlock(b"")
    assert wire.FAILURE in answered
    talk = bound(own, server)
    assert body(talk.answer(good)).byte() == wire.SIGN_RESPONSE


def is_the_users_name(message: bytes, good: bytes) -> bool:
    """The one part of a login that the agent leaves to the server: a change of it is a login as somebody else."""
    differing = [at for at, (a, b) in enumerate(zip(message, good, strict=False)) if a != b]
    start = good.index(b"root")
    return len(message) == len(good) and all(start <= at < start + 4 for at in differing)
