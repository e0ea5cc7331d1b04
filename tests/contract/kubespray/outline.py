# Copyright (c) 2026 Slipway contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible makes of a Kubespray's playbooks: ``python outline.py COLLECTIONS_PATH PLAYBOOK…`` prints it as JSON.

Run by an Ansible that the Kubespray accepts; nothing is contacted. For each playbook a list of plays with ``hosts``,
``tags``, ``serial``, ``strategy``, ``fatal`` (any_errors_fatal), ``facts`` (gather_facts), ``localhost_only``,
``prompts`` (conditions of each pause), and ``roles``: their tags, and the tasks that are done on the first control
plane host for another one, as ``[module, run once, for each item]``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

# What Ansible itself does, without a connection.
CONTROLLER_ONLY = {"assert", "debug", "fail", "set_fact", "pause", "group_by", "include_tasks", "import_tasks", "meta"}


class Tolerant(yaml.SafeLoader):
    """Tags such as ``!vault`` are nobody's business here."""


Tolerant.add_multi_constructor("!", lambda loader, suffix, node: None)


def main() -> None:
    from ansible.plugins.loader import init_plugin_loader

    path, *names = sys.argv[1:]
    init_plugin_loader([path, *map(str, _neighbours())])
    home = Path(path) / "ansible_collections" / "kubernetes_sigs" / "kubespray"
    json.dump({name: outline(home, name) for name in names}, sys.stdout, indent=1)


def _neighbours() -> list[Path]:
    import ansible

    return [Path(ansible.__file__).resolve().parents[1]]


def outline(home: Path, name: str) -> list[dict[str, Any]]:
    from ansible.parsing.dataloader import DataLoader
    from ansible.playbook import Playbook
    from ansible.vars.manager import VariableManager

    loader = DataLoader()
    loader.set_basedir(str(home / "playbooks"))
    playbook = Playbook.load(str(home / "playbooks" / f"{name}.yml"), VariableManager(loader=loader), loader)
    return [_play(home, play) for play in playbook.get_plays()]


def _play(home: Path, play: Any) -> dict[str, Any]:
    data = play.get_ds()
    roles = data.get("roles") or []
    tasks = [task for key in ("pre_tasks", "tasks", "post_tasks") for task in data.get(key) or []]
    return {
        "hosts": _words(data["hosts"]),
        "tags": sorted(play.tags),
        "serial": str(data.get("serial", "")),
        "strategy": str(data.get("strategy", "")),
        "fatal": str(data.get("any_errors_fatal", "")),
        "facts": str(data.get("gather_facts", "")),
        "run_once": bool(data.get("run_once")),
        "prompts": [_conditions(task) for task in tasks if _module(task) == "pause"],
        "refusals": [_conditions(task) for task in tasks if _module(task) == "fail"],
        "modules": [_module(task) for task in tasks],
        "roles": [_role(home, role) for role in roles],
    }


def _role(home: Path, role: Any) -> dict[str, Any]:
    name = role if isinstance(role, str) else role["role"]
    tags = [] if isinstance(role, str) else _list(role.get("tags"))
    roles = home / "roles"
    return {"tags": sorted(tags), "delegated": _delegated(roles, roles / name / "tasks" / "main.yml", set())}


def _delegated(roles: Path, file: Path, seen: set[Path]) -> list[list[Any]]:
    """Tasks that another host's run brings to the first control plane host, in their order; literal includes only."""
    found: list[list[Any]] = []
    if file in seen or not file.exists():
        return found
    seen.add(file)
    for task in _flat(yaml.load(file.read_text(encoding="utf-8"), Tolerant) or [], {}):  # noqa: S506 - a safe one
        found += _included(roles, file, task, seen)
        if "control_plane" not in str(task.get("delegate_to", "")) or _module(task) in CONTROLLER_ONLY:
            continue
        loops = any(key == "loop" or key.startswith("with_") for key in task)
        found.append([_kind(_module(task)), bool(task.get("run_once")), loops])
    return found


def _included(roles: Path, file: Path, task: dict[str, Any], seen: set[Path]) -> list[list[Any]]:
    plain = {key.rpartition(".")[2]: value for key, value in task.items()}
    for key in ("include_tasks", "import_tasks"):
        if isinstance(plain.get(key), str) and "{" not in plain[key]:
            return _delegated(roles, file.parent / plain[key], seen)
    role = plain.get("include_role") or plain.get("import_role") or {}
    name = str(role.get("name", "{")).rpartition(".")[2]
    if "{" in name:
        return []
    return _delegated(roles, roles / name / "tasks" / f"{role.get('tasks_from', 'main')}.yml", seen)


def _flat(tasks: list[dict[str, Any]], block: dict[str, Any]) -> list[dict[str, Any]]:
    """Tasks of blocks too, which inherit where and how often they are done."""
    found = []
    for task in tasks:
        parts = [part for key in ("block", "rescue", "always") for part in task.get(key) or []]
        common = block | {key: task[key] for key in ("delegate_to", "run_once") if key in task}
        found += _flat(parts, common) if parts else [common | task]
    return found


def _module(task: dict[str, Any]) -> str:
    known = [key for key in task if key.rpartition(".")[2] in MODULES]
    return known[0].rpartition(".")[2] if known else ""


def _kind(module: str) -> str:
    return "command" if module == "shell" else module


def _conditions(task: dict[str, Any]) -> list[str]:
    return [" ".join(str(one).split()) for one in _list(task.get("when"))]


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ":".join(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


MODULES = CONTROLLER_ONLY | {
    "command", "copy", "file", "import_role", "include_role", "lineinfile", "raw", "service_facts", "setup", "shell",
    "slurp", "stat", "template", "uri", "wait_for", "wait_for_connection",
}  # fmt: skip

if __name__ == "__main__":
    main()
