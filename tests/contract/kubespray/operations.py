# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Our playbooks on machines without a cluster, as a user runs them: an inventory, a secret of OpenBao, no terminal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lab import authority
from lab.hosts import inventory
from tests.contract.fixtures.session import Running
from tests.contract.kubespray.site import STANDIN, Ran, Site
from tests.contract.support import ROOT

COLLECTION = ROOT / ".build" / "collections"
RECORD = "/api/v1/namespaces/slipway-system/configmaps/slipway-cluster"
PROGRAMS = Path(sys.executable).parent
SECONDS = 600


@dataclass
class Operations(Site):
    """One lab and one inventory of its hosts."""

    def __post_init__(self) -> None:
        super().__post_init__()
        # A short path: a socket's address holds 108 bytes.
        self.runtime = Path(tempfile.mkdtemp(prefix="sw-", dir="/dev/shm"))
        self.inventory = self.tmp / "inventory"
        self.started: list[Running] = []
        self.written = ""

    def ssh(self, **auth: str) -> dict[str, Any]:
        """``slipway_ssh`` with a login by AppRole; ``auth`` says more of it."""
        role = {"method": "approle", "role_id": "{{ lookup('ansible.builtin.env', 'ROLE_ID') }}", **auth}
        return {
            "provider": "openbao",
            "principals": [authority.principal(self.env)],
            "ttl": "5m",
            "host_check": "enforce",
            "openbao": {"role": "slipway", "auth": role},
        }

    def write(
        self,
        *names: str,
        own: Mapping[str, Mapping[str, Any]] | None = None,
        images: Mapping[str, Mapping[str, Any]] | None = None,
        **variables: Any,
    ) -> None:
        """The user's inventory: these hosts, with ``own`` variables of some. Hosts named ``controlN`` are its control
        plane. ``images`` are workers without a machine yet."""
        hosts = self.hosts
        common = {
            "slipway_name": self.name,
            "lab_calls": str(self.folder / "kubespray.jsonl"),
            "slipway_ssh": self.ssh(),
            "slipway_api_forward": True,
            # The lab has one disk, and no etcd of a host's own.
            "slipway_etcd_snapshots": 0,
            "drain_grace_period": 1,
            "drain_timeout": "30s",
            # Not by -e: what a run is given so is recorded of its hosts.
            "lab_fail": "{{ lookup('ansible.builtin.env', 'LAB_FAIL') | default('{}', true) | from_json }}",
            "lab_join_together": "{{ lookup('ansible.builtin.env', 'LAB_TOGETHER') | default('0', true) }}",
            "lab_seconds_per_host": "{{ lookup('ansible.builtin.env', 'LAB_SECONDS') | default('0', true) }}",
            **variables,
        }
        file = inventory.write_cluster(self.inventory, [hosts[name] for name in names], common)
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        for name, values in (own or {}).items():
            content["all"]["hosts"][name].update(values)
        for name, values in (images or {}).items():
            content["all"]["hosts"][name] = dict(values)
            content["all"]["children"]["kube_node"]["hosts"][name] = {}
        self.written = yaml.safe_dump(content, sort_keys=False)
        file.write_text(self.written, encoding="utf-8")

    def start(
        self, playbook: str, *words: str, kubespray: bool = True, env: Mapping[str, str] | None = None, **extra: Any
    ) -> Running:
        """``env``: besides that of every run. ``extra``: variables by ``-e``."""
        given = ["-e", json.dumps(extra)] if extra else []
        output = self.tmp / f"output-{time.monotonic_ns()}"
        with output.open("w", encoding="utf-8") as stream:
            process = subprocess.Popen(
                [PROGRAMS / "ansible-playbook", "-i", self.inventory, *given, f"slipway.cluster.{playbook}", *words],
                cwd=self.tmp,
                env={**self.environment(kubespray=kubespray), **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        running = Running(process, output)
        self.started.append(running)
        return running

    def environment(self, *, kubespray: bool = True) -> dict[str, str]:
        """Of one run: its login serves once."""
        told = self.env
        role, secret = authority.get(told).app_role()
        return {
            "PATH": f"{PROGRAMS}:{Path(told['bin']['helm']).parent}:{os.environ['PATH']}",
            "HOME": str(self.tmp),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "ANSIBLE_COLLECTIONS_PATH": f"{COLLECTION}:{STANDIN}" if kubespray else str(COLLECTION),
            "ANSIBLE_HOME": str(self.tmp / "ansible"),
            "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callbacks"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PIPELINING": "1",
            "LC_ALL": "C.UTF-8",
            "BAO_ADDR": told["bao_address"],
            "ROLE_ID": role,
            "SLIPWAY_SECRET_ID": secret,
        }

    def does(self, playbook: str, *words: str, **more: Any) -> Ran:
        """A run of ours to its end, whatever that is."""
        done = self.start(playbook, *words, **more).wait(SECONDS)
        return Ran(done.rc, done.text)

    def done(self, playbook: str, *words: str, **more: Any) -> Ran:
        """A run of ours that must succeed."""
        ran = self.does(playbook, *words, **more)
        assert ran.status == 0, ran.out
        return ran

    @contextmanager
    def acted(self) -> Iterator[dict[str, list[str]]]:
        """Which hosts Kubespray's plays saw while the block ran, by playbook: those whose tasks it has, in order."""
        before = len(self.calls())
        found: dict[str, list[str]] = {}
        yield found
        hosts: list[str] = []
        for line in self.calls()[before:]:
            if "play" in line:
                hosts = [host for host in line["hosts"] if host != "localhost"]
            elif hosts:
                own = found.setdefault(line["playbook"], [])
                own += [host for host in hosts if host not in own]

    @property
    def tasks(self) -> int:
        """How many tasks of Kubespray's have started so far."""
        return sum("task" in call for call in self.calls())

    def get(self, path: str) -> dict[str, Any]:
        """An object of the API, as its administrator reads it."""
        with self.api() as api:
            return dict(api.need("GET", path))

    def record(self) -> dict[str, Any]:
        return dict(json.loads(self.get(RECORD)["data"]["record"]))

    @property
    def run_file(self) -> Path:
        """The lock of node operations."""
        return Path(self.hosts["control1"].folder) / "var" / "lib" / "slipway" / "run.json"

    def held(self) -> bool:
        """Whether a claim on the nodes holds."""
        return self.run_file.exists() and json.loads(self.run_file.read_text(encoding="utf-8"))["expires"] > time.time()

    def secrets(self, kind: str) -> list[str]:
        """Names of all Secrets of this type."""
        found = self.get("/api/v1/secrets")["items"]
        return [item["metadata"]["name"] for item in found if item["type"] == kind]

    def joined_with(self) -> list[str]:
        """For each join the public part of its token, oldest first: who asked the API for a node's certificate."""
        start = "system:bootstrap:"
        users = [entry["user"]["username"] for entry in self._created(start, "certificatesigningrequests")]
        return [user.removeprefix(start) for user in users if user.startswith(start)]

    def tokens_made(self) -> list[str]:
        """Public parts of all join tokens that anybody has ever made here, oldest first, by the API's own word."""
        start = "bootstrap-token-"
        names = [entry["objectRef"]["name"] for entry in self._created(start, '"resource":"secrets"')]
        return [name.removeprefix(start) for name in names]

    def _created(self, *words: str) -> list[dict[str, Any]]:
        """What was made, of the entries of the API server's log with all of these words in them."""
        lines = Path(self.env["audit_log"]).read_text(encoding="utf-8").splitlines()
        entries = [json.loads(line) for line in lines if all(word in line for word in words)]
        return [entry for entry in entries if entry["verb"] == "create" and entry["responseStatus"]["code"] < 300]

    def close(self) -> None:
        for running in self.started:
            running.stop()
        shutil.rmtree(self.runtime, ignore_errors=True)


@contextmanager
def operations(name: str, tmp: Path, *machines: str) -> Iterator[Operations]:
    """A lab of this name with ``python3 -m lab machines MACHINES``, and an authority that they trust."""
    one = Operations(name, tmp)
    try:
        one.lab("up", "--no-cluster")
        one.lab("machines", *machines)
        authority.set_up(one.env)
        yield one
    finally:
        one.close()
        one.lab("down")
