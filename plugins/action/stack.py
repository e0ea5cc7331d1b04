# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the inventory of a new cluster out of a stack, and the project repository around it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import NodesError, Problem
from ansible_collections.slipway.cluster.plugins.module_utils.report.new_text import new_lines, next_commands
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.build import Cluster, Wanted, build
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.project import project_files
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.writing import Comparison, compare, write

_FILES = Path(__file__).parents[2] / "roles" / "new_cluster" / "files"

display = Display()


class ActionModule(ActionBase):
    """The shell: arguments in, one ``except``, text and result out."""

    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        try:
            result.update(self._run(self._task.args))
        except NodesError as exc:
            problems = [problem.as_dict() for problem in exc.problems]
            result.update(failed=True, msg=str(exc), code=exc.problems[0].code, problems=problems)
        return result

    def _run(self, args: Mapping[str, Any]) -> dict[str, Any]:
        wanted = Wanted(
            str(args.get("stack") or ""),
            str(args.get("name") or ""),
            _structure(args.get("hosts")),
            _map(args, "values"),
            _map(args, "answers"),
        )
        cluster = build(wanted, [str(_FILES / "stacks"), *_folders(args)])
        own = {f"{cluster.folder}/{path}": text for path, text in cluster.files.items()}
        result = {
            "changed": False,
            "cluster": cluster.name,
            "stack": cluster.stack.name,
            "answers": dict(cluster.answers),
            "folder": cluster.folder,
            "files": own,
            "inventory": cluster.inventory,
            "written": [],
            "kept": [],
            "next": [],
        }
        given = str(args.get("destination") or "")
        if not given:
            lines = new_lines(cluster, Comparison(), [], check=True)
        else:
            lines = self._write(result, cluster, own, Path(given).expanduser().absolute())
        for line in lines:
            display.display(line)
        return {**result, "msg": lines[0]}

    def _write(self, result: dict[str, Any], cluster: Cluster, own: Mapping[str, str], place: Path) -> list[str]:
        """Fill in the result of a run that has a destination; return what is told."""
        around = project_files(_FILES / "project", cluster.name)
        found = compare(place, cluster.folder, own, around)
        contents = {**around, **own}
        new = {path: contents[path] for path in found.missing}
        commands = next_commands(cluster, place, Path.cwd())
        check = bool(self._task.check_mode)
        if new and not check:
            write(place, cluster.folder, new)
        if self._task.diff:
            result["diff"] = [
                {"before": "", "after": text, "before_header": "(missing)", "after_header": path}
                for path, text in sorted(new.items())
            ]
        result.update(changed=bool(new), written=sorted(new), kept=sorted(found.kept), next=commands, files=contents)
        return new_lines(cluster, found, commands, check=check)


def _structure(value: object) -> object:
    """A list or map that came as JSON text, as ``-e`` and surveys give it."""
    text = value.strip() if isinstance(value, str) else ""
    if text[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(text)
    except ValueError:
        return value


def _map(args: Mapping[str, Any], option: str) -> dict[str, object]:
    value = _structure(args.get(option))
    if value in (None, ""):
        return {}
    if not isinstance(value, Mapping):
        said = f"slipway_stack_{option} is {value!r}"
        raise NodesError([Problem("SLW-8912", said, "it must be a map of questions to answers")])
    return {str(name): answer for name, answer in value.items()}


def _folders(args: Mapping[str, Any]) -> list[str]:
    value = _structure(args.get("folders")) or []
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else [str(one) for one in value]
