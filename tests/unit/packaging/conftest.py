# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The artifact, and a folder of collections that it is installed in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import packaging


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packaging.build(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="session")
def installed(artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("install")
    command = ["collection", "install", "--offline", artifact, "-p", home / "collections"]
    packaging.ansible("ansible-galaxy", *command, home=home, collections=home / "collections")
    return home / "collections"


@pytest.fixture(scope="session")
def collection(installed: Path) -> Path:
    return installed / "ansible_collections" / "slipway" / "cluster"
