# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a collection says of itself: its version, and the versions of collections that it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

with suppress(ImportError):  # Ansible's controller always has it; import checks of single files may not
    import yaml


@dataclass(frozen=True)
class Manifest:
    """``dependencies`` maps full names of collections to version ranges, ``requires_ansible`` is one, or empty."""

    version: str
    dependencies: Mapping[str, str]
    requires_ansible: str


def read_manifest(collection: Path) -> Manifest:
    """Of an installed collection, or of its sources.

    Raises ``OSError`` when there is no manifest, ``ValueError`` when it does not say which version it is.
    """
    installed = collection / "MANIFEST.json"
    try:
        if installed.is_file():
            info = json.loads(installed.read_text(encoding="utf-8"))["collection_info"]
        else:
            info = yaml.safe_load((collection / "galaxy.yml").read_text(encoding="utf-8"))
        version, dependencies = str(info["version"]), info.get("dependencies") or {}
        return Manifest(version, {str(k): str(v) for k, v in dependencies.items()}, _requires_ansible(collection))
    except (KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise ValueError(f"{collection}: no usable manifest: {error!r}") from error


def _requires_ansible(collection: Path) -> str:
    runtime = collection / "meta" / "runtime.yml"
    content = yaml.safe_load(runtime.read_text(encoding="utf-8")) if runtime.is_file() else None
    wanted = content.get("requires_ansible") if isinstance(content, dict) else None
    return str(wanted or "")
