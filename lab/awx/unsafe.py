# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Extra variables in YAML as AWX writes them: text is `!unsafe`, so that no play takes it for a template."""

from __future__ import annotations

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Marks every string, names too."""


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("!unsafe", text))


def dump(values: dict[str, Any], trusted: dict[str, Any]) -> str:
    """``trusted``: variables whose values were written by whoever wrote the template; these stay templates."""
    parts = []
    for name, value in values.items():
        dumper = yaml.SafeDumper if name in trusted and trusted[name] == value else _Dumper
        parts.append(yaml.dump({name: value}, Dumper=dumper, allow_unicode=True, width=2**20))
    return "".join(parts) or "{}\n"
