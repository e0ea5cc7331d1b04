# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A lab without a cluster, its machines, and Kubespray's playbooks, real or not, run on them as a user would."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import authority
from lab.api import Api
from lab.hosts import manage
from lab.hosts.model import Host
from lab.kubeadm import tokens
from lab.state import State, load
from tests.contract.support import ROOT

STANDIN = ROOT / ".build" / "lab-collections"
NEXT = ROOT / ".venv-next" / "bin"
CERTIFIED = "15m"


@dataclass(frozen=True)
class Ran:
    """One run of a playbook. ``out`` is everything that it wrote."""

    status: int
    out: str


@dataclass
class Site:
    """One lab. ``python`` is the folder of Ansible's programs, ``collections`` where Kubespray is."""

    name: str
    tmp: Path
    facts: Path = field(init=False)

    def __post_init__(self) -> None:
        self.facts = self.tmp / "facts"
        self.key = self.tmp / "key"
        # The path of a socket must be short.
        self.sockets = Path(tempfile.mkdtemp(prefix="cp-"))
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)

    def lab(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "lab", *words, "--name", self.name],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    @property
    def env(self) -> dict[str, Any]:
        return dict(json.loads(self.lab("env")))

    @property
    def folder(self) -> Path:
        return Path(self.env["state_dir"])

    @property
    def hosts(self) -> dict[str, Host]:
        return manage.find(self.name)

    @property
    def state(self) -> State:
        current = load(self.folder)
        assert current is not None
        return current

    @contextmanager
    def api(self) -> Iterator[Api]:
        """Not for long: the server drops a connection that waits for a playbook's end."""
        one = Api(self.state.ports["apiserver"], self.folder / "pki")
        try:
            yield one
        finally:
            one.close()

    def token(self) -> str:
        """A new join token of a day."""
        with self.api() as api:
            return tokens.create(api)

    def revoke(self, token: str) -> None:
        with self.api() as api:
            tokens.delete(api, token)

    def nodes(self) -> dict[str, str]:
        """Version of the kubelet by node."""
        with self.api() as api:
            items = api.need("GET", "/api/v1/nodes")["items"]
        return {item["metadata"]["name"]: item["status"]["nodeInfo"]["kubeletVersion"] for item in items}

    def calls(self) -> list[dict[str, Any]]:
        """What the stand-in wrote down of its plays and tasks."""
        return _lines(self.folder / "kubespray.jsonl")

    def orders(self, what: str) -> list[dict[str, Any]]:
        """What the hosts' kubeadm was told to do."""
        return [line for line in _lines(self.folder / "kubeadm.jsonl") if line["order"] == what]

    def run(
        self,
        playbook: str,
        *words: str,
        python: Path | None = None,
        collections: Path = STANDIN,
        alone: bool = False,
        **variables: Any,
    ) -> Ran:
        """One playbook by its short name, without a terminal; ``alone``: with no connection of an earlier run."""
        env = self.env
        public = self.key.with_suffix(".pub").read_text(encoding="utf-8").strip()
        signed = authority.get(env).sign_user(public, authority.principal(env), CERTIFIED)
        Path(f"{self.key}-cert.pub").write_text(f"{signed}\n", encoding="utf-8")
        programs = python or Path(sys.executable).parent
        done = subprocess.run(
            [
                programs / "ansible-playbook",
                *("-i", self.folder / "inventory" / "hosts.yml", "--private-key", self.key, "--become"),
                *("-e", json.dumps(variables)),
                *(f"kubernetes_sigs.kubespray.{playbook}", *words),
            ],
            cwd=self.tmp,
            env=self._environment(programs, collections, alone=alone),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
        )
        return Ran(done.returncode, done.stdout)

    def ok(self, playbook: str, *words: str, **more: Any) -> Ran:
        """A run that must succeed."""
        ran = self.run(playbook, *words, **more)
        assert ran.status == 0, ran.out
        return ran

    def _environment(self, programs: Path, collections: Path, *, alone: bool) -> dict[str, str]:
        return {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(self.tmp),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_HOME": str(self.tmp / "ansible"),
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.facts / programs.parent.name / collections.name),
            "ANSIBLE_GATHERING": "smart",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_HOST_KEY_CHECKING": "0",
            "ANSIBLE_SSH_USETTY": "0",
            # A run of its own connections can be counted.
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.sockets / secrets.token_hex(3) if alone else self.sockets),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }


@contextmanager
def site(name: str, tmp: Path, *machines: str) -> Iterator[Site]:
    """A lab of this name with ``python3 -m lab machines MACHINES``."""
    one = Site(name, tmp)
    try:
        one.lab("up", "--no-cluster")
        one.lab("machines", *machines)
        yield one
    finally:
        one.lab("down")
        shutil.rmtree(one.sockets)


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
