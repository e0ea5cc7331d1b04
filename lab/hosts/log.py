# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a host's sshd wrote down: connections and accepted logins."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.hosts.model import Host

CONNECTION = re.compile(r"^Connection from \S+ port \d+ on (\S+) port \d+", re.MULTILINE)
ACCEPTED = re.compile(r"^Accepted publickey for (\S+) from \S+ port (\d+) ssh2: (\S+) (\S+)(?: ID (.*) \(serial (\d+)\) CA (\S+) (\S+))?$", re.MULTILINE)  # fmt: skip # noqa: E501


@dataclass(frozen=True)
class Login:
    """One accepted login. ``key_id``, ``serial`` and ``authority`` (a fingerprint) are empty for a plain key."""

    user: str
    key_type: str
    fingerprint: str
    key_id: str
    serial: str
    authority: str


def connections(host: Host) -> int:
    """Number of TCP connections that came to this address since the host was started."""
    return sum(address == host.address for address in CONNECTION.findall(_text(host)))


def all_connections(hosts: Iterable[Host]) -> dict[str, int]:
    """The same for many hosts by name, each log read once: a machine with many addresses has one."""
    by_log: dict[str, list[Host]] = {}
    for host in hosts:
        by_log.setdefault(host.folder, []).append(host)
    found: dict[str, int] = {}
    for members in by_log.values():
        addresses = Counter(CONNECTION.findall(_text(members[0])))
        found |= {host.name: addresses[host.address] for host in members}
    return found


@contextmanager
def counting(hosts: Iterable[Host]) -> Iterator[dict[str, int]]:
    """Count the connections that come while the block runs; at its end the dictionary holds them by host."""
    hosts = list(hosts)
    before = all_connections(hosts)
    new: dict[str, int] = {}
    yield new
    new |= {name: count - before[name] for name, count in all_connections(hosts).items()}


def logins(host: Host) -> list[Login]:
    """Accepted logins of the machine (of all addresses, where it has many), oldest first."""
    return [
        Login(user, key_type, fingerprint, key_id, serial, authority)
        for user, _port, key_type, fingerprint, key_id, serial, _ca_type, authority in ACCEPTED.findall(_text(host))
    ]


def _text(host: Host) -> str:
    return host.log.read_text(errors="replace").replace("\r\n", "\n")
