# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Which requests for certificates are granted: a kubelet's own, for a node of the batch that is not there yet."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from ansible_collections.slipway.cluster.plugins.module_utils.nodes import join_requests as r
from ansible_collections.slipway.cluster.plugins.module_utils.nodes.join_csr import UnreadableError, parse, request
from tests.unit.nodes.kubelets import client_body, coded, pem, serving_body

BATCH = r.Batch("abcdef", {"w1": "10.0.0.1", "w2": "fd00::2"}, frozenset({"cp1"}))
Json = dict[str, Any]


def asked(name: str, **more: Any) -> Json:
    return client_body("csr", pem(f"system:node:{name}", **more))


def verdict(body: Json, granted: r.Granted | None = None, existing: tuple[str, ...] = ()) -> r.Verdict:
    found = request(body)
    assert r.concerns(found, BATCH)
    return r.decide(found, BATCH, granted or r.Granted(), existing)


def let_in(name: str, **more: Any) -> r.Granted:
    found = verdict(asked(name, **more))
    assert found.approve
    assert found.parsed is not None
    return r.Granted({name: found.parsed.key})


def test_a_node_of_the_batch_is_let_in() -> None:
    found = verdict(asked("w1"))
    assert (found.approve, found.reason, found.node, found.code) == (True, r.Reason.JOINS, "w1", "")


def test_key_encipherment_is_for_rsa_keys() -> None:
    body = asked("w1")
    body["spec"]["usages"].append("key encipherment")
    assert verdict(body).approve
    body["spec"]["usages"].remove("digital signature")
    assert verdict(body).code == "SLW-8725"


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("w3", "SLW-8721", "w3 is no node of this batch (w1, w2)"),
        ("cp1", "SLW-8723", "cp1 is a control plane node"),
        ("W1", "SLW-8721", "W1 is no node"),
        ("w1.", "SLW-8721", "w1. is no node"),
        ("", "SLW-8721", " is no node"),
    ],
)
def test_names_outside_of_the_batch(name: str, code: str, said: str) -> None:
    found = verdict(asked(name))
    assert not found.approve
    assert found.code == code
    assert said in found.message


def test_a_control_plane_name_in_the_batch_is_refused_all_the_same() -> None:
    batch = r.Batch("abcdef", {"cp1": "10.0.0.9"}, frozenset({"cp1"}))
    assert r.decide(request(asked("cp1")), batch, r.Granted(), ()).code == "SLW-8723"


def test_a_node_that_exists_is_not_replaced() -> None:
    assert verdict(asked("w1"), existing=("w1",)).code == "SLW-8722"
    assert verdict(asked("w1"), existing=("w2",)).approve


def test_one_approval_for_each_name() -> None:
    granted = let_in("w1", of="first")
    again = verdict(asked("w1", of="first"), granted, existing=("w1",))
    assert again.approve
    second = verdict(asked("w1", of="second"), granted)
    assert (second.approve, second.code, second.node) == (False, "SLW-8724", "w1")
    assert "somebody has the join token" in second.message
    assert verdict(asked("w2"), granted).approve


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"groups": ("system:masters",)}, "subject"),
        ({"groups": ("system:nodes", "system:masters")}, "subject"),
        ({"groups": ()}, "subject"),
        ({"more": (x509.NameAttribute(NameOID.COMMON_NAME, "system:node:w2"),)}, "subject"),
        ({"more": (x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "x"),)}, "subject"),
        ({"names": ("w1",)}, "a client's certificate for w1"),
        ({"addresses": ("10.0.0.1",)}, "a client's certificate for 10.0.0.1"),
        ({"ca": True}, "it asks for the extension 2.5.29.19"),
    ],
)
def test_requests_that_no_kubelet_writes(wrong: Json, said: str) -> None:
    found = verdict(asked("w1", **wrong))
    assert found.code == "SLW-8725"
    assert said in found.message


