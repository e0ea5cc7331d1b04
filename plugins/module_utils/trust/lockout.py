# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Reasons why sshd would not let us in by certificate, read from what it says is in effect.

The login that follows is the judge. This comes before it, because it costs nothing and can say why.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

_NOT_MAPPED = 65534
_ANY = "*-cert-v01@openssh.com"


@dataclass(frozen=True)
class Account:
    """A user of the host. ``locked``: the password field begins with an exclamation mark."""

    name: str
    uid: int
    groups: tuple[str, ...]
    locked: bool


def reasons(
    account: Account,
    now: Mapping[str, Sequence[str]],
    *,
    expected: Mapping[str, str],
    address: str,
    ca_kinds: Collection[str] = (),
) -> list[str]:
    """Sentences, each a reason; none when nothing speaks against a login.

    ``expected``: keyword → our value. ``ca_kinds``: types of the keys that certify users.
    """
    found = [
        f"{keyword} is {_first(now, keyword, 'none')} for {account.name}, not {value}: something else sets it"
        for keyword, value in expected.items()
        if _first(now, keyword, "none") != value
    ]
    if _first(now, "pubkeyauthentication", "yes") != "yes":
        found.append("PubkeyAuthentication is off, and certificates are public keys")
    found += _refused_algorithms(now, ca_kinds)
    methods = _first(now, "authenticationmethods", "any").split()
    if methods != ["any"] and "publickey" not in methods:
        found.append(f"AuthenticationMethods asks for {' or '.join(methods)}, a key alone is not enough")
    if account.uid == 0 and _first(now, "permitrootlogin", "yes") in ("no", "forced-commands-only"):
        found.append(f"PermitRootLogin is {_first(now, 'permitrootlogin', '')}")
    if account.locked and _first(now, "usepam", "no") != "yes":
        found.append(f"the account {account.name} is locked and UsePAM is off: give it * as password field")
    return found + _refused_users(account, now, address)


def _refused_algorithms(now: Mapping[str, Sequence[str]], ca_kinds: Collection[str]) -> list[str]:
    """What is not said is what sshd has built in, which accepts all that we use."""
    found = []
    accepted = _first(now, "pubkeyacceptedalgorithms", _first(now, "pubkeyacceptedkeytypes", _ANY))
    if "-cert-v01@" not in accepted:
        found.append("PubkeyAcceptedAlgorithms names no type of certificate")
    signing = _first(now, "casignaturealgorithms", "")
    if signing and ca_kinds and not any(_signs(kind, signing) for kind in ca_kinds):
        found.append(f"CASignatureAlgorithms does not accept signatures by {', '.join(sorted(set(ca_kinds)))}")
    return found


def _signs(kind: str, algorithms: str) -> bool:
    names = ("rsa-sha2-256", "rsa-sha2-512") if kind == "ssh-rsa" else (kind,)
    return any(name in algorithms.split(",") for name in names)


def _refused_users(account: Account, now: Mapping[str, Sequence[str]], address: str) -> list[str]:
    def users(keyword: str) -> list[str]:
        return [pattern for line in now.get(keyword, ()) for pattern in line.split()]

    def is_named(keyword: str) -> bool:
        return any(_user_matches(pattern, account.name, address) for pattern in users(keyword))

    def in_group(keyword: str) -> bool:
        return any(fnmatchcase(group, pattern) for pattern in users(keyword) for group in account.groups)

    found = []
    if is_named("denyusers"):
        found.append(f"DenyUsers names {account.name}")
    if users("allowusers") and not is_named("allowusers"):
        found.append(f"AllowUsers does not name {account.name}")
    if in_group("denygroups"):
        found.append(f"DenyGroups names a group of {account.name}")
    if users("allowgroups") and not in_group("allowgroups"):
        found.append(f"AllowGroups names no group of {account.name}")
    return found


def _user_matches(pattern: str, user: str, address: str) -> bool:
    """Host names and networks after the ``@`` are for sshd to resolve: they count as matching here."""
    name, _at, host = pattern.partition("@")
    plain = host and "/" not in host and not any(letter.isalpha() for letter in host)
    return fnmatchcase(user, name) and (not plain or fnmatchcase(address, host))


def unsafe(path: str) -> str:
    """What others than root may write on the way to ``path``: StrictModes refuses that. Empty: nothing."""
    for place in (Path(path), *Path(path).parents):
        try:
            status = place.stat()
        except OSError:
            continue
        # In a user namespace the owner of what lies outside cannot be told.
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) or status.st_uid not in (0, os.geteuid(), _NOT_MAPPED):
            return str(place)
    return ""


def _first(now: Mapping[str, Sequence[str]], keyword: str, default: str) -> str:
    values = now.get(keyword, ())
    return values[0] if values else default
