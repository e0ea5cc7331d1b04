# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seal a host: the module does it, in one visit. Here is what only the controller knows, and the consent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.slipway.cluster.plugins.module_utils.image.manifest import dump
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError

from ..plugin_utils import inventory_nodes, kubespray, ssh_session


class ActionModule(ActionBase):  # type: ignore[misc]
    """The module's own result, or the problems that kept it from being run."""

    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        try:
            arguments = {**self._task.args, **_known(self._task.args, variables)}
            ssh_session.require(self._connection, str(variables["inventory_hostname"]))
        except NodesError as exc:
            problems = [problem.as_dict() for problem in exc.problems]
            return {**result, "failed": True, "msg": str(exc), "code": exc.problems[0].code, "problems": problems}
        except SessionError as exc:
            return {**result, "failed": True, "msg": str(exc), **exc.as_dict()}
        folder = str(arguments.pop("copy_to", "") or "")
        result.update(
            self._execute_module(module_name="slipway.cluster.node_image", module_args=arguments, task_vars=variables)
        )
        if folder and not result.get("failed") and not self._task.check_mode:
            result.update(_copy(result["manifest"], Path(folder).expanduser()))
        return result


def _copy(manifest: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The manifest on the controller: the host may not be reached any more. Relative to where the run was started."""
    file = folder.absolute() / f"{manifest['name']}.json"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(f".{file.name}.new")
        new.write_bytes(dump(manifest))
        new.replace(file)
    except OSError as exc:
        problem = Problem(
            "SLW-8759", f"{file}: {exc.strerror}", "the host is sealed; its manifest is /etc/slipway/image.json"
        )
        return {"failed": True, "msg": str(problem), "code": problem.code, "problems": [problem.as_dict()]}
    return {"copy": str(file)}


def _known(args: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ``NodesError``: SLW-8755, SLW-8751, SLW-8754; SLW-8001 and SLW-8002 of Kubespray."""
    name = str(variables["inventory_hostname"])
    consent = str(args.get("seal_host") or "")
    if consent != name:
        remedy = f"-e slipway_seal_host={name} makes an image of this host, which stops being what it is"
        raise NodesError([Problem("SLW-8755", f"slipway_seal_host is {consent!r}", remedy, host=name)])
    index = kubespray.index(str(args.get("cache_dir") or ""))
    host = next(iter(inventory_nodes.read(variables, index, only=[name])), None)
    if host is None:
        message = "it is in none of Kubespray's groups, so nothing has prepared it"
        raise NodesError(
            [Problem("SLW-8754", message, "put it into kube_node, and run slipway.cluster.scale", host=name)]
        )
    if not host.worker_only:
        message = f"it is {' and '.join(sorted(host.roles))} by its groups"
        raise NodesError([Problem("SLW-8751", message, "seal a worker", host.where, name)])
    node = inventory_nodes.node_name(name, variables["hostvars"][name])
    return {"kubespray": index.version, "variables": dict(host.variables), "former": list(dict.fromkeys([name, node]))}
