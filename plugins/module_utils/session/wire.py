# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""SSH's wire format (RFC 4251 §5) and the numbers of the agent protocol (draft-ietf-sshm-ssh-agent)."""

from __future__ import annotations

import struct

FAILURE = 5
SUCCESS = 6
REQUEST_IDENTITIES = 11
IDENTITIES_ANSWER = 12
SIGN_REQUEST = 13
SIGN_RESPONSE = 14
LOCK = 22
UNLOCK = 23
EXTENSION = 27

USERAUTH_REQUEST = 50
"""SSH_MSG_USERAUTH_REQUEST (RFC 4252): the only thing that is ever signed begins with a session and this."""

LONGEST = 256 * 1024
"""Bytes of one agent message, as OpenSSH's own agent limits them."""


class WireError(ValueError):
    """Bytes that are not what they should be."""


class Reader:
    """Reads a message from its beginning; whatever does not fit is a ``WireError``."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise WireError("message ends too early")
        part = self._data[self._at : end]
        self._at = end
        return part

    def byte(self) -> int:
        return self.take(1)[0]

    def boolean(self) -> bool:
        """Stricter than RFC 4251, which takes any other byte for true: nobody sends one."""
        value = self.byte()
        if value > 1:
            raise WireError("neither true nor false")
        return value == 1

    def uint32(self) -> int:
        return int(struct.unpack(">I", self.take(4))[0])

    def string(self) -> bytes:
        return self.take(self.uint32())

    def mpint(self) -> int:
        """A number that may not be negative: the parts of signatures never are."""
        value = int.from_bytes(self.string(), "big", signed=True)
        if value < 0:
            raise WireError("negative number")
        return value

    def take_rest(self) -> bytes:
        return self.take(len(self._data) - self._at)

    def end(self) -> None:
        if self._at != len(self._data):
            raise WireError("message is too long")


def uint32(value: int) -> bytes:
    return struct.pack(">I", value)


def string(value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return uint32(len(data)) + data


def packet(kind: int, *parts: bytes) -> bytes:
    """A whole agent message, with its length."""
    return string(bytes([kind]) + b"".join(parts))
