# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Outputs in the manifest: what they may mean, where they may stand, what becomes of types, secrets and order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import FindingsError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.manifest import Loader, ManifestInput
from ansible_collections.slipway.cluster.plugins.module_utils.addons.output import Output, Reading

from .support import PlainEvaluator, codes, errors_of, run, variables_of

GATEWAY = """
slipway_addons:
  gateway:
    objects: []
    namespace: edge
    release: front
    provides: [ingress]
    outputs:
      address: {kind: Service, path: "status.loadBalancer.ingress[0].ip"}
      port: {kind: Service, path: "spec.ports[http].port", type: integer}
      config: {kind: ConfigMap, name: "{release}-of-{namespace}", namespace: other, path: data, type: map}
      password: {kind: Secret, name: keys, path: data.password}
      token: {kind: Secret, name: keys, path: data.token, secret: false}
"""
VALUES: dict[str, Any] = {
    "gateway.address": "10.0.0.1",
    "gateway.port": 80,
    "gateway.config": {"mode": "fast"},
    "gateway.password": "correct-horse",
    "gateway.token": "shown",
}


class World:
    """A cluster that has some values; ``asked`` are the outputs that were looked for, with repetitions."""

    def __init__(self, values: Mapping[str, Any] = VALUES) -> None:
        self.values = dict(values)
        self.asked: list[Output] = []

    def __call__(self, output: Output) -> Reading:
        self.asked.append(output)
        if output.full_name in self.values:
            return Reading(self.values[output.full_name])
        return Reading(code="SLW-4501", why=f"there is no {output.kind}")


def outcome(text: str, world: World | None = None, **kwargs: Any) -> Any:
    return run(GATEWAY, text.replace("slipway_addons:", "slipway_addons__more:"), outputs=lambda: world, **kwargs)


def portal(values: str, world: World | None = None, rest: str = "", **kwargs: Any) -> Any:
    """The add-on ``portal`` with these values."""
    text = f"slipway_addons:\n  portal:\n    objects: []\n    values: {values}\n{rest}"
    manifest, findings = outcome(text, world or World(), **kwargs)
    assert manifest is not None, [str(f) for f in findings]
    return manifest.addons["portal"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("slipway_outputs.gateway.address", "10.0.0.1"),
        ("slipway_outputs['gateway'].address", "10.0.0.1"),
        ("slipway_outputs.ingress['address']", "10.0.0.1"),
        ("slipway_outputs.gateway.port", 80),
        ("slipway_outputs.gateway.port + 1", 81),
        ("slipway_outputs.gateway.config", {"mode": "fast"}),
        ("slipway_outputs.gateway.config.mode", "fast"),
        ("slipway_outputs.gateway.config['mode'] | upper", "FAST"),
        ("own", "10.0.0.1:80"),
        ("slipway_values.where.url", "http://10.0.0.1"),
        ("slipway_values.where", {"url": "http://10.0.0.1"}),
    ],
)
def test_a_known_output_is_a_value_of_its_type(expression: str, expected: Any) -> None:
    rest = """
own: "{{ slipway_outputs.gateway.address }}:{{ slipway_outputs.gateway.port }}"
slipway_values: {where: {url: "http://{{ slipway_outputs.ingress.address }}"}}
"""
    addon = portal(f'{{x: "{{{{ {expression} }}}}"}}', rest=rest)
    assert addon.values == {"x": expected}
    assert type(addon.values["x"]) is type(expected)
    assert not addon.unknown
    names = {name for used in addon.outputs.values() for name in used}
    assert names <= set(VALUES)
    assert names


def test_definitions_are_complete_and_read_once() -> None:
    world = World()
    portal(
        """
      a: "{{ slipway_outputs.gateway.config }} {{ slipway_outputs.ingress.config }}"
      b: "{{ slipway_outputs.gateway.config }}"
      c: "{{ slipway_outputs.gateway.address }}"
""",
        world,
    )
    config, address = sorted(world.asked, key=lambda o: o.kind)
    assert (config.object, config.namespace, config.type) == ("front-of-edge", "other", "map")
    assert (address.object, address.namespace, address.type) == ("front", "edge", "text")
    assert address.path == ("status", "loadBalancer", "ingress", 0, "ip")
    assert [config.secret, address.secret] == [False, False]


