# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One visit to a host, by the way that its own connections take and on a connection that nobody shares.

By certificate alone where the session is ours. Where that is refused, the host is asked which of the user's plain keys
it would take: by their public halves, so that nobody logs in by one of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible import constants

from ansible_collections.slipway.cluster.plugins.module_utils.trust import visit as seen
from ansible_collections.slipway.cluster.plugins.module_utils.trust.agent import held, offers
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.visit import Visit

from .proof import COMMAND, OWN, Target, run
from .ssh_session import FORMER

# They count whatever LogLevel says: without a log nothing is known, and with more of it the reason is not found.
_QUIET = ("-q", "-v", "-vv", "-vvv", "-vvvv")
# Only what the agent itself holds: its comment on a key is where a refusal's reason stands.
_CERTIFICATE = {**OWN, "IdentitiesOnly": "no", "IdentityFile": "none"}
_SHARED = ("ControlMaster", "ControlPath", "BatchMode", "ForwardAgent", "RemoteCommand", "RequestTTY")


def visit(connection: Any, name: str, *, ours: bool) -> Visit:
    """``ours``: whether the agent is that of a session of Slipway. Never raises for what a host does; raises
    ``TrustError`` SLW-7317 for a connection that is not ssh."""
    target = Target.of(connection, name)
    target = replace(target, arguments=tuple(a for a in target.arguments if a not in _QUIET))
    own_file = str(connection.get_option("private_key_file") or "")
    if not ours:
        options = {one: OWN[one] for one in _SHARED} | ({"IdentityFile": own_file} if own_file else {})
        return _visit(target, options, COMMAND)
    found = _visit(target, _CERTIFICATE, COMMAND)
    if found.state != seen.NOT_ACCEPTED:
        return found
    key = _plain_key(target, own_file)
    return replace(found, state=seen.KEY_ONLY, method=seen.KEY, key=key) if key else found


def _visit(target: Target, options: Mapping[str, str], command: str) -> Visit:
    with tempfile.TemporaryDirectory(dir=constants.DEFAULT_LOCAL_TMP, prefix="slipway-visit-") as folder:
        log = Path(folder) / "log"
        done = run(_command(target, options, log, command), target)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return seen.read(done.returncode, done.stdout, text, done.stderr, _offered())


def _plain_key(target: Target, own_file: str) -> str:
    """Fingerprint of a plain key of the user's that the host would take; empty for none."""
    lines = _public_keys(os.environ.get(FORMER, ""), own_file)
    if not lines:
        return ""
    with tempfile.TemporaryDirectory(dir=constants.DEFAULT_LOCAL_TMP, prefix="slipway-visit-") as folder:
        log = Path(folder) / "log"
        options = {**OWN, "PubkeyAcceptedKeyTypes": "+ssh-ed25519", "IdentityAgent": "none"}
        command = _command(target, options, log, "true")
        for number, line in enumerate(lines):
            file = Path(folder) / f"{number}.pub"
            file.write_text(f"{line}\n", encoding="utf-8")
            file.chmod(0o600)
            command[1:1] = ["-o", f"IdentityFile={file}"]
        run(command, target)
        return seen.accepted_key(log.read_text(encoding="utf-8", errors="replace")) if log.exists() else ""


def _public_keys(socket: str, own_file: str) -> list[str]:
    public = Path(f"{own_file}.pub").expanduser()
    lines = public.read_text(encoding="utf-8").splitlines()[:1] if own_file and public.is_file() else []
    try:
        lines += held(socket)
    except TrustError:
        # No agent of the user's: nothing to ask about.
        return lines
    return [line for line in lines if "-cert-v01@" not in line.split(" ")[0]]


def _offered() -> list[str]:
    try:
        return [offer.line for offer in offers(os.environ.get("SSH_AUTH_SOCK", ""))]
    except TrustError:
        return []


def _command(target: Target, options: Mapping[str, str], log: Path, command: str) -> list[str]:
    given = {**options, "LogLevel": "DEBUG1", "ConnectTimeout": str(target.timeout)}
    if not target.check_host_key:
        # Whoever checks no host key has no use for a list of them; and a report writes into none.
        given |= {"StrictHostKeyChecking": "no", "UserKnownHostsFile": "/dev/null"}
    words = [target.program, "-E", str(log)]
    for name, value in given.items():
        words += ["-o", f"{name}={value}"]
    words += ["-p", str(target.port)] if target.port else []
    words += ["-l", target.user] if target.user else []
    return [*words, *target.arguments, target.address, command]
