# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""docs/manifest.md lists every variable of the playbooks.

Started as a script, as ``make generate`` does, it writes the list.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "manifest.md"
BLOCK = re.compile(r"(<!-- variables: [^\n]*-->\n).*?(<!-- end of variables -->)", re.DOTALL)
VARIABLE = re.compile(r"^\{\{ (slipway_\w+) \| default\((.*)\) \}\}$")
MARKUP = re.compile(r"\b[CVEO]\(([^)]*)\)")
RAW = {
    "slipway_concurrency": "number",
    "slipway_lock_wait": "number",
    "slipway_lock_duration": "number",
    "slipway_catalogs": "list of folders",
    "slipway_repositories": "map",
    "slipway_remove_crds": "map of name to number",
    "slipway_prune": "list of names, or true",
    "slipway_rollback": "names, with or without revision",
    "slipway_history_max": "number",
    "slipway_fail_on": "list of words",
    "slipway_smoke": "true or false",
    "slipway_api_forward": "true or false",
}
"""What `raw` stands for; by default a list of names."""


def _yaml(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def variables() -> dict[str, tuple[str, str, str]]:
    """Variable → (type, default, meaning), from the role's argument specification."""
    options = _yaml("roles/addons/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    names = {name.removeprefix("addons_"): VARIABLE.match(str(spec["default"])) for name, spec in options.items()}
    known = {option: found.group(1) for option, found in names.items() if found}
    known["operation=remove"] = "slipway.cluster.remove"
    known["operation=rollback"] = "slipway.cluster.rollback"
    known["api_access=ssh"] = "slipway_api_access: ssh"
    found = {}
    for spec in options.values():
        match = VARIABLE.match(str(spec["default"]))
        if match is None:
            continue
        text = spec["description"]
        text = " ".join(text) if isinstance(text, list) else text
        text = MARKUP.sub(lambda m: f"`{known.get(m.group(1).removeprefix('addons_'), m.group(1))}`", text)
        kind = RAW.get(match.group(1), "list of names") if spec["type"] == "raw" else "text"
        default = match.group(2).strip("'")
        if default.startswith("lookup("):
            default = "$SLIPWAY_API_TOKEN"
        found[match.group(1)] = (kind, "" if default in ("", "[]", "{}") else f"`{default}`", text)
    return found


def table() -> str:
    """The variables as a Markdown table."""
    lines = ["", "| variable | type | default | meaning |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {kind} | {default} | {text} |" for name, (kind, default, text) in variables().items()]
    return "\n".join([*lines, "", ""])


def _written() -> str:
    return BLOCK.sub(lambda m: m.group(1) + table() + m.group(2), PAGE.read_text(encoding="utf-8"))


def test_page_lists_the_variables_as_they_are() -> None:
    assert PAGE.read_text(encoding="utf-8") == _written(), "run: make generate"


def test_every_default_of_the_role_is_listed() -> None:
    defaults = _yaml("roles/addons/defaults/main.yml")
    wanted = {name for text in defaults.values() for name in re.findall(r"slipway_\w+", str(text))}
    assert set(variables()) == wanted


def test_defaults_on_the_page_are_those_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    model = (ROOT / "plugins/module_utils/addons/model.py").read_text(encoding="utf-8")
    found = re.search(r"class Wait:.*?timeout: int = (\d+)", model, re.DOTALL)
    assert found
    assert f"`timeout` ({found.group(1)} s)" in text


if __name__ == "__main__":
    PAGE.write_text(_written(), encoding="utf-8")
