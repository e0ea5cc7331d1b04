# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Adding hosts to a lab, and orders to their sshd."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lab import authority, cluster, paths, ports, procs, report, sshd
from lab.authority import Authority
from lab.cache import Say
from lab.errors import LabError
from lab.hosts import keys, machine, model
from lab.hosts.machine import Machine
from lab.hosts.model import USER, Book, Host

NETWORK = "127.100.0"
MANY_NETWORK = "127.101"
STATIC_KEY = "static_key"
ORDERS = ("start", "stop", "restart", "reload", "status")
MOST = 250
PATIENCE = 30.0


def add(
    lab: str,
    names: Iterable[str],
    kind: str = "trusted",
    *,
    key_type: str = "ed25519",
    control_planes: int = 0,
    say: Say,
) -> list[Host]:
    """Start hosts of these names, or keep those that run; the first ``control_planes`` of them are control planes.

    :raises LabError: when the lab does not run, a name is taken by a host of another kind, or a host does not start.
    """
    names = list(names)
    if len(names) > MOST:
        raise LabError(f"a lab has up to {MOST} hosts with a machine of their own, not {len(names)}")
    with _book(lab, say) as (book, making):
        taken = {int(host.address.rpartition(".")[2]) for host in book.hosts.values() if host.kind != "many"}
        free = iter(number for number in range(1, 255) if number not in taken)
        missing = []
        for index, name in enumerate(names):
            known = book.hosts.get(name)
            if known is None:
                folder = str(making.folder / name)
                address = f"{NETWORK}.{next(free)}"
                host = Host(name, address, making.port, kind, folder, control_plane=index < control_planes)
                missing.append(host)
            elif known.kind != kind:
                raise LabError(f"there is a host {name} already, and it is {known.kind}")
        making.start_all([[host] for host in missing], key_type, book)
    return [book.hosts[name] for name in names]


def add_many(lab: str, count: int, *, say: Say) -> list[Host]:
    """Start one machine that listens on ``count`` addresses, each a host ``many-N`` in the inventory; 1 to 2000.

    :raises LabError: when the lab does not run, or there are such hosts already.
    """
    if not 1 <= count <= 2000:
        raise LabError(f"a lab has 1 to 2000 addresses of many, not {count}")
    with _book(lab, say) as (book, making):
        if any(host.kind == "many" for host in book.hosts.values()):
            raise LabError(f"lab {lab} has its many addresses already")
        folder = str(making.folder / "many")
        hosts = [
            Host(f"many-{n}", f"{MANY_NETWORK}.{n // 250}.{n % 250 + 1}", making.port, "many", folder)
            for n in range(count)
        ]
        making.start_all([hosts], "ed25519", book)
    return hosts


def remove(lab: str, name: str, *, say: Say) -> None:
    """End a host with everything that runs on it, and forget it."""
    with _book(lab, say) as (book, _making):
        host = book.hosts.pop(name, None)
        if host is None:
            raise LabError(f"lab {lab} has no host {name}")
        procs.stop([book.processes.pop(host.folder)])
        shutil.rmtree(host.folder)


