# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan, install, upgrade and remove add-ons. All work on the API happens here, on the controller."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ansible import constants as C
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine import Engine, unfinished
from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError, FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.history.folder import Written
from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Manifest
from ansible_collections.slipway.cluster.plugins.module_utils.addons.smoke.operation import SmokeRun
from ansible_collections.slipway.cluster.plugins.module_utils.addons.work import Event
from ansible_collections.slipway.cluster.plugins.module_utils.kube.access import from_options
from ansible_collections.slipway.cluster.plugins.module_utils.kube.client import Client
from ansible_collections.slipway.cluster.plugins.module_utils.kube.errors import KubeError
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import NODE
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.counts import node_counts
from ansible_collections.slipway.cluster.plugins.module_utils.report.drift import drift_dict, drift_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.not_done import not_done_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_json import plan_dict, report_dict
from ansible_collections.slipway.cluster.plugins.module_utils.report.plan_text import (
    kept_lines,
    plan_lines,
    written_lines,
)
from ansible_collections.slipway.cluster.plugins.module_utils.report.smoke_text import smoke_dict, smoke_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.status_text import status_dict, status_lines

from ..plugin_utils import options
from ..plugin_utils.manifest import load_manifest
from ..plugin_utils.progress import Progress

display = Display()


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, text and result out."""

    _requires_connection = False
    _supports_check_mode = True
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        self._progress: Progress | None = None
        masker = Masker()
        try:
            result.update(self._run(task_vars or {}, masker))
        except FindingsError as exc:
            result.update(failed=True, result="error", msg=masker.text(str(exc)))
            result["findings"] = masker.value([f.as_dict() for f in exc.findings])
        except (EngineError, KubeError) as exc:
            result.update(failed=True, result="error", msg=masker.text(str(exc)), code=exc.code)
        return result

    def _run(self, variables: dict[str, Any], masker: Masker) -> dict[str, Any]:
        missing = [name for name in ("jinja2", "jsonschema", "rich", "urllib3", "yaml") if find_spec(name) is None]
        if missing:
            advice = "install the collection's requirements.txt for Ansible's Python"
            raise EngineError(
                "SLW-6301", f"Python packages are missing on the controller: {', '.join(missing)}", advice
            )
        args: Mapping[str, Any] = self._task.args
        operation = str(args.get("operation") or "plan")
        chosen = self._selection(args, variables)
        if chosen is None:
            return {"skipped": True, "msg": "no selected tag names an add-on"}
        masker.add([str(args[k]) for k in ("api_token",) if args.get(k)])
        files = Path(str(args.get("files_dir") or variables.get("inventory_dir") or ".")).expanduser()
        inventories = [str(source) for source in variables.get("ansible_inventory_sources") or []]
        settings = options.settings(
            args, operation, only=chosen[0], skip=chosen[1], files=files, inventories=inventories
        )
        masker.add(s for r in settings.repositories.values() for s in (r.password, r.token) if s)
        access = from_options(
            kubeconfig=str(args.get("kubeconfig") or ""),
            context=str(args.get("context") or ""),
            server=str(args.get("api_server") or ""),
            token=str(args.get("api_token") or ""),
            ca_file=str(args.get("api_ca_file") or ""),
        )
        parent = os.getppid()
        client = Client(access, user_agent=f"slipway ({operation})")
        manifest = self._manifest(args, variables, client, files)
        masker.add(manifest.secrets)
        if operation == "smoke":
            return self._smoke(args, SmokeRun(client, manifest, settings, emit=self._emit, alive=_lives_on(parent)))
        engine = Engine(client, manifest, settings, emit=self._emit, alive=_lives_on(parent))
        if operation == "status":
            found = engine.status()
            for line in status_lines(found, verbose=display.verbosity > 0):
                display.display(engine.masker.text(line))
            return self._finish(args, engine.masker.value(status_dict(found)), changed=False)
        plan = engine.plan()
        if operation == "drift":
            for line in drift_lines(plan, engine.masker):
                display.display(line)
            return self._finish(args, drift_dict(plan, engine.masker), changed=False)
        for line in plan_lines(plan, engine.masker, verbose=display.verbosity > 0 or bool(self._task.diff)):
            display.display(line)
        history = None if self._task.check_mode else engine.history()
        if history is not None:
            history.check(plan)
        if operation == "plan" or self._task.check_mode:
            outcome = plan_dict(plan, engine.masker)
            outcome.update(_told(history.write(plan)) if history else {})
            return self._finish(args, outcome, changed=any(a.changes for a in plan.addons))
        acting = sum(1 for a in plan.addons if a.acts)
        with Progress(acting, display.display) as self._progress:
            report = engine.execute(plan)
        for line in kept_lines(report.kept):
            display.display(engine.masker.text(line))
        outcome = report_dict(report, engine.masker)
        if history is not None:
            done = [name for name, result in report.results.items() if result.done]
            outcome.update(_told(history.write(report.plan, done)))
        finished = self._finish(args, outcome, changed=any(a.changes for a in report.plan.addons))
        if report.failed:
            for line in _failure(report.results, unfinished(report), operation).splitlines():
                display.display(engine.masker.text(line), color=C.COLOR_ERROR)
            finished.update(
                failed=True, msg=engine.masker.text(_failure(report.results, unfinished(report), operation))
            )
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

    def _manifest(self, args: Mapping[str, Any], variables: dict[str, Any], client: Client, files: Path) -> Manifest:
        folders = [str(files / folder) for folder in options.names(args, "catalogs")]
        built_in = Path(__file__).parents[2] / "roles" / "addons" / "files" / "catalog"
        manifest, findings = load_manifest(
            variables,
            self._templar,
            catalogs=[str(built_in), *folders],
            files_dir=str(files),
            nodes=lambda: node_counts(client.list(NODE.collection())),
        )
        if manifest is None:
            raise FindingsError(findings)
        return manifest

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
            target = Path(path).expanduser()
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(outcome, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return {
            "changed": changed,
            "result": outcome["result"],
            "plan": outcome,
            "fail_on": list(options.fail_on(args)),
        }


def _lives_on(parent: int) -> Callable[[], bool]:
    """Whether the process that started this worker is still there."""
    return lambda: os.getppid() == parent


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
    alone = "" if operation == "remove" else f"; these alone, with what they need: -e slipway_only={','.join(names)}"
    lines.append(f"go on with the same command{alone}")
    return "\n".join(lines)
