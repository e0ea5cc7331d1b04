# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Adding hosts to a lab, switching them off and on, and orders to their sshd."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
from collections.abc import Iterable, Iterator
from typing import Any

from lab import cluster, paths, report
from lab.cache import Say
from lab.errors import LabError
from lab.hosts import model
from lab.hosts.making import PATIENCE, Making
from lab.hosts.model import Book, Host

NETWORK = "127.100.0"
MANY_NETWORK = "127.101"
ORDERS = ("start", "stop", "restart", "reload", "status")
SWITCHES = ("off", "on", "cycle")
MOST = 250
MOST_ADDRESSES = 2000


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

    One that is known and was killed, or switched off, is started again with its files as they are.

    :raises LabError: when the lab does not run, a name is taken by a host of another kind, or a host does not start.
    """
    names = list(names)
    if not 1 <= len(names) <= MOST:
        raise LabError(f"a lab has 1 to {MOST} hosts with a machine of their own, not {len(names)}")
    with _book(lab, say) as (book, making):
        taken = {int(host.address.rpartition(".")[2]) for host in book.hosts.values() if host.kind != "many"}
        free = iter(number for number in range(1, 255) if number not in taken)
        missing = []
        for index, name in enumerate(names):
            known = book.hosts.get(name)
            if known is None:
                folder = str(making.folder / name)
                address = f"{NETWORK}.{next(free)}"
                missing.append(Host(name, address, making.port, kind, folder, control_plane=index < control_planes))
            elif known.kind != kind:
                raise LabError(f"there is a host {name} already, and it is {known.kind}")
            elif not book.alive(known) and kind != "dead":
                book.processes[known.folder] = making.boot(known)
        making.start_all([[host] for host in missing], key_type, book)
    return [book.hosts[name] for name in names]


def add_many(lab: str, names: Iterable[str], *, say: Say) -> list[Host]:
    """Start one machine that listens on many addresses, one for each name; 1 to 2000.

    :raises LabError: when the lab does not run, a name is taken, or there are such hosts already.
    """
    names = list(names)
    if not 1 <= len(names) <= MOST_ADDRESSES:
        raise LabError(f"a lab has 1 to {MOST_ADDRESSES} addresses of many, not {len(names)}")
    with _book(lab, say) as (book, making):
        if any(host.kind == "many" for host in book.hosts.values()):
            raise LabError(f"lab {lab} has its many addresses already")
        taken = next((name for name in names if name in book.hosts), None)
        if taken is not None:
            raise LabError(f"there is a host {taken} already")
        folder = str(making.folder / "many")
        hosts = [
            Host(name, f"{MANY_NETWORK}.{n // 250}.{n % 250 + 1}", making.port, "many", folder)
            for n, name in enumerate(names)
        ]
        making.start_all([hosts], "ed25519", book)
    return hosts


def remove(lab: str, name: str, *, say: Say) -> None:
    """End a host with everything that runs on it, and forget it.

    :raises LabError: when there is none of that name, or it is one of many on a machine.
    """
    with _book(lab, say) as (book, making):
        host = _known(book, lab, name)
        if host.kind == "many":
            raise LabError(f"{name} is one of many on a machine")
        del book.hosts[name]
        making.end(book, host)
        shutil.rmtree(host.folder)


def power(lab: str, name: str, switch: str, *, say: Say) -> None:
    """Switch the machine of a host ``off``, ``on``, or off and on again (``cycle``); its files stay.

    Off is sudden: no process gets to know. Connections to it are refused from then on.

    :raises LabError: when there is no such host, it can only be off, or it does not start.
    """
    with _book(lab, say) as (book, making):
        host = _known(book, lab, name)
        if host.kind == "dead":
            raise LabError(f"{name} is a dead host: it has no machine")
        if switch != "on":
            making.end(book, host)
        if switch != "off" and not book.alive(host):
            book.processes[host.folder] = making.boot(host)


def order(host: Host, what: str) -> bool:
    """Give ``start``, ``stop``, ``restart``, ``reload`` or ``status`` to the host's sshd; return whether it is active.

    :raises LabError: when it could not be done, with what sshd said.
    """
    if what not in ORDERS:
        raise LabError(f"{what!r} is no order for sshd: {', '.join(ORDERS)}")
    try:
        answer = _ask(host, what)
    except (OSError, ValueError) as error:
        raise LabError(f"host {host.name} does not answer: {error}") from error
    if not answer["ok"]:
        raise LabError(f"host {host.name}: {what}: {answer['text']}")
    return bool(answer["active"])


def _ask(host: Host, what: str) -> dict[str, Any]:
    folder = os.open(host.control.parent, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as init:
            init.settimeout(PATIENCE)
            # The path itself may be longer than a socket's address can be.
            init.connect(f"/proc/self/fd/{folder}/{host.control.name}")
            init.sendall(f"{what}\n".encode())
            answer: dict[str, Any] = json.loads(init.makefile("r").readline())
            return answer
    finally:
        os.close(folder)


def find(lab: str) -> dict[str, Host]:
    """All hosts of the lab by name."""
    return model.load(paths.lab_dir(lab)).hosts


def status(lab: str) -> list[str]:
    """A line for each machine: what it is, where, and whether it runs."""
    book = model.load(paths.lab_dir(lab))
    lines = []
    for folder in dict.fromkeys(host.folder for host in book.hosts.values()):
        hosts = [host for host in book.hosts.values() if host.folder == folder]
        first = hosts[0]
        life = "runs" if book.alive(first) else "off"
        if book.alive(first) and first.kind != "silent" and not order(first, "status"):
            life = "sshd is down"
        name = first.name if len(hosts) == 1 else f"{first.name} … {hosts[-1].name}"
        lines.append(f"{name:<24} {first.address}:{first.port:<6} {first.kind:<8} {life}")
    return lines


def _known(book: Book, lab: str, name: str) -> Host:
    host = book.hosts.get(name)
    if host is None:
        raise LabError(f"lab {lab} has no host {name}")
    return host


@contextlib.contextmanager
def _book(lab: str, say: Say) -> Iterator[tuple[Book, Making]]:
    """The lab's book, for changing it; nobody else changes it meanwhile."""
    folder = paths.lab_dir(lab)
    current = cluster.require_running(lab)
    with paths.locked(folder):
        book = model.load(folder)
        making = Making(lab, say)
        making.end_strays(book)
        try:
            yield book, making
        finally:
            book.save(folder)
            report.write_env(current, folder)
