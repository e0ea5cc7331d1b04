# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a callback is given of a task's end: attributes that are public since ansible-core 2.19, and private before."""

from __future__ import annotations

from typing import Any


def task(result: Any) -> Any:
    return result.task if hasattr(result, "task") else result._task


def content(result: Any) -> dict[str, Any]:
    found: dict[str, Any] = result.result if hasattr(result, "result") else result._result
    return found


def host(result: Any) -> str:
    """Its name in the inventory."""
    return str((result.host if hasattr(result, "host") else result._host).get_name())
