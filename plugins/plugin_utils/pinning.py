# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first contact: a host is believed when its key is the one that the user was told, and before anything is sent."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from ansible import constants

from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import parse_key
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError

from .proof import Target

FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
# One is shown for each connection; the fingerprint that was noted may be of any of them.
_ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
    "rsa-sha2-512,rsa-sha2-256",
)


def pin(connection: Any, name: str, fingerprints: Collection[str]) -> None:
    """Makes the connection accept these keys alone, whatever known_hosts and the inventory say.

    Raises ``TrustError`` SLW-7312 where the host shows others. Without fingerprints nothing is changed.
    """
    if not fingerprints:
        return
    for one in sorted(fingerprints):
        if not FINGERPRINT.fullmatch(one):
            raise TrustError(
                "SLW-7314", f"host_key is {one!r}", "give the fingerprint that ssh-keygen -lf prints: SHA256:…"
            )
    target = Target.of(connection, name)
    known = Path(tempfile.mkdtemp(dir=constants.DEFAULT_LOCAL_TMP, prefix="slipway-pin-")) / "known_hosts"
    shown = []
    for algorithms in _ALGORITHMS:
        line = _shown(target, algorithms, known)
        if line:
            fingerprint = parse_key(line.split(None, 1)[1]).fingerprint
            if fingerprint in fingerprints:
                known.write_text(f"{line}\n", encoding="utf-8")
                _insist(connection, target, known)
                return
            shown.append(fingerprint)
    raise TrustError(
        "SLW-7312",
        f"{name} shows {' and '.join(shown) or 'no host key at all'}, not {' or '.join(sorted(fingerprints))}",
        "somebody may be in between: compare with the provider's console before you change slipway_host_key",
    )


def _insist(connection: Any, target: Target, known: Path) -> None:
    """Before everything else on ssh's command line, because ssh takes the first value of an option."""
    options = {
        "UserKnownHostsFile": str(known),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "HostKeyAlias": target.name,
        "VerifyHostKeyDNS": "no",
    }
    first = " ".join(f"-o {shlex.quote(f'{key}={value}')}" for key, value in options.items())
    connection.set_option("ssh_args", f"{first} {connection.get_option('ssh_args') or ''}")


def _shown(target: Target, algorithms: str, known: Path) -> str:
    """The host's key of one of these algorithms as a line of known_hosts. Nobody logs in."""
    known.unlink(missing_ok=True)
    options = {
        "ControlMaster": "no",
        "ControlPath": "none",
        "BatchMode": "yes",
        "UserKnownHostsFile": str(known),
        "GlobalKnownHostsFile": "/dev/null",
        # What is shown is written down and looked at; nothing else is done on this connection.
        "StrictHostKeyChecking": "no",
        "HashKnownHosts": "no",
        "UpdateHostKeys": "no",
        "VerifyHostKeyDNS": "no",
        "HostKeyAlias": target.name,
        "HostKeyAlgorithms": algorithms,
        "PreferredAuthentications": "none",
        "ConnectTimeout": str(target.timeout),
    }
    command = [target.program, *(word for key, value in options.items() for word in ("-o", f"{key}={value}"))]
    command += ["-p", str(target.port)] if target.port else []
    command += ["-l", target.user] if target.user else []
    try:
        subprocess.run(
            [*command, *target.arguments, target.address, "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=target.timeout + 30,
            check=False,
        )
        lines = known.read_text(encoding="utf-8").splitlines()
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return lines[0] if lines else ""
