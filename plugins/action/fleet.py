# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of several clusters at once: each is looked at by a run of its own, and all are told in one table."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.module_utils.fleet import children, cluster, entries
from ansible_collections.slipway.cluster.plugins.module_utils.fleet.children import AbandonedError, Ended
from ansible_collections.slipway.cluster.plugins.module_utils.fleet.cluster import Cluster, Fleet
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_json import fleet_dict, fleet_stats
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_junit import fleet_junit
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_page import fleet_page
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_screen import screen_lines
from ansible_collections.slipway.cluster.plugins.module_utils.report.fleet_text import fleet_lines

from ..plugin_utils import fleet_job, options, report_files, session
from ..plugin_utils.progress import somebody_looks

display = Display()


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, text and result out. Nothing is ever changed."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            session.check_packages()
            passwords = fleet_job.passwords(self._play_context, task_vars or {})
            result.update(changed=False, **self._run(self._task.args, passwords))
        except NodesError as exc:
            result.update(failed=True, result="error", msg=exc.counted, code=exc.problems[0].code)
        except EngineError as exc:
            result.update(failed=True, result="error", msg=str(exc), code=exc.code)
        except AbandonedError:
            result.update(failed=True, result="error", msg="the run that started this has ended")
        return result

    def _run(self, args: Mapping[str, Any], passwords: Mapping[str, str]) -> dict[str, Any]:
        named, problems = entries.read(args.get("fleet"), Path.cwd())
        if problems:
            raise NodesError(problems)
        fail_on = options.fail_on(args, cluster.CONDITIONS)
        limit = options.number(args, "timeout", 300, 1)
        limits = {one.name: one.timeout or limit for one in named}
        began, started = datetime.now(UTC), time.monotonic()

        def tell(ended: Ended) -> None:
            how = "time is over" if ended.status is None else "looked at" if ended.status == 0 else "failed"
            display.display(f"{time.monotonic() - started:7.1f} s  {ended.name:<20} {how}")

        with fleet_job.vault_passwords(self._loader) as vaults:
            ended = children.run(
                [fleet_job.job(one, limits[one.name], vaults, passwords) for one in named],
                parallel=int(options.number(args, "parallel", 4, 1)),
                alive=session.lives_on(os.getppid()),
                tell=tell,
            )
        seen: list[Cluster] = [cluster.cluster_of(one.inventory, ended[one.name], limits[one.name]) for one in named]
        fleet = Fleet(seen, f"{began:%Y-%m-%dT%H:%M:%SZ}", time.monotonic() - started)
        for line in _lines(fleet, verbose=display.verbosity > 0):
            display.display(line)
        _write(args, fleet, fail_on)
        return {
            "result": fleet.result,
            "fleet": fleet_dict(fleet),
            "stats": fleet_stats(fleet),
            "failures": cluster.failures(fleet, fail_on),
        }


def _lines(fleet: Fleet, *, verbose: bool) -> list[str]:
    if somebody_looks():
        return list(screen_lines(fleet, shutil.get_terminal_size().columns, verbose=verbose))
    return list(fleet_lines(fleet, verbose=verbose))


def _write(args: Mapping[str, Any], fleet: Fleet, fail_on: tuple[str, ...]) -> None:
    makers: dict[str, Callable[[], str]] = {
        "report_file": lambda: report_files.as_json(fleet_dict(fleet)),
        "page_file": lambda: fleet_page(fleet),
        "junit_file": lambda: fleet_junit(fleet, fail_on),
    }
    problems = []
    for option, maker in makers.items():
        path = Path(str(args.get(option) or "")).expanduser()
        if not args.get(option):
            continue
        try:
            report_files.write(path, maker())
        except OSError as exc:
            problems.append(Problem("SLW-8805", f"{path} cannot be written: {exc}", f"see slipway_{option}"))
    if problems:
        raise NodesError(problems)
