# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""In which line of a stack's file something stands that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Union

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    import yaml

KeyPath = Sequence[Union[str, int]]
"""Keys of maps, and places in lists, from the top of a file to a value."""


def line_of(text: str, path: KeyPath) -> int:
    """Of the key or item that ``path`` leads to; where it is missing, of what it is missing in. ``text`` is YAML."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 1 if node is None else node.start_mark.line + 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            # Of a key that stands twice the last one counts.
            found = [(key, value) for key, value in node.value if key.value == step][-1:]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            found = [(item, item) for item in node.value[step : step + 1]]
        else:
            found = []
        if not found:
            break
        at, node = found[0]
        line = at.start_mark.line + 1
    return line


def no_yaml(file: str, exc: yaml.YAMLError) -> str:
    """What is said of a file that cannot be parsed."""
    if isinstance(exc, yaml.MarkedYAMLError) and exc.problem_mark is not None:
        return f"{file}:{exc.problem_mark.line + 1}: is not YAML: {exc.problem or exc.context}"
    return f"{file}: is not YAML: {' '.join(str(exc).split())}"
