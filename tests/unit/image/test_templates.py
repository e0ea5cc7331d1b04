# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Files of a host as templates, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.image.errors import ImageError
from ansible_collections.slipway.cluster.plugins.module_utils.image.templates import (
    ADDRESS,
    NAME,
    TAINTS,
    Identity,
    join_template,
    kubelet_template,
    template,
)
from tests.unit.image.worker_tree import CA_HASH, RENDERED, TOKEN

CLIENT = RENDERED["/etc/kubernetes/kubeadm-client.conf"][1]
PARTS = st.sampled_from(
    ["w1", "w10", "raw1", "w1-a", "10.0.0.1", "10.0.0.12", "110.0.0.1", " ", "\n", '"', "=", "/24", ":80", ","]
)


@given(st.lists(PARTS, max_size=12).map("".join))
def test_a_template_filled_in_with_the_host_is_its_file(text: str) -> None:
    own = Identity("w1", "10.0.0.1")
    # What begins a line might be a setting, and is refused.
    text = text.replace("\n", "\n# ")
    made = template("/x", f"# {text}", own)
    assert made.replace(NAME, own.name).replace(ADDRESS, own.address) == f"# {text}"


def test_other_names_and_addresses_are_others() -> None:
    text = "w1 w10 raw1 w1-a a.w1 w1.example.com 10.0.0.1 10.0.0.12 110.0.0.1 10.0.0.1:80 10.0.0.1/24 10.0.0.1.\n"
    assert template("/x", text, Identity("w1", "10.0.0.1")) == (
        f"{NAME} w10 raw1 w1-a a.w1 w1.example.com {ADDRESS} 10.0.0.12 110.0.0.1 {ADDRESS}:80 {ADDRESS}/24 {ADDRESS}.\n"
    )


def test_an_address_of_the_newer_family() -> None:
    text = 'address: "fd00::19"\n# fd00::190 1fd00::19 fd00::19:1 2:fd00::19 [fd00::19]:10250\n'
    assert template("/x", text, Identity("", "fd00::19")) == (
        f'address: "{ADDRESS}"\n# fd00::190 1fd00::19 fd00::19:1 2:fd00::19 [{ADDRESS}]:10250\n'
    )


@pytest.mark.parametrize("text", ["address: 10.0.0.19\n", "- address: x\n", "address=x\n", '"address": x\n'])
def test_a_host_that_is_called_like_a_setting_is_refused(text: str) -> None:
    with pytest.raises(ImageError, match=r"SLW-8758.*the name of a setting"):
        template("/x", text, Identity("address", ""))


def test_a_file_with_placeholders_is_refused() -> None:
    with pytest.raises(ImageError, match="SLW-8758"):
        template("/x", f"{NAME}\n", Identity("w1", ""))


def test_nodes_never_believe_whoever_answers() -> None:
    without = CLIENT.replace(f"    caCertHashes:\n    - {CA_HASH}\n", "    unsafeSkipCAVerification: true\n")
    with pytest.raises(ImageError, match=r"SLW-8758.*authority"):
        join_template("/x", without)


def test_discovery_by_a_file_has_no_hash() -> None:
    text = f"discovery:\n  file:\n    kubeConfigPath: /etc/kubernetes/info.yaml\n  tlsBootstrapToken: {TOKEN}\n"
    assert join_template("/x", text) == text.replace(TOKEN, "@SLIPWAY_TOKEN@")


def test_a_configuration_without_a_token_is_refused() -> None:
    with pytest.raises(ImageError, match=r"SLW-8758.*token"):
        join_template("/x", CLIENT.replace(TOKEN, "abc"))


def test_taints_of_the_kubelets_own_stay_the_only_ones() -> None:
    assert kubelet_template("a: b\n") == f"{TAINTS}\na: b\n"
    assert kubelet_template("a: b\nregisterWithTaints: []\n") == "a: b\nregisterWithTaints: []\n"
