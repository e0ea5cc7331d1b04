# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The lines that say why a volume, a Service, a namespace or a custom resource is not ready or not gone."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.kube.reasons import explain
from tests.unit.kube.reasons_fakes import BORN, NOW, Api, Object, claim, cond, deployment, event, make, pod, waits


@pytest.mark.parametrize(
    ("objects", "text"),
    [
        ([], "PVC data-0: does not exist"),
        ([claim(storageClassName="fast")], "storage class fast does not exist"),
        ([claim()], "names no storage class, and the cluster has no default one"),
        ([claim(storageClassName="")], "asks for no storage class, and no volume fits"),
        (
            [
                claim(storageClassName="fast"),
                make("storage.k8s.io/v1", "StorageClass", "fast", provisioner="p.example"),
            ],
            "waits for provisioner p.example of storage class fast",
        ),
        (
            [
                claim(storageClassName="local"),
                make("storage.k8s.io/v1", "StorageClass", "local", volumeBindingMode="WaitForFirstConsumer"),
            ],
            "binds when a pod that uses it is scheduled",
        ),
    ],
)
def test_pending_volume(objects: list[Object], text: str) -> None:
    lines = explain(Api(pod("web-5d9-a", waits("ContainerCreating")), *objects), deployment(), NOW)
    assert any(text in line for line in lines), lines


def test_claim_itself_with_its_newest_event() -> None:
    gone = event("data-0", "ProvisioningFailed", 'storageclass "fast" not found', count=9, kind="PersistentVolumeClaim")
    waiting = claim(storageClassName="fast")
    assert explain(Api(waiting, gone), waiting, NOW) == [
        "PVC data-0: Pending: storage class fast does not exist",
        'PVC data-0: ProvisioningFailed: storageclass "fast" not found (9 times, 1m ago)',
    ]


def test_bare_pod_that_nobody_schedules() -> None:
    alone = make("v1", "Pod", "check", spec={}, status={"phase": "Pending"})
    assert explain(Api(), alone, NOW) == ["pod check: no scheduler has looked at it yet (pod is 5m old)"]


def test_load_balancer_without_a_provider() -> None:
    service = make("v1", "Service", "gw", spec={"type": "LoadBalancer"}, status={"loadBalancer": {}})
    assert explain(Api(), service, NOW) == [
        "Service gw: no address: nothing in the cluster that provides a load balancer has answered"
    ]


def test_terminating_namespace_says_what_remains() -> None:
    conditions = [
        cond("NamespaceContentRemaining", "True", "SomeResourcesRemain", "widgets.x has 1 resource instances"),
        cond("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", "x/hold in 1 resource instances"),
        cond("NamespaceDeletionContentFailure", "False", "ContentDeleted", "fine"),
    ]
    obj = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}, "status": {"conditions": conditions}}
    assert explain(Api(), obj, NOW) == [
        "SomeResourcesRemain: widgets.x has 1 resource instances",
        "SomeFinalizersRemain: x/hold in 1 resource instances",
    ]


def test_finalizers_are_named_with_who_set_them() -> None:
    managed = [{"manager": "operator", "fieldsV1": {"f:metadata": {"f:finalizers": {".": {}, 'v:"x/hold"': {}}}}}]
    metadata = {"deletionTimestamp": BORN, "finalizers": ["x/hold", "y/other"], "managedFields": managed}
    assert explain(Api(), make("x/v1", "Widget", "w", metadata=metadata), NOW) == [
        "finalizer x/hold, set by operator, is not taken away",
        "finalizer y/other, set by an unknown client, is not taken away",
    ]


def test_custom_resource_shows_the_conditions_that_are_not_well() -> None:
    conditions = [cond("Ready", "False", "Issuing", "order pending"), cond("Approved", "True", "", "yes")]
    obj = make("x/v1", "Widget", "w", status={"conditions": conditions})
    assert explain(Api(), obj, NOW) == ["Ready is False: Issuing: order pending"]