@pytest.mark.parametrize(
    ("addon", "name"),
    [
        ("{chart: {repo: https://x.example, name: gateway, version: 1.0.0}, release: my-gateway-1}", "my-gateway-1"),
        ("{chart: {repo: https://x.example, name: gateway, version: 1.0.0}}", "front-gateway"),
        ("{chart: {path: lab/charts/gateway}}", "front-gateway"),
        ("{objects: []}", "front"),
    ],
)
def test_names_as_charts_make_them(addon: str, name: str) -> None:
    world = World({})
    outputs = "outputs: {x: {kind: Service, name: '{fullname}', path: a}}"
    text = f"""
slipway_addons:
  front: {{{addon[1:-1]}, {outputs}}}
  user: {{objects: [], values: {{a: "{{{{ slipway_outputs.front.x }}}}"}}}}
"""
    manifest, findings = run(text, outputs=lambda: world)
    assert manifest is not None, findings
    assert world.asked[0].object == name


def test_what_nobody_uses_is_not_looked_for() -> None:
    world = World()
    portal("{a: 1}", world)
    assert not world.asked


@pytest.mark.parametrize(
    ("name", "stand_in"),
    [("address", "known-after-gateway"), ("port", 1), ("config", {}), ("password", "known-after-gateway")],
)
def test_an_unknown_output_has_a_stand_in_of_its_type(name: str, stand_in: Any) -> None:
    addon = portal(f'{{x: "{{{{ slipway_outputs.gateway.{name} }}}}", y: 1}}', World({}))
    assert addon.values == {"x": stand_in, "y": 1}
    assert type(addon.values["x"]) is type(stand_in)
    assert [(lack.output, lack.addon, lack.code) for lack in addon.unknown] == [
        (f"gateway.{name}", "gateway", "SLW-4501")
    ]
    assert addon.outputs == {("values", "x"): (f"gateway.{name}",)}


def test_what_stands_below_a_stand_in_is_no_error() -> None:
    addon = portal(
        """
      a: "{{ slipway_outputs.gateway.config.mode }}"
      b: "{{ slipway_outputs.gateway.address.split('.')[3] }}"
      c: "{{ slipway_values.last }}"
      d: "{{ slipway_values.config.deep.er }}"
""",
        World({}),
        """
slipway_values:
  last: "{{ slipway_outputs.gateway.address.split('.')[3] | int }}"
  config: "{{ slipway_outputs.gateway.config }}"
""",
    )
    assert addon.values == {"a": "known-after-gateway", "b": "known-after-gateway", "c": "known-after-gateway",
                            "d": "known-after-gateway"}  # fmt: skip
    assert {path[1] for path in addon.outputs} == {"a", "b", "c", "d"}


def test_another_undefined_name_is_an_error_all_the_same() -> None:
    text = 'slipway_addons: {portal: {objects: [], values: {a: "{{ slipway_outputs.gateway.address ~ nowhere }}"}}}'
    _manifest, findings = outcome(text, World({}))
    assert codes(findings) == ["SLW-1301"]
    assert "'nowhere' is undefined" in str(findings[0])


def test_a_known_map_without_the_key_is_an_error() -> None:
    text = 'slipway_addons: {portal: {objects: [], values: {a: "{{ slipway_outputs.gateway.config.mod }}"}}}'
    _manifest, findings = outcome(text, World())
    assert codes(findings) == ["SLW-1301"]
    assert "did you mean slipway_outputs.gateway.config.mode?" in str(findings[0])


def test_outputs_in_objects_patches_and_replicas() -> None:
    manifest, findings = outcome(
        """
slipway_addons:
  portal:
    objects:
      - apiVersion: v1
        kind: ConfigMap
        metadata: {name: a, annotations: {at: "{{ slipway_outputs.gateway.address }}"}}
        data: {k: "{{ slipway_outputs.gateway.token }}"}
    patches: [{kind: ConfigMap, metadata: {name: a}, data: {p: "{{ slipway_outputs.gateway.port | string }}"}}]
""",
        World(),
    )
    assert manifest is not None, findings
    addon = manifest.addons["portal"]
    assert addon.source.objects[0]["metadata"]["annotations"] == {"at": "10.0.0.1"}
    assert addon.patches[0]["data"] == {"p": "80"}
    assert addon.outputs == {
        ("objects", 0, "metadata", "annotations", "at"): ("gateway.address",),
        ("objects", 0, "data", "k"): ("gateway.token",),
        ("patches", 0, "data", "p"): ("gateway.port",),
    }


