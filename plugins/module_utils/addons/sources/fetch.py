# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Where a chart's files are on this machine, after fetching them if need be."""

from __future__ import annotations

from ..model import ChartSource
from .context import RenderContext
from .registry import pull_chart
from .repository import Repository, fetch_chart


def chart_path(source: ChartSource, ctx: RenderContext) -> str:
    """An absolute folder or ``.tgz``. A chart that is cached needs no network. Raises RenderError SLW-202x."""
    if source.path:
        return source.path
    url = source.repo.rstrip("/")
    repository = ctx.repositories.get(url) or ctx.repositories.get(source.repo) or Repository(url)
    get = pull_chart if url.startswith("oci://") else fetch_chart
    return str(get(source, repository, ctx.cache_dir, ctx.helm))
