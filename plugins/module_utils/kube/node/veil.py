# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Hide a short text from whoever prints what passes: Ansible shows a module's whole answer when it debugs.

This is a veil and no encryption: who sees both the key and the veiled text reads it. A key serves once.
"""

from __future__ import annotations

import base64
import hashlib
import secrets


def new_key() -> str:
    return secrets.token_hex(32)


def veil(text: str, key: str) -> str:
    return base64.b64encode(_crossed(text.encode(), key)).decode()


def unveil(text: str, key: str) -> str:
    """Raises ``ValueError`` for what was not veiled with this key."""
    return _crossed(base64.b64decode(text), key).decode()


def _crossed(data: bytes, key: str) -> bytes:
    stream = hashlib.shake_256(bytes.fromhex(key)).digest(len(data))
    return bytes(a ^ b for a, b in zip(data, stream))  # noqa: B905 - Python 3.8 knows no strict, and both are as long
