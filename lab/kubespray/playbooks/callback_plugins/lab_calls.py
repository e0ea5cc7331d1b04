# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down what the stand-in is called for, and die where a test wants it.

Ansible loads it from beside the playbooks, whoever imports them. A line of JSON for each play of the stand-in that
starts, with its hosts, and one for each task of it that starts, into the file that the variable ``lab_calls`` names.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: lab_calls
type: aggregate
short_description: Write down what the lab's stand-in for Kubespray is called for
description: [A line of JSON for each of its plays and tasks.]
"""

HOME = Path(__file__).resolve().parents[2]
VARIABLES = (
    "allow_ungraceful_removal", "ansible_limit", "any_errors_fatal", "artifacts_dir", "credentials_dir",
    "drain_grace_period", "drain_retries", "drain_timeout", "etcd_cluster_setup", "ignore_assert_errors",
    "kube_version", "kubeadm_refresh_token", "kubeconfig_localhost", "node", "reset_confirmation", "reset_nodes",
    "serial", "skip_confirmation", "upgrade_cluster_setup",
)  # fmt: skip


class CallbackModule(CallbackBase):  # type: ignore[misc]
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "lab_calls"

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._file = ""
        self._die = ""
        self._playbook = ""

    def v2_playbook_on_play_start(self, play: Any) -> None:
        place = Path(play.get_path().rpartition(":")[0] or "/").resolve()
        self._playbook = place.stem
        if HOME not in place.parents:
            self._file = ""
            return
        manager = play.get_variable_manager()
        hosts = manager._inventory.get_hosts(play.hosts)
        known = manager.get_vars(play=play, host=hosts[0] if hosts else None, include_hostvars=False)
        self._file, self._die = str(known.get("lab_calls") or ""), str(known.get("lab_die") or "")
        token = known.get("kubeadm_token")
        self._note(
            play=play.get_name(),
            hosts=[host.name for host in hosts],
            variables={name: known[name] for name in VARIABLES if name in known},
            # The public half is enough to tell tokens apart.
            token_id=str(token).partition(".")[0] if token else "",
        )

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if not self._file:
            return
        self._note(task=task.get_name(), tags=sorted(task.tags), delegated=str(task.delegate_to or ""))
        if self._die and self._die in task.tags:
            os.kill(os.getpid(), signal.SIGKILL)

    def _note(self, **words: Any) -> None:
        if self._file:
            with Path(self._file).open("a", encoding="utf-8") as file:
                line = {"time": time.time(), "pid": os.getpid(), "playbook": self._playbook, **words}
                file.write(json.dumps(line, default=str) + "\n")
