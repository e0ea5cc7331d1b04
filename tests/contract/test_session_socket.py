# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Who speaks to a session's agent without being ssh on its way to a host gets nothing, and does no harm."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.session import launch
from ansible_collections.slipway.cluster.plugins.module_utils.session.settings import read
from tests.contract.fixtures import agent_traffic as traffic
from tests.contract.fixtures.agent_traffic import (
    EXTENSION,
    FAILURE,
    LIST,
    LISTED,
    SIGN,
    SIGNED,
    SUCCESS,
    Recorder,
    Talk,
    packed,
    spoiled,
    unpacked,
)
from tests.contract.fixtures.session import Site, site
from tests.contract.support import ROOT, eventually

pytestmark = pytest.mark.lab
ONE, TWO, BARE = "socket-trusted-ed25519-1", "socket-trusted-ed25519-2", "socket-bare-ed25519-1"
NOTHING = bytes([LISTED]) + bytes(4)
REFUSED = bytes([FAILURE])
MESSAGES = 10_000
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
# The Python of the tests may lie where only its owner can read; this right alone lets others read it.
READING = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
BIND = b"session-bind@openssh.com"


@pytest.fixture(scope="module")
def place(lab_env: dict[str, Any]) -> Iterator[Site]:
    with site(lab_env, "socket", ("trusted", "ed25519", 2), ("bare", "ed25519", 1)) as made:
        yield made


@dataclass
class Life:
    """A session's agent that this process has started, and what ssh said to it when it logged in."""

    session: launch.Running
    bind: bytes
    sign: bytes

    @property
    def pid(self) -> int:
        assert self.session.process is not None
        return self.session.process.pid

    @property
    def listed(self) -> bytes:
        """The certificate that is offered; empty when nothing is."""
        with Talk(self.session.socket) as talk:
            answer = talk.ask(bytes([LIST]))
        assert answer is not None
        return unpacked(answer[5:], 1)[0] if answer[:5] == bytes([LISTED, 0, 0, 0, 1]) else b""

    def serves(self, place: Site) -> None:
        assert self.session.process is not None
        assert self.session.process.poll() is None
        done = login(place, self.session.socket, ONE)
        assert done.stdout == f"{ONE}\n", done.stderr


def login(place: Site, agent: Path, name: str) -> subprocess.CompletedProcess[str]:
    command = [*traffic.ssh(place.hosts[name]), "hostname"]
    env = {"PATH": os.environ["PATH"], "SSH_AUTH_SOCK": str(agent)}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


def started(place: Site, folder: Path, **more: Any) -> launch.Running:
    settings, problems = read(place.ssh(host_check="enforce", ttl="10m", **more), "a", folder)
    assert problems == []
    return launch.start(settings, {"token": place.bao.token(ttl="10m")})


