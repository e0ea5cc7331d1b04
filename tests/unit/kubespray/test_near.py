# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Near names: what counts as a slip of the finger, and what as another word."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.kubespray.near import Guess, Names, distance

NAMES = Names(
    [
        "kube_network_plugin",
        "node_ip",
        "registry_url",
        "subnet1_id",
        "etcd_retries",
        "helm_enabled",
        "drain_timeout_of_all",
    ]
)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("kube_netwrok_plugin", "kube_network_plugin"),
        ("kube_network_plugn", "kube_network_plugin"),
        ("kube_networkk_plugin", "kube_network_plugin"),
        ("kuben_etwork_plugin", "kube_network_plugin"),
        ("kube_network_plugins", "kube_network_plugin"),
        ("kube network plugin", "kube_network_plugin"),
        ("KubeNetworkPlugin", "kube_network_plugin"),
        ("etcd_retires", "etcd_retries"),
        ("helm_enabeld", "helm_enabled"),
    ],
)
def test_slips(wrong: str, right: str) -> None:
    assert NAMES.guess(wrong) == Guess(right, sure=True)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("plugin_network_kube", "kube_network_plugin"), ("enable_helm", "helm_enabled"),
     ("k8s_cni", "kube_network_plugin"),
     ("drain_timeout_of", "drain_timeout_of_all")],
)  # fmt: skip
def test_other_words(wrong: str, right: str) -> None:
    assert NAMES.guess(wrong) == Guess(right, sure=False)


@pytest.mark.parametrize(
    "own",
    ["node_id", "registry_tls", "registry_uri2", "subnet2_id", "helm", "kube", "grafana_enabled", "helm_charts", "etc"],
)
def test_names_of_ones_own(own: str) -> None:
    assert NAMES.guess(own) is None


words = st.text("abcd_", min_size=1, max_size=8)


@given(words, words)
def test_distance_is_one(one: str, other: str) -> None:
    steps = distance(one, other, 20)
    assert steps == distance(other, one, 20)
    assert (steps == 0) is (one == other)
    assert abs(len(one) - len(other)) <= steps <= max(len(one), len(other))


@given(words, words, st.integers(0, 4))
def test_a_limit_only_cuts_off(one: str, other: str, limit: int) -> None:
    assert distance(one, other, limit) == min(distance(one, other, 20), limit + 1)


@pytest.mark.parametrize(
    ("edit", "steps"),
    [(lambda s: s[:3] + s[4:], 1), (lambda s: s[:3] + "x" + s[3:], 1), (lambda s: s[:3] + "x" + s[4:], 1),
     (lambda s: s[:3] + s[4] + s[3] + s[5:], 1), (lambda s: s, 0)],
)  # fmt: skip
def test_each_edit_is_one_step(edit: Callable[[str], str], steps: int) -> None:
    assert distance("abcdefgh", edit("abcdefgh"), 5) == steps
