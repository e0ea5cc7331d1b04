# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The roles of access hand every option of their action through: the places that name them must agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLES = ("ssh_ca", "ssh_trust", "ssh_static_keys")
# Not the action's: a guard of the role's own.
OWN = {"ssh_ca_hosts"}


def _yaml(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def _options(name: str) -> dict[str, Any]:
    documentation = _documentation(f"plugins/modules/{name}.py")
    shared = [
        # Not every fragment has options: some have attributes.
        {"options": {}} | _documentation(f"plugins/doc_fragments/{fragment.rpartition('.')[2]}.py")
        for fragment in documentation.get("extends_documentation_fragment", [])
    ]
    return {option: text for part in (*shared, documentation) for option, text in part["options"].items()}


def _documentation(path: str) -> Any:
    found = re.search(r'DOCUMENTATION = r"""(.*?)"""', (ROOT / path).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return yaml.safe_load(found.group(1))


def _dumped(value: Any) -> str:
    return yaml.safe_dump(value, width=10**6)


@pytest.mark.parametrize("role", ROLES)
def test_specs_defaults_task_and_module_agree(role: str) -> None:
    specs = _yaml(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {name: spec["default"] for name, spec in specs.items()} == _yaml(f"roles/{role}/defaults/main.yml")
    (task,) = [one for one in _yaml(f"roles/{role}/tasks/main.yml") if f"slipway.cluster.{role}" in one]
    options = _options(role)
    assert task[f"slipway.cluster.{role}"] == {option: f"{{{{ {role}_{option} }}}}" for option in options}
    assert set(specs) - OWN == {f"{role}_{option}" for option in options}
    for option, documented in options.items():
        said = _dumped(documented["description"])
        for other in options:
            said = re.sub(rf"O\({other}(?=[=)])", f"O({role}_{other}", said)
        assert _dumped(specs[f"{role}_{option}"]["description"]) == said, option


@pytest.mark.parametrize("name", ["ssh_trust_host", "ssh_static_keys_host"])
def test_documentation_and_arguments_of_modules_for_hosts_agree(name: str) -> None:
    text = (ROOT / f"plugins/modules/{name}.py").read_text(encoding="utf-8")
    arguments = set(re.findall(r'^ {12}"(\w+)": ', text, re.MULTILINE)) | set(
        re.findall(r'"(\w+)": "', text.partition("texts = {")[2].partition("}")[0])
    )
    arguments |= set(re.findall(r'texts\["(\w+)"\]', text))
    assert arguments - {"changed", "keys", "commands", "unread", "trusted"} == set(_options(name))
