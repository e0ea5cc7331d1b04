# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Why a module could not run on a host, read from what Ansible says about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_ROOT = re.compile(r"sudo|become|privilege|password is required|doas", re.IGNORECASE)
_PYTHON = re.compile(r"interpreter|python[^\n]*(?:not found|No such file)", re.IGNORECASE)
_OLD_PYTHON = re.compile(r"SyntaxError|ansible-core requires a minimum of Python|unsupported Python", re.IGNORECASE)


def fault_of(result: Mapping[str, Any]) -> dict[str, str]:
    """``fault`` (``root``, ``python`` or ``other``) and what was ``said``, out of a module's failed result."""
    texts = [str(result.get(name) or "").strip() for name in ("module_stderr", "module_stdout", "msg")]
    said = next((text for text in texts if text), "no reason given")
    everything = "\n".join(texts)
    if _OLD_PYTHON.search(everything) or _PYTHON.search(everything):
        return {"fault": "python", "said": said}
    if _ROOT.search(everything):
        return {"fault": "root", "said": said}
    return {"fault": "other", "said": said}
