# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The documentation promises no command that is not there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = {path.stem for path in (ROOT / "playbooks").glob("*.yml")}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"ansible-playbook[^\n`]*?\bslipway\.cluster\.(\w+)")


def promised(text: str) -> set[str]:
    return set(COMMAND.findall(text))


def test_commands_are_seen() -> None:
    assert promised("run `ansible-playbook -i inventories/prod slipway.cluster.instal -e a=b`") == {"instal"}
    assert any(promised(page.read_text(encoding="utf-8")) for page in PAGES)


def test_no_page_promises_a_playbook_that_is_missing() -> None:
    missing = {str(page.relative_to(ROOT)): promised(page.read_text(encoding="utf-8")) - PLAYBOOKS for page in PAGES}
    assert {page: names for page, names in missing.items() if names} == {}
