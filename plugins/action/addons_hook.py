# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role does around a hook: its variables before, and afterwards a note of how it ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import ActError, EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.late import known_values
from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.addons.noting import note
from ansible_collections.slipway.cluster.plugins.module_utils.addons.second_look import with_outputs
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.accounts import INSTALLER, READER

from ..plugin_utils import options, session
from ..plugin_utils.cluster import Cluster, opened
from ..plugin_utils.progress import progress_line
from ..plugin_utils.segments import Run, with_failure

display = Display()


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, result out."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        masker = Masker()
        try:
            result.update(self._run(task_vars or {}, masker))
        except (EngineError, KubeError) as exc:
            result.update(failed=True, msg=masker.text(str(exc)), code=exc.code)
        return result

    def _run(self, variables: dict[str, Any], masker: Masker) -> dict[str, Any]:
        session.check_packages()
        args: Mapping[str, Any] = self._task.args
        masker.add([str(args["api_token"])] if args.get("api_token") else [])
        alive = session.lives_on(os.getppid())
        # A hook's failure is only told.
        rights = READER if args["stage"] == "failed" else INSTALLER
        with opened(self, args, variables, rights=rights, masker=masker, alive=alive) as cluster:
            return self._on(cluster, variables, masker, alive)

    def _on(
        self,
        cluster: Cluster,
        variables: dict[str, Any],
        masker: Masker,
        alive: Callable[[], bool],
    ) -> dict[str, Any]:
        args: Mapping[str, Any] = self._task.args
        hook = args["hook"]
        client = Client(cluster.access, user_agent="slipway (hook)")
        begins = args["stage"] == "begin"
        loader, manifest = session.manifest(
            args, variables, self._templar, client, loader=self._loader, task=self._task, outputs=begins
        )
        masker.add(manifest.secrets)
        name = f"{hook['event']} {hook['path']}"
        if begins:
            if hook["operation"] != "remove":
                manifest = with_outputs(hook["addon"], loader.again)
                masker.add(manifest.secrets)
            return {"slipway_addon": {**hook["variables"], "values": known_values(manifest.addons[hook["addon"]])}}
        if args["stage"] == "failed":
            return self._failed(args, hook["addon"], name, masker)
        settings = options.settings(args, "hook", only=(), skip=())
        note(
            client,
            manifest,
            addon=hook["addon"],
            operation=hook["operation"],
            hook=name,
            namespace=settings.namespace,
            lock_wait=settings.lock_wait,
            lock_duration=settings.lock_duration,
            alive=alive,
        )
        return {}

    def _failed(self, args: Mapping[str, Any], addon: str, name: str, masker: Masker) -> dict[str, Any]:
        """Nothing is written: the record knows what has run, and this has not."""
        why = ": ".join(part for part in (str(args.get("task") or ""), _message(args)) if part)
        reason = str(ActError("SLW-4601", f"hook {name} failed: {why}"))
        so_far = args.get("so_far") or {}
        seconds = Run.begin_or_go_on(so_far).earlier.seconds
        display.display(progress_line(Event(addon, "failed", masker.text(reason)), seconds), color=C.COLOR_ERROR)
        return with_failure(so_far, addon, reason, masker)


def _message(args: Mapping[str, Any]) -> str:
    """What a task's result says, unless it must not be said."""
    failure = args.get("failure") or {}
    if args.get("hidden") or failure.get("_ansible_no_log") or "censored" in failure:
        return "(hidden by no_log)"
    return str(failure.get("msg") or failure.get("reason") or "failed").strip().split("\n", 1)[0]
