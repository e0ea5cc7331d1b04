# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the role, its module and the code that runs on hosts have to agree on."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles/node_image"
ON_HOSTS = sorted((ROOT / "plugins/module_utils/image").glob("*.py"))
MODULES = [ROOT / f"plugins/modules/{name}.py" for name in ("node_image", "image_leftovers")]
OF_THE_ACTION = {"kubespray", "variables", "former"}


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _documented(name: str) -> dict[str, Any]:
    text = (ROOT / f"plugins/modules/{name}.py").read_text(encoding="utf-8")
    found = re.search(r'DOCUMENTATION = r"""(.*?)"""', text, re.DOTALL)
    assert found
    return dict(yaml.safe_load(found[1])["options"])


def test_specs_and_defaults_agree() -> None:
    specs = _yaml(ROLE / "meta/argument_specs.yml")["argument_specs"]
    said = {name: option["default"] for entry in specs.values() for name, option in entry["options"].items()}
    assert said == _yaml(ROLE / "defaults/main.yml")


def test_every_option_is_handed_through() -> None:
    task = _yaml(ROLE / "tasks/main.yml")[0]["slipway.cluster.node_image"]
    assert set(task) == set(_documented("node_image")) - OF_THE_ACTION
    variables = _yaml(ROLE / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {f"{{{{ node_image_{name} }}}}" for name in task if name != "files"} <= {
        f"{{{{ {name} }}}}" for name in variables
    }
    assert {name: value for name, value in task.items() if name != "files"} == {
        name: f"{{{{ node_image_{name} }}}}" for name in task if name != "files"
    }


@pytest.mark.parametrize("file", [*ON_HOSTS, *MODULES], ids=lambda file: file.name)
def test_what_runs_on_hosts_can_be_read_by_python_3_8(file: Path) -> None:
    ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize("file", ON_HOSTS, ids=lambda file: file.name)
def test_what_runs_on_hosts_needs_the_standard_library_alone(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 1 or node.module in STANDARD, node.module
        elif isinstance(node, ast.Import):
            assert {name.name for name in node.names} <= STANDARD


STANDARD = {
    "__future__", "base64", "binascii", "collections.abc", "fnmatch", "hashlib", "json", "os", "pathlib", "platform",
    "re", "shutil", "stat", "subprocess", "sys", "time", "typing",
}  # fmt: skip
NEWER = re.compile(r"\.removeprefix\(|\.removesuffix\(|\.is_relative_to\(|datetime\.UTC|strict=|\.hardlink_to\(")


@pytest.mark.parametrize("file", [*ON_HOSTS, *MODULES], ids=lambda file: file.name)
def test_what_runs_on_hosts_calls_nothing_newer(file: Path) -> None:
    assert not NEWER.search(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("shell", [shell for shell in ("dash", "bash") if shutil.which(shell)])
def test_the_script_can_be_read_by_every_shell(shell: str) -> None:
    done = subprocess.run([shell, "-n", ROLE / "files/join"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_script_has_nothing_of_one_shell_alone() -> None:
    text = (ROLE / "files/join").read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search(r"\[\[|\blocal\b|\bfunction\b|<<<|\$'|&>|\bsource\b|\beval\b|^\s*\. ", code, re.MULTILINE)
