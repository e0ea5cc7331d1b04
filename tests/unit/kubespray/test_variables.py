# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The check of variables on a small collection: each kind of finding, and what is left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.index import Index, load
from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.variables import Opaque, SetVariable, check
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.problem import Problem, Severity


@pytest.fixture
def index(collection: Path, tmp_path: Path) -> Index:
    defaults = collection / "roles/main/defaults/family.yml"
    names = ("calico_a", "calico_b", "calico_c", "calico_d", "calico_e", "calico_f")
    defaults.write_text("".join(f"{name}: 1\n" for name in names) + "_private_thing: 1\nuser: me\n")
    return load(collection, tmp_path / "cache")


def found(index: Index, name: str, value: object = None, **options: Any) -> list[Problem]:
    own = {key: options.pop(key) for key in ("extra", "literal") if key in options}
    return check([SetVariable(name, value, "all.yml:3:1", **own)], index, **options)


def codes(index: Index, name: str, value: object = None, **options: Any) -> list[str]:
    return [problem.code for problem in found(index, name, value, **options)]


@pytest.mark.parametrize(
    "name",
    ["kube_netwrok_plugin", "kube-network-plugin", "KUBE_NETWORK_PLUGIN", "kubeNetworkPlugin"],
)
def test_a_misspelt_name_is_an_error_with_its_place(index: Index, name: str) -> None:
    (problem,) = found(index, name)
    assert (problem.code, problem.severity, problem.where) == ("SLW-8101", Severity.ERROR, "all.yml:3:1")
    assert problem.message.endswith("did you mean kube_network_plugin?")


@pytest.mark.parametrize("name", ["kubernetes_version", "version_kube", "k8s_version"])
def test_another_word_for_it_is_a_warning(index: Index, name: str) -> None:
    (problem,) = found(index, name)
    assert (problem.code, problem.severity) == ("SLW-8102", Severity.WARNING)
    assert "kube_version" in problem.message


@pytest.mark.parametrize("name", ["calico_protocol_of_old", "old_and_unread"])
def test_what_has_no_effect_is_a_hint(index: Index, name: str) -> None:
    (problem,) = found(index, name)
    assert (problem.code, problem.severity) == ("SLW-8103", Severity.HINT)


@pytest.mark.parametrize("name", ["kubelet_checksums", "main_ip", "calico_out"])
def test_what_kubespray_sets_itself_is_a_warning_unless_extra(index: Index, name: str) -> None:
    (problem,) = found(index, name)
    assert (problem.code, problem.severity) == ("SLW-8104", Severity.WARNING)
    assert codes(index, name, extra=True) == []


def test_what_kubespray_refuses_is_an_error(index: Index) -> None:
    assert codes(index, "kubelet_gone") == ["SLW-8105"]


def test_keywords_of_ansible(index: Index) -> None:
    assert codes(index, "any_errors_fatal", False) == ["SLW-8107"]
    assert codes(index, "gather_facts", False, reserved={"gather_facts"}) == ["SLW-8107"]
    assert codes(index, "node", "w1", reserved={"node"}) == [], "one that Kubespray reads does work"


@pytest.mark.parametrize(
    "name",
    [
        "kube_network_plugin",
        "calico_mtu",
        "kubeadm_token",
        "ansible_user",
        "slipway_anything",
        "grafana_admin_password",
        "peer",
        "lowest",
        "users",
        "private_thing",
    ],
)
def test_what_is_fine_or_nobodys_business(index: Index, name: str) -> None:
    assert codes(index, name) == []


def test_whoever_reads_a_variable_knows_how_it_is_written(index: Index) -> None:
    assert codes(index, "kube_networks_plugin") == ["SLW-8101"]
    assert codes(index, "kube_networks_plugin", referenced={"kube_networks_plugin"}) == []
    assert codes(index, "kube_networks_plugin", ignore=["kube_networks_plugin"]) == []


def test_the_same_in_many_places_is_told_once(index: Index) -> None:
    variables = [SetVariable("kube_verison", 1, f"host_vars/h{number}.yml:1:1") for number in range(100)]
    (problem,) = check(variables, index)
    assert problem.where == "host_vars/h0.yml:1:1"
    assert problem.message.endswith("(and in 99 more places)")


def test_values_are_judged_where_they_can_be_seen(index: Index) -> None:
    assert codes(index, "kube_proxy_strict_arp", "false") == ["SLW-8109"]
    assert codes(index, "kube_proxy_strict_arp", Opaque.VAULTED) == []
    assert codes(index, "calico_mtu", "1400") == [], "without a default nobody knows its type"
