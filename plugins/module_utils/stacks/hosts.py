# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The hosts of a new cluster: a line each, as one writes them into a form, or a list or map of YAML."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ..addons.names import did_you_mean
from ..kubespray.groups import KNOWN, NODE_NAME
from ..nodes.problem import Problem
from .definition import ROLES

_WORDS = {**{role: role for role in ROLES}, **{group: role for role, group in ROLES.items()}}
_KEYS = {
    "address": "address",
    "user": "user",
    "port": "port",
    "ip": "ip",
    "ansible_host": "address",
    "ansible_user": "user",
    "ansible_port": "port",
}
_FORM = "a line is NAME, NAME=ADDRESS or NAME ADDRESS, then roles, user=, port=, ip="
_RESERVED = frozenset({*KNOWN, *ROLES, "all", "ungrouped", "localhost"})
_ADDRESS = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9._@-]*")
_LONGEST = 253


@dataclass(frozen=True)
class Host:
    """``roles`` is empty where nothing was said of them; ``where`` is ``line 3``, or what there is instead."""

    name: str
    where: str
    address: str = ""
    user: str = ""
    port: Optional[int] = None
    ip: str = ""
    roles: tuple[str, ...] = ()

    @property
    def variables(self) -> dict[str, Any]:
        """As they stand in the inventory."""
        told = {"ansible_host": self.address, "ansible_port": self.port, "ansible_user": self.user, "ip": self.ip}
        return {name: value for name, value in told.items() if value}


def read(given: object) -> tuple[list[Host], list[Problem]]:
    """The hosts in their order, and all that is wrong with them.

    ``given`` is text with a host on each line or between commas, or a list of such lines or of maps, or a map of names.
    """
    found: list[Host] = []
    problems: list[Problem] = []
    for where, item in _items(given):
        if item is None:
            problems.append(Problem("SLW-8905", f"{where} is not a host", _FORM))
            continue
        host = _host(where, item, problems)
        if host is not None:
            found.append(host)
    return found, problems + list(_twice(found))


def _items(given: object) -> Iterator[tuple[str, Optional[Mapping[str, Any]]]]:
    """Each host as a map of what was said, with ``words`` for what is still to be understood; None where that fails."""
    if isinstance(given, str):
        for number, line in enumerate(given.splitlines(), 1):
            for part in line.partition("#")[0].split(","):
                if part.strip():
                    yield f"line {number}", {"words": part.split()}
    elif isinstance(given, Mapping):
        for name, value in given.items():
            told = value if isinstance(value, Mapping) else {} if value is None else {"address": value}
            yield f"host {name}", {**told, "name": name}
    elif isinstance(given, (list, tuple)):
        for number, value in enumerate(given, 1):
            where = f"host {number}"
            if isinstance(value, str):
                words = value.partition("#")[0].split()
                yield where, {"words": words} if words else None
            else:
                yield where, value if isinstance(value, Mapping) and "words" not in value else None
    elif given is not None:
        yield "slipway_hosts", None


def _host(where: str, item: Mapping[str, Any], problems: list[Problem]) -> Optional[Host]:
    before = len(problems)
    told = _of_words(where, item["words"], problems) if "words" in item else _of_map(where, item, problems)
    name = str(told.pop("name", ""))
    problems += _wrong_name(where, name)
    problems += _wrong_values(where, name, told)
    if len(problems) > before:
        return None
    port = told.pop("port", None)
    return Host(name, where, port=int(port) if port else None, **told)


def _of_words(where: str, words: list[str], problems: list[Problem]) -> dict[str, Any]:
    name, equals, address = words[0].partition("=")
    told: dict[str, Any] = {"name": name, "roles": ()}
    if equals:
        told["address"] = address
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if equals and key in _KEYS:
            told[_KEYS[key]] = value
        elif not equals and word in _WORDS:
            told["roles"] = tuple(dict.fromkeys([*told["roles"], _WORDS[word]]))
        elif not equals and "address" not in told and ("." in word or ":" in word):
            told["address"] = word
        else:
            near = did_you_mean(key, _KEYS if equals else _WORDS)
            said = f"{where}: {word!r} is no role and no value of a host"
            problems.append(Problem("SLW-8905", said, near or _FORM))
    return told


