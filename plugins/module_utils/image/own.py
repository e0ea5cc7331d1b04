# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The temporary folders that Ansible runs a module from. They go by themselves when it has ended."""

from __future__ import annotations

import sys
from collections.abc import Set
from pathlib import Path
from typing import Optional


def own_folders(tmpdir: Optional[str]) -> Set[str]:
    """``tmpdir`` is Ansible's for this task. The module's packed code is elsewhere, and is loaded from as needed."""
    packed = {str(Path(entry).parent) for entry in sys.path if "_payload_" in Path(entry).parent.name}
    return packed | ({tmpdir} if tmpdir else set())
