# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Programs, contexts and add-ons for the tests of sources."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon, ChartSource, Source
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.context import RenderContext
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.helm import Helm
from lab.cache import cache_root

CHARTS = Path(__file__).parent / "charts"


def program(name: str) -> str:
    """A program from SLIPWAY_<NAME>, or one that the lab has in its cache."""
    given = os.environ.get(f"SLIPWAY_{name.upper()}")
    cached = sorted(str(path) for path in cache_root().glob(f"*/{name}"))
    if not given and not cached:
        pytest.skip(f"{name} is not on this machine: make lab-up fetches it")
    return given or cached[-1]


@pytest.fixture(params=["helm3", "helm4"])
def helm(request: pytest.FixtureRequest, tmp_path: Path) -> Helm:
    return Helm(program(request.param), tmp_path / "helm")


@pytest.fixture
def helm4(tmp_path: Path) -> Helm:
    return Helm(program("helm4"), tmp_path / "helm")


@pytest.fixture
def context(helm: Helm, tmp_path: Path) -> RenderContext:
    return RenderContext("v1.35.4", ("apps/v1",), False, helm, tmp_path / "cache")


@pytest.fixture
def offline(tmp_path: Path) -> RenderContext:
    """A context whose programs do not exist: for what must not start one."""
    return RenderContext(
        "v1.35.4", (), False, Helm("/nowhere/helm", tmp_path), tmp_path / "cache", ("/nowhere/kubectl",)
    )


@pytest.fixture
def addon() -> Callable[..., Addon]:
    """``addon("gated")`` is the test chart of that name; ``addon(source)`` any source."""

    def make(source: str | Source, values: dict[str, Any] | None = None, **other: Any) -> Addon:
        chosen = ChartSource(path=str(CHARTS / source)) if isinstance(source, str) else source
        return replace(Addon("sample", chosen, "apps", "rel", values or {}), **other)

    return make
