# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the inventory's nodes with the cluster's, plan, and tell Kubespray's plays which hosts to act on."""

from __future__ import annotations

import os
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError

from ..plugin_utils import kubespray, options, session
from ..plugin_utils.node_stages import Stages

display = Display()
_NAMES = ("plan", "status", "begin", "lock", "reached", "cleared", "forget", "finish", "abandon")


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, text and result out."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        masker = Masker()
        try:
            result.update(self._run(task_vars or {}, masker))
        except NodesError as exc:
            result.update(failed=True, result="error", msg=masker.text(exc.counted), code=exc.problems[0].code)
        except (EngineError, KubeError, SessionError) as exc:
            result.update(failed=True, result="error", msg=masker.text(str(exc)), code=exc.code)
        return result

    def _run(self, variables: dict[str, Any], masker: Masker) -> dict[str, Any]:
        session.check_packages()
        stage = str(self._task.args.get("stage") or _NAMES[0])
        if stage not in _NAMES:
            raise options.bad_option("stage", stage, f"one of {', '.join(_NAMES)}")
        if not kubespray.has_nodes(variables.get("groups") or {}):
            return {"skipped": True, "msg": "the inventory has no nodes for Kubespray"}
        stages = Stages(
            self,
            variables,
            masker=masker,
            say=lambda line: display.display(masker.text(line)),
            verbose=display.verbosity > 0,
            alive=session.lives_on(os.getppid()),
        )
        found: dict[str, Any] = getattr(stages, stage)()
        return found
