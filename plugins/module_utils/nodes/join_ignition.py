# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Join data as Ignition's configuration, version 3.4."""

from __future__ import annotations

import base64
import json
from typing import Any

from .join_data import UNIT, JoinData

VERSION = "3.4.0"


def render(data: JoinData) -> str:
    """User-data for one machine. Its files are there before the first boot, so that the unit starts by itself."""
    body: dict[str, Any] = {
        "ignition": {"version": VERSION},
        "storage": {
            "files": [
                {
                    "path": path,
                    "overwrite": True,
                    "mode": mode,
                    "contents": {"source": "data:;base64," + base64.b64encode(content.encode()).decode()},
                }
                for path, content, mode in files(data)
            ]
        },
        "systemd": {"units": [{"name": UNIT, "enabled": True}]},
    }
    return json.dumps(body, indent=2) + "\n"


def files(data: JoinData) -> list[tuple[str, str, int]]:
    """Path, content and mode of each file, the host name's among them: Ignition has no other way to set it."""
    name = {} if "/etc/hostname" in data.files else {"/etc/hostname": (f"{data.name}\n", 0o644)}
    every = {**{path: (one.content, one.mode) for path, one in data.written().items()}, **name}
    return [(path, *one) for path, one in every.items()]
