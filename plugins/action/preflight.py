# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check everything before anything is touched, and tell all that was found at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.codes import CODES
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.severity import tune
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem, Severity
from ansible_collections.slipway.cluster.plugins.module_utils.report.preflight_json import preflight_dict
from ansible_collections.slipway.cluster.plugins.module_utils.report.preflight_junit import preflight_junit
from ansible_collections.slipway.cluster.plugins.module_utils.report.preflight_text import preflight_lines

from ..plugin_utils import report_files
from ..plugin_utils.preflight import Preflight

display = Display()


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, text and result out."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            result.update(self._run(self._task.args, task_vars or {}))
        except NodesError as exc:
            result.update(failed=True, msg=str(exc), code=exc.problems[0].code)
        except EngineError as exc:
            result.update(failed=True, msg=str(exc), code=exc.code)
        return result

    def _run(self, args: Mapping[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        found = Preflight(args, variables, self._templar).run()
        severity = args.get("severity") or {}
        if not isinstance(severity, Mapping):
            wanted = "it maps codes to error, warning, hint or ignore"
            raise NodesError([Problem("SLW-8030", f"slipway_preflight_severity is {severity!r}", wanted)])
        problems = tune(found.problems, {str(code): str(word) for code, word in severity.items()}, CODES)
        name = str(args.get("name") or "")
        lines = preflight_lines(problems, name, len(found.hosts))
        report = preflight_dict(problems, name=name, kubespray=found.version, hosts=found.hosts, titles=CODES)
        _write(args, "text_file", "\n".join(lines) + "\n")
        _write(args, "json_file", report_files.as_json(report))
        _write(args, "junit_file", preflight_junit(problems, name=name, titles=CODES))
        for line in lines:
            display.display(line)
        errors = [str(problem) for problem in problems if problem.severity is Severity.ERROR]
        return {"changed": False, "report": report, "errors": errors, "msg": lines[0]}


def _write(args: Mapping[str, Any], option: str, text: str) -> None:
    """Raises ``NodesError`` SLW-8030 when the file cannot be written."""
    if not args.get(option):
        return
    path = Path(str(args[option])).expanduser()
    try:
        report_files.write(path, text)
    except OSError as exc:
        said = f"slipway_preflight_{option} {path} cannot be written: {exc.strerror}"
        raise NodesError([Problem("SLW-8030", said, "name a file in a folder that can be written")]) from exc
