# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof: a login by certificate, and by nothing else, on a connection of its own.

It takes the way that the host's own connection takes (port, user, bastion), but shares no connection with it, offers
only the agent's certificates, and believes neither itself nor ssh: what counts is what sshd says the login was.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible import constants

from ansible_collections.slipway.cluster.plugins.module_utils.trust.agent import Offer
from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import (
    Certificate,
    parse_certificate,
    parse_key,
)
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError

# ssh takes the first value of an option: these stand before whatever the inventory says.
OWN = {
    "ControlMaster": "no",
    "ControlPath": "none",
    "BatchMode": "yes",
    "PreferredAuthentications": "publickey",
    "PubkeyAuthentication": "yes",
    "PasswordAuthentication": "no",
    "GSSAPIAuthentication": "no",
    "HostbasedAuthentication": "no",
    # The name that all releases know; a plain key is not even offered.
    "PubkeyAcceptedKeyTypes": "*-cert-v01@openssh.com",
    "IdentitiesOnly": "yes",
    "ForwardAgent": "no",
    "RemoteCommand": "none",
    "RequestTTY": "no",
}
# sshd writes how a session was let in into the file that it names to the session (ExposeAuthInfo).
COMMAND = """/bin/sh -c 'cat "$SSH_USER_AUTH"; echo user $(id -un)'"""
_ATTEMPTS = 4


@dataclass(frozen=True)
class Target:
    """How a host is reached: the options of its own ssh connection."""

    name: str
    address: str
    user: str
    port: int
    program: str
    arguments: tuple[str, ...]
    timeout: int
    check_host_key: bool

    @staticmethod
    def of(connection: Any, name: str) -> Target:
        """Raises ``TrustError`` SLW-7317 for a connection that is not ssh."""
        if getattr(connection, "transport", "") != "ssh":
            raise TrustError(
                "SLW-7317",
                f"{name} is not reached by ssh but by {getattr(connection, 'transport', 'something else')}",
                "access is for hosts behind ssh: take this one out by --limit, or set ansible_connection: ssh",
            )
        arguments: list[str] = []
        for option in ("ssh_args", "ssh_common_args", "ssh_extra_args"):
            arguments += shlex.split(connection.get_option(option) or "")
        return Target(
            name=name,
            address=str(connection.get_option("host") or name),
            user=str(connection.get_option("remote_user") or ""),
            port=int(connection.get_option("port") or 0),
            program=str(connection.get_option("ssh_executable") or "ssh"),
            arguments=tuple(_alone(arguments)),
            timeout=int(connection.get_option("timeout") or 10),
            check_host_key=bool(connection.get_option("host_key_checking")),
        )


def prove(target: Target, offers: Sequence[Offer], *, user: str, host_authorities: Collection[str] = ()) -> Certificate:
    """The certificate by which sshd let us in just now. Raises ``TrustError`` SLW-7305.

    With ``host_authorities`` (OpenSSH lines) the host must show a certificate of theirs
    that carries its inventory name.
    """
    with tempfile.TemporaryDirectory(dir=constants.DEFAULT_LOCAL_TMP, prefix="slipway-proof-") as folder:
        command = _command(target, offers, user, Path(folder), host_authorities)
        for attempt in range(_ATTEMPTS):
            # sshd may still be starting again with what it was just told to read.
            time.sleep(attempt)
            done = run(command, target)
            if done.returncode == 0:
                break
    if done.returncode:
        said = " ".join(done.stderr.strip().splitlines()[-3:]) or f"ssh ended with {done.returncode}"
        raise TrustError("SLW-7305", f"no login by certificate as {user or 'the default user'}: {said}")
    return _believe(done.stdout, offers)


def _believe(said: str, offers: Sequence[Offer]) -> Certificate:
    """What sshd says of the login, held against what we have offered."""
    wanted = {parse_key(offer.line).text for offer in offers}
    for line in said.splitlines():
        method, _space, key = line.partition(" ")
        if method == "publickey" and key.strip() in wanted:
            return parse_certificate(key)
    methods = [" ".join(line.split()[:2]) for line in said.splitlines() if line and not line.startswith("user ")]
    raise TrustError(
        "SLW-7305",
        "the login worked, but sshd does not say that it was by our certificate: "
        + (f"it says {', '.join(methods)}" if methods else "it says nothing (is there a ForceCommand?)"),
    )


def _command(
    target: Target, offers: Sequence[Offer], user: str, folder: Path, host_authorities: Collection[str]
) -> list[str]:
    options = {**OWN, "ConnectTimeout": str(target.timeout)}
    if host_authorities:
        known = folder / "known_hosts"
        known.write_text("".join(f"@cert-authority * {key}\n" for key in host_authorities), encoding="utf-8")
        options |= {
            "UserKnownHostsFile": str(known),
            "GlobalKnownHostsFile": "/dev/null",
            "StrictHostKeyChecking": "yes",
            "HostKeyAlias": target.name,
            "HostKeyAlgorithms": "*-cert-v01@openssh.com",
            "VerifyHostKeyDNS": "no",
        }
    elif not target.check_host_key:
        options["StrictHostKeyChecking"] = "no"
    command = [target.program]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    for number, offer in enumerate(offers):
        file = folder / f"{number}-cert.pub"
        file.write_text(f"{offer.line}\n", encoding="utf-8")
        # ssh looks for a private key in it too, and complains about one that others may read.
        file.chmod(0o600)
        # As an identity, not as CertificateFile: that would ask for the key itself in the agent as well.
        command += ["-o", f"IdentityFile={file}"]
    command += ["-p", str(target.port)] if target.port else []
    command += ["-l", user] if user else []
    return [*command, *target.arguments, target.address, COMMAND]


def run(command: Sequence[str], target: Target) -> subprocess.CompletedProcess[str]:
    limit = target.timeout + 30
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(list(command), 255, "", f"no answer within {limit} s")


def _alone(arguments: Sequence[str]) -> list[str]:
    """Without what would share a connection: ``-S`` and ``-M`` count whatever an option before them says."""
    found, skip = [], False
    for argument in arguments:
        if skip or argument == "-M" or argument.startswith("-S"):
            skip = argument == "-S"
            continue
        found.append(argument)
    return found
