# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Every code has a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.codes import TITLES

PAGES = Path(__file__).parents[3] / "docs" / "errors"


@pytest.mark.parametrize(("code", "title"), TITLES.items())
def test_code_has_a_page_with_its_title(code: str, title: str) -> None:
    text = (PAGES / f"{code}.md").read_text()
    assert text.startswith(f"# {code}: {title}\n")
    assert "## What to do" in text
