# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The check of variables against the real Kubespray: what is misspelt is found, and what it documents is not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.index import Index, load
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.variables import SetVariable, check
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity
from tests.unit.kubespray import real

LIST = Path(__file__).with_name("misspellings.txt")
MISSPELT = [tuple(line.split()) for line in LIST.read_text().splitlines()]
COMMENTED = re.compile(r"^# ?([a-z_][A-Za-z0-9_]*):(?: |$)", re.MULTILINE)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return load(real.installed(), tmp_path_factory.mktemp("cache"))


def judged(index: Index, values: dict[str, Any], where: str) -> list[Problem]:
    return check([SetVariable(name, value, where) for name, value in values.items()], index)


def test_it_knows_what_everybody_sets(index: Index) -> None:
    kinds = {
        "kube_version": "default",
        "kube_network_plugin": "default",
        "access_ip": "input",
        "http_proxy": "input",
        "no_proxy": "input",
        "metallb_config": "input",
        "kubeadm_token": "input",
        "node": "input",
        "kubeadm_checksums": "internal",
        "apiserver_sans": "internal",
        "kubelet_static_pod_path": "removed",
        "item": None,
    }
    assert {name: index.kind(name) for name in kinds} == kinds
    assert len(index.defaults) == 1468


def test_the_list_of_misspellings_is_one() -> None:
    assert len(dict(MISSPELT)) == 200
    assert all(wrong != right for wrong, right in MISSPELT)


@pytest.mark.parametrize(("wrong", "right"), MISSPELT, ids=[wrong for wrong, right in MISSPELT])
def test_a_misspelt_name_is_found(index: Index, wrong: str, right: str) -> None:
    (problem,) = judged(index, {wrong: None}, "all.yml:1:1")
    assert index.kind(right) in ("default", "input")
    assert problem.severity is not Severity.HINT
    assert problem.code in ("SLW-8101", "SLW-8102")
    assert re.search(rf"\b{right}\b", problem.message), problem.message


def test_nothing_in_the_sample_inventory_keeps_a_run_from_beginning(index: Index) -> None:
    """Names that exist nowhere in Kubespray's roles any more are hints: they do no harm, and upstream ships them."""
    hints: set[str] = set()
    known = 0
    for name, text in real.checkout_files("inventory/sample/group_vars").items():
        values = yaml.safe_load(text) or {}
        commented = dict.fromkeys(COMMENTED.findall(text))
        for problem in judged(index, commented | values, name):
            assert (problem.severity, problem.code) == (Severity.HINT, "SLW-8103"), str(problem)
            hints.add(problem.message.split(" has ")[0] + problem.message)
        known += sum(index.kind(key) is not None for key in commented | values)
    assert known > 550
    assert 40 <= len(hints) <= 80


def test_nothing_in_the_cases_of_its_ci_keeps_a_run_from_beginning(index: Index) -> None:
    looked_at = 0
    for name, text in real.checkout_files("tests/files").items():
        if Path(name).suffix != ".yml" or Path(name).parent != Path("tests/files"):
            continue
        values = yaml.safe_load(text)
        looked_at += len(values)
        assert [str(problem) for problem in judged(index, values, name)] == []
    assert looked_at > 390


def test_each_name_of_the_sample_is_still_found_with_a_letter_more(index: Index) -> None:
    """The other side: that nothing is found there is not because nothing is looked at."""
    names = {
        name for text in real.checkout_files("inventory/sample/group_vars").values() for name in COMMENTED.findall(text)
    }
    wrong = {
        f"{name[:4]}{name[3:]}": None
        for name in names
        if index.kind(name) and name not in index.unread and len(name) > 8
    }
    found = judged(index, wrong, "all.yml")
    assert len(found) == len(wrong) > 300
