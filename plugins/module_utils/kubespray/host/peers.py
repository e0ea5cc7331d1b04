# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Whether other hosts answer from here. Runs on hosts: the standard library of Python 3.8."""

from __future__ import annotations

import errno
import shutil
import socket
import subprocess
import threading
from typing import Any

_ANSWERS = (errno.ECONNREFUSED,)
"""A refusal comes from the host itself: the way there and back is open."""


def reach(peers: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
    """``peers`` (``name``, ``address``, ``port``), each with ``error``, empty where the host answers.

    All at once, so that it takes ``seconds`` however many do not answer. Where TCP gets nowhere, a ping decides.
    """
    found = [dict(peer, error="") for peer in peers]
    threads = [threading.Thread(target=_try, args=(peer, seconds)) for peer in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _try(peer: dict[str, Any], seconds: float) -> None:
    address = str(peer["address"])
    try:
        socket.create_connection((address, int(peer["port"])), seconds).close()
    except OSError as error:
        if error.errno not in _ANSWERS and not _ping(address, seconds):
            peer["error"] = str(error.strerror or error)


def _ping(address: str, seconds: float) -> bool:
    program = shutil.which("ping")
    if not program:
        return False
    command = [program, "-c", "1", "-W", str(max(1, int(seconds))), address]
    try:
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=seconds + 2, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
