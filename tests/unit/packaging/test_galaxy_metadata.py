# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What Galaxy's importer asks of an artifact's metadata, beside what ``ansible-galaxy collection build`` asks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

NAME = re.compile(r"(?!.*__)[a-z][0-9a-z_]*")
VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
REQUIRED = ("namespace", "name", "version", "readme", "authors", "repository", "license")
# One of these has to be there.
CATEGORIES = {
    "ai", "application", "cloud", "database", "eda", "infrastructure", "linux", "monitoring", "networking", "security",
    "storage", "tools", "windows",
}  # fmt: skip


def faults(info: dict[str, Any]) -> list[str]:
    found = [f"{name} is required" for name in REQUIRED if not info.get(name)]
    found += [f"{name}: not a name" for name in ("namespace", "name") if not NAME.fullmatch(info[name])]
    if not VERSION.fullmatch(info["version"]):
        found.append("version: not a semantic one")
    if info.get("license") and info.get("license_file"):
        found.append("license and license_file exclude each other")
    found += [f"author of {len(author)} characters" for author in info["authors"] if len(author) > 64]
    tags = info.get("tags") or []
    if len(tags) > 20 or not CATEGORIES & set(tags):
        found.append("tags: at most 20, one of them a category")
    found += [f"tag {tag}" for tag in tags if not NAME.fullmatch(tag) or len(tag) > 64]
    if not 0 < len(info.get("description") or "") <= 255:
        found.append("description: of one sentence")
    links = ("repository", "documentation", "homepage", "issues")
    return found + [f"{name}: not an address" for name in links if not str(info.get(name)).startswith("https://")]


@pytest.fixture
def info(collection: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((collection / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]
    return found


def test_the_metadata_is_as_the_importer_wants_it(info: dict[str, Any], collection: Path) -> None:
    assert faults(info) == []
    assert (collection / info["readme"]).is_file()
    runtime = yaml.safe_load((collection / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert re.fullmatch(r">=\d+\.\d+\.\d+", runtime["requires_ansible"])
    assert (collection / "CHANGELOG.rst").is_file()
    # It refuses a collection with a role that has none.
    assert [role.name for role in (collection / "roles").iterdir() if not (role / "README.md").is_file()] == []
    assert not (collection / "tests" / "sanity").exists()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"name": "cluster-two"}, "name: not a name"),
        ({"version": "1.0"}, "version: not a semantic one"),
        ({"tags": ["kubernetes"]}, "tags: at most 20, one of them a category"),
        ({"tags": ["tools", "air-gap"]}, "tag air-gap"),
        ({"authors": ["x" * 65]}, "author of 65 characters"),
        ({"license_file": "LICENSE"}, "license and license_file exclude each other"),
        ({"repository": ""}, "repository is required"),
    ],
)
def test_a_fault_is_seen(info: dict[str, Any], change: dict[str, Any], fault: str) -> None:
    assert fault in faults(info | change)
