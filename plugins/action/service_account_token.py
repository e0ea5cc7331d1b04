# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Obtain a token of a ServiceAccount, without showing it."""

from __future__ import annotations

from ..plugin_utils.veiled import VeiledAction


class ActionModule(VeiledAction):
    """All is done by the module and by what hides its answer."""