@pytest.mark.parametrize(
    "place",
    [
        'portal: {objects: [], namespace: "{{ slipway_outputs.gateway.address }}"}',
        'portal: {objects: [], enabled: "{{ slipway_outputs.gateway.port > 1 }}"}',
        'portal: {objects: [], requires: ["{{ slipway_outputs.gateway.address }}"]}',
        'portal: {chart: {path: "{{ slipway_outputs.gateway.address }}"}}',
        'portal: {objects: ["{{ slipway_outputs.gateway.config }}"]}',
        'portal: {objects: "{{ slipway_outputs.gateway.config }}"}',
        'portal: {objects: [{apiVersion: v1, kind: "{{ own }}", metadata: {name: a}}]}',
        'portal: {objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: "{{ slipway_values.own }}"}}]}',
        'portal: "{{ slipway_outputs.gateway.config }}"',
        'portal: {objects: [], outputs: {x: {kind: Service, path: "{{ slipway_outputs.gateway.address }}"}}}',
    ],
)
def test_outputs_decide_about_values_only(place: str) -> None:
    rest = 'own: "{{ slipway_outputs.gateway.address }}"\nslipway_values: {own: "{{ own }}"}'
    _manifest, findings = outcome(f"slipway_addons:\n  {place}\n{rest}", World())
    assert "SLW-1404" in codes(findings), findings
    finding = next(f for f in findings if f.code == "SLW-1404")
    assert finding.position.line == 2
    assert finding.position.column


@pytest.mark.parametrize("name", ["slipway_capabilities", "slipway_addons__whole", "slipway_values"])
def test_outputs_do_not_make_a_layer(name: str) -> None:
    value = '["{{ slipway_outputs.gateway.address }}"]' if "capab" in name else '"{{ slipway_outputs.gateway.config }}"'
    _manifest, findings = outcome(f"{name}: {value}", World())
    assert codes(findings) == ["SLW-1404"]


@pytest.mark.parametrize(
    ("expression", "code", "told"),
    [
        ("slipway_outputs.gatewy.address", "SLW-1401", "did you mean 'gateway'?"),
        ("slipway_outputs.ingres.address", "SLW-1401", "did you mean 'ingress'?"),
        ("slipway_outputs.kube-prom.address", "SLW-1401", "slipway_outputs['kube-prom']"),
        ("slipway_outputs.off.address", "SLW-1401", "switched off"),
        ("slipway_outputs.mine.address", "SLW-1401", "the cluster's own"),
        ("slipway_outputs.gateway.adress", "SLW-1402", "did you mean 'address'?"),
        ("slipway_outputs.gateway.xyz", "SLW-1402", "it has: address, config, password, port, token"),
        ("slipway_outputs['kube-prom'].x", "SLW-1402", "define it below 'outputs'"),
        ("slipway_outputs.gateway", "SLW-1403", "it has: address"),
        ("slipway_outputs[slipway_values.k].address", "SLW-1403", "<add-on>.<output>"),
        ("slipway_outputs.gateway[slipway_values.k]", "SLW-1403", "<add-on>.<output>"),
        ("slipway_outputs.gateway.get('address')", "SLW-1403", "<add-on>.<output>"),
        ("slipway_outputs", "SLW-1403", "<add-on>.<output>"),
        ("lookup('vars', 'slipway_outputs').gateway.address", "SLW-1403", "<add-on>.<output>"),
    ],
)
def test_references_that_mean_nothing(expression: str, code: str, told: str) -> None:
    _manifest, findings = outcome(
        f"""
slipway_capabilities: [mine]
slipway_values: {{k: gateway}}
slipway_addons:
  kube-prom: {{objects: []}}
  "off": {{objects: [], enabled: false}}
  portal:
    objects: []
    values:
      x: "{{{{ {expression} }}}}"
""",
        World(),
    )
    assert codes(findings) == [code], findings
    (finding,) = errors_of(findings)
    assert told in str(finding)
    assert str(finding.position) == "addons1.yml:10:7"
    assert finding.path == ("slipway_addons", "portal", "values", "x")


def test_a_broken_shared_value_is_told_once() -> None:
    _manifest, findings = outcome(
        """
slipway_values: {a: "{{ slipway_outputs.gateway.nope }}", b: "{{ slipway_values.a }}"}
slipway_addons: {portal: {objects: [], values: {x: "{{ slipway_values.b }}", y: "{{ slipway_values.a }}"}}}
""",
        World(),
    )
    assert codes(findings) == ["SLW-1402"]
    assert findings[0].path == ("slipway_values", "a")


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ("x: {kind: Service}", "lacks 'path'"),
        ("x: {path: a.b}", "lacks 'kind'"),
        ("x: {kind: Service, path: a..b}", "'a..b' is not a path"),
        ("items: {kind: Service, path: a}", "'items' cannot be an output's name"),
        ("my-name: {kind: Service, path: a}", "'my-name' cannot be an output's name"),
    ],
)
def test_definitions_that_are_wrong(definition: str, told: str) -> None:
    _manifest, findings = outcome(
        f"slipway_addons:\n  portal:\n    objects: []\n    outputs:\n      {definition}", World()
    )
    assert codes(findings) == ["SLW-1405"]
    assert told in findings[0].message
    assert findings[0].position.line == 5


