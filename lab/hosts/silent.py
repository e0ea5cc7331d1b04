# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A host that takes every connection and never says a word: ``python silent.py ADDRESS PORT``."""

from __future__ import annotations

import signal
import socket
import sys


def main() -> None:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((sys.argv[1], int(sys.argv[2])))
    # The kernel completes the handshakes by itself; nobody ever accepts.
    listener.listen(4096)
    print('{"ok": true}', flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
