# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attributes that several actions have in the same way."""

from __future__ import annotations


class ModuleDocFragment:
    """``slipway.cluster.attributes``: works on the controller; ``.reads``: and never changes anything."""

    DOCUMENTATION = r"""
attributes:
  action:
    support: full
    description: Runs on the controller as an action plugin.
"""

    READS = r"""
attributes:
  check_mode:
    support: full
    description: Can run in check mode and tell what would change without changing it.
    details:
      - Does the same, because nothing is ever changed.
"""
