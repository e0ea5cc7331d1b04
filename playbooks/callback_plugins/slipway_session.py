# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loaded by ansible-core because it lies beside these playbooks, without any configuration."""

from __future__ import annotations

from ansible_collections.slipway.cluster.plugins.callback.session import CallbackModule as Session


class CallbackModule(Session):
    """Needs no settings of Ansible. Where the other one is enabled too, one of them speaks."""

    CALLBACK_NAME = "slipway_session"
    CALLBACK_NEEDS_ENABLED = False
