# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What goes from AWX: what is no longer wanted, and what a consent names, by what AWX has."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.awx.definitions import Definitions
from ansible_collections.slipway.cluster.plugins.module_utils.awx.removing import (
    dropped,
    kept_credentials,
    refused,
    taken_out,
)
from ansible_collections.slipway.cluster.plugins.module_utils.awx.there import There, begin
from tests.unit.awx.test_definitions import STACKS, SURVEYS, made, settings

ALL = {"new_cluster": {"controller_credential": "AWX"}, "fleet": {"schedule": {}}}
PROD, OLD = ({"name": name, "inventory": f"inventories/{name}"} for name in ("prod", "old"))


def there(organization: str = "Platform", **more: Any) -> There:
    """As AWX shows it after these settings."""

    def shown(item: dict[str, Any]) -> dict[str, Any]:
        related = {key: {"name": item[key]} for key in ("project", "credential_type") if key in item}
        return {**item, "summary_fields": {**related, "organization": {"name": organization}}}

    return There({kind: [shown(item) for item in items] for kind, items in made(**more).items()})


def names(found: Definitions) -> dict[str, set[str]]:
    return {kind: {item["name"] for item in items} for kind, items in found.items() if items}


def left(had: dict[str, Any], **wanted: Any) -> dict[str, set[str]]:
    return names(dropped(settings(**wanted), SURVEYS, STACKS, there(**had)))


def removed(consent: str, found: There, **wanted: Any) -> dict[str, set[str]]:
    items, problems = taken_out(settings(**wanted), SURVEYS, STACKS, [consent], found)
    assert problems == []
    return names(items)


def refusal(consent: list[str], found: There, **wanted: Any) -> str:
    known = settings(**wanted)
    problems = refused(known, SURVEYS, STACKS, consent)
    if not problems:
        items, problems = taken_out(known, SURVEYS, STACKS, consent, found)
        assert not any(items.values())
    assert [one.code for one in problems] == ["SLW-9005"]
    return str(problems[0])


def test_a_schedule_that_is_no_longer_wanted_goes() -> None:
    assert left({}, clusters=[{**PROD, "schedule": False}]) == {"schedules": {"Slipway prod: status, every night"}}


def test_operations_that_are_no_longer_chosen_go_and_the_workflow_with_them() -> None:
    kept = ["plan", "install", "scale", "upgrade", "remove_addons", "remove_nodes", "access"]
    assert left({}, clusters=[{**PROD, "operations": kept}]) == {
        "job_templates": {"Slipway prod: remove cluster", "Slipway prod: status"},
        "schedules": {"Slipway prod: status, every night"},
        "workflows": {"Slipway prod: plan, approve, install"},
    }


def test_templates_of_all_clusters_that_are_no_longer_wanted_go() -> None:
    assert left(ALL, fleet=True) == {
        "job_templates": {"Slipway: new cluster"},
        "schedules": {"Slipway fleet: status, every night"},
    }
    assert left(ALL, fleet=False, new_cluster=ALL["new_cluster"]) == {
        "job_templates": {"Slipway fleet: status"},
        "schedules": {"Slipway fleet: status, every night"},
    }


def test_the_source_of_an_inventory_that_awx_holds_by_now_goes() -> None:
    assert left({}, clusters=[{"name": "prod", "inventory": {"all": {}}}], fleet=False) == {
        "inventory_sources": {"Slipway prod: project"},
        "job_templates": {"Slipway fleet: status"},
    }


def test_a_source_of_another_organization_stays() -> None:
    elsewhere = There({"inventory_sources": there().objects["inventory_sources"]})
    held = settings(clusters=[{"name": "prod", "inventory": {"all": {}}}])
    assert names(dropped(held, SURVEYS, STACKS, elsewhere)) == {}


def test_nothing_goes_that_is_wanted_or_that_awx_has_not() -> None:
    assert left(ALL, **ALL) == {}
    found = dropped(settings(clusters=[{**PROD, "schedule": False}]), SURVEYS, STACKS, There())
    assert names(found) == {}


def test_clusters_that_are_no_longer_described_stay() -> None:
    assert left({"clusters": [PROD, OLD]}, clusters=[PROD]) == {}


def test_templates_of_another_project_stay() -> None:
    had = {**ALL, "project": {"name": "Others", "scm_url": "https://git.example.com/others.git"}}
    assert left(had, fleet=False) == {}


def test_a_cluster_is_removed_and_nothing_else() -> None:
    found = removed("old", there(clusters=[PROD, OLD], **ALL))
    assert found["inventories"] == {"Slipway old"}
    assert found["workflows"] == {"Slipway old: plan, approve, install"}
    assert found["job_templates"] == {f"Slipway old: {one.title}" for one in SURVEYS}
    assert found.keys() == {"inventories", "workflows", "job_templates"}


