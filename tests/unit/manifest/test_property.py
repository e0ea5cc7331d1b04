# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Thousands of broken manifests: always coded findings with a place, never an exception."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.addons.codes import CODES
from ansible_collections.slipway.cluster.plugins.module_utils.addons.definition import CATALOG, USER, fields_of
from ansible_collections.slipway.cluster.plugins.module_utils.addons.evaluator import Variable
from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import NOWHERE, Level, Position
from ansible_collections.slipway.cluster.plugins.module_utils.addons.manifest import ManifestInput, load
from ansible_collections.slipway.cluster.plugins.module_utils.addons.node import from_plain

from .support import PlainEvaluator

CATALOG_FOLDER = str(Path(__file__).parent / "catalog")
KEYS = sorted({field.name for where in (USER, CATALOG) for field in fields_of(where)})
SUBKEYS = sorted({sub.name for field in fields_of(USER) for sub in field.type.fields} | {"kind", "type", "group"})
NAMES = ["a", "b", "loki", "cert-manager", "local-path", "metrics", "default-storage-class", "tls-issuer", "A_b", ""]
TEXTS = st.one_of(
    st.sampled_from(
        [
            *NAMES,
            "{{ slipway_values.a }}",
            "{{ slipway_values.b.c }}",
            "{{ slipway_values }}",
            "{{ slipway_values[x] }}",
            "{{ nope }}",
            "{{ 1 + }}",
            "{% if",
            "{{ 1 / 0 }}",
            "{{ lookup('env', 'X') }}",
            "{{ slipway_nodes.x }}",
            "{{ range }}",
            "{{ '{{ x }}' }}",
            "{#",
            "CHANGEME",
            "\0",
            "é",
            "{{ slipway_values.a.items() }}",
            "'",
            "[",
            "{a",
            "{{ slipway_addons }}",
            "{{ via }}",
            "{{ loop1 }}",
            "/",
            "..",
            "6.1.0",
            "https://charts.example.com",
            "%",
        ]
    ),
    st.text(max_size=8),
)
SCALARS = st.one_of(
    TEXTS, st.integers(), st.floats(), st.booleans(), st.none(), st.binary(max_size=3), st.just(datetime.date.min)
)


def _hashable(value: Any) -> bool:
    return value.__hash__ is not None


ANYTHING = st.recursive(
    SCALARS,
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.dictionaries(
            st.one_of(st.sampled_from([*KEYS, *SUBKEYS, *NAMES]), SCALARS.filter(_hashable)), children, max_size=4
        ),
    ),
    max_leaves=8,
)
ADDONS = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(ANYTHING, st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=6)),
    max_size=4,
)
VARIABLES = st.fixed_dictionaries(
    {},
    optional={
        "slipway_name": st.one_of(st.just("prod"), ANYTHING),
        "slipway_addons": st.one_of(ADDONS, ADDONS, ANYTHING),
        "slipway_addons__x": st.one_of(ADDONS, ANYTHING),
        "slipway_values": st.one_of(st.dictionaries(st.sampled_from(["a", "b", "c"]), ANYTHING), ANYTHING),
        "slipway_values__x": ANYTHING,
        "slipway_capabilities": st.one_of(st.lists(st.sampled_from(NAMES)), ANYTHING),
        "slipway_secrets": ANYTHING,
        "via": ANYTHING,
        "loop1": st.just("{{ loop2 }}"),
        "loop2": st.just("{{ loop1 }}"),
        "local_path_provisioner_enabled": ANYTHING,
    },
)


THOROUGH = settings(max_examples=5000, deadline=None, suppress_health_check=list(HealthCheck))


@settings(THOROUGH, max_examples=1000)
@given(VARIABLES)
def test_broken_manifests_give_findings(data: dict[str, Any]) -> None:
    gives_findings(data)


@pytest.mark.slow
@settings(THOROUGH)
@given(VARIABLES)
def test_many_broken_manifests_give_findings(data: dict[str, Any]) -> None:
    gives_findings(data)


def gives_findings(data: dict[str, Any]) -> None:
    variables = [
        Variable(name, from_plain(value, Position(f"variable {name} (no file)"), (name,)))
        for name, value in data.items()
    ]
    by_name = {variable.name: variable for variable in variables}
    evaluator = PlainEvaluator({name: value for name, value in data.items() if not name.startswith("loop")})
    manifest, findings = load(
        ManifestInput(
            variables=variables,
            evaluator=evaluator,
            raw=by_name.get,
            catalogs=(CATALOG_FOLDER,),
            nodes=lambda: {"workers": 1},
            names=lambda: by_name,
        )
    )
    for finding in findings:
        assert finding.code in CODES
        assert finding.message
        assert finding.path
        assert finding.position != NOWHERE
        assert re.fullmatch(r"SLW-1\d{3}", finding.code)
    wrong = [finding for finding in findings if finding.level is Level.ERROR]
    assert (manifest is None) is bool(wrong)
