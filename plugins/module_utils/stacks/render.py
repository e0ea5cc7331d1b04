# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Answers into files. A place for one is ``<<question>>`` and stands for a whole value: no answer can be anything else.

Jinja in a file is Ansible's and stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Optional

from .answers import Answer
from .definition import Stack, Wrong

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    import yaml

NAME = "name"
"""The cluster's name can stand in every file."""

PART = "groups"
"""Folder of a stack with what becomes ``group_vars``."""

_PLACE = re.compile(r"<<([a-z0-9_]+)>>")
_WHOLE = re.compile(r"(?:^|[:\[{,-] +|[\[{])<<[a-z0-9_]+>>(?= *(?:$|#|[,\]}]))")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")


def check_places(stack: Stack) -> None:
    """Raises ``Wrong`` for a place that no question fills, that may be without an answer, or that is no whole value."""
    for file, text in stack.files.items():
        for number, line in enumerate(text.splitlines(), 1):
            where = f"{file}:{number}"
            for name in _PLACE.findall(line):
                question = stack.questions.get(name)
                if question is None and name != NAME:
                    raise Wrong(f"{where}: <<{name}>> is no question of the stack")
                if question is not None and question.optional and stack.only_with.get(file) != name:
                    raise Wrong(f"{where}: {name} is optional, and only_with does not say that this file needs it")
            if not _is_comment(line) and len(_PLACE.findall(line)) != len(_WHOLE.findall(line)):
                raise Wrong(f"{where}: an answer must stand for a whole value, as in 'key: <<question>>'")


def render(stack: Stack, name: str, answers: Mapping[str, Optional[Answer]]) -> dict[str, str]:
    """The files of an inventory by path, with the answers in their places; those without their answer are left out."""
    values = {**answers, NAME: name}
    found = {}
    for file, text in stack.files.items():
        needed = stack.only_with.get(file)
        if needed is None or answers[needed] not in (None, False):
            found[f"group_vars{file.removeprefix(PART)}"] = "".join(
                _filled(line, values) for line in text.splitlines(keepends=True)
            )
    return found


def written(value: Optional[Answer]) -> str:
    """The value in one line of YAML, wherever in it that stands."""
    if isinstance(value, list):
        return f"[{', '.join(written(one) for one in value)}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _filled(line: str, values: Mapping[str, Optional[Answer]]) -> str:
    shown = str if _is_comment(line) else written
    return _PLACE.sub(lambda match: shown(values[match[1]]), line)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")
