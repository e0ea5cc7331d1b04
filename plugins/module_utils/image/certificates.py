# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which certificates are somebody's and no authority's, told without a parser of X.509: hosts may have none."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_PEM = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END")
_DATA = re.compile(rb"client-certificate-data[\"']?\s*:\s*[\"']?([A-Za-z0-9+/=]{40,})")
# basicConstraints (2.5.29.19), perhaps critical, in its octet string a sequence that begins with TRUE.
_AUTHORITY = re.compile(rb"\x06\x03\x55\x1d\x13(?:\x01\x01\xff)?\x04.\x30.\x01\x01\xff", re.DOTALL)
_CLIENT = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02"
"""extendedKeyUsage clientAuth (1.3.6.1.5.5.7.3.2)."""
_OF_NODES = re.compile(r"/etc/(?:kubernetes|ssl/etcd|etcd|calico|cilium|flannel|cni)/|/var/lib/(?:kubelet|etcd)")


def personal(path: str, content: bytes) -> Iterator[int]:
    """Offsets of certificates that say who somebody is: for clients, or any but an authority's where nodes keep theirs.

    A server's certificate elsewhere is no secret and no right; its key is found by itself.
    """
    for match in _PEM.finditer(content):
        der = _decoded(match[1])
        if der and not _AUTHORITY.search(der) and (_CLIENT in der or _OF_NODES.match(path)):
            yield match.start()
    for match in _DATA.finditer(content):
        yield match.start()


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        return b""
