# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""slipway_rendered_dir: relative to slipway_files_dir, and never where Ansible looks for hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import EngineError
from ansible_collections.slipway.cluster.plugins.plugin_utils.options import settings


def folder(value: str, files: Path, *inventories: str) -> Path | None:
    made = settings({"rendered_dir": value}, "plan", only=(), skip=(), files=files, inventories=inventories)
    return made.rendered_dir


def test_relative_to_the_files_dir(tmp_path: Path) -> None:
    assert folder("../rendered", tmp_path / "inventory") == tmp_path / "rendered"
    assert folder(str(tmp_path / "x"), Path("/nowhere")) == tmp_path / "x"
    assert folder("", tmp_path) is None


def test_not_inside_a_folder_that_is_the_inventory(tmp_path: Path) -> None:
    """Ansible would read what was rendered as inventory, and the next run would fail or do strange things."""
    with pytest.raises(EngineError, match=r"SLW-6201.*inventory"):
        folder("rendered", tmp_path, str(tmp_path))
    (tmp_path / "hosts.yml").write_text("")
    assert folder("rendered", tmp_path, str(tmp_path / "hosts.yml")) == tmp_path / "rendered"
