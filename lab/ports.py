# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Free ports on loopback."""

from __future__ import annotations

import random
import socket

from lab.errors import LabError

# Below the range from which kernels take the ports of outgoing connections: nothing grabs one of these by chance
# between choosing and listening, nor while a restarted API server is away.
LOW, HIGH = 20000, 32000


def choose(names: tuple[str, ...], taken: set[int]) -> dict[str, int]:
    """Give each name a port that nobody listens on and that is not in ``taken``."""
    chosen: dict[str, int] = {}
    candidates = iter(random.sample(range(LOW, HIGH), 1000))
    for name in names:
        for port in candidates:
            if port not in taken and _free(port):
                chosen[name] = port
                break
        else:
            raise LabError(f"no free port between {LOW} and {HIGH} on 127.0.0.1")
    return chosen


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