@pytest.fixture(scope="module")
def life(place: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    session = started(place, tmp_path_factory.mktemp("settings"))
    try:
        folder = Path(tempfile.mkdtemp(prefix="rec-"))
        recorder = Recorder(session.socket, folder)
        done = recorder.record([*traffic.ssh(place.hosts[ONE]), "hostname"])
        shutil.rmtree(folder)
        assert done.stdout == f"{ONE}\n", done.stderr
        yield Life(session, recorder.of_kind(EXTENSION), recorder.of_kind(SIGN))
    finally:
        assert session.process is not None
        session.process.terminate()
        session.process.wait(10)


def login_request(life: Life) -> tuple[bytes, bytes]:
    """Certificate, and the data that ssh wanted signed."""
    blob, data = unpacked(life.sign[1:], 2)
    return blob, data


def sign_request(blob: bytes, data: bytes, flags: int = 0) -> bytes:
    return bytes([SIGN]) + packed(blob, data) + flags.to_bytes(4, "big")


def answers(life: Life, *messages: bytes) -> list[bytes | None]:
    """To these, in one connection."""
    with Talk(life.session.socket) as talk:
        return [talk.ask(message) for message in messages]


def kind(answer: bytes | None) -> int:
    return answer[0] if answer else -1


def test_what_ssh_said_can_be_said_again_and_nothing_else_is_signed(life: Life, place: Site) -> None:
    """The counter-check of everything below: with the right binding and the right data there is a signature."""
    blob, data = login_request(life)
    assert [kind(a) for a in answers(life, life.bind, life.sign)] == [SUCCESS, SIGNED]
    other_session = packed(os.urandom(32)) + data[36:]
    for wrong in (
        sign_request(blob, other_session),
        sign_request(blob, b"SSHSIG" + packed(b"git", b"", b"sha512", os.urandom(64))),
        sign_request(blob, os.urandom(200)),
        sign_request(blob, data + b"x"),
        sign_request(blob, data.replace(b"ssh-connection", b"ssh-connectioN")),
        sign_request(blob, data, flags=2),
        sign_request(unpacked(packed(blob[:-1] + b"x"), 1)[0], data),
    ):
        assert [kind(a) for a in answers(life, life.bind, wrong)] == [SUCCESS, FAILURE]
    # Without a binding nobody knows which host it is for.
    assert answers(life, life.sign) == [REFUSED]
    life.serves(place)


def test_a_connection_belongs_to_one_session(life: Life, place: Site) -> None:
    """A second binding, or one that is not signed by the host, spoils the connection."""
    folder = Path(tempfile.mkdtemp(prefix="rec-"))
    recorder = Recorder(life.session.socket, folder)
    recorder.record([*traffic.ssh(place.hosts[TWO]), "hostname"])
    shutil.rmtree(folder)
    other = recorder.of_kind(EXTENSION)
    assert [kind(a) for a in answers(life, life.bind, other, life.sign)] == [SUCCESS, FAILURE, FAILURE]
    forged = bytearray(life.bind)
    forged[-20] ^= 1
    assert [kind(a) for a in answers(life, bytes(forged), life.bind, life.sign)][::2] == [FAILURE, FAILURE]
    assert answers(life, bytes(forged), bytes([LIST]))[1] == NOTHING


def test_a_certificate_of_another_session_is_not_signed_for(life: Life, place: Site, tmp_path: Path) -> None:
    """Same authority, same principal; and a stale blob is none of ours either."""
    session = started(place, tmp_path)
    try:
        other = Life(session, b"", b"").listed
    finally:
        assert session.process is not None
        session.process.terminate()
        session.process.wait(10)
    blob, data = login_request(life)
    assert other
    request = sign_request(other, data.replace(blob, other))
    assert [kind(a) for a in answers(life, life.bind, request)] == [SUCCESS, FAILURE]


def test_five_kinds_of_messages_are_answered_and_no_other(life: Life, place: Site) -> None:
    chance = random.Random(1)
    answered = set()
    for number in range(256):
        for body in (b"", packed(b"x"), chance.randbytes(40), life.sign[1:]):
            message = bytes([number]) + body
            if message != life.sign and answers(life, message)[0] != REFUSED:
                answered.add(number)
                if number == 22:
                    assert life.listed == b""
                    assert kind(answers(life, bytes([23]) + body)[0]) == SUCCESS
    assert answered == {LIST, 22}
    for extension in (b"query", b"restrict-destination-v00@openssh.com", b"", b"session-bind@openssh.com\0"):
        assert answers(life, bytes([EXTENSION]) + packed(extension) + life.bind[5 + len(BIND) :]) == [REFUSED]
    life.serves(place)


def test_a_locked_agent_gives_nothing(life: Life, place: Site) -> None:
    assert kind(answers(life, bytes([22]) + packed(b"word"))[0]) == SUCCESS
    try:
        assert answers(life, life.bind, bytes([LIST]), life.sign)[1:] == [NOTHING, REFUSED]
        assert answers(life, bytes([22]) + packed(b"again"), bytes([23]) + packed(b"wrong")) == [REFUSED, REFUSED]
    finally:
        assert kind(answers(life, bytes([23]) + packed(b"word"))[0]) == SUCCESS
    life.serves(place)


def flipped(message: bytes, skip: range) -> Iterator[bytes]:
    """The message with each of its bits wrong in turn, but for a part that is skipped."""
    for at in range(len(message)):
        if at not in skip:
            for bit in range(8):
                yield message[:at] + bytes([message[at] ^ 1 << bit]) + message[at + 1 :]


def user_name(message: bytes) -> range:
    """Whom to log in as is not for the agent to judge: there is a right signature for any name."""
    written = packed(b"slipway")
    return range(message.index(written), message.index(written) + len(written))


def test_one_wrong_bit_is_enough_to_be_refused(life: Life) -> None:
    with Talk(life.session.socket) as talk:
        assert kind(talk.ask(life.bind)) == SUCCESS
        wrong = [m.hex() for m in flipped(life.sign, user_name(life.sign)) if m[0] == SIGN and talk.ask(m) != REFUSED]
        assert wrong == []
        assert kind(talk.ask(life.sign)) == SIGNED
    for message in flipped(life.bind, range(1 + 4 + len(BIND))):
        with Talk(life.session.socket) as talk:
            bound, signed = talk.ask(message), talk.ask(life.sign)
            # One bit is not the host's to sign: whether the agent is forwarded. It may be believed, to no avail.
            assert bound == REFUSED or message[:-1] == life.bind[:-1], message.hex()
            assert signed == REFUSED, message.hex()


def test_nonsense_by_the_thousand(life: Life, place: Site) -> None:
    """Real messages with something wrong in them, bound and not bound: no signature, no end, and no memory of it."""
    chance = random.Random(20)
    before = life.session.status()["signatures"]
    nothing = range(0)
    sources = [(life.sign, user_name(life.sign)), (life.bind, nothing), (bytes([LIST]), nothing)]
    sources.append((chance.randbytes(300), nothing))
    sent = 0
    while sent < MESSAGES:
        with Talk(life.session.socket) as talk:
            if chance.random() < 0.5:
                assert kind(talk.ask(life.bind)) == SUCCESS
            for _ in range(50):
                source, keep = chance.choice(sources)
                message = spoiled(source, chance, keep) or b"\0"
                if message[0] == 22:
                    continue
                sent += 1
                answer = talk.ask(message)
                assert kind(answer) in (FAILURE, LISTED, SUCCESS, -1), message.hex()
                assert kind(answer) != SUCCESS or message == life.bind, message.hex()
                if answer is None:
                    break
    for _ in range(200):
        with Talk(life.session.socket) as talk:
            # Lengths that lie, and ends in the middle.
            talk.raw(
                chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\x04\0\1", b"\0\0\1\0ab", chance.randbytes(9)))
            )
    assert life.session.status()["signatures"] == before
    eventually(lambda: len(list(Path(f"/proc/{life.pid}/task").iterdir())) < 10)
    life.serves(place)


def test_a_forwarded_agent_gives_nothing_to_the_host(life: Life, place: Site) -> None:
    """By a plain key, because our certificates forbid it already; the host has a socket, and gets nothing by it."""
    forward = ["-A", "-i", place.env["static_key_file"], "-o", "IdentitiesOnly=yes"]
    two = place.hosts[TWO]
    check = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes"
    script = (
        'test -S "$SSH_AUTH_SOCK" && echo there; ssh-add -L 2>&1; '
        f"ssh -F none -n {check} -p {two.port} slipway@{two.address} hostname"
    )
    command = [*traffic.ssh(place.hosts[BARE], *forward), script]
    env = {"PATH": os.environ["PATH"], "SSH_AUTH_SOCK": str(life.session.socket)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert "there\n" in done.stdout, done.stderr
    assert "The agent has no identities" in done.stdout
    assert TWO not in done.stdout
    assert "Permission denied (publickey)" in done.stderr


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@needs_root
def test_another_user_gets_nothing(life: Life, place: Site) -> None:
    """First the folder's mode stands before it; then, opened by hand, the agent itself."""
    ask = f"import socket;s=socket.socket(socket.AF_UNIX);s.connect({str(life.session.socket)!r})"
    ask += "\ntry:\n s.sendall(bytes([0,0,0,1,11]));print(s.recv(100))\nexcept OSError:\n print(b'')"
    command = [*NOBODY, "/usr/bin/python3", "-c", ask]

    def asked() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, cwd="/", check=False)

    assert life.session.folder.stat().st_mode & 0o777 == 0o700
    assert "PermissionError" in asked().stderr
    life.session.folder.chmod(0o755)
    life.session.socket.chmod(0o777)
    try:
        done = asked()
    finally:
        life.session.socket.chmod(0o600)
        life.session.folder.chmod(0o700)
    # Nothing was said: the connection ends.
    assert done.stdout == "b''\n", done
    life.serves(place)


STARTS = """
import json, os, sys
from pathlib import Path
from ansible_collections.slipway.cluster.plugins.module_utils.session import launch
from ansible_collections.slipway.cluster.plugins.module_utils.session.settings import read
given = json.loads(sys.stdin.readline())
settings, problems = read(given["ssh"], "a", Path("/"))
session = launch.start(settings, {"token": given["token"]})
session.certify()
print(session.process.pid, flush=True)
sys.stdin.readline()
"""
LOOKS = """
import sys
for name in ("mem", "maps", "environ"):
    try:
        open(f"/proc/{sys.argv[1]}/{name}", "rb").read(1 if name != "mem" else 0)
        print(name, "open")
    except PermissionError:
        print(name, "closed")
"""


@needs_root
def test_a_process_of_the_same_user_cannot_look_into_the_agent(place: Site, tmp_path: Path) -> None:
    """Neither its memory nor its environment; into the process that started it, it can."""
    runtime = Path(tempfile.mkdtemp(prefix="sw-", dir="/dev/shm"))
    os.chown(runtime, 65534, 65534)
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / ".build" / "collections"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "XDG_RUNTIME_DIR": str(runtime),
    }
    user = [*NOBODY, *READING]
    with subprocess.Popen(
        [*user, sys.executable, "-c", STARTS],
        env=env,
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdin is not None
        assert starter.stdout is not None
        try:
            starter.stdin.write(json.dumps({"ssh": place.ssh(), "token": place.bao.token()}) + "\n")
            starter.stdin.flush()
            agent = int(starter.stdout.readline())
            looked = [
                subprocess.run(
                    [*user, sys.executable, "-c", LOOKS, str(pid)], capture_output=True, text=True, cwd="/", check=True
                ).stdout.split("\n")
                for pid in (starter.pid, agent)
            ]
            assert looked[0] == ["mem open", "maps open", "environ open", ""]
            assert looked[1] == ["mem closed", "maps closed", "environ closed", ""]
        finally:
            starter.send_signal(signal.SIGKILL)
    eventually(lambda: not list(runtime.iterdir()))
    runtime.rmdir()


def test_many_that_ask_for_it_at_once_are_all_answered(place: Site, tmp_path: Path) -> None:
    """Each host's first contact asks, and with checked hosts each question writes down who certifies them."""
    session = started(place, tmp_path)
    try:
        with ThreadPoolExecutor(max_workers=32) as pool:
            for asked in [pool.submit(session.certify) for _number in range(400)]:
                asked.result()
        assert session.status()["certificates"] == 1
    finally:
        assert session.process is not None
        session.process.terminate()
        session.process.wait(10)
