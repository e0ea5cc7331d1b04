# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Static keys of a host: every line that lets somebody in by a key, for every user, system users included."""

from __future__ import annotations

import pwd
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional

from .certificate import Key, parse_key
from .errors import TrustError
from .sshd import Sshd, Way

# Where sshd looks when nobody told it otherwise; listed even where it is told otherwise, as that may change.
_DEFAULT = (".ssh/authorized_keys", ".ssh/authorized_keys2")
_OPTION = re.compile(r'[^",\s]+(?:="(?:\\"|[^"])*")?|"(?:\\"|[^"])*"')


@dataclass(frozen=True)
class StaticKey:
    """One line. ``authority``: it lets in whoever that key certifies. ``in_use``: sshd reads this file for the user."""

    user: str
    path: str
    number: int
    kind: str
    fingerprint: str
    comment: str
    options: str
    authority: bool
    in_use: bool
    last_use: str = "unknown"

    def shown(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Found:
    """``commands``: user → program that sshd asks for more keys, which nobody can list here. ``unread``: path → how
    many lines are neither key nor comment."""

    keys: tuple[StaticKey, ...]
    commands: Mapping[str, str]
    unread: Mapping[str, int]


def scan(sshd: Sshd, way: Way, last_use: Mapping[tuple[str, str], str]) -> Found:
    """All users of the host. ``last_use``: (user, fingerprint) → when. Raises ``TrustError``."""
    keys: list[StaticKey] = []
    commands, unread = {}, {}
    for account in sorted({entry.pw_name: entry for entry in pwd.getpwall()}.values()):
        now = sshd.effective(account.pw_name, way)
        command = (now.get("authorizedkeyscommand") or ["none"])[0]
        if command != "none":
            commands[account.pw_name] = command
        used = [_expanded(one, account) for line in now.get("authorizedkeysfile", []) for one in line.split()]
        for path in dict.fromkeys([*used, *(f"{account.pw_dir}/{name}" for name in _DEFAULT)]):
            text = _text(path)
            found, bad = _parse(text.splitlines())
            if bad:
                unread[path] = bad
            for number, (key, options, comment) in found.items():
                keys.append(
                    StaticKey(
                        user=account.pw_name,
                        path=path,
                        number=number,
                        kind=key.kind,
                        fingerprint=key.fingerprint,
                        comment=comment,
                        options=options,
                        authority="cert-authority" in _OPTION.findall(options),
                        in_use=path in used,
                        last_use=last_use.get((account.pw_name, key.fingerprint), "unknown"),
                    )
                )
    return Found(tuple(keys), commands, unread)


def parse_line(line: str) -> Optional[tuple[Key, str, str]]:
    """Key, options and comment of a line; nothing for a comment or an empty one. Raises ``TrustError`` SLW-7315."""
    line = line.strip()
    if not line or line.startswith("#"):
        return None
    options = ""
    if not _is_key(line):
        options, line = _split_options(line)
    fields = line.split(None, 2)
    return parse_key(line), options, fields[2] if len(fields) > 2 else ""


def _parse(lines: Iterable[str]) -> tuple[dict[int, tuple[Key, str, str]], int]:
    """By line number from 0; and how many lines are something else, which is not shown: it may be anything."""
    found, bad = {}, 0
    for number, line in enumerate(lines):
        try:
            parsed = parse_line(line)
        except TrustError:
            bad += 1
            continue
        if parsed:
            found[number] = parsed
    return found, bad


def _is_key(line: str) -> bool:
    try:
        parse_key(line)
    except TrustError:
        return False
    return True


def _split_options(line: str) -> tuple[str, str]:
    """Options end at the first blank outside of quotes."""
    quoted, escaped = False, False
    for position, letter in enumerate(line):
        if letter == '"' and not escaped:
            quoted = not quoted
        if letter in " \t" and not quoted:
            return line[:position], line[position:].strip()
        escaped = letter == "\\" and not escaped
    return line, ""


def _expanded(pattern: str, account: pwd.struct_passwd) -> str:
    values = {"%%": "%", "%h": account.pw_dir, "%u": account.pw_name, "%U": str(account.pw_uid)}
    path = re.sub(r"%[%huU]", lambda found: values[found.group(0)], pattern)
    return path if path.startswith("/") else f"{account.pw_dir}/{path}"


def _text(path: str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def authorities(sshd: Sshd, user: str, way: Way) -> list[str]:
    """Fingerprints of what ``TrustedUserCAKeys`` names for this user: the way in that static keys are no part of."""
    path = (sshd.effective(user, way).get("trustedusercakeys") or ["none"])[0]
    found, _bad = _parse(_text(path).splitlines())
    return sorted(key.fingerprint for key, _options, _comment in found.values())
