# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which versions of Kubernetes the installed Kubespray can install."""

from __future__ import annotations

import re
from pathlib import Path

_TABLE = Path("roles/kubespray_defaults/vars/main/checksums.yml")
_VERSION = re.compile(r"\s+[\"']?(\d+\.\d+\.\d+)[\"']?:")


def versions(collection: Path) -> tuple[str, ...]:
    """Those that it has checksums of, without ``v``, in its own order: the first is its default, the last the oldest
    that it takes (Kubespray 2.31, ``kube_version`` and ``kube_version_min_required``). Empty where the table is not
    what we know. Raises ``OSError``."""
    path = collection / _TABLE
    if not path.exists():
        return ()
    found: dict[str, None] = {}
    inside = False
    # The file has 2,000 lines, of which a few are wanted.
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace():
            if inside:
                break
            inside = line.startswith("kubelet_checksums:")
        elif inside and (match := _VERSION.match(line)):
            found.setdefault(match[1])
    return tuple(found)
