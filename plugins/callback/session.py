# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the SSH session has to say: the reason beside a host that could not be reached, and a line at the end."""

from __future__ import annotations

DOCUMENTATION = r"""
name: session
type: notification
version_added: 1.0.0
short_description: Why an SSH session of Slipway could not log in, and what it did
description:
  - For a host that cannot be reached, prints what the certificate authority or the host check had to say.
    OpenSSH itself only says C(Permission denied).
  - At the end of a run, prints how many certificates were asked for, by whom they were signed, and what was
    refused.
  - Slipway's own playbooks need nothing for it. Elsewhere, enable it in C(ansible.cfg) together with the vars
    plugin P(slipway.cluster.session#vars).
author:
  - Slipway contributors (@slipway-cluster)
"""

from typing import Any

from ansible import constants
from ansible.plugins.callback import CallbackBase

from ansible_collections.slipway.cluster.plugins.module_utils.report.session_text import closing_lines, reason_lines
from ansible_collections.slipway.cluster.plugins.plugin_utils import ssh_session, task_results


class CallbackModule(CallbackBase):
    """Silent where there is no session."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "slipway.cluster.session"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_unreachable(self, result: Any) -> None:
        status = self._status()
        if status is not None:
            for line in reason_lines(status, str(task_results.content(result).get("msg"))):
                self._display.display(f"[{task_results.host(result)}]: {line}", color=constants.COLOR_UNREACHABLE)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        status = self._status()
        if status is not None:
            for line in closing_lines(status):
                self._display.display(line)

    def _status(self) -> dict[str, Any] | None:
        # Who speaks first is asked only where there is a session to speak of.
        return ssh_session.status() if ssh_session.current() is not None and ssh_session.speaks(self) else None
