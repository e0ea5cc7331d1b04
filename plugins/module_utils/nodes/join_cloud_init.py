# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Join data as cloud-init's ``#cloud-config``."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

with suppress(ImportError):  # the shell names what is missing
    import yaml

from .join_data import UNIT, JoinData


def render(data: JoinData) -> str:
    """User-data for one machine."""
    body: dict[str, Any] = {
        # As the join script does: the node's name is the machine's, and a later boot does not take it away.
        "hostname": data.name,
        "preserve_hostname": False,
        "prefer_fqdn_over_hostname": True,
        "write_files": [
            {"path": path, "permissions": f"{one.mode:04o}", "owner": "root:root", "content": one.content}
            for path, one in data.written().items()
        ],
        # The unit looked for its file before cloud-init had written it.
        "runcmd": [["systemctl", "start", "--no-block", UNIT]],
    }
    # In ASCII: some line ends of Unicode do not come back as what they were.
    text: str = yaml.safe_dump(body, sort_keys=False, width=1000)
    return f"#cloud-config\n{text}"
