# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the user asked for with ``slipway_report_file`` and its like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def as_json(report: Mapping[str, Any]) -> str:
    """As reports are written to files."""
    return json.dumps(report, indent=2, sort_keys=True) + "\n"


def write(path: Path, text: str) -> None:
    """With its folder. Raises ``OSError``: what that is called differs between operations."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
