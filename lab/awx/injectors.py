# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a job's credentials give to it: environment variables, files, extra variables, answers to prompts."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2.sandbox

from lab.awx import unsafe
from lab.awx.rules.credential_types import BLOCKED
from lab.awx.rules.credentials import HIDDEN, secrets
from lab.awx.store import Object, Store

MASK = "**********"
# Names whose values AWX does not show, wherever they come from.
SENSITIVE = re.compile("API|TOKEN|KEY|SECRET|PASS", re.IGNORECASE)


@dataclass
class Injected:
    """``words``: of the command line; ``passwords``: answers, by the pattern of their prompt; ``hidden``: the
    environment variables as they are shown."""

    environment: dict[str, str] = field(default_factory=dict)
    hidden: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)
    key: str = ""


class _Tower:
    filename: Any = None


class _Files(str):
    """The path of the only file, or one path for each name."""


def inject(store: Store, credentials: list[Object], folder: Path) -> Injected:
    """Write the files into ``env`` of a job's folder, and say the rest."""
    found = Injected()
    for credential in credentials:
        kind = store.get("credential_types", credential["credential_type"])
        inputs = credential["inputs"]
        if kind["namespace"] == "ssh":
            _machine(inputs, found)
        elif kind["namespace"] == "vault":
            _vault(inputs, found)
        elif kind["injectors"] or not kind["managed"]:
            _custom(kind, inputs, secrets(store, credential), folder, found)
        else:
            raise NotImplementedError(f"the lab's AWX gives nothing of a {kind['name']} credential to a job")
    return found


def _machine(inputs: Object, found: Injected) -> None:
    if inputs.get("username"):
        found.words += ["-u", inputs["username"]]
    if inputs.get("password"):
        found.words.append("--ask-pass")
        found.passwords[r"SSH password:\s*?$"] = inputs["password"]
    if inputs.get("become_method"):
        found.words += ["--become-method", inputs["become_method"]]
    if inputs.get("become_username"):
        found.words += ["--become-user", inputs["become_username"]]
    if inputs.get("become_password"):
        found.words.append("--ask-become-pass")
        found.passwords[r"BECOME password.*:\s*?$"] = inputs["become_password"]
    if inputs.get("ssh_key_data"):
        found.key = inputs["ssh_key_data"].rstrip("\n") + "\n"
    if inputs.get("ssh_key_unlock"):
        found.passwords[r"Enter passphrase for .*:\s*?$"] = inputs["ssh_key_unlock"]


def _vault(inputs: Object, found: Injected) -> None:
    name = inputs.get("vault_id", "")
    found.words += ["--vault-id", f"{name}@prompt"] if name else ["--ask-vault-pass"]
    prompt = rf"Vault password \({re.escape(name)}\):\s*?$" if name else r"Vault password:\s*?$"
    found.passwords[prompt] = inputs.get("vault_password", "")


def _custom(kind: Object, inputs: Object, secret: set[str], folder: Path, found: Injected) -> None:
    injectors = kind["injectors"]
    values: dict[str, Any] = {}
    for one in kind["inputs"].get("fields", []):
        value = inputs.get(one["id"], one.get("default", False if one["type"] == "boolean" else None))
        if value is None or value == "":
            continue
        needs_end = one.get("format") == "ssh_private_key" and not value.endswith("\n")
        values[one["id"]] = f"{value}\n" if needs_end else value
    renderer = jinja2.sandbox.ImmutableSandboxedEnvironment()
    values["tower"] = _files(renderer, injectors.get("file", {}), values, folder)
    shown = {name: HIDDEN if name in secret else value for name, value in values.items()}
    for name, template in injectors.get("env", {}).items():
        if name.startswith("ANSIBLE_") or name in BLOCKED:
            continue
        text = renderer.from_string(template).render(values)
        safe = renderer.from_string(template).render(shown)
        found.environment[name] = text
        found.hidden[name] = MASK if SENSITIVE.search(name) or safe != text else text
    extra = _rendered(renderer, injectors.get("extra_vars", {}), values)
    if extra:
        found.words += ["-e", f"@{_write(folder, unsafe.dump(extra, {}), 0o400)}"]


def _files(renderer: jinja2.Environment, templates: dict[str, str], values: dict[str, Any], folder: Path) -> _Tower:
    tower = _Tower()
    paths = {
        label: _write(folder, renderer.from_string(template).render(values), 0o600)
        for label, template in templates.items()
    }
    tower.filename = _Files(paths.get("template", ""))
    for label, path in paths.items():
        if label != "template":
            setattr(tower.filename, label.partition(".")[2], path)
    return tower


def _write(folder: Path, text: str, mode: int) -> str:
    """Its path inside of the job."""
    handle, name = tempfile.mkstemp(dir=folder / "env")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(mode)
    return f"/runner/env/{Path(name).name}"


def _rendered(renderer: jinja2.Environment, node: Any, values: dict[str, Any]) -> Any:
    if isinstance(node, dict):
        return {
            renderer.from_string(name).render(values): _rendered(renderer, part, values) for name, part in node.items()
        }
    if isinstance(node, list):
        return [_rendered(renderer, part, values) for part in node]
    return renderer.from_string(node).render(values)