def test_wrong_keys_and_types_of_a_definition_are_found_by_the_schema() -> None:
    _manifest, findings = outcome(
        """
slipway_addons:
  portal:
    objects: []
    outputs: {x: {kind: Service, path: a, typ: text}, y: {kind: S, path: a, type: int}}
""",
        World(),
    )
    assert codes(findings) == ["SLW-1001", "SLW-1003"]


def test_a_reference_is_an_edge_that_selection_follows() -> None:
    addon = portal('{x: "{{ slipway_outputs.ingress.address }}"}')
    assert addon.depends == addon.needs == ("gateway",)


def test_circles_are_found_with_the_rest() -> None:
    manifest, findings = run("""
slipway_addons:
  a:
    objects: []
    outputs: {x: {kind: Service, path: a}}
    values: {v: "{{ slipway_outputs.b.y }}"}
  b:
    objects: []
    requires: [a]
    outputs: {y: {kind: Service, path: a}}
  c:
    objects: []
    outputs: {z: {kind: Service, path: a}}
    values: {v: "{{ slipway_values.z }}"}
slipway_values: {z: "{{ slipway_outputs.c.z }}"}
""")
    assert manifest is None
    assert codes(findings) == ["SLW-1204", "SLW-1204"]
    first, second = errors_of(findings)
    assert "circle a -> b -> a: a needs b (addons.yml:6:14), b needs a (addons.yml:9:16)" in first.message
    assert "circle c -> c: c needs c (addons.yml:14:14)" in second.message


def test_secret_outputs_taint_what_is_made_of_them() -> None:
    text = """
slipway_values: {url: "x://u:{{ slipway_outputs.gateway.password }}@h", all: {p: "{{ slipway_values.url }}", q: 1}}
slipway_addons:
  portal:
    objects:
      - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: "k={{ slipway_outputs.gateway.password }}"}}
    values:
      a: "{{ slipway_outputs.gateway.password }}"
      b: "{{ slipway_values.url }}"
      c: "{{ slipway_values.all }}"
      d: "{{ slipway_outputs.gateway.token }}"
      e: "{{ slipway_outputs.gateway.address }}"
"""
    manifest, findings = outcome(text, World())
    assert manifest is not None, findings
    addon = manifest.addons["portal"]
    assert addon.secret_paths == {("a",), ("b",), ("c", "p")}
    assert {"correct-horse", "x://u:correct-horse@h", "k=correct-horse"} <= set(manifest.secrets)
    assert not {"shown", "10.0.0.1"} & set(manifest.secrets)


def test_the_value_of_a_secret_output_stands_in_no_finding() -> None:
    text = """
slipway_addons:
  portal:
    objects: []
    values:
      x: "{{ slipway_outputs.gateway.password | int('a', base='correct-horse') }}"
      y: "{{ slipway_outputs.gateway.password.nothing }}"
"""
    manifest, findings = outcome(text, World())
    assert manifest is None
    assert "correct-horse" not in "\n".join(map(str, findings))


def test_values_of_the_cluster_are_neither_templates_nor_placeholders() -> None:
    world = World({**VALUES, "gateway.address": "{{ 1 + 1 }}", "gateway.token": "CHANGEME"})
    addon = portal('{a: "{{ slipway_outputs.gateway.address }}", b: "{{ slipway_outputs.gateway.token }}"}', world)
    assert addon.values == {"a": "{{ 1 + 1 }}", "b": "CHANGEME"}


def test_a_second_look_sees_new_values_and_evaluates_nothing_else() -> None:
    world = World({})
    evaluator = PlainEvaluator({})
    text = (
        GATEWAY
        + """
  portal:
    objects: []
    values: {a: "{{ slipway_values.host }}", b: "{{ 1 + 1 }}", c: "{{ lookup('password') }}"}
  other:
    objects: []
    values: {a: "{{ slipway_outputs.gateway.address.split('.')[9] }}"}
slipway_values: {host: "h.{{ slipway_outputs.gateway.address }}"}
"""
    )
    loader = Loader(
        ManifestInput(
            variables=[*variables_of("slipway_name: prod"), *variables_of(text)],
            evaluator=evaluator,
            raw=lambda name: None,
            outputs=lambda: world,
        )
    )
    manifest, _findings = loader.load()
    assert manifest is not None
    assert manifest.addons["portal"].values["a"] == "h.known-after-gateway"
    world.values.update(VALUES)
    evaluator.calls.clear()
    again = loader.again("portal").addons["portal"]
    assert again.values == {"a": "h.10.0.0.1", "b": 2, "c": "password-result"}
    assert not again.unknown
    assert len(evaluator.calls) == 2, evaluator.calls
    # Now that the address is known, the other add-on's expression is wrong: that is not this one's concern.
    with pytest.raises(FindingsError, match="SLW-1301"):
        loader.again("other")
    with pytest.raises(FindingsError, match="SLW-1301"):
        loader.again("")
    world.values.clear()
    assert loader.again("portal").addons["portal"].unknown


