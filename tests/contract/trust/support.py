# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One cluster's access: bare hosts of the lab, an ssh-agent, and ``ansible-playbook`` as a user would start it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import parse_certificate, parse_key
from lab import bao as lab_bao
from lab.hosts import manage
from lab.hosts.model import Host
from tests.contract.support import ROOT

CORES = {"2.18": Path(sys.executable).parent, "2.21": ROOT / ".venv-next" / "bin"}


@dataclass(frozen=True)
class Ran:
    """One run of a playbook. ``out`` is everything that it wrote."""

    status: int
    out: str

    def changed(self, host: str) -> int:
        (line,) = [one for one in self.out.splitlines() if one.startswith(f"{host} ") and "changed=" in one]
        return int(line.partition("changed=")[2].split()[0])


@dataclass
class Agent:
    """A stock ssh-agent with one key and, after ``certify``, a certificate for it."""

    folder: Path
    pid: int = 0

    def __post_init__(self) -> None:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        # The path of a socket must be short.
        self.socket = Path(tempfile.mkdtemp(prefix="slipway-agent-")) / "s"
        said = subprocess.run(
            ["ssh-agent", "-s", "-a", str(self.socket)], capture_output=True, text=True, check=True
        ).stdout
        self.pid = int(said.partition("SSH_AGENT_PID=")[2].partition(";")[0])

    @property
    def key(self) -> Path:
        return self.folder / "id"

    @property
    def public_key(self) -> str:
        return Path(f"{self.key}.pub").read_text().strip()

    @property
    def certificate(self) -> str:
        return Path(f"{self.key}-cert.pub").read_text().strip()

    def hold(self, certificate: str = "") -> None:
        """The key, and the certificate where one is given."""
        Path(f"{self.key}-cert.pub").unlink(missing_ok=True)
        if certificate:
            Path(f"{self.key}-cert.pub").write_text(f"{certificate}\n")
        environment = {**os.environ, "SSH_AUTH_SOCK": str(self.socket)}
        subprocess.run(["ssh-add", "-qD"], env=environment, check=True, capture_output=True)
        subprocess.run(["ssh-add", "-q", str(self.key)], env=environment, check=True)

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        self.socket.unlink(missing_ok=True)
        self.socket.parent.rmdir()


