# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Making the machines behind hosts, and starting them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

from lab import authority, paths, ports, procs, report, sshd, state
from lab.authority import Authority
from lab.cache import Say
from lab.errors import LabError
from lab.hosts import keys, machine, template
from lab.hosts.machine import Machine
from lab.hosts.model import USER, Book, Host
from lab.procs import Process
from lab.sshd import Sshd

STATIC_KEY = "static_key"
SILENT = Path(__file__).resolve().parent / "silent.py"
PATIENCE = 30.0


class Making:
    """Everything that new machines of one lab need; what takes time is got when the first one asks."""

    def __init__(self, lab: str, say: Say) -> None:
        self.lab = paths.lab_dir(lab)
        self.env: dict[str, Any] = json.loads((self.lab / report.ENV_FILE).read_text())
        self.folder = self.lab / "hosts"
        self.folder.mkdir(exist_ok=True, mode=0o700)
        self._say = say

    @cached_property
    def port(self) -> int:
        """One port for all hosts of a lab; hosts differ by address."""
        file = self.folder / ".port"
        if not file.exists():
            file.write_text(str(ports.choose(("ssh",), set())["ssh"]))
        return int(file.read_text())

    @cached_property
    def _authority(self) -> Authority:
        return authority.get(self.env)

    def start_all(self, machines: list[list[Host]], key_type: str, book: Book) -> None:
        """Make and start machines, each given by the hosts that it is, and write them into the book.

        All are started or none: after an error those that did start are ended.

        :raises LabError: when one does not start.
        """
        if not machines:
            return
        program = sshd.find(self._say)
        template.prepare(self.folder, program)
        machine.offer_rsync(self.lab / "bin", program)
        for hosts in machines:
            shutil.rmtree(hosts[0].folder, ignore_errors=True)
            Path(hosts[0].folder).mkdir(mode=0o700)
        with ThreadPoolExecutor(4) as pool:
            running = [pool.submit(self._start, hosts, key_type, program) for hosts in machines]
        problems = [problem for problem in (one.exception() for one in running) if problem is not None]
        if problems:
            procs.stop([process for one in running if one.exception() is None for process in one.result()])
            raise problems[0]
        for hosts, one in zip(machines, running, strict=True):
            book.hosts |= {host.name: host for host in hosts}
            book.processes |= dict(zip([hosts[0].folder], one.result(), strict=False))

    def _start(self, hosts: list[Host], key_type: str, program: Sshd) -> list[Process]:
        first = hosts[0]
        if first.kind == "dead":
            first.log.touch()
            return []
        if first.kind != "silent":
            root = Path(first.folder)
            addresses = tuple(host.address for host in hosts)
            programs = {"kubectl": self.env["bin"]["kubectl"]}
            machine.build(Machine(root.name, root, addresses, first.port, programs, self.env["kubeadm_url"]), program)
            self._equip(root, hosts, key_type)
        return [self.boot(first)]

    def boot(self, host: Host) -> Process:
        """Start a machine that is made and does not run.

        :raises LabError: when it does not start.
        """
        root = Path(host.folder)
        command = [sys.executable, "-I", "-S", str(SILENT), host.address, str(host.port)]
        if host.kind != "silent":
            command = machine.command(root)
        said = host.log.stat().st_size if host.log.exists() else 0
        process = procs.spawn(f"host {root.name}", command, host.log, self.lab, {"PATH": os.defpath})
        try:
            _wait_started(host, process, said)
        except LabError:
            procs.stop([process])
            raise
        return process

    def end(self, book: Book, host: Host) -> None:
        """End the machine of a host with everything that runs on it; gone when this returns."""
        process = book.processes.pop(host.folder, None)
        if process is not None:
            # The inner one ends last of all that is in its namespace.
            inner = [one for one in procs.owned(self.lab) if procs.parent(one) == process.pid]
            procs.stop([process, *inner])

    def end_strays(self, book: Book) -> None:
        """End machines that nobody knows of: a command was killed between starting them and writing it down."""
        listed = state.load(self.lab)
        known = {process.pid for process in book.processes.values()}
        known |= {process.pid for process in listed.processes.values()} if listed is not None else set()
        strays = [one for one in procs.owned(self.lab) if not {one.pid, procs.parent(one)} & known]
        procs.stop(strays)

    def _equip(self, root: Path, hosts: list[Host], key_type: str) -> None:
        """Keys, certificates and whom the machine trusts."""
        ssh = root / "etc" / "ssh"
        key = f"ssh_host_{key_type}_key"
        public = keys.write(ssh / key, keys.generate(key_type), f"root@{root.name}")
        lines = [f"HostKey /etc/ssh/{key}"]
        kind = hosts[0].kind
        if kind == "many":
            names = {host.address: host.name for host in hosts}
            for share in machine.shares(tuple(names)):
                certified = [word for address in share for word in (address, names[address])]
                signed = self._authority.sign_host(public, certified)
                (ssh / machine.certificate_of(share)).write_text(f"{signed}\n")
        elif kind in ("trusted", "foreign"):
            sign = keys.certify_by_nobody if kind == "foreign" else self._authority.sign_host
            signed = sign(public, [hosts[0].name, hosts[0].address])
            (ssh / f"{key}-cert.pub").write_text(f"{signed}\n")
            lines.append(f"HostCertificate /etc/ssh/{key}-cert.pub")
        if kind == "bare":
            static = self._static_public_key()
            allowed = root / "home" / USER / ".ssh" / "authorized_keys"
            paths.write_private(allowed, f"{static} lab-static-key\n")
        else:
            (ssh / "image" / "principals").mkdir(parents=True)
            (ssh / "image" / "user_ca.pub").write_text(f"{self._authority.user_ca}\n")
            (ssh / "image" / "principals" / USER).write_text(f"{authority.principal(self.env)}\n")
            lines.append("TrustedUserCAKeys /etc/ssh/image/user_ca.pub")
            lines.append("AuthorizedPrincipalsFile /etc/ssh/image/principals/%u")
        # As an image's maker leaves it: after whatever an administrator adds.
        (ssh / "sshd_config.d" / "90-image.conf").write_text("\n".join(lines) + "\n")
        if any(host.control_plane for host in hosts) and not self.env["kubeadm_url"]:
            admin = root / "etc" / "kubernetes" / "admin.conf"
            paths.write_private(admin, (self.lab / "admin.kubeconfig").read_text())

    def _static_public_key(self) -> str:
        # Several machines are made at a time, and all are to have the same key.
        with paths.locked(self.folder):
            path = self.folder / STATIC_KEY
            if not path.exists():
                keys.write(path, keys.generate("ed25519"), "lab-static-key")
            return " ".join(path.with_name(f"{STATIC_KEY}.pub").read_text().split()[:2])


def _wait_started(host: Host, process: Process, said: int) -> None:
    """Wait for what the first process says when all sshd listen; ``said`` bytes of the log are from earlier."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.alive():
        for line in host.log.read_bytes()[said:].decode(errors="replace").splitlines():
            if line.startswith('{"ok": true'):
                return
            if line.startswith('{"ok"'):
                text = json.loads(line)["text"]
                raise LabError(f"host {host.name} did not start: {text}; see {host.log}{_hint(text)}")
        time.sleep(0.005)
    tail = "\n".join(host.log.read_text(errors="replace").splitlines()[-5:])
    raise LabError(f"host {host.name} did not start; the end of {host.log}:\n{tail}")


def _hint(text: str) -> str:
    if "unshare" not in text and "mount" not in text:
        return ""
    return "\nHosts need unprivileged user namespaces (sysctl user.max_user_namespaces), or root with CAP_SYS_ADMIN."
