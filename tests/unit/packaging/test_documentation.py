# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""``ansible-doc`` knows every plugin and role of the installed artifact, and each option of each says what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.packaging import ansible

# Folder in the collection to ansible-doc's name for what is in it. Actions are documented as modules.
TYPES = {"modules": "module", "callback": "callback", "lookup": "lookup", "vars": "vars"}
WITHOUT_PAGES = {"action", "doc_fragments", "module_utils", "plugin_utils"}


def asked(installed: Path, kind: str, *arguments: str) -> Any:
    command = ["ansible-doc", "--type", kind, "--json", *arguments]
    return json.loads(ansible(*command, home=installed.parent, collections=installed))


def silent(options: dict[str, Any], path: str = "") -> Iterator[str]:
    """Options without description, those inside of others included."""
    for name, option in options.items():
        if not option.get("description"):
            yield f"{path}{name}"
        yield from silent(
            option.get("options") or option.get("suboptions") or option.get("contains") or {}, f"{path}{name}."
        )


def gaps(page: dict[str, Any]) -> list[str]:
    """What a plugin's page lacks."""
    doc = page["doc"]
    missing = [part for part in ("short_description", "description", "author", "version_added") if not doc.get(part)]
    missing += [f"option {name}" for name in silent(doc.get("options") or {})]
    missing += [f"return value {name}" for name in silent(page.get("return") or {})]
    return missing + ([] if page.get("examples") else ["examples"])


def test_every_kind_of_plugin_is_looked_at(collection: Path) -> None:
    kinds = {path.name for path in (collection / "plugins").iterdir() if path.is_dir()}
    assert kinds == set(TYPES) | WITHOUT_PAGES


@pytest.mark.parametrize("folder", TYPES)
def test_every_plugin_has_a_complete_page(installed: Path, collection: Path, folder: str) -> None:
    files = (collection / "plugins" / folder).glob("*.py")
    names = sorted(f"slipway.cluster.{path.stem}" for path in files if path.stem != "__init__")
    assert sorted(asked(installed, TYPES[folder], "--list", "slipway.cluster")) == names
    pages = asked(installed, TYPES[folder], *names)
    assert sorted(pages) == names
    needs_examples = folder == "modules"
    found = {name: [gap for gap in gaps(page) if needs_examples or gap != "examples"] for name, page in pages.items()}
    assert {name: missing for name, missing in found.items() if missing} == {}


def test_every_action_is_documented_as_a_module(collection: Path) -> None:
    plugins = collection / "plugins"
    actions = {path.stem for path in (plugins / "action").glob("*.py")}
    assert actions <= {path.stem for path in (plugins / "modules").glob("*.py")}


def test_every_role_has_a_complete_page(installed: Path, collection: Path) -> None:
    names = sorted(f"slipway.cluster.{path.name}" for path in (collection / "roles").iterdir())
    assert sorted(asked(installed, "role", "--list", "slipway.cluster")) == names
    pages = asked(installed, "role", *names)
    found = {}
    for name, page in pages.items():
        for entry, spec in page["entry_points"].items():
            missing = [part for part in ("short_description", "description") if not spec.get(part)]
            found[f"{name} {entry}"] = missing + [f"option {one}" for one in silent(spec.get("options") or {})]
    assert sorted({name.split()[0] for name in found}) == names
    assert {name: missing for name, missing in found.items() if missing} == {}


def test_a_gap_is_seen() -> None:
    inside = {"a": {"description": "a", "suboptions": {"b": {"type": "str"}}}}
    page = {"doc": {"short_description": "x", "description": ["x"], "author": ["x"], "options": inside}}
    assert gaps(page) == ["version_added", "option a.b", "examples"]
