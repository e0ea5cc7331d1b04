# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What requirements.yml and the execution environment take from Kubespray is what the pinned Kubespray says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from tests.packaging import ROOT
from tests.unit.kubespray.real import VERSION, checkout_files

CHECKSUMS = "roles/kubespray_defaults/vars/main/checksums.yml"


def pinned() -> dict[str, str]:
    text = (ROOT / "requirements.yml").read_text(encoding="utf-8")
    return {one["name"]: one["version"] for one in yaml.safe_load(text)["collections"]}


@pytest.fixture(scope="module")
def arguments() -> dict[str, str]:
    """Build arguments of the definition with their defaults."""
    path: Path = ROOT / "execution-environment" / "execution-environment.yml"
    steps = yaml.safe_load(path.read_text(encoding="utf-8"))["additional_build_steps"]["append_final"]
    pairs = (step.removeprefix("ARG ").partition("=") for step in steps if step.startswith("ARG "))
    return {name: value for name, _equals, value in pairs}


def test_every_dependency_of_kubespray_is_pinned_and_new_enough() -> None:
    wanted: dict[str, str] = yaml.safe_load(checkout_files("galaxy.yml")["galaxy.yml"])["dependencies"]
    found = pinned()
    assert found["https://github.com/kubernetes-sigs/kubespray"] == f"v{VERSION}"
    assert {name for name, bound in wanted.items() if not SpecifierSet(bound).contains(found.get(name, "0"))} == set()


def test_programs_are_those_that_kubespray_has_checksums_of(arguments: dict[str, str]) -> None:
    table: dict[str, Any] = yaml.safe_load(checkout_files(CHECKSUMS)[CHECKSUMS])
    helm, kubectl = table["helm_archive_checksums"]["amd64"], table["kubectl_checksums"]["amd64"]
    version = arguments["HELM_URL"].split("/helm-v")[1].removesuffix("-linux-amd64.tar.gz")
    assert helm[version] == f"sha256:{arguments['HELM_SHA256']}"
    version = arguments["KUBECTL_URL"].split("/release/v")[1].split("/")[0]
    assert kubectl[version] == f"sha256:{arguments['KUBECTL_SHA256']}"
