# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell of actions that work on the controller."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError

from . import session


class ControllerAction(ActionBase):  # type: ignore[misc]
    """``work`` does it and returns the result: arguments in, one ``except``, result out."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._masker = Masker()
        try:
            session.check_packages()
            result.update(self.work(self._task.args, task_vars or {}))
        except NodesError as exc:
            problems = [problem.as_dict() for problem in exc.problems]
            result.update(failed=True, msg=self._masker.text(str(exc)), problems=problems, code=exc.problems[0].code)
        except (EngineError, KubeError) as exc:
            result.update(failed=True, msg=self._masker.text(str(exc)), code=exc.code)
        return result

    @abstractmethod
    def work(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        """The task's result. May raise ``NodesError``, ``EngineError`` and ``KubeError``."""