@dataclass
class Access:
    """A ``slipway_name`` with mounts of its own in the lab's OpenBao. ``hosts`` are added by ``host``."""

    lab: Mapping[str, Any]
    folder: Path
    name: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:7]}")
    hosts: dict[str, Host] = field(default_factory=dict)
    programs: Path = CORES["2.18"]
    variables_more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bao = lab_bao.of_lab(self.lab)
        self.agent = Agent(self.folder)
        self.token = Path(self.lab["bao_token_file"]).read_text().strip()

    @property
    def user_mount(self) -> str:
        return f"{self.name}-users"

    @property
    def host_mount(self) -> str:
        return f"{self.name}-hosts"

    @property
    def principal(self) -> str:
        return f"slipway-{self.name}"

    def host(self, kind: str = "bare") -> Host:
        name = f"{self.name}-{len(self.hosts)}"
        (found,) = manage.add(str(self.lab["name"]), [name], kind, say=lambda text: None)
        self.hosts[name] = found
        return found

    @property
    def second_mount(self) -> str:
        return f"{self.name}-users-2"

    def sign(self, principals: str = "", mount: str = "") -> str:
        """A certificate for the agent's key."""
        body = {"public_key": self.agent.public_key, "valid_principals": principals or self.principal}
        answer = self.bao.need("POST", f"{mount or self.user_mount}/sign/slipway-{self.name}", body)
        return str(answer["data"]["signed_key"]).strip()

    def agent_authority(self) -> str:
        """The public key that certified what the agent holds, as the authority's list has it."""
        signed = parse_certificate(self.agent.certificate).authority
        listed = self.bao.need("LIST", f"{self.user_mount}/issuers")["data"]["key_info"]
        keys = [str(entry["public_key"]).strip() for entry in listed.values()]
        (found,) = [key for key in keys if self.fingerprint(key) == signed]
        return found

    @staticmethod
    def fingerprint(key: str) -> str:
        return parse_key(key).fingerprint

    def prepare(self) -> None:
        """The authority, by the role, and a certificate in the agent."""
        ran = self.run("-e", "slipway_prepare_ca=true", "--limit", "localhost")
        assert ran.status == 0, ran.out
        self.agent.hold(self.sign())

    def variables(self) -> dict[str, Any]:
        return {
            "slipway_name": self.name,
            "slipway_ca_user_mount": self.user_mount,
            "slipway_ca_host_mount": self.host_mount,
            "slipway_variables_from": "localhost",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": str(self.lab["static_key_file"]),
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
            **self.variables_more,
        }

    def command(self, *arguments: str, playbook: str = "slipway.cluster.access") -> tuple[list[str], dict[str, str]]:
        """What starts a run, and in which environment."""
        hosts = {
            name: {"ansible_host": one.address, "ansible_port": one.port, "ansible_user": one.user}
            for name, one in self.hosts.items()
        }
        inventory = self.folder / "hosts.yml"
        here = {"localhost": {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}}
        inventory.write_text(yaml.safe_dump({"all": {"vars": self.variables(), "hosts": hosts | here}}))
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("BAO_", "VAULT_"))},
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "BAO_ADDR": str(self.lab["bao_address"]),
            "BAO_TOKEN": self.token,
            "SSH_AUTH_SOCK": str(self.agent.socket),
        }
        return [str(self.programs / "ansible-playbook"), "-i", str(inventory), playbook, *arguments], environment

    def run(self, *arguments: str, playbook: str = "slipway.cluster.access") -> Ran:
        command, environment = self.command(*arguments, playbook=playbook)
        done = subprocess.run(
            command,
            env=environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    def ok(self, *arguments: str) -> Ran:
        ran = self.run(*arguments)
        assert ran.status == 0, ran.out
        return ran

    def extra(self, **values: Any) -> tuple[str, str]:
        return "-e", json.dumps(values)

    def login(self, host: Host, *options: str, command: str = "true") -> subprocess.CompletedProcess[str]:
        """One ssh of its own, with nothing but these options to let it in."""
        base = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
                "ControlPath=none", "IdentitiesOnly=yes")  # fmt: skip
        words = ["-F", "none", *(word for option in base for word in ("-o", option)), *options]
        whole = ["ssh", *words, "-p", str(host.port), f"{host.user}@{host.address}", command]
        return subprocess.run(whole, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def by_certificate(self, host: Host) -> bool:
        options = ("-i", str(self.agent.key), "-o", f"CertificateFile={self.agent.key}-cert.pub")
        return self.login(host, *options).returncode == 0

    def by_static_key(self, host: Host) -> bool:
        return self.login(host, "-i", str(self.lab["static_key_file"])).returncode == 0

    def remove(self) -> None:
        for name in self.hosts:
            manage.remove(str(self.lab["name"]), name, say=lambda text: None)
        for mount in (self.user_mount, self.second_mount, self.host_mount):
            self.bao.call("DELETE", f"sys/mounts/{mount}")
        for policy in (f"slipway-{self.name}", f"slipway-{self.name}-hosts"):
            self.bao.call("DELETE", f"sys/policies/acl/{policy}")
        self.agent.end()


def files(host: Host, folder: str = "etc/ssh") -> dict[str, tuple[bytes, int]]:
    """Every file of a host below a folder: content and mode."""
    root = Path(host.folder) / folder
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def folders(host: Host, folder: str = "etc/ssh") -> set[str]:
    root = Path(host.folder) / folder
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_dir()}


def site(host: Host, text: str, name: str = "sshd_config.d/20-site.conf") -> None:
    """Something that the site's administrator wrote, and did not load yet."""
    (Path(host.folder) / "etc" / "ssh" / name).write_text(text)
