# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Names that belong to Ansible or Jinja2 and not to whoever writes variables."""

from __future__ import annotations

PREFIXES = ("ansible_", "slipway_", "__")
# fmt: off
_NAMES = frozenset(
    [
        "cycler", "dict", "environment", "gitinfo", "group_names", "groups", "hostvars", "inventory_dir",
        "inventory_file", "inventory_hostname", "inventory_hostname_short", "item", "joiner", "lipsum",
        "lookup", "loop", "namespace", "now", "omit", "play_hosts", "playbook_dir", "q", "query", "range",
        "role_name", "role_names", "role_path", "true", "false", "none", "True", "False", "None", "undef",
        "vars", "varargs", "kwargs", "caller", "self", "super",
    ]
)
# fmt: on


def is_ansibles(name: str) -> bool:
    """Whether ``name`` is Ansible's, Jinja2's or ours."""
    return name in _NAMES or name.startswith(PREFIXES)
