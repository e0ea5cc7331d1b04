# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is told by the bytes of a file, wherever it is.

Every pattern has a plain needle before it: most files have none of them, and are done with. Where it can, a pattern
begins with plain letters, and looks back from behind them: that is ten times as fast.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional

from . import certificates
from .finding import Finding


class _Rule(NamedTuple):
    """``places``: the paths that the pattern would mean something else outside of. ``beside``: what has to be in the
    file as well."""

    kind: str
    needles: Sequence[bytes]
    pattern: re.Pattern[bytes]
    places: Optional[re.Pattern[str]] = None
    beside: Optional[re.Pattern[bytes]] = None


_KUBERNETES = re.compile(r"/etc/(?:kubernetes|slipway)/|/var/lib/(?:cloud|kubelet)/")
_OF_THE_SITE = re.compile(r"/(?!usr/(?!local/)|lib|boot/|s?bin/)")
_TOKEN_FORM = rb"[a-z0-9]{6}\.[a-z0-9]{16}(?![a-z0-9.])"
_BODY = rb"(?:\\n|[A-Za-z0-9+/=\s:,-]){40}"

_RULES = (
    # Programs and their sources hold the first line alone: a key has a body.
    _Rule("private key", [b"PRIVATE KEY"], re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----" + _BODY)),
    _Rule("private key", [b"PuTTY-User-Key"], re.compile(rb"^PuTTY-User-Key-File-\d+:", re.MULTILINE)),
    _Rule("private key", [b"AGE-SECRET-KEY-"], re.compile(rb"AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{50}")),
    _Rule("private key", [b"PrivateKey"], re.compile(rb"^[ \t]*PrivateKey\s*=\s*[A-Za-z0-9+/]{42,43}=", re.MULTILINE)),
    _Rule("private key", [b'"kty"'], re.compile(rb'"d"\s*:\s*"[A-Za-z0-9_-]{40,}"')),
    _Rule("token", [b"eyJ"], re.compile(rb"eyJ(?<![\w.-]eyJ)[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}")),
    _Rule("token", [b"hvs.", b"hvb.", b"hvr."], re.compile(rb"hv(?<![\w.]hv)[sbr]\.[\w-]{20,}")),
    _Rule(
        "token",
        [b"s.", b"b.", b"r."],
        re.compile(rb"[sbr](?<![\w./-].)\.(?=[A-Za-z]{0,23}\d)(?=[a-z\d]{0,23}[A-Z])[A-Za-z0-9]{24}(?![\w(.\[])"),
        _OF_THE_SITE,
    ),
    _Rule("token", [b"github_pat_", b"ghp_", b"ghs_"], re.compile(rb"(?:github_pat_|gh[ps]_)\w{36,}")),
    _Rule("bootstrap token", [b"."], re.compile(rb"(?<![a-z0-9.])" + _TOKEN_FORM), _KUBERNETES),
    *(
        # The word stands on the same line, in small letters or in capitals.
        _Rule("bootstrap token", [word], re.compile(word + rb"[^\n]{0,40}?(?<![a-z0-9.])" + _TOKEN_FORM), _OF_THE_SITE)
        for word in (b"oken", b"OKEN")
    ),
    _Rule(
        "kubeconfig",
        [b"contexts"],
        re.compile(
            rb"^[ \t{-]*\"?(?:client-key(?:-data)?|client-certificate(?:-data)?|token|tokenFile|password)\"?\s*:"
            rb"\s*[\"']?(?!@SLIPWAY_|/var/run/secrets/)[^\s\"'{]",
            re.MULTILINE,
        ),
        beside=re.compile(rb"^[ \t{]*\"?users\"?[ \t]*:", re.MULTILINE),
    ),
    _Rule("credentials", [b'"auth'], re.compile(rb'"auths?"\s*:\s*(?:"[A-Za-z0-9+/]{4,}|\{\s*"[^}]*"auth"\s*:\s*"\w)')),
    _Rule("credentials", [b'"identitytoken"'], re.compile(rb'"identitytoken"\s*:\s*"\w')),
    _Rule(
        "credentials",
        [b"="],
        re.compile(
            rb"^[ \t]*[\"']?(?i:authorization|auth|password|identitytoken)[\"']?[ \t]*=[ \t]*\[?[ \t]*[\"'][^\"'\s]",
            re.MULTILINE,
        ),
        re.compile(r"/etc/(?:containerd|crio|containers|docker)/"),
    ),
    _Rule("credentials", [b"login", b"password"], re.compile(rb"^[ \t]*(?:machine\s|password\s)", re.MULTILINE),
          re.compile(r"/etc/apt/auth\.conf")),
    _Rule("authorized keys", [b" AAAA"], re.compile(rb"^[^#\n]*\bAAAA", re.MULTILINE),
          re.compile(r".*/\.ssh/authorized_keys2?$|/etc/ssh/authorized_keys(?:/|$)")),
    _Rule("known hosts", [b" AAAA"], re.compile(rb"^(?!@cert-authority)[^#\n]*\bAAAA", re.MULTILINE),
          re.compile(r".*/\.ssh/known_hosts|/etc/ssh/ssh_known_hosts")),
    _Rule("machine id", [b""], re.compile(rb"\A(?!uninitialized\b)\s*\S"),
          re.compile(r"/etc/machine-id$|/var/lib/dbus/machine-id$|/etc/hostid$")),
    _Rule("network identity", [b"InitiatorName"], re.compile(rb"^[ \t]*InitiatorName\s*=\s*\S", re.MULTILINE),
          re.compile(r"/etc/iscsi/initiatorname\.iscsi$")),
    _Rule("host name", [b""], re.compile(rb"\A(?!localhost(?:\.\w+)?\s*\Z)\s*[^\s#]"), re.compile(r"/etc/hostname$")),
    _Rule("host name", [b"127."], re.compile(rb"^127\.0\.1\.1\s+(?!localhost\b)\S", re.MULTILINE),
          re.compile(r"/etc/hosts$")),
)  # fmt: skip

_ENCODED = re.compile(rb"LS0tLS1CRUdJTi[A-Za-z0-9+/]{34}")
_ELF, _CORE = b"\x7fELF", b"\x04"
_PACKED = (b"\x1f\x8b", b"\xfd7zXZ", b"BZh", b"(\xb5/\xfd", b"PK\x03\x04", b"\x04\x22\x4d\x18")
_KEY_FILE = re.compile(r".*(?:\.(?:key|der|pk8|p8)|[_-]key)$")


def findings(path: str, content: bytes) -> Iterator[Finding]:
    """At most one of each kind. ``content`` is the file's beginning; neither programs nor packed files are read."""
    if is_program(content):
        if content[:4] == _ELF and content[16:17] == _CORE:
            yield Finding("core dump", path)
        return
    seen = set()
    for kind, offset in _matches(path, content):
        if kind not in seen:
            seen.add(kind)
            yield Finding(kind, path, _line(content, offset))


def is_program(head: bytes) -> bool:
    """Or packed: what such a file holds is not what it says."""
    return head.startswith((_ELF, *_PACKED))


def _matches(path: str, content: bytes) -> Iterator[tuple[str, int]]:
    for rule in _RULES:
        if rule.places is not None and not rule.places.match(path):
            continue
        if any(needle in content for needle in rule.needles):
            match = rule.pattern.search(content)
            if match and (rule.beside is None or rule.beside.search(content)):
                yield rule.kind, match.start()
    if b"LS0tLS1CRUdJTi" in content:
        for match in _ENCODED.finditer(content):
            if b"PRIVATE KEY" in _decoded(match[0]):
                yield "private key", match.start()
    if b"ERTIFICATE" in content or b"certificate-data" in content:
        for offset in certificates.personal(path, content):
            yield "certificate", offset
    if _KEY_FILE.match(path) and _is_der_key(content):
        yield "private key", 0


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text)
    except binascii.Error:
        return b""


def _is_der_key(content: bytes) -> bool:
    """A DER sequence that begins with a version: PKCS#1, PKCS#8 and SEC 1 keys do, public keys and certificates not."""
    return content[:1] == b"\x30" and any(content[at : at + 2] == b"\x02\x01" for at in (2, 3, 4))


def _line(content: bytes, offset: int) -> int:
    """0 where lines mean nothing."""
    return 0 if b"\0" in content[:512] else content.count(b"\n", 0, offset) + 1
