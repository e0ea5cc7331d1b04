# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Join data as Butane's configuration, from which ``butane`` makes Ignition's."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

with suppress(ImportError):  # the shell names what is missing
    import yaml

from .join_data import UNIT, JoinData
from .join_ignition import files

VERSIONS = {"fcos": "1.5.0", "flatcar": "1.1.0"}
"""By variant, the version that is translated to Ignition 3.4."""


def render(data: JoinData, variant: str = "fcos") -> str:
    """Configuration for one machine. ``variant`` is one of ``VERSIONS``."""
    body: dict[str, Any] = {
        "variant": variant,
        "version": VERSIONS[variant],
        "storage": {
            "files": [
                {"path": path, "overwrite": True, "mode": mode, "contents": {"inline": content}}
                for path, content, mode in files(data)
            ]
        },
        "systemd": {"units": [{"name": UNIT, "enabled": True}]},
    }
    # In ASCII: some line ends of Unicode do not come back as what they were.
    text: str = yaml.safe_dump(body, sort_keys=False, width=1000)
    return text