def order(host: Host, what: str) -> bool:
    """Give ``start``, ``stop``, ``restart``, ``reload`` or ``status`` to the host's sshd; return whether it is active.

    :raises LabError: when it could not be done, with what sshd said.
    """
    if what not in ORDERS:
        raise LabError(f"{what!r} is no order for sshd: {', '.join(ORDERS)}")
    folder = os.open(host.control.parent, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as init:
            init.settimeout(PATIENCE)
            # The path itself may be longer than a socket's address can be.
            init.connect(f"/proc/self/fd/{folder}/{host.control.name}")
            init.sendall(f"{what}\n".encode())
            answer: dict[str, Any] = json.loads(init.makefile("r").readline())
    except (OSError, ValueError) as error:
        raise LabError(f"host {host.name} does not answer: {error}") from error
    finally:
        os.close(folder)
    if not answer["ok"]:
        raise LabError(f"host {host.name}: {what}: {answer['text']}")
    return bool(answer["active"])


def find(lab: str) -> dict[str, Host]:
    """All hosts of the lab by name."""
    return model.load(paths.lab_dir(lab)).hosts


class _Making:
    """Everything that new machines of one lab need; what takes time is got when the first one asks."""

    def __init__(self, lab: str, say: Say) -> None:
        self.lab = paths.lab_dir(lab)
        self.env: dict[str, Any] = json.loads((self.lab / report.ENV_FILE).read_text())
        self.folder = self.lab / "hosts"
        self.folder.mkdir(exist_ok=True, mode=0o700)
        self._sshd = sshd.find(say)
        machine.prepare(self.folder, self._sshd)
        self._authority: Authority = authority.set_up(self.env)
        self.port = self._port()

    def start_all(self, machines: list[list[Host]], key_type: str, book: Book) -> None:
        """Make and start machines, each given by the hosts that it is, and write them into the book.

        All are started or none: after an error those that did start are ended.
        """
        with ThreadPoolExecutor(4) as pool:
            running = [pool.submit(self._start, hosts, key_type) for hosts in machines]
        problems = [problem for problem in (one.exception() for one in running) if problem is not None]
        if problems:
            procs.stop([one.result() for one in running if one.exception() is None])
            raise problems[0]
        for hosts, one in zip(machines, running, strict=True):
            book.processes[hosts[0].folder] = one.result()
            book.hosts |= {host.name: host for host in hosts}

    def _start(self, hosts: list[Host], key_type: str) -> procs.Process:
        first = hosts[0]
        root = Path(first.folder)
        shutil.rmtree(root, ignore_errors=True)
        programs = {"kubectl": self.env["bin"]["kubectl"]}
        addresses = tuple(host.address for host in hosts)
        built = Machine(root.name, root, addresses, first.port, programs)
        command = machine.build(built, self._sshd)
        self._equip(root, hosts, key_type)
        environment = {"PATH": os.defpath}
        process = procs.spawn(f"host {root.name}", command, first.log, self.lab, environment)
        _wait_started(first, process)
        return process

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
            static = self.static_public_key()
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
        if any(host.control_plane for host in hosts):
            admin = root / "etc" / "kubernetes" / "admin.conf"
            paths.write_private(admin, (self.lab / "admin.kubeconfig").read_text())

    def static_public_key(self) -> str:
        """The key of bare hosts, made when the first one needs it."""
        path = self.folder / STATIC_KEY
        with contextlib.suppress(FileNotFoundError):
            return " ".join(path.with_name(f"{STATIC_KEY}.pub").read_text().split()[:2])
        return keys.write(path, keys.generate("ed25519"), "lab-static-key")

    def _port(self) -> int:
        """One port for all hosts of a lab; hosts differ by address."""
        file = self.folder / ".port"
        if not file.exists():
            file.write_text(str(ports.choose(("ssh",), set())["ssh"]))
        return int(file.read_text())


@contextlib.contextmanager
def _book(lab: str, say: Say) -> Iterator[tuple[Book, _Making]]:
    folder = paths.lab_dir(lab)
    current = cluster.require_running(lab)
    with paths.locked(folder):
        book = model.load(folder)
        yield book, _Making(lab, say)
        book.save(folder)
        report.write_env(current, folder)


def _wait_started(host: Host, process: procs.Process) -> None:
    """Wait for the first line of the log, which the first process writes when all its sshd listen."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for line in host.log.read_text(errors="replace").splitlines():
            if line.startswith('{"ok"'):
                answer = json.loads(line)
                if answer["ok"]:
                    return
                procs.stop([process])
                raise LabError(
                    f"host {host.name} did not start: {answer['text']}; see {host.log}{_hint(answer['text'])}"
                )
        if not process.alive():
            break
        time.sleep(0.005)
    procs.stop([process])
    raise LabError(f"host {host.name} did not start; see {host.log}")


def _hint(text: str) -> str:
    if "unshare" not in text and "mount" not in text:
        return ""
    return "\nHosts need unprivileged user namespaces (sysctl user.max_user_namespaces), or root with CAP_SYS_ADMIN."
