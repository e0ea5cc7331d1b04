# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who this run is, and which hosts trust whom: the authority is asked, each host is visited, one table is told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.report.session_report import report_dict, report_lines
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import SessionError
from ansible_collections.slipway.cluster.plugins.module_utils.session.settings import Settings
from ansible_collections.slipway.cluster.plugins.module_utils.trust.agent import held
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError
from ansible_collections.slipway.cluster.plugins.module_utils.trust.visit import FAILED, Visit, one_line

from ..plugin_utils import report_files, ssh_session
from ..plugin_utils.visiting import visit

display = Display()


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, text and result out. Nothing is ever changed."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        stages = {"authority": self._authority, "host": self._host, "report": self._report}
        args: Mapping[str, Any] = self._task.args
        stage = stages.get(str(args.get("stage") or ""))
        try:
            if stage is None:
                raise TrustError("SLW-7314", f"stage is {args.get('stage')!r}", f"give one of {', '.join(stages)}")
            result.update(changed=False, **stage(args, task_vars or {}))
        except SessionError as exc:
            result.update(failed=True, msg=str(exc), **exc.as_dict())
        return result

    def _authority(self, _args: Mapping[str, Any], _variables: Mapping[str, Any]) -> dict[str, Any]:
        ssh_session.require()
        return {"provider": _settings().provider}

    def _host(self, _args: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        """A host that refuses is what the report is about, and no failure of it."""
        name = str(variables["inventory_hostname"])
        try:
            found = visit(self._connection, name, ours=ssh_session.current() is not None)
        except TrustError as exc:
            found = Visit(FAILED, reason=f"{exc.code} {exc.message}")
        return {"visit": asdict(found)}

    def _report(self, args: Mapping[str, Any], _variables: Mapping[str, Any]) -> dict[str, Any]:
        running = ssh_session.current()
        lines, no_agent = _held()
        report = report_dict(
            str(args.get("name") or ""),
            _settings().provider,
            {str(host): _visit(found) for host, found in (args.get("visits") or {}).items()},
            status=None if running is None else running.status(),
            held=lines,
            no_agent=no_agent,
        )
        for line in report_lines(report):
            display.display(line)
        _write(str(args.get("report_file") or ""), report)
        return {"result": report["result"], "report": report}


def _settings() -> Settings:
    """Without a word about it in the inventory, the user's own agent is what ssh uses."""
    return ssh_session.used() or Settings()


def _held() -> tuple[list[str], str]:
    """What the agent of this run holds, and why there is none."""
    try:
        return held(os.environ.get("SSH_AUTH_SOCK", "")), ""
    except TrustError as exc:
        return [], exc.message


def _visit(found: Mapping[str, Any]) -> Visit:
    """A host's registered result: its visit, or the reason why Ansible could not even begin."""
    told = found.get("visit")
    if not told:
        return Visit(FAILED, reason=one_line(str(found.get("msg") or "the host was not visited")))
    return Visit(**{str(name): value for name, value in told.items()})


def _write(path: str, report: Mapping[str, Any]) -> None:
    if not path:
        return
    target = Path(path).expanduser()
    try:
        report_files.write(target, report_files.as_json(report))
    except OSError as exc:
        raise SessionError("SLW-7021", f"the report cannot be written: {exc}", "see slipway_report_file") from exc