def test_without_a_look_everything_is_unknown() -> None:
    manifest, findings = run(GATEWAY + '  p: {objects: [], values: {a: "{{ slipway_outputs.gateway.port }}"}}')
    assert manifest is not None, findings
    assert manifest.addons["p"].values == {"a": 1}
    assert manifest.addons["p"].unknown


ENTRIES = {
    "gateway": """
chart: {repo: https://charts.example.com, name: gateway, version: 1.0.0}
provides: [ingress]
outputs: {address: {kind: Service, path: "status.ip"}, port: {kind: Service, path: "spec.port", type: integer}}
""",
    "portal": """
chart: {repo: https://charts.example.com, name: portal, version: 1.0.0}
values: {port: {$output: ingress.port}, list: [{at: {$output: ingress.port}}]}
integrations: {ingress: {values: {address: {$output: address}, literal: "{{ slipway_outputs.x }}"}}}
""",
    "broken": """
chart: {repo: https://charts.example.com, name: portal, version: 1.0.0}
integrations: {ingress: {values: {a: {$output: adress}}}}
""",
}


@pytest.fixture
def catalog(tmp_path: Path) -> str:
    for name, text in ENTRIES.items():
        (tmp_path / f"{name}.yml").write_text(text.lstrip(), encoding="utf-8")
    return str(tmp_path)


def entries(text: str, catalog: str, values: Mapping[str, Any] = VALUES) -> Any:
    return run(f"slipway_addons:\n{text}", catalogs=(catalog,), outputs=lambda: World(values))


def test_a_catalog_entry_names_outputs_of_a_capability(catalog: str) -> None:
    manifest, findings = entries("  front: {use: gateway}\n  portal: {}", catalog, {"front.address": "10.9.9.9"})
    assert manifest is not None, findings
    addon = manifest.addons["portal"]
    assert addon.values["address"] == "10.9.9.9"
    assert addon.values["port"] == 1
    assert addon.values["list"] == [{"at": 1}]
    assert addon.values["literal"] == "{{ slipway_outputs.x }}"
    assert [lack.output for lack in addon.unknown] == ["front.port"]
    assert addon.depends == addon.needs == ("front",)


def test_what_the_user_writes_takes_the_place_of_an_entrys_output(catalog: str) -> None:
    manifest, findings = entries(
        "  portal: {values: {port: {own: 1}, list: [], address: here}}\nslipway_capabilities: [ingress]", catalog
    )
    assert manifest is not None, findings
    assert manifest.addons["portal"].values == {
        "port": {"own": 1}, "list": [], "address": "here", "literal": "{{ slipway_outputs.x }}"
    }  # fmt: skip
    assert not manifest.addons["portal"].outputs


def test_users_lay_their_outputs_over_the_entrys(catalog: str) -> None:
    manifest, findings = entries(
        """
  gateway: {outputs: {address: {path: status.host}, more: {kind: Service, path: x}}}
  portal: {values: {more: "{{ slipway_outputs.gateway.more }}"}}""",
        catalog,
        {"gateway.address": "a", "gateway.port": 1, "gateway.more": "m"},
    )
    assert manifest is not None, findings
    assert manifest.addons["portal"].values["more"] == "m"


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("  gateway: {}\n  broken: {}", "SLW-1402", "did you mean 'address'?"),
        ("  broken: {}\nslipway_capabilities: [ingress]", "SLW-1401", "the cluster's own"),
        ("  portal: {integrations: {ingress: false}, values: {list: []}}", "SLW-1401", "'ingress' is neither"),
    ],
)
def test_an_entrys_output_that_is_not_there(text: str, code: str, told: str, catalog: str) -> None:
    _manifest, findings = entries(text, catalog)
    assert codes(findings) == [code]
    assert told in str(findings[0])
    assert findings[0].position.source.endswith(".yml")
