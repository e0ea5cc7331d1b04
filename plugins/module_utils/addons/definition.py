# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The one definition of an add-on's keys. JSON Schema, validation and the documentation's table come from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .model import JSON

USER = "manifest"
CATALOG = "catalog"
BOTH = (USER, CATALOG)


@dataclass(frozen=True)
class Type:
    """``words`` names the type in a sentence. ``fields`` are the keys of a map that allows no others,
    ``items`` the type of a list's items, ``members`` the type of the values of a map with free keys."""

    words: str
    schema: Mapping[str, JSON] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    items: Type | None = None
    members: Type | None = None


@dataclass(frozen=True)
class Field:
    """One key. ``where``: in which files it may stand. ``required``: within its map."""

    name: str
    type: Type
    doc: str
    where: tuple[str, ...] = BOTH
    required: bool = False


TEXT = Type("text", {"type": "string", "minLength": 1})
FLAG = Type("true or false", {"type": "boolean"})
COUNT = Type("a whole number, 0 or more", {"type": "integer", "minimum": 0})
SECONDS = Type("a whole number of seconds", {"type": "integer", "minimum": 0})
MAP = Type("a map", {"type": "object"})
TEXTS = Type("a list of texts", {"type": "array"}, items=TEXT)
KEY_PATH = Type("a key path such as server.replicas", {"type": "string", "pattern": r"^[^.\s]+(\.[^.\s]+)*$"})
PATHS = Type("a path or a list of paths", {"type": ["string", "array"], "minLength": 1, "minItems": 1}, items=TEXT)
PATCH = Type("a partial object", {"type": "object", "required": ["kind", "metadata"]})
OBJECT = Type("a Kubernetes object", {"type": "object", "required": ["apiVersion", "kind"]})


def choice(*values: str) -> Type:
    return Type(" or ".join(values), {"type": "string", "enum": list(values)})


def group(*fields: Field) -> Type:
    return Type("a map", {"type": "object"}, fields=fields)


CHART = group(
    Field("repo", TEXT, "Address of the chart repository, or of an OCI registry (oci://…)."),
    Field("name", TEXT, "Name of the chart in the repository."),
    Field("version", TEXT, "Exact version of the chart."),
    Field("digest", TEXT, "sha256 digest of the chart archive; another archive of this version is refused."),
    Field("path", TEXT, "A chart's folder or .tgz, instead of repo, name and version."),
)

CONDITION = group(
    Field("kind", TEXT, "Kind of the object.", required=True),
    Field("type", TEXT, "Type of the condition.", required=True),
    Field("status", TEXT, "Status that means ready; 'True' by default."),
    Field("group", TEXT, "API group of the kind, where the kind alone is ambiguous."),
)

WAIT = group(
    Field(
        "conditions",
        Type("a list of conditions", {"type": "array"}, items=CONDITION),
        "Conditions of custom resources that mean ready.",
    ),
    Field("load_balancer", choice("required", "optional"), "Whether Services of type LoadBalancer need an address."),
    Field("timeout", SECONDS, "How long readiness may take; 0 waits for nothing."),
)

ANSWER = choice("report", "keep", "overwrite", "adopt")

DRIFT_RULE = group(
    Field("answer", ANSWER, "What is done with the field.", required=True),
    Field("kind", TEXT, "Kind of the object; * stands for anything, here and below."),
    Field("group", Type("text", {"type": "string"}), "API group of the kind; empty for the core group."),
    Field("namespace", TEXT, "Namespace of the object."),
    Field("name", TEXT, "Name of the object."),
    Field("field", TEXT, "The field as plans write it, such as spec.template.spec.containers[*].image."),
    Field("manager", TEXT, "Who holds the field now, such as kubectl-edit."),
)

EXPECTATION = group(
    Field("kind", TEXT, "Kind of the object.", required=True),
    Field("group", Type("text", {"type": "string"}), "API group of the kind, where the kind alone is ambiguous."),
    Field("name", TEXT, "Name of the object; without it, one object of this kind is enough."),
    Field("namespace", TEXT, "Namespace of an object that is not among `objects`; by default the add-on's."),
    Field("type", TEXT, "Type of a condition that the object must have."),
    Field("status", TEXT, "Status of that condition; 'True' by default."),
    Field("path", TEXT, "A field of the object, such as status.addresses[0].ip or metadata.labels['a.b/c']."),
    Field("equals", Type("any value"), "What the field must be."),
    Field("exists", FLAG, "Whether the field, or without `path` the object, must be there."),
)

SMOKE = group(
    Field(
        "objects",
        Type("a list of Kubernetes objects", {"type": "array"}, items=OBJECT),
        "Temporary objects; made in a namespace of their own, waited for, and removed.",
    ),
    Field(
        "ready",
        Type("a list of expectations", {"type": "array"}, items=EXPECTATION),
        "What else must hold, of the temporary objects or of others.",
    ),
    Field("timeout", SECONDS, "How long that may take; 60 by default."),
    Field("enabled", FLAG, "false leaves the check out."),
)

REMOVE = group(
    Field("first", TEXTS, "Kinds whose objects are removed, and waited for, before the rest."),
    Field("timeout", SECONDS, "How long removal may take."),
)

HOOKS = group(
    Field("before_install", PATHS, "Before the first installation."),
    Field("after_install", PATHS, "After the first installation, when the add-on is ready."),
    Field("before_upgrade", PATHS, "Before an upgrade, a repair or an adoption."),
    Field("after_upgrade", PATHS, "After an upgrade, a repair or an adoption, when the add-on is ready."),
    Field("before_remove", PATHS, "Before a removal deletes anything."),
    Field("after_remove", PATHS, "After a removal, when all is gone."),
)

