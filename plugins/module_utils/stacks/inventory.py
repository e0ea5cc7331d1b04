# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The inventory of a new cluster: as files for a folder, and as data such as ``ansible-inventory --list --export``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from .definition import Stack, Wrong
from .hosts import Host
from .lines import line_of, no_yaml
from .render import PART, written
from .roles import Groups

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    import yaml

HOSTS = "hosts.yml"
_PARTS = ("kube_control_plane", "kube_node")
_ABOUT = {
    "kube_control_plane": "They carry the API server. The first one is special: others join it, and it must stay.",
    "etcd": "An odd number of members.",
    "kube_node": "Where pods run.",
}


def hosts_file(stack: Stack, hosts: Sequence[Host], groups: Groups) -> str:
    """The text of ``hosts.yml``."""
    lines = [
        "---",
        f"# {stack.title}. The machines of the cluster, in the groups that Kubespray knows.",
        "all:",
        "  hosts:",
        *(f"    {written(host.name)}: {_flow(host.variables)}" for host in hosts),
        "  children:",
    ]
    for group, names in groups.items():
        lines += [f"    # {_ABOUT[group]}", f"    {group}:", "      hosts:" if names else "      hosts: {}"]
        lines += [f"        {written(name)}: {{}}" for name in names]
    lines += [
        "    # Kubespray wants this group to be written here, as it stands.",
        "    k8s_cluster:",
        "      children:",
        *(f"        {group}: {{}}" for group in _PARTS),
    ]
    return "\n".join(lines) + "\n"


def as_data(hosts: Sequence[Host], groups: Groups, files: Mapping[str, str]) -> dict[str, Any]:
    """The same as data. ``files`` are the rendered ones below the inventory's folder. Raises ``Wrong``."""
    found: dict[str, Any] = {
        "_meta": {"hostvars": {host.name: host.variables for host in hosts}},
        "all": {"children": [*groups, "k8s_cluster"]},
        **{group: {"hosts": list(names)} for group, names in groups.items() if names},
        "k8s_cluster": {"children": list(_PARTS)},
    }
    for file, text in sorted(files.items()):
        parts = Path(file).parts
        if parts[0] != "group_vars":
            continue
        try:
            content = yaml.safe_load(text)
        except yaml.YAMLError as exc:
            raise Wrong(no_yaml(_source(file), exc)) from exc
        if content is not None and not isinstance(content, dict):
            raise Wrong(f"{_source(file)}:{line_of(text, ())}: must be a map of variables")
        found.setdefault(Path(parts[1]).stem, {}).setdefault("vars", {}).update(content or {})
    return found


def _source(file: str) -> str:
    """What it was rendered from, line by line."""
    return f"{PART}{file.removeprefix('group_vars')}"


def _flow(variables: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{name}: {written(value)}" for name, value in variables.items()) + "}"