def test_a_removal_that_was_interrupted_goes_on() -> None:
    had = There({"inventories": there(clusters=[OLD]).objects["inventories"]})
    assert removed("old", had) == {"inventories": {"Slipway old"}}
    assert removed("Slipway", had)["inventories"] == {"Slipway old", "Slipway controller"}


def test_everything_is_also_what_the_settings_have_lost() -> None:
    had = there(clusters=[PROD, OLD], **ALL)
    wanted: dict[str, Any] = {"clusters": [{**PROD, "operations": ["plan"]}], "fleet": False, "credentials": []}
    found = removed("Slipway", had, **wanted)
    for kind in ("job_templates", "workflows", "inventories", "projects", "credentials"):
        assert found[kind] == set(had.names(kind)), kind
    assert found["credential_types"] > {"Slipway OpenBao by AppRole", "Slipway OpenBao by wrapped token"}


@pytest.mark.parametrize("clusters", [[], [PROD]])
def test_everything_again_finds_nothing_of_what_is_known_by_what_awx_has(clusters: list[Any]) -> None:
    found = removed("Slipway", There(), clusters=clusters)
    # These are asked for one by one.
    assert found.keys() == {"projects", "credential_types"}


def test_everything_leaves_what_others_have() -> None:
    had = there(clusters=[PROD])
    foreign = [
        {"name": "Slipway b prod: plan", "summary_fields": {"project": {"name": "Slipway b project"}}},
        {"name": "Slipway mine: plan", "summary_fields": {"project": {"name": "mine"}}},
        {"name": "Slipway prod: backup", "summary_fields": {"project": {"name": "Slipway project"}}},
    ]
    # The fleet's template does not make it a cluster.
    inventories = [{"name": f"Slipway {name}", "description": ""} for name in ("mine", "b prod", "fleet")]
    more = There(
        {
            **had.objects,
            "job_templates": [*had.objects["job_templates"], *foreign],
            "inventories": [*had.objects["inventories"], *inventories],
        }
    )
    assert removed("Slipway", more) == removed("Slipway", had)


def test_a_prefix_that_goes_on_is_somebody_elses() -> None:
    pattern = {"names": {"inventory": "{prefix}-{cluster}", "template": "{prefix}-{cluster}: {operation}"}}
    had = there(prefix="Slipway-b", clusters=[OLD], fleet=False, **pattern)
    assert had.clusters(settings(**pattern), SURVEYS) == []
    assert had.clusters(settings(prefix="Slipway-b", **pattern), SURVEYS) == ["old"]


def test_a_type_that_another_organization_uses_stays() -> None:
    (other, *_rest) = there("Other").objects["credentials"]
    had = There({"credentials": [other]})
    found = removed("Slipway", had)
    assert "credentials" not in found
    assert other["credential_type"] not in found["credential_types"]
    assert len(found["credential_types"]) == 3


def test_names_may_be_other_ones() -> None:
    pattern = {"template": "{cluster}/{operation}/{cluster}", "inventory": "{cluster}", "workflow": "{cluster} flow"}
    had = there(clusters=[PROD, OLD], names=pattern)
    assert begin(settings(names=pattern), SURVEYS) == ""
    assert begin(settings(), SURVEYS) == "Slipway"
    # An inventory alone is nobody's, without the prefix in its name; with templates it is ours.
    assert had.clusters(settings(names=pattern), SURVEYS) == ["old", "prod"]
    assert There({"inventories": had.objects["inventories"]}).clusters(settings(names=pattern), SURVEYS) == []


@pytest.mark.parametrize(
    ("consent", "text"),
    [
        (["prod"], "names 'prod' ('Slipway' alone removes everything"),
        (["Slipway", "old"], "names 'Slipway' ('Slipway' alone removes everything"),
        (["old", "prod"], "names 'prod'"),
        (["controller"], "names 'controller', but Slipway controller is no cluster's"),
        (["fleet"], "names 'fleet', but Slipway fleet: status is no cluster's"),
        (["slipway"], "of which AWX has nothing (did you mean 'Slipway', which removes everything?)"),
        (["prdo"], "names 'prdo', of which AWX has nothing (did you mean 'prod'?)"),
        (["olt", "old"], "(did you mean 'old'?)"),
        (["xyz"], "of which AWX has nothing (there are: old, prod)"),
    ],
)
def test_a_consent_that_matches_nothing_is_refused(consent: list[str], text: str) -> None:
    assert text in refusal(consent, there(clusters=[PROD, OLD], **ALL), clusters=[PROD])


def test_what_others_wrote_into_a_credential_is_kept() -> None:
    def kept(found: There, **inputs: str) -> list[str]:
        credentials = [{"name": "once", "kind": "wrapped_token", "inputs": {"address": "https://b", **inputs}}]
        return kept_credentials(settings(credentials=credentials), found)

    assert kept(there()) == ["once"]
    assert kept(There()) == []
    assert kept(there("Other")) == []
    assert kept(there(), wrapped_token="given") == []
    assert kept_credentials(settings(), there()) == ["once"]
