# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan, install, upgrade, roll back and remove add-ons. All work on the API happens here, on the controller."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.addons import collector
from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine import Engine
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError, FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.history.folder import Written
from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.addons.schedule import Outcome
from ansible_collections.slipway.cluster.plugins.module_utils.addons.settings import Settings
from ansible_collections.slipway.cluster.plugins.module_utils.addons.smoke.operation import SmokeRun
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.node.accounts import INSTALLER, READER
from ansible_collections.slipway.cluster.plugins.module_utils.report.drift import drift_dict, drift_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.not_done import not_done_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_json import plan_dict
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_text import (
    afterwards_lines,
    kept_lines,
    written_lines,
)
from ansible_collections.slipway.cluster.plugins.module_utils.report.smoke_text import smoke_dict, smoke_lines

from ..plugin_utils import cluster_status, options, report_files, session
from ..plugin_utils.cluster import Cluster, opened
from ..plugin_utils.inventory_nodes import node_names
from ..plugin_utils.progress import Progress
from ..plugin_utils.segments import Run

display = Display()
_FEWER = "fewer_nodes"


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, text and result out."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._progress: Progress | None = None
        self._acted = True
        masker = Masker()
        # What earlier segments of this run came to is not lost with a later one.
        so_far = self._task.args.get("so_far") or {}
        result.update({key: so_far[key] for key in ("plan", "fail_on") if key in so_far})
        try:
            result.update(self._run(task_vars or {}, masker, so_far))
        except FindingsError as exc:
            result.update(failed=True, result="error", msg=masker.text(str(exc)))
            result["findings"] = masker.value([f.as_dict() for f in exc.findings])
        except (EngineError, KubeError) as exc:
            result.update(failed=True, result="error", msg=masker.text(str(exc)), code=exc.code)
        if result.get("failed") and self._task.args.get("operation") == _FEWER:
            # What it means that nobody could be asked is for those to say who asked.
            return {"changed": False, "unheard": result["msg"]}
        return result

    def _run(self, variables: dict[str, Any], masker: Masker, so_far: Mapping[str, Any]) -> dict[str, Any]:
        session.check_packages()
        collector.calm()
        args: Mapping[str, Any] = self._task.args
        operation = str(args.get("operation") or "plan")
        chosen = self._selection(args, variables)
        if chosen is None:
            return {"skipped": True, "msg": "no selected tag names an add-on"}
        masker.add([str(args[k]) for k in ("api_token",) if args.get(k)])
        files = options.files_dir(args, variables)
        inventories = [str(source) for source in variables.get("ansible_inventory_sources") or []]
        settings = options.settings(
            args, operation, only=chosen[0], skip=chosen[1], files=files, inventories=inventories
        )
        masker.add(s for r in settings.repositories.values() for s in (r.password, r.token) if s)
        alive = session.lives_on(os.getppid())
        reads = operation in ("plan", "status", "drift", _FEWER) or self._task.check_mode
        with opened(
            self,
            args,
            variables,
            rights=READER if reads else INSTALLER,
            masker=masker,
            alive=alive,
            leave=operation == "remove",
            tidy=lambda: self._acted,
        ) as cluster:
            return self._on(cluster, replace(settings, server=cluster.server), variables, masker, so_far, alive)

    def _on(
        self,
        cluster: Cluster,
        settings: Settings,
        variables: dict[str, Any],
        masker: Masker,
        so_far: Mapping[str, Any],
        alive: Callable[[], bool],
    ) -> dict[str, Any]:
        """All that is done with the cluster: its rights end with this."""
        args: Mapping[str, Any] = self._task.args
        operation = settings.operation
        patience = cluster_status.PATIENCE if operation == "status" else 60.0
        client = Client(cluster.access, user_agent=f"slipway ({operation})", patience=patience)
        loader, manifest = session.manifest(
            args,
            variables,
            self._templar,
            client,
            loader=self._loader,
            task=self._task,
            outputs=operation not in ("remove", "smoke"),
            without=node_names(variables, options.names(args, "without_nodes")) if operation == _FEWER else (),
        )
        masker.add(manifest.secrets)
        if operation == "smoke":
            return self._smoke(args, SmokeRun(client, manifest, settings, emit=self._emit, alive=alive))
        run = Run.begin_or_go_on(so_far)
        engine = Engine(
            client,
            manifest,
            settings,
            emit=self._emit,
            alive=alive,
            earlier=run.earlier,
            reload=loader.again,
        )
        if operation == "status":
            told = cluster_status.tell(
                engine, client, cluster.access, args, say=display.display, verbose=display.verbosity > 0
            )
            return self._finish(args, told, changed=False)
        if operation == _FEWER:
            return {"changed": False, "unsafe": engine.masker.value(engine.unsafe())}
        plan = engine.plan()
        if operation == "drift":
            for line in drift_lines(plan, engine.masker):
                display.display(line)
            return self._finish(args, drift_dict(plan, engine.masker), changed=False)
        for line in run.plan_lines(plan, engine.masker, verbose=display.verbosity > 0 or bool(self._task.diff)):
            display.display(line)
        history = None if self._task.check_mode else engine.history()
        if history is not None:
            history.check(plan)
        if operation == "plan" or self._task.check_mode:
            outcome = plan_dict(plan, engine.masker)
            outcome.update(_told(history.write(plan)) if history else {})
            return self._finish(args, outcome, changed=any(a.changes for a in plan.addons))
        acting = sum(1 for a in plan.addons if a.acts or a.again)
        with Progress(acting, display.display, run.earlier) as self._progress:
            report = engine.execute(plan)
            for hook in report.hooks:
                self._emit(Event(hook.addon, "hook", hook.name))
        outcome, results = run.add(report, engine.masker)
        tried = {name for name, one in report.results.items() if one.outcome is not Outcome.SKIPPED}
        changed = any(a.changes and a.name in tried for a in report.plan.addons)
        self._acted = bool(acting or changed)
        if history is not None:
            outcome.update(_told(history.write(report.plan, [n for n, one in report.results.items() if one.done])))
        finished = self._finish(args, outcome, changed=changed)
        if report.hooks:
            return {**finished, "hooks": [hook.as_dict() for hook in report.hooks], "state": run.state(report, results)}
        for line in (*kept_lines(outcome["kept"]), *afterwards_lines(report.plan)):
            display.display(engine.masker.text(line))
        unfinished = [name for name, one in results.items() if not one.done]
        if unfinished:
            text = engine.masker.text(_failure(results, unfinished, operation))
            for line in text.splitlines():
                display.display(line, color=C.COLOR_ERROR)
            finished.update(failed=True, msg=text)
        return finished

    def _smoke(self, args: Mapping[str, Any], run: SmokeRun) -> dict[str, Any]:
        with Progress(0, display.display) as self._progress:
            report = run.run(dry=self._task.check_mode)
        for line in smoke_lines(report):
            display.display(run.masker.text(line), color=C.COLOR_ERROR if line.startswith("!") else None)
        finished = self._finish(args, run.masker.value(smoke_dict(report)), changed=False)
        failed = [check.reason for check in report.checks if check.outcome == "failed"]
        if failed:
            finished.update(failed=True, msg=run.masker.text("\n".join(failed)))
        return finished

    def _emit(self, event: Event) -> None:
        if self._progress is not None:
            self._progress(event)

    def _selection(
        self, args: Mapping[str, Any], variables: Mapping[str, Any]
    ) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """``only`` and ``skip``, with Ansible's tags that name add-ons. None: the tags select something else."""
        only, skip = options.names(args, "only"), options.names(args, "skip")
        known = {str(n) for key in variables if key.startswith("slipway_addons") for n in _keys(variables[key])}
        tags = [t for t in variables.get("ansible_run_tags") or [] if t not in ("all", "addons", "tagged", "always")]
        if tags and "addons" not in (variables.get("ansible_run_tags") or []):
            named = tuple(tag for tag in tags if tag in known)
            if not named:
                return None
            only = (*only, *named)
        return only, (*skip, *(t for t in variables.get("ansible_skip_tags") or [] if t in known))

    def _finish(self, args: Mapping[str, Any], outcome: dict[str, Any], *, changed: bool) -> dict[str, Any]:
        path = str(args.get("report_file") or "")
        if path:
            report_files.write(Path(path).expanduser(), report_files.as_json(outcome))
        return {
            "changed": changed,
            "result": outcome["result"],
            "conditions": outcome.get("conditions", [outcome["result"]]),
            "plan": outcome,
            "fail_on": list(options.fail_on(args)),
        }


def _told(written: Written) -> dict[str, Any]:
    """What was done to the rendered history: told on the screen, and for the result."""
    for line in written_lines(written):
        display.display(line)
    return {"rendered": asdict(written)}


def _keys(value: object) -> list[object]:
    return list(value) if isinstance(value, Mapping) else []


def _failure(results: Mapping[str, Any], names: list[str], operation: str) -> str:
    """What failed, what was left out because of it, and the command to go on with."""
    lines = [f"{len(names)} add-on{'' if len(names) == 1 else 's'} not done:"]
    lines += not_done_lines(results, names)
    alone = f"; these alone, with what they need: -e slipway_only={','.join(names)}"
    if operation in ("remove", "rollback"):
        alone = ""
    lines.append(f"go on with the same command{alone}")
    return "\n".join(lines)
