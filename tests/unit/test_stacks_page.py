# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The page about stacks: its tables are those of the stacks that ship, and its own example works.

Started as a script, as ``make generate`` does, it writes the tables into docs/stacks.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.stacks.answers import TYPES, Question
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.build import Wanted, build
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.definition import ROLES, Stack
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.folder import load

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "roles" / "new_cluster" / "files"
PAGE = ROOT / "docs" / "stacks.md"
STACKS, PROBLEMS = load([str(FILES / "stacks")])


def table() -> str:
    """The stacks, and their questions."""
    lines = ["", "| stack | hosts | roles | add-ons | what it is |", "|---|---|---|---|---|"]
    for name, stack in sorted(STACKS.items()):
        addons = ", ".join(f"`{addon}`" for addon in stack.includes)
        lines.append(f"| `{name}` | {stack.hosts} | {_roles(stack)} | {addons} | {stack.title}. {stack.description} |")
    lines += ["", "| question | default | asked by | |", "|---|---|---|---|"]
    questions = {name: one for stack in STACKS.values() for name, one in stack.questions.items()}
    for name, question in questions.items():
        asking = [f"`{stack.name}`" for stack in STACKS.values() if name in stack.questions]
        by = "all" if len(asking) == len(STACKS) else ", ".join(asking)
        lines.append(f"| `{name}` | {_default(question)} | {by} | {question.question} |")
    return "\n".join([*lines, "", ""])


def types() -> str:
    """What a question can want."""
    lines = ["", "| type | the answer is |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {kind.words} |" for name, kind in TYPES.items()), "", ""])


def _roles(stack: Stack) -> str:
    def words(roles: tuple[str, ...]) -> str:
        return "all" if len(roles) == len(ROLES) else " and ".join(role.replace("_", " ") for role in roles)

    told = []
    for layout in stack.layouts:
        start = f"from {layout.least}: " if len(stack.layouts) > 1 else ""
        rest = stack.hosts.most > layout.first and layout.roles != layout.others
        first = f"the first {layout.first} " if layout.first > 1 else "the first "
        told.append(
            f"{start}{first}{words(layout.roles)}, others {words(layout.others)}"
            if rest
            else f"{start}{words(layout.roles)}"
        )
    return "; ".join(told)


def _default(question: Question) -> str:
    return "optional" if question.optional else "required" if question.default is None else f"`{question.default}`"


def written() -> str:
    """The page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    for word, block in (("stacks", table()), ("types", types())):
        pattern = re.compile(rf"(<!-- {word}: [^\n]*-->\n).*?(<!-- end of {word} -->)", re.DOTALL)
        text = pattern.sub(lambda match, block=block: match[1] + block + match[2], text)  # type: ignore[misc]
    return text


def test_tables_are_those_of_the_stacks() -> None:
    assert PROBLEMS == []
    assert PAGE.read_text(encoding="utf-8") == written(), "run: make generate"


def test_the_example_of_a_stack_works(tmp_path: Path) -> None:
    blocks = re.findall(r"```yaml\n# (stack\.yml|groups/\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for path, text in [*blocks, ("groups/all/proxy.yml", "---\nhttp_proxy: <<proxy>>\n")]:
        (tmp_path / "edge" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "edge" / path).write_text(text)
    wanted = Wanted("edge", "shop-7", "control1,till1,till2", {}, {"shop": "7"})
    cluster = build(wanted, [str(tmp_path)])
    assert cluster.groups == {"kube_control_plane": ["control1"], "etcd": ["control1"], "kube_node": ["till1", "till2"]}
    assert yaml.safe_load(cluster.files["group_vars/all/cluster.yml"]) == {
        "slipway_name": "shop-7",
        "slipway_values": {"shop": 7},
    }


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
