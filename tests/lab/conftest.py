# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Two labs side by side for the tests of the lab itself, apart from any lab that is in use."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3

from lab import authority
from lab.api import Api
from lab.awx.running import Awx
from lab.awx.settings import Settings
from lab.hosts import keys, model
from lab.hosts.model import Host
from lab.state import State, load
from tests.lab.awx_site import Site, set_up

NUMBERS = itertools.count(1)
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Lab:
    """One lab, used as a person would: by the command line, a kubeconfig and JSON."""

    name: str
    base: Path

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "lab", *words, "--name", self.name],
            cwd=REPOSITORY,
            env={**os.environ, "SLIPWAY_LAB_STATE": str(self.base)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    @property
    def folder(self) -> Path:
        return self.base / self.name

    @property
    def env(self) -> dict[str, Any]:
        values: dict[str, Any] = json.loads(self.command("env").stdout)
        return values

    @property
    def state(self) -> State:
        state = load(self.folder)
        assert state is not None
        return state

    def api(self) -> Api:
        return Api(self.state.ports["apiserver"], self.folder / "pki", "admin")

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        program = [self.state.programs["kubectl"], "--kubeconfig", str(self.folder / "admin.kubeconfig"), *words]
        done = subprocess.run(program, input=stdin, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path: str) -> Any:
        api = self.api()
        try:
            return api.need("GET", path)
        finally:
            api.close()

    def life(self, host: str) -> str:
        """What ``status`` says of a host."""
        lines = [line.split(maxsplit=3) for line in self.command("status").stdout.splitlines()]
        return next(words[3] for words in lines if words[0] == host)


def within(seconds: float, condition: Callable[[], object]) -> None:
    """Fail unless the condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not so within {seconds} s"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, Lab]]:
    base = tmp_path_factory.mktemp("labs")
    pair = (Lab("one", base), Lab("two", base))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda lab: lab.command("up"), pair))
    yield pair
    for lab in pair:
        lab.command("down")


@pytest.fixture
def lab(labs: tuple[Lab, Lab]) -> Lab:
    return labs[0]


@pytest.fixture
def namespace(lab: Lab, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own; removed without waiting."""
    name = f"{request.node.originalname.replace('_', '-')[:50]}-{next(NUMBERS)}"
    lab.kubectl("create", "namespace", name)
    yield name
    lab.kubectl("delete", "namespace", name, "--wait=false")


@dataclass
class Client:
    """HTTP to one of the lab's servers, JSON in and out, nothing retried."""

    base: str
    pool: urllib3.PoolManager
    headers: dict[str, str]

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        answer = self.pool.request(method, self.base + path, json=body, headers=self.headers, retries=False, timeout=20)
        return answer.status, answer.json() if answer.data else None


@pytest.fixture
def proxy(lab: Lab) -> Iterator[Client]:
    """The API through the fault proxy, as the token's user."""
    env = lab.env
    headers = {"Authorization": f"Bearer {Path(env['token_file']).read_text()}", "User-Agent": "a-test"}
    with urllib3.PoolManager(ca_certs=env["ca_file"], maxsize=4) as pool:
        yield Client(env["proxy_server"], pool, headers)


@pytest.fixture
def control(lab: Lab) -> Iterator[Client]:
    """Orders to the fault proxy; all of them are taken back afterwards."""
    with urllib3.PoolManager() as pool:
        client = Client(lab.env["proxy_control"], pool, {})
        client.call("DELETE", "/requests")
        yield client
        client.call("DELETE", "/rules")


@pytest.fixture
def webhook_control(lab: Lab) -> Iterator[Client]:
    """Orders to the webhook; all of them are taken back afterwards."""
    with urllib3.PoolManager() as pool:
        client = Client(lab.env["webhook_control"], pool, {})
        client.call("DELETE", "/calls")
        yield client
        client.call("DELETE", "/mode")


@dataclass
class SshClient:
    """OpenSSH's own client with a certificate of the lab's OpenBao, trusting the lab's host authority only."""

    folder: Path

    def ssh(self, host: Host, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = ["ssh", "-F", "none", "-n", *options, "-p", str(host.port), "-o", f"HostKeyAlias={host.name}"]
        command += ["-o", f"UserKnownHostsFile={self.folder / 'known_hosts'}", "-o", "IdentityAgent=none"]
        command += ["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"]
        if not any(option == "-i" for option in options):
            command += ["-i", str(self.folder / "id")]
        target = f"{host.user}@{host.address}"
        return subprocess.run([*command, target, *words], capture_output=True, text=True, timeout=60, check=False)

    def run(self, host: Host, command: str) -> str:
        done = self.ssh(host, command)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def hosts(labs: tuple[Lab, Lab]) -> dict[str, Host]:
    lab = labs[0]
    lab.command("hosts", "3")
    lab.command("hosts", "2", "--bare", "--control-planes", "0", "--key", "rsa")
    lab.command("hosts", "1", "--rogue", "--key", "ecdsa")
    lab.command("hosts", "1", "--foreign")
    lab.command("hosts", "40", "--many")
    return model.load(lab.folder).hosts


@pytest.fixture(scope="session")
def client(labs: tuple[Lab, Lab], hosts: dict[str, Host], tmp_path_factory: pytest.TempPathFactory) -> SshClient:
    assert hosts
    env = labs[0].env
    ca = authority.set_up(env)
    folder = tmp_path_factory.mktemp("client")
    public = keys.write(folder / "id", keys.generate("ed25519"), "test")
    (folder / "id-cert.pub").write_text(ca.sign_user(public, authority.principal(env)) + "\n")
    (folder / "known_hosts").write_text(f"@cert-authority * {ca.host_ca}\n")
    return SshClient(folder)


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """A key that an authority of ssh-keygen's making, ``ca`` beside it, has certified for the right name."""
    for name in ("ca", "id"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    sign = ["ssh-keygen", "-q", "-s", tmp_path / "ca", "-I", "me", "-n", "slipway-one", "-V", "+5m"]
    subprocess.run([*sign, tmp_path / "id.pub"], check=True)
    return tmp_path / "id"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The AWX of these tests."""
    with Awx(Settings(tmp_path_factory.mktemp("awx"))) as awx:
        yield set_up(awx)
