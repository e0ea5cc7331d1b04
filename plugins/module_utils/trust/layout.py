# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is wanted of a host, and the files that say it to sshd.

Everything that decides about logins stands in a ``Match User`` block: other users of the host keep what they had.
Values in a Match block win over the site's global ones, and ours are read before the site's own blocks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from .keywords import knows, option

BEGIN = "# BEGIN slipway.cluster.ssh_trust"
END = "# END slipway.cluster.ssh_trust"
_SAID = "# Written by slipway.cluster.ssh_trust: changes are lost.\n"
_INCLUDE = re.compile(r"^\s*include[\s=]", re.IGNORECASE)
_MATCH = re.compile(r"^\s*match\s", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """``principals``: user of the host → names in certificates; ``revoked``: the list's bytes, keys or a KRL;
    ``host_certificate``: one line, or empty to have none."""

    user_ca_keys: tuple[str, ...]
    principals: Mapping[str, tuple[str, ...]]
    revoked: bytes = b""
    host_certificate: str = ""
    log_level: str = ""
    unused_connection_timeout: str = ""
    penalty_exempt: str = ""


@dataclass(frozen=True)
class Site:
    """What the host has set for everybody without us."""

    ca_keys: tuple[str, ...] = ()
    principals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    revoked_file: str = ""
    revoked: bytes = b""


@dataclass(frozen=True)
class Places:
    """``folder`` holds our files; ``config`` is sshd's main file; ``dropin`` is for where that includes it."""

    folder: str
    config: str
    dropin: str

    @property
    def user_ca(self) -> str:
        return f"{self.folder}/user_ca.pub"

    @property
    def principals(self) -> str:
        return f"{self.folder}/principals"

    @property
    def revoked(self) -> str:
        return f"{self.folder}/revoked"

    @property
    def host_certificate(self) -> str:
        return f"{self.folder}/host-cert.pub"


def files(
    wanted: Wanted, site: Site, places: Places, version: tuple[int, int], main: str
) -> dict[str, Optional[bytes]]:
    """Every file that is ours by path, ``None`` where it must not be. ``main`` is the text of sshd's main file."""
    block = "".join(f"{line}\n" for line in configuration(wanted, site, places, version))
    found: dict[str, Optional[bytes]] = {
        places.user_ca: (_SAID + _lines((*wanted.user_ca_keys, *site.ca_keys))).encode(),
        places.revoked: _revoked(wanted, site) if _own_revocation(wanted, site) else None,
        places.host_certificate: f"{wanted.host_certificate}\n".encode() if wanted.host_certificate else None,
    }
    for user, names in wanted.principals.items():
        found[f"{places.principals}/{user}"] = (_SAID + _lines((*names, *site.principals.get(user, ())))).encode()
    if included(main, places, version):
        found[places.dropin] = (_SAID + block).encode()
        found[places.config] = without_block(main).encode()
    else:
        found[places.config] = with_block(main, block).encode()
    return found


def configuration(wanted: Wanted, site: Site, places: Places, version: tuple[int, int]) -> list[str]:
    """The lines for sshd, only such as its release knows."""
    everybody = [
        option(version, "HostCertificate", places.host_certificate if wanted.host_certificate else ""),
        f"LogLevel {wanted.log_level}" if wanted.log_level else None,
        option(version, "UnusedConnectionTimeout", wanted.unused_connection_timeout),
        option(version, "PerSourcePenaltyExemptList", wanted.penalty_exempt),
    ]
    users = [
        f"Match User {','.join(sorted(wanted.principals))}",
        f"    TrustedUserCAKeys {places.user_ca}",
        f"    AuthorizedPrincipalsFile {places.principals}/%u",
        f"    RevokedKeys {places.revoked}" if _own_revocation(wanted, site) else None,
        # A login can read which certificate it was let in by: the proof asks for it.
        "    ExposeAuthInfo yes",
        # What follows in the main file is not ours.
        "Match all",
    ]
    return [line for line in (*everybody, *users) if line is not None]


def included(main: str, places: Places, version: tuple[int, int]) -> bool:
    """Whether the main file reads our drop-in for everybody: an Include below a Match is read for some only."""
    if not knows(version, "Include"):
        return False
    for line in main.splitlines():
        if _MATCH.match(line):
            return False
        if _INCLUDE.match(line):
            patterns = line.split("#", 1)[0].replace("=", " ").replace('"', " ").split()[1:]
            base = Path("/etc/ssh")  # compiled into sshd, wherever its main file is
            if any(Path(places.dropin).match(str(base / pattern)) for pattern in patterns):
                return True
    return False


def with_block(main: str, block: str) -> str:
    """The main file with our block above the first Match, where values for everybody still are for everybody."""
    lines = without_block(main).splitlines(keepends=True)
    at = next((number for number, line in enumerate(lines) if _MATCH.match(line)), len(lines))
    head, tail = "".join(lines[:at]), "".join(lines[at:])
    if head and not head.endswith("\n"):
        head += "\n"
    return f"{head}{BEGIN}\n{block}{END}\n{tail}"


def without_block(main: str) -> str:
    """The main file as the site wrote it."""
    return re.sub(rf"^{re.escape(BEGIN)}\n.*?^{re.escape(END)}\n", "", main, flags=re.MULTILINE | re.DOTALL)


def _own_revocation(wanted: Wanted, site: Site) -> bool:
    """Without a list of ours the site's, which is set for everybody, goes on to count."""
    return bool(wanted.revoked) or not site.revoked_file


def _revoked(wanted: Wanted, site: Site) -> bytes:
    return wanted.revoked + site.revoked


def _lines(values: Sequence[str]) -> str:
    return "".join(f"{value}\n" for value in dict.fromkeys(values))
