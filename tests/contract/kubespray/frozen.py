# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What Kubespray's dictionary of downloads depends on, and who could change that while a run goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import jinja2.meta
import yaml

NAME = "downloads"
DEFAULTS = "kubespray_defaults"


class _Loader(yaml.SafeLoader):
    """Tags such as ``!unsafe`` are nobody's business here."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


class _AnyFilter(dict[str, Callable[..., Any]]):
    """Kubespray has filters that only Ansible knows; none of them is called here."""

    def __contains__(self, key: object) -> bool:
        return True

    def get(self, key: str, default: Any = None) -> Any:
        return lambda *words: None


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(autoescape=False)  # noqa: S701 - variables, no pages
    environment.filters = _AnyFilter()
    environment.tests = _AnyFilter()
    return environment


class Source:
    """The source of one installed Kubespray."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._environment = _environment()
        self.defaults = self.of_role(DEFAULTS)

    def depends(self) -> set[str]:
        """All variables that ``downloads`` is made of, itself included, over any number of templates."""
        seen: set[str] = set()
        left = {NAME}
        while left:
            name = left.pop()
            seen.add(name)
            left |= self._mentioned(self.defaults.get(name)) - seen
        return seen

    def users(self) -> list[str]:
        """Roles whose tasks or templates name the dictionary, without the one that defines it."""
        found = set()
        for file in (self._home / "roles").rglob("*"):
            if file.suffix in (".yml", ".j2") and "molecule" not in file.parts and "tests" not in file.parts:
                role = self._role(file)
                if role and NAME in file.read_text(encoding="utf-8"):
                    found.add(role)
        return sorted(found - {DEFAULTS})

    def of_role(self, role: str) -> dict[str, Any]:
        """Its own defaults and variables, untemplated."""
        found: dict[str, Any] = {}
        for kind in ("defaults", "vars"):
            for file in sorted((self._home / "roles" / role / kind).rglob("*.yml")):
                found |= _read(file) or {}
        return found

    def with_dependencies(self, role: str) -> dict[str, Any]:
        """What counts inside of a role."""
        meta = self._home / "roles" / role / "meta" / "main.yml"
        found: dict[str, Any] = {}
        for one in ((_read(meta) or {}).get("dependencies") or []) if meta.exists() else []:
            name = one if isinstance(one, str) else one["role"]
            found |= {} if name == DEFAULTS else self.with_dependencies(name)
        return found | self.of_role(role)

    def set_by_tasks(self) -> set[str]:
        """All names that a task, or a play, gives a value."""
        files = [*self._home.glob("roles/**/tasks/**/*.yml"), *self._home.glob("roles/**/handlers/*.yml")]
        files += self._home.glob("playbooks/*.yml")
        return {name for file in files if "molecule" not in file.parts for name in _set(_read(file))}

    def _mentioned(self, value: Any) -> set[str]:
        if isinstance(value, str):
            return jinja2.meta.find_undeclared_variables(self._environment.parse(value)) if "{" in value else set()
        parts = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
        return {name for part in parts for name in self._mentioned(part)}

    def _role(self, file: Path) -> str:
        parts = file.relative_to(self._home / "roles").parts
        kinds = [index for index, part in enumerate(parts) if part in ("tasks", "templates", "handlers")]
        return "/".join(parts[: kinds[0]]) if kinds else ""


def _read(file: Path) -> Any:
    return yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe one


def _set(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _set(one)
    if not isinstance(value, dict):
        return
    for key, one in value.items():
        kind = str(key).rpartition(".")[2]
        if kind in ("set_fact", "vars") and isinstance(one, dict):
            yield from one
        if kind == "register":
            yield str(one)
        yield from _set(one)
