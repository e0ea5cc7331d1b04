# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Every code has one title and one page.

Started as a script, as ``make generate`` does, it writes docs/errors/README.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.codes import CODES as MANIFEST
from ansible_collections.slipway.cluster.plugins.module_utils.addons.engine_codes import CODES as ENGINE
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.codes import TITLES as SOURCES
from ansible_collections.slipway.cluster.plugins.module_utils.awx.codes import CODES as AWX
from ansible_collections.slipway.cluster.plugins.module_utils.fleet.codes import CODES as FLEET
from ansible_collections.slipway.cluster.plugins.module_utils.image.codes import CODES as IMAGE
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.codes import CODES as KUBESPRAY
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.codes import CODES as NODES
from ansible_collections.slipway.cluster.plugins.module_utils.session.codes import CODES as SESSION
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.codes import CODES as STACKS

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "errors"
INDEX = PAGES / "README.md"
TABLES = {
    "codes.py": MANIFEST,
    "sources/codes.py": SOURCES,
    "engine_codes.py": ENGINE,
    "session/codes.py": SESSION,
    "kubespray/codes.py": KUBESPRAY,
    "nodes/codes.py": NODES,
    "image/codes.py": IMAGE,
    "awx/codes.py": AWX,
    "stacks/codes.py": STACKS,
    "fleet/codes.py": FLEET,
}
TITLES = {code: title for table in TABLES.values() for code, title in table.items()}
CODE = re.compile(r"SLW-\d{4}")
PARTS = {
    "1": "The manifest",
    "2": "Sources: charts, kustomizations, manifests",
    "3": "What is on the cluster",
    "4": "Carrying out an installation",
    "5": "Removal",
    "6": "Lock, access, options",
    "7": "Credentials",
    "8": "Nodes, Kubespray, stacks, fleet",
    "9": "AWX",
}


def used() -> dict[str, str]:
    """Every code in plugins, roles and playbooks, outside of the tables, with one file that names it.

    The constants of ``sources/codes.py`` stand for their codes.
    """
    found = dict.fromkeys(SOURCES, "sources/codes.py")
    for folder in ("plugins", "roles", "playbooks"):
        for file in (ROOT / folder).rglob("*"):
            if file.suffix not in (".py", ".yml") or file.name in ("codes.py", "engine_codes.py"):
                continue
            for code in CODE.findall(file.read_text(encoding="utf-8")):
                found.setdefault(code, str(file.relative_to(ROOT)))
    return found


def index() -> str:
    """The list of all pages."""
    lines = [
        "# Errors and hints",
        "",
        "Every message has a code that keeps its meaning. Each has a page: what it means, an example, what to do.",
    ]
    for first, name in PARTS.items():
        lines += ["", f"## {name}", "", "| code | title |", "|---|---|"]
        chosen = sorted(code for code in TITLES if code[4] == first)
        lines += [f"| [{code}]({code}.md) | {TITLES[code][:1].upper()}{TITLES[code][1:]} |" for code in chosen]
    return "\n".join(lines) + "\n"


def test_every_code_that_is_raised_has_a_title() -> None:
    missing = {code: file for code, file in used().items() if code not in TITLES}
    assert not missing


def test_every_title_is_in_use() -> None:
    assert not set(TITLES) - set(used())


def test_no_code_has_two_titles() -> None:
    assert len(TITLES) == sum(len(table) for table in TABLES.values())
    assert len(set(TITLES.values())) == len(TITLES)


def test_every_page_has_a_code() -> None:
    assert {file.stem for file in PAGES.glob("*.md")} - {"README"} == set(TITLES)


@pytest.mark.parametrize("code", sorted(TITLES))
def test_page_has_title_example_and_advice(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {code}: {TITLES[code]}\n")
    assert "\n## Example\n" in text
    assert len(text.split("\n## What to do\n", 1)[1].strip()) > 10


@pytest.mark.parametrize("code", sorted(ENGINE))
def test_example_shows_the_code(code: str) -> None:
    text = (PAGES / f"{code}.md").read_text(encoding="utf-8")
    assert f"```text\n{code} " in text


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_index_is_complete() -> None:
    assert INDEX.read_text(encoding="utf-8") == index(), "run: make generate"


if __name__ == "__main__":
    INDEX.write_text(index(), encoding="utf-8")
