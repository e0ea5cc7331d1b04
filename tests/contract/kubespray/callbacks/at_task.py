# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stop a run at a task, for as long as a file is there, or for ever.

``AT_TASK``: ``ROLE OR COLLECTION : NAME`` as Ansible prints it, or its end; with ``#2`` its second time. ``AT_FILE`` is
made when the task is about to start, and the run goes on when it is gone; without it the run dies.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "at_task"
    CALLBACK_NEEDS_ENABLED = False

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._name, _mark, number = os.environ.get("AT_TASK", "").partition("#")
        self._left = int(number or 1)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if not self._name or not task.get_name().endswith(self._name):
            return
        self._left -= 1
        if self._left:
            return
        held = os.environ.get("AT_FILE")
        if not held:
            os.kill(os.getpid(), signal.SIGKILL)
            return
        Path(held).touch()
        while Path(held).exists():
            time.sleep(0.05)
