# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A plain Jinja evaluator, and YAML text turned into variables with positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jinja2
import jinja2.nativetypes
import yaml

from ansible_collections.slipway.cluster.plugins.module_utils.addons.catalog import read_yaml
from ansible_collections.slipway.cluster.plugins.module_utils.addons.evaluator import (
    TemplateError,
    UndefinedError,
    Variable,
)
from ansible_collections.slipway.cluster.plugins.module_utils.addons.finding import Finding, Level
from ansible_collections.slipway.cluster.plugins.module_utils.addons.manifest import ManifestInput, load
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Manifest
from ansible_collections.slipway.cluster.plugins.module_utils.addons.node import Node
from ansible_collections.slipway.cluster.plugins.module_utils.addons.output import LookOf


class _Code(jinja2.nativetypes.NativeCodeGenerator):
    def _output_child_to_const(self, node: Any, frame: Any, finalize: Any) -> Any:
        if isinstance(node, jinja2.nodes.TemplateData):
            return super()._output_child_to_const(node, frame, finalize)
        raise jinja2.nodes.Impossible


def _fail_on_undefined(value: Any) -> None:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            _fail_on_undefined(child)
    elif isinstance(value, jinja2.Undefined):
        str(value)


class _Environment(jinja2.nativetypes.NativeEnvironment):
    code_generator_class = _Code

    @staticmethod
    def concat(values: Any) -> Any:
        parts = [value for value in values if value is not None]
        _fail_on_undefined(parts)
        if len(parts) == 1:
            return parts[0]
        return "".join(map(str, parts)) if parts else None


class _Template(jinja2.nativetypes.NativeTemplate):
    environment_class = _Environment


_Environment.template_class = _Template


class PlainEvaluator:
    """Jinja alone. Ansible variables are a dictionary whose texts are templates too."""

    def __init__(self, variables: Mapping[str, Any] | None = None, lookups: Mapping[str, Any] | None = None) -> None:
        self.raw = dict(variables or {})
        self.calls: list[str] = []
        self.environment = _Environment(undefined=jinja2.StrictUndefined)
        answers = dict(lookups or {})
        self.environment.globals["lookup"] = lambda plugin, *args, **kwargs: answers.get(plugin, f"{plugin}-result")

    def evaluate(self, text: str, variables: Mapping[str, Any]) -> Any:
        self.calls.append(text)
        needed = {name: value for name, value in self.raw.items() if name in text and name not in variables}
        try:
            context = {name: self._value(value, variables) for name, value in needed.items()}
            return self.environment.from_string(text).render({**context, **variables})
        except RecursionError as error:
            raise TemplateError("the variables refer to each other in a circle") from error
        except jinja2.UndefinedError as error:
            raise UndefinedError(str(error)) from error
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise TemplateError(str(error)) from error

    def _value(self, value: Any, variables: Mapping[str, Any]) -> Any:
        return self.evaluate(value, variables) if isinstance(value, str) and "{{" in value else value


def variables_of(text: str, source: str = "addons.yml") -> list[Variable]:
    """Every top-level key of a YAML text as a variable. ``!vault x`` is a secret, ``!unsafe x`` a literal."""
    findings: list[Finding] = []
    tree = read_yaml(text, source, source, findings)
    assert not findings
    marks = _marks(text)
    return [Variable(name, _mark(node, (name,), marks)) for name, node in tree.map().items()]


def _marks(text: str) -> dict[tuple[str | int, ...], str]:
    found: dict[tuple[str | int, ...], str] = {}

    def walk(node: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                walk(value, (*path, key.value))
        elif isinstance(node, yaml.SequenceNode):
            for at, value in enumerate(node.value):
                walk(value, (*path, at))
        elif node.tag.startswith("!"):
            found[path] = node.tag

    root = yaml.compose(text)
    if root is not None:
        walk(root, ())
    return found


def _mark(node: Node, path: tuple[str | int, ...], marks: Mapping[tuple[str | int, ...], str]) -> Node:
    value: Any = node.value
    if isinstance(value, dict):
        value = {key: _mark(child, (*path, key), marks) for key, child in value.items()}
    elif isinstance(value, list):
        value = [_mark(child, (*path, at), marks) for at, child in enumerate(value)]
    tag = marks.get(path, "")
    return Node(value, node.position, secret=tag == "!vault", literal=bool(tag))


def _scalar(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    assert isinstance(node, yaml.ScalarNode)
    return loader.construct_scalar(node)


for _loader in (yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    for _tag in ("!vault", "!unsafe"):
        _loader.add_constructor(_tag, _scalar)


def run(
    *texts: str,
    catalogs: tuple[str, ...] = (),
    files_dir: str = ".",
    lookups: Mapping[str, Any] | None = None,
    nodes: Callable[[], Mapping[str, Any]] | None = None,
    outputs: LookOf = None,
    name: str = "slipway_name: prod",
) -> tuple[Manifest | None, list[Finding]]:
    """``load`` over YAML texts; what is no slipway variable is an Ansible variable."""
    everything = variables_of(name, "cluster.yml")
    for at, text in enumerate(texts):
        everything += variables_of(text, f"addons{at or ''}.yml")
    by_name = {variable.name: variable for variable in everything}
    plain: dict[str, Any] = {}
    for text in (name, *texts):
        plain.update(yaml.safe_load(text) or {})
    return load(
        ManifestInput(
            variables=everything,
            evaluator=PlainEvaluator(plain, lookups),
            raw=by_name.get,
            catalogs=catalogs,
            files_dir=files_dir,
            nodes=nodes,
            outputs=outputs,
            names=lambda: by_name,
        )
    )


def errors_of(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.ERROR]


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in errors_of(findings)]


def hints_of(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is Level.HINT]
