# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which playbook to import where a playbook of ours wants one of Kubespray's."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kubespray
version_added: 1.0.0
short_description: Name of one of Kubespray's playbooks, for an import
author:
  - Slipway contributors (@slipway-cluster)
description:
  - For C(import_playbook) in Slipway's own playbooks. An import is static, so that what it names has to be there when
    the playbook is read, before any task.
  - Without nodes in the inventory, the playbook that it names does nothing, and Kubespray need not be installed.
    Where it is needed and not installed, the playbook fails with an error that says so.
  - Fails with C(--limit), C(--start-at-task) and C(--skip-tags always), which leave out the plays that choose hosts
    for Kubespray and check consents.
options:
  _terms:
    description: Name of the playbook, such as V(cluster).
    type: list
    elements: str
    required: true
  when:
    description:
      - Whether it is wanted at all. Only extra variables and groups are known when a playbook is read.
    type: raw
    default: true
"""

EXAMPLES = r"""
- name: Kubespray's cluster, where the inventory has nodes
  ansible.builtin.import_playbook: "{{ lookup('slipway.cluster.kubespray', 'cluster') }}"
"""

RETURN = r"""
_raw:
  description: What C(import_playbook) takes.
  type: list
  elements: str
"""

from pathlib import Path
from typing import Any

from ansible import context
from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ansible_collections.slipway.cluster.plugins.plugin_utils import kubespray

_OURS = Path(__file__).resolve().parents[2] / "playbooks" / "parts"


class LookupModule(LookupBase):
    """Knows groups and extra variables, as nothing else is known yet."""

    def run(self, terms: list[str], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[str]:
        self.set_options(var_options=variables, direct=kwargs)
        wanted = bool(self.get_option("when")) and kubespray.has_nodes((variables or {}).get("groups") or {})
        return [self._playbook(term, wanted=wanted) for term in terms]

    def _playbook(self, name: str, *, wanted: bool) -> str:
        if not wanted:
            return str(_OURS / "no_nodes.yml")
        _refuse_parts()
        if kubespray.folder() is None:
            return str(_OURS / "no_kubespray.yml")
        return f"{kubespray.NAME}.{name}"


def _refuse_parts() -> None:
    """Without our plays before and after it, Kubespray would act on all hosts that are left, unchecked."""
    given = context.CLIARGS
    for option, leaves_out in (
        (f"--limit {given.get('subset')}", given.get("subset")),
        (f"--start-at-task {given.get('start_at_task')}", given.get("start_at_task")),
        ("--skip-tags always", "always" in (given.get("skip_tags") or ())),
    ):
        if leaves_out:
            advice = "run without it: only hosts that have something to be done are contacted"
            raise AnsibleError(f"SLW-8314 {option} is given, and nodes are compared as a whole ({advice})")
