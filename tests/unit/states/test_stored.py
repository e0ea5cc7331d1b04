# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a stored revision says: read as it was rendered, and true to what was applied."""

from __future__ import annotations

from typing import Any

from ansible_collections.slipway.cluster.plugins.module_utils.addons.desired import Desired
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.context import Rendered
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.yaml import load_all
from ansible_collections.slipway.cluster.plugins.module_utils.addons.stored import (
    NOTE,
    as_applied,
    hidden_of,
    note_of,
    read_note,
    rendered_of,
)
from ansible_collections.slipway.cluster.plugins.module_utils.kube.objects import SECRET, ObjectId, Resource

MANIFEST = """---
# Source: app/templates/all.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: text
data:
  lines: |
    one
---
# Source: app/templates/all.yaml
apiVersion: v1
kind: Secret
metadata:
  name: token
stringData:
  made: rolled-anew
data:
  given: Z2l2ZW4=
---
# Source: app/templates/crd.yaml
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.example.org
"""
HOOK = """apiVersion: v1
kind: ConfigMap
metadata:
  name: before
  annotations: {helm.sh/hook: pre-rollback}
data:
  lines: |
    end"""
RELEASE: dict[str, Any] = {
    "name": "app",
    "version": 3,
    "manifest": MANIFEST,
    "chart": {"metadata": {"version": "1.2.0", "appVersion": "9"}},
    "hooks": [{"name": "before", "path": "app/templates/hook.yaml", "manifest": HOOK, "events": ["pre-rollback"]}],
}


def test_a_release_is_read_as_it_was_rendered_but_for_crds() -> None:
    found = rendered_of(RELEASE, gated=True)
    assert [(obj["kind"], obj["metadata"]["name"]) for obj in found.objects] == [
        ("ConfigMap", "text"),
        ("Secret", "token"),
    ]
    assert (found.version, found.app_version, found.gated, found.manifest) == ("1.2.0", "9", True, MANIFEST)
    assert [(hook.events, hook.manifest) for hook in found.hooks] == [(("pre-rollback",), HOOK)]
    # The very last line of a text has its line feed, as it had for Helm.
    assert found.hooks[0].object["data"] == {"lines": "end\n"}


def desired(namespace: str, **data: str) -> Desired:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "namespace": namespace}, "data": data}
    return Desired(ObjectId("", "Secret", namespace, "token"), SECRET, body)


def test_made_up_values_are_stored_as_they_were_applied() -> None:
    identity = ObjectId("", "Secret", "", "token")
    rendered = Rendered((), "", manifest=MANIFEST, random=((identity, ("stringData", "made")),))
    stored = as_applied(rendered, [desired("web", made="a2VwdA==", given="Z2l2ZW4=")], "web").manifest
    documents = [d for d in load_all(stored, "stored", strict=False) if d]
    assert documents[1]["stringData"] == {"made": "kept"}
    assert documents[1]["data"] == {"given": "Z2l2ZW4="}
    assert stored.count("# Source: app/templates/all.yaml") == 2
    assert stored.startswith(MANIFEST.partition("stringData")[0].rpartition("---")[0])
    # What was applied as it was rendered is left as it is, to the letter; and so is what has no such value.
    same = as_applied(rendered, [desired("web", made="cm9sbGVkLWFuZXc=")], "web")
    assert same.manifest == MANIFEST
    assert as_applied(rendered, [], "web").manifest == MANIFEST


def test_cluster_wide_objects_have_no_namespace() -> None:
    # Patched by the manifest: such a release names no templates.
    manifest = '---\napiVersion: x.org/v1\nkind: Wide\nmetadata: {name: one}\nspec: {a: ["new"]}\n'
    rendered = Rendered((), "", manifest=manifest, random=((ObjectId("x.org", "Wide", "", "one"), ("spec", "a", 0)),))
    body = {"spec": {"a": ["old"]}}
    item = Desired(ObjectId("x.org", "Wide", "", "one"), Resource("x.org", "v1", "Wide", "wides", False), body)
    assert "old" in as_applied(rendered, [item], "web").manifest


def test_notes_tell_where_secrets_are_and_not_which() -> None:
    shown = {"a": {"b": ["x", "********"]}, "c": "https://********@db", "d": 1, "e": {}}
    note = note_of("digest", shown)
    found = read_note({"annotations": note})
    assert found is not None
    assert found.inputs == "digest"
    assert found.hidden == (("a", "b", 1), ("c",))
    assert read_note({}) is None
    assert read_note({"annotations": {NOTE: "{"}}) is None
    assert read_note({"annotations": {NOTE: "[]"}}) is None


def test_without_a_note_only_what_is_shown_today_is_shown() -> None:
    values = {"a": 1, "b": "old", "c": {"d": "x", "on": True}, "e": ["y"], "f": "gone"}
    recorded = {"a": 2, "b": "********", "c": {"d": "z", "on": False}, "e": []}
    assert hidden_of(values, recorded) == [("b",), ("e", 0), ("f",)]