OUTPUT = group(
    Field("kind", TEXT, "Kind of the object that has the value."),
    Field("group", TEXT, "API group of the kind, where the kind alone is ambiguous."),
    Field(
        "name",
        TEXT,
        "Name of the object; by default {release}, the release's name. {namespace} is the add-on's, {fullname} what "
        "most charts make of release and chart.",
    ),
    Field("namespace", TEXT, "Namespace of the object; by default the add-on's."),
    Field("path", TEXT, "The field: status.loadBalancer.ingress[0].ip, data[tls.crt], spec.ports[http].nodePort."),
    Field("type", choice("text", "integer", "number", "boolean", "list", "map"), "Type of the value; text by default."),
    Field("secret", FLAG, "Whether the value is masked everywhere; by default true for Secrets."),
)

ADDON: tuple[Field, ...] = (
    Field("use", TEXT, "Catalog entry; by default the one with the add-on's own name.", (USER,)),
    Field("chart", CHART, "Source: a Helm chart. With `use`, laid over the entry's chart."),
    Field("kustomize", TEXT, "Source: a folder with a kustomization."),
    Field("manifests", PATHS, "Source: files or folders of YAML manifests."),
    Field(
        "objects",
        Type("a list of Kubernetes objects", {"type": "array"}, items=OBJECT),
        "Source: objects written here.",
    ),
    Field("namespace", TEXT, "Namespace; by default the entry's, or the add-on's name."),
    Field("release", TEXT, "Release name; by default the add-on's name."),
    Field("version", TEXT, "Chart version, instead of the catalog's.", (USER,)),
    Field("values", MAP, "Values of the chart; maps merge with the entry's, lists replace."),
    Field("replicas", COUNT, "Number of replicas, laid at the key that the entry names.", (USER,)),
    Field("replicas", KEY_PATH, "Key path below values that takes the number of replicas.", (CATALOG,)),
    Field("scale_down", choice("safe", "unsafe"), "unsafe asks for consent before the replicas become fewer."),
    Field("provides", TEXTS, "Capabilities that others may require. Replaces the entry's list."),
    Field("requires", TEXTS, "Capabilities or add-ons that must be there first. Added to the entry's list."),
    Field("after", TEXTS, "Capabilities or add-ons to go after, if they are there. Added to the entry's list."),
    Field(
        "integrations",
        Type("a map of true or false", {"type": "object"}, members=FLAG),
        "Switches integrations with a capability off (or on).",
        (USER,),
    ),
    Field(
        "integrations",
        Type(
            "a map",
            {"type": "object"},
            members=group(
                Field("values", MAP, "Values laid over the entry's when the capability is there.", required=True)
            ),
        ),
        "By capability: what changes when it is there.",
        (CATALOG,),
    ),
    Field("enabled", FLAG, "false leaves the add-on out.", (USER,)),
    Field("protected", FLAG, "true refuses removal and pruning."),
    Field("adopt", FLAG, "true takes over objects or a release that somebody else installed.", (USER,)),
    Field("timeout", SECONDS, "Short for wait.timeout."),
    Field("wait", WAIT, "When the add-on counts as ready."),
    Field(
        "smoke",
        Type("a map of checks", {"type": "object"}, members=SMOKE),
        "By capability that the add-on provides: how to see that it works.",
    ),
    Field("crds", choice("apply", "create", "skip"), "What is done with the CRDs of a chart."),
    Field("drift", ANSWER, "What is done with fields that others changed or added; report by default."),
    Field(
        "drift_rules",
        Type("a list of rules", {"type": "array"}, items=DRIFT_RULE),
        "The same for single fields: the first rule that fits counts, the user's before the entry's.",
    ),
    Field(
        "patches",
        Type("a list of partial objects", {"type": "array"}, items=PATCH),
        "Laid over the objects that the source renders; null takes a key away. Added to the entry's list.",
    ),
    Field("store_values", FLAG, "false keeps values out of the release Secret."),
    Field("remove", REMOVE, "How the add-on is removed."),
    Field("hooks", HOOKS, "Files of Ansible tasks that run before and after changes of the add-on."),
    Field(
        "outputs",
        Type("a map of outputs", {"type": "object"}, members=OUTPUT),
        "Values for other add-ons that are there once this one is ready. Laid over the entry's by name.",
    ),
    Field("images", TEXTS, "Images that the add-on's operator starts, for mirrors. Added to the entry's list."),
    Field("name", TEXT, "Name of the entry; must equal the file's name.", (CATALOG,)),
    Field("description", TEXT, "One sentence.", (CATALOG,)),
    Field("home", TEXT, "Home page.", (CATALOG,)),
    Field("kubespray", TEXTS, "Kubespray variables that would install the same thing.", (CATALOG,)),
)

SOURCES = ("chart", "kustomize", "manifests", "objects")


def fields_of(where: str) -> tuple[Field, ...]:
    return tuple(f for f in ADDON if where in f.where)


def table(where: str) -> str:
    """The keys as a Markdown table."""
    lines = ["| key | type | meaning |", "|---|---|---|"]
    for item in sorted(fields_of(where), key=lambda f: f.name):
        lines += [f"| `{name}` | {sub.type.words} | {sub.doc} |" for name, sub in _rows(item.name, item)]
    return "\n".join(lines) + "\n"


def _rows(name: str, item: Field) -> Iterator[tuple[str, Field]]:
    """A key and those below it; ``<name>`` stands for a free key, ``[]`` for each item of a list."""
    yield name, item
    inner = [("", item.type), (".<name>", item.type.members), ("[]", item.type.items)]
    for between, kind in inner:
        for sub in kind.fields if kind else ():
            yield from _rows(f"{name}{between}.{sub.name}", sub)
