# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Looks for credentials in files by what is in them: those that are known, and whatever looks like one."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from pathlib import Path

from tests.contract.kubespray.operations import Operations

_KEYS = [f"-----BEGIN {kind}PRIVATE KEY-----" for kind in ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ")]
# Whole groups of three bytes: what follows does not change them.
_ENCODED = [base64.b64encode(key.encode()[: len(key) // 3 * 3]).decode() for key in _KEYS]
LOOKS_LIKE = {
    "kubeconfig with a credential": re.compile(rb"client-key-data|\btoken: *[\"']?eyJ"),
    "private key": re.compile("|".join(map(re.escape, [*_KEYS, *_ENCODED])).encode()),
    "join token": re.compile(rb"(?<![a-z0-9._/-])[a-z0-9]{6}\.[a-z0-9]{16}(?![a-z0-9._/-])"),
    "token of a service account": re.compile(rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\."),
    "token of OpenBao": re.compile(rb"\b(?:hv)?s\.[A-Za-z0-9_-]{24,}"),
}
_TOKEN = re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b")
_KEY_DATA = re.compile(r"client-key-data: *(\S+)")


def on_hosts(site: Operations) -> dict[str, str]:
    """The join tokens and administrators' keys that hosts have, by value: where each was found."""
    found: dict[str, str] = {}
    for name, host in site.hosts.items():
        for file in (Path(host.folder) / "etc" / "kubernetes").glob("*.*"):
            text = file.read_text(encoding="utf-8") if file.is_file() else ""
            found |= {
                secret: f"{name}:{file.name}" for pattern in (_TOKEN, _KEY_DATA) for secret in pattern.findall(text)
            }
    return found


def credentials(files: Iterable[Path], known: Iterable[str]) -> list[str]:
    """``FILE: WHAT`` for each file in which one of these, or something that looks like a credential, stands."""
    values = [secret.encode() for secret in known]
    found = []
    for file in files:
        content = file.read_bytes()
        found += [f"{file}: {what}" for what, pattern in LOOKS_LIKE.items() if pattern.search(content)]
        found += [f"{file}: a known one" for value in values if value in content]
    return found
