# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What Kubespray's own checks before an installation ask for, where it has it as data."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    import yaml

_DEFAULTS = Path("roles", "kubernetes", "preinstall", "defaults", "main.yml")


def supported_systems(collection: Path) -> frozenset[str]:
    """Ansible's names of the distributions that the installed Kubespray takes; empty when it does not say."""
    try:
        content = yaml.safe_load((collection / _DEFAULTS).read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return frozenset()
    found = content.get("supported_os_distributions") if isinstance(content, dict) else None
    return frozenset(str(name) for name in found) if isinstance(found, list) else frozenset()
