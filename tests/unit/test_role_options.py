# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The role hands every option of the action through: the three places that name them must agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
RENAMED = {"remove_addons": "addons_remove"}


def _yaml(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def _module_options() -> dict[str, Any]:
    text = (ROOT / "plugins/modules/addons.py").read_text(encoding="utf-8")
    found = re.search(r'DOCUMENTATION = r"""(.*?)"""', text, re.DOTALL)
    assert found
    options: dict[str, Any] = yaml.safe_load(found.group(1))["options"]
    return options


def _variable(option: str) -> str:
    return RENAMED.get(option, f"addons_{option}")


def test_specs_and_defaults_agree() -> None:
    specs = _yaml("roles/addons/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {name: spec["default"] for name, spec in specs.items()} == _yaml("roles/addons/defaults/main.yml")


def test_every_option_is_a_variable_and_is_handed_through() -> None:
    options = _module_options()
    task = _yaml("roles/addons/tasks/segment.yml")[0]["slipway.cluster.addons"]
    assert task == {option: f"{{{{ {_variable(option)} }}}}" for option in task}
    assert set(task) == set(options)
    specs = _yaml("roles/addons/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert set(specs) == {_variable(option) for option in options}


def test_descriptions_agree() -> None:
    specs = _yaml("roles/addons/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    for option, documented in _module_options().items():
        said = yaml.safe_dump(documented["description"], width=10_000)
        for other in _module_options():
            said = re.sub(rf"O\({other}(?=[=)])", f"O({_variable(other)}", said)
        assert yaml.safe_dump(specs[_variable(option)]["description"], width=10_000) == said, option
