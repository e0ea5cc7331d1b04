# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""When a key was last used, as far as the host's logs go."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

from .sshd import run

_LOGS = ("auth.log", "secure")
_ACCEPTED = re.compile(
    r"^(?P<when>\S+T\S+|\w{3}\s+\d+ [\d:]+) .*Accepted publickey for (?P<user>\S+) from .*? (?P<key>SHA256:\S+)"
    r"(?P<rest>.*)$"
)
_DAYS = 400


def last_uses(folder: str = "/var/log") -> dict[tuple[str, str], str]:
    """(user, fingerprint) → the time as the log has it, of the last login by this plain key."""
    found: dict[tuple[str, str], str] = {}
    logs = [path for name in _LOGS for path in Path(folder).glob(f"{name}*") if path.is_file()]
    for path in sorted(logs, key=lambda one: one.stat().st_mtime):
        found.update(read(_lines(path)))
    command = ["journalctl", "--quiet", "--no-pager", "--output=short-iso", f"--since=-{_DAYS}d"]
    status, out, _err = run([*command, "--identifier=sshd", "--identifier=sshd-session"])
    if status == 0:
        found.update(read(out.splitlines()))
    return found


def read(lines: Iterable[str]) -> dict[tuple[str, str], str]:
    """What lines of a log say; a later line counts. Certificates have their own authority and do not count."""
    found = {}
    for line in lines:
        accepted = _ACCEPTED.match(line)
        if accepted and " CA " not in accepted.group("rest"):
            found[accepted.group("user"), accepted.group("key")] = accepted.group("when")
    return found


def _lines(path: Path) -> list[str]:
    try:
        content = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8", "replace").splitlines()
    except (OSError, EOFError):
        return []
