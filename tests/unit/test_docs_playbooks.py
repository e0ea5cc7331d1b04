# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The documentation promises no command, no target of make and no variable that is not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "lab" / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
COMMAND = re.compile(r"ansible-playbook[^\n`]*?\bslipway\.cluster\.(\w+)|import_playbook: slipway\.cluster\.(\w+)")
TARGET = re.compile(r"(?:`|^(?:    |\$ )?)make ([a-z][a-z-]*)", re.MULTILINE)
# Not the beginning of a family (slipway_remove_…), nor a layer of the user's own, nor any variable at all (slipway_x).
VARIABLE = re.compile(r"(?<![A-Za-z0-9_./-])(slipway_(?!addons__|values__|x\b)[a-z0-9_]*[a-z0-9])\b(?![…*./])")
FENCED = re.compile(r"^```.*?^```|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def commands(text: str) -> set[str]:
    return {one or other for one, other in COMMAND.findall(text)}


def targets(text: str) -> set[str]:
    return {name for part in FENCED.findall(text) for name in TARGET.findall(part)}


def variables(text: str) -> set[str]:
    return {name for part in FENCED.findall(text) for name in VARIABLE.findall(part)}


def playbooks() -> set[str]:
    return {path.stem for path in (ROOT / "playbooks").glob("*.yml")}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def read_somewhere() -> set[str]:
    """Variables that our code reads or sets: in YAML anywhere but in comments and descriptions, in Python as a string
    of its own."""
    found: set[str] = set()
    for file in (*ROOT.glob("playbooks/**/*.yml"), *ROOT.glob("roles/*/*/**/*.yml")):
        if file.name != "argument_specs.yml":
            lines = file.read_text(encoding="utf-8").splitlines()
            code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
            found.update(re.findall(r"\bslipway_[a-z0-9_]*[a-z0-9]", code))
    for file in ROOT.glob("plugins/**/*.py"):
        found.update(_strings(file))
    for file in ROOT.glob("roles/new_cluster/files/stacks/*/stack.yml"):
        questions = yaml.safe_load(file.read_text(encoding="utf-8"))["questions"]
        found.update(f"slipway_stack_{question}" for question in questions)
    return found


def _strings(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("slipway_"):
            yield node.value


PROMISES = {
    "playbooks": (commands, playbooks, "`ansible-playbook -i inventories/prod slipway.cluster.instal -b`", "instal"),
    "imports": (commands, playbooks, "`import_playbook: slipway.cluster.scalee`", "scalee"),
    "targets": (targets, make_targets, "`make tset` to\nmake sure", "tset"),
    "variables": (variables, read_somewhere, "`slipway_drian_batch: 2` and `slipway_remove_…`", "slipway_drian_batch"),
}


@pytest.mark.parametrize(("promised", "there", "example", "name"), PROMISES.values(), ids=PROMISES)
def test_what_is_missing_is_seen(
    promised: Callable[[str], set[str]], there: Callable[[], set[str]], example: str, name: str
) -> None:
    assert promised(example) - there() == {name}


@pytest.mark.parametrize(("promised", "there", "_example", "_name"), PROMISES.values(), ids=PROMISES)
def test_no_page_promises_what_is_not_there(
    promised: Callable[[str], set[str]], there: Callable[[], set[str]], _example: str, _name: str
) -> None:
    known = there()
    pages = {str(page.relative_to(ROOT)): promised(page.read_text(encoding="utf-8")) for page in PAGES}
    assert any(names & known for names in pages.values())
    assert {page: sorted(names - known) for page, names in pages.items() if names - known} == {}