def _of_map(where: str, item: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    told: dict[str, Any] = {"name": item.get("name", ""), "roles": ()}
    for key, value in item.items():
        if key in _KEYS and not isinstance(value, (Mapping, list, bool)) and value is not None:
            told[_KEYS[key]] = str(value).strip()
        elif key == "roles":
            roles = value.replace(",", " ").split() if isinstance(value, str) else value
            wrong = [role for role in roles if role not in _WORDS] if isinstance(roles, (list, tuple)) else [value]
            for role in wrong:
                said = f"{where}: {role!r} is no role"
                remedy = did_you_mean(role, _WORDS) or f"roles are {', '.join(ROLES)}"
                problems.append(Problem("SLW-8905", said, remedy))
            told["roles"] = () if wrong else tuple(dict.fromkeys(_WORDS[role] for role in roles))
        elif key != "name":
            said = f"{where}: {key!r} is no value of a host, or is of another kind"
            remedy = did_you_mean(key, _KEYS) or "a host has name, address, roles, user, port, ip"
            problems.append(Problem("SLW-8905", said, remedy))
    return told


def _wrong_name(where: str, name: str) -> Iterator[Problem]:
    if _is_ip(name):
        said = f"{where}: {name} is an address, and a host wants a name"
        yield Problem("SLW-8906", said, f"write it as node1={name}")
    elif name in _RESERVED:
        said = f"{where}: {name} is the name of a group, a role or the controller"
        yield Problem("SLW-8906", said, "write the roles of a host on its own line, or name the host otherwise")
    elif not NODE_NAME.fullmatch(name) or len(name) > _LONGEST:
        said = f"{where}: {name or 'an empty text'} cannot be the name of a node"
        yield Problem("SLW-8906", said, "lower-case letters, digits, '-' and '.' make one")


def _wrong_values(where: str, name: str, told: Mapping[str, Any]) -> Iterator[Problem]:
    address, ip, port, user = (told.get(key) for key in ("address", "ip", "port", "user"))
    if address is not None and not (_is_ip(address) or (_ADDRESS.fullmatch(address) and not _numbers(address))):
        said = f"{where}: the address of {name}, {address!r}, is neither an IP address nor a host name"
        yield Problem("SLW-8907", said, "correct it")
    if ip is not None and not _is_ip(ip):
        yield Problem("SLW-8907", f"{where}: ip of {name}, {ip!r}, is no IP address", "correct it")
    if port is not None and not (re.fullmatch("[0-9]{1,5}", port) and 0 < int(port) < 65536):
        said = f"{where}: the port of {name}, {port!r}, is none"
        yield Problem("SLW-8907", said, "give a number from 1 to 65535")
    if user is not None and not _USER.fullmatch(user):
        said = f"{where}: the user of {name}, {user!r}, cannot be one"
        yield Problem("SLW-8905", said, "letters, digits, '.', '_', '@' and '-' make one")


def _twice(hosts: list[Host]) -> Iterator[Problem]:
    names: dict[str, Host] = {}
    addresses: dict[tuple[str, object], Host] = {}
    for host in hosts:
        if host.name in names:
            said = f"{host.where}: {host.name} stands in {names[host.name].where} too"
            yield Problem("SLW-8908", said, "leave one of them out, or give it a name of its own")
            continue
        names[host.name] = host
        places = {(host.address, host.port or 22)} if host.address else set()
        for place in [*places, *([(host.ip, "ip")] if host.ip else [])]:
            if place in addresses:
                other = addresses[place]
                said = f"{host.where}: {host.name} has {place[0]}, as {other.name} in {other.where}"
                yield Problem("SLW-8908", said, "give each host its own address")
            addresses[place] = host


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _numbers(text: str) -> bool:
    """Whether an address can only be a mistyped IP address: 192.0.2, or 192.0.2.300."""
    return not re.search("[A-Za-z]", text)