@pytest.mark.parametrize(
    "spec",
    [
        {"signerName": "kubernetes.io/kube-apiserver-client"},
        {"signerName": "kubernetes.io/kubelet-serving"},
        {"signerName": "example.com/any"},
        {"usages": ["client auth", "digital signature", "server auth"]},
        {"usages": ["client auth", "digital signature", "cert sign"]},
        {"usages": ["server auth", "digital signature"]},
        {"usages": ["client auth"]},
        {"usages": []},
    ],
)
def test_other_signers_and_usages(spec: Json) -> None:
    body = asked("w1")
    body["spec"].update(spec)
    assert verdict(body).code == "SLW-8725"


def test_a_subject_that_is_no_node() -> None:
    assert verdict(client_body("csr", pem("system:admin"))).code == "SLW-8725"
    assert verdict(client_body("csr", pem("w1"))).code == "SLW-8725"


def test_a_request_is_one_block_and_nothing_beside_it() -> None:
    good, evil = pem("system:node:w1"), pem("system:node:cp1")
    assert parse(coded(good)).name == "w1"
    for text in (
        good + evil,
        evil + good,
        "x\n" + good,
        good.replace("CERTIFICATE", "NEW CERTIFICATE"),
        "",
        good[:-30],
    ):
        with pytest.raises(UnreadableError):
            parse(coded(text))
    with pytest.raises(UnreadableError):
        parse("%%%")


def test_a_request_is_signed_by_its_own_key() -> None:
    lines = pem("system:node:w1").splitlines()
    der = bytearray(base64.b64decode("".join(lines[1:-1])))
    der[-1] ^= 1
    block = base64.b64encode(bytes(der)).decode()
    with pytest.raises(UnreadableError):
        parse(coded(f"{lines[0]}\n{block}\n{lines[-1]}\n"))


def test_requests_of_others_are_not_ours() -> None:
    others = [
        client_body("a", pem("system:node:w1"), "system:bootstrap:zzzzzz"),
        client_body("b", pem("system:node:w1"), "admin"),
        client_body("c", pem("system:node:w1"), "system:node:w1"),
        serving_body("d", "w9", pem("system:node:w9", names=("w9",))),
        client_body("e", pem("system:node:w1"), "w1", signerName="kubernetes.io/kubelet-serving"),
    ]
    assert not any(r.concerns(request(body), BATCH) for body in others)


def test_serving_under_its_own_name_and_address() -> None:
    granted = let_in("w2")
    body = serving_body("s", "w2", pem("system:node:w2", names=("w2",), addresses=("fd00:0::2",)))
    found = verdict(body, granted)
    assert (found.approve, found.reason) == (True, r.Reason.SERVES)
    assert verdict(body).code == "SLW-8726", "it has not joined with this batch"


@pytest.mark.parametrize(
    "wrong",
    [
        {"names": ("w1", "kubernetes.default.svc")},
        {"names": ("w1",), "addresses": ("10.0.0.1", "10.96.0.1")},
        {"names": ("w2",)},
        {},
    ],
)
def test_serving_under_other_names(wrong: Json) -> None:
    found = verdict(serving_body("s", "w1", pem("system:node:w1", **wrong)), let_in("w1"))
    assert found.code == "SLW-8726"


def test_serving_with_the_subject_of_another_node() -> None:
    found = verdict(serving_body("s", "w1", pem("system:node:w2", names=("w1",))), let_in("w1"))
    assert found.code == "SLW-8726"


def test_serving_is_no_way_to_a_client_certificate() -> None:
    body = serving_body("s", "w1", pem("system:node:w1", names=("w1",)), usages=["digital signature", "client auth"])
    assert verdict(body, let_in("w1")).code == "SLW-8725"


def test_decided_already() -> None:
    body = asked("w1")
    body["status"]["conditions"] = [{"type": "Approved", "status": "True"}]
    assert request(body).decided == "Approved"
    body["status"]["conditions"].append({"type": "Denied", "status": "True"})
    assert request(body).decided == "Denied"
