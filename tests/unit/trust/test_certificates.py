# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Keys, certificates and agents, held against what ssh-keygen makes and says."""

from __future__ import annotations

import ast
import subprocess
import time
from collections import abc
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.trust.agent import Offer, usable
from ansible_collections.slipway.cluster.plugins.module_utils.trust.certificate import (
    Certificate,
    parse_certificate,
    parse_key,
)
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError
from ansible_collections.slipway.cluster.plugins.plugin_utils.keys import host_names, is_good

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
TYPES = {"ed25519": (), "ecdsa": ("-b", "384"), "rsa": ("-b", "2048")}


def keygen(*arguments: object) -> str:
    command = ["ssh-keygen", *map(str, arguments)]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = tmp_path_factory.mktemp("ca") / "ca"
    keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
    return key


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("for_hosts", [False, True], ids=["user", "host"])
def test_a_certificate_is_read_as_ssh_keygen_reads_it(
    tmp_path: Path, authority: Path, kind: str, for_hosts: bool
) -> None:
    key = tmp_path / "id"
    keygen("-q", "-t", kind, *TYPES[kind], "-N", "", "-f", key)
    use = ("-h",) if for_hosts else ()
    keygen(
        "-q",
        "-s",
        authority,
        *use,
        "-I",
        "who is it",
        "-n",
        "a,b.example.com",
        "-z",
        17,
        "-V",
        "0x10:0x2000",
        f"{key}.pub",
    )
    found = parse_certificate(Path(f"{key}-cert.pub").read_text())
    assert found.for_hosts is for_hosts
    assert (found.serial, found.key_id, found.principals) == (17, "who is it", ("a", "b.example.com"))
    assert (found.valid_after, found.valid_before) == (0x10, 0x2000)
    assert found.key in keygen("-l", "-f", f"{key}.pub")
    assert found.authority in keygen("-l", "-f", f"{authority}.pub")


@pytest.mark.parametrize(
    "line", ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-ed25519 !!!!", "ssh-rsa AAAAC3NzaC1lZDI1NTE5"]
)
def test_what_is_no_key_is_said_to_be_none(line: str) -> None:
    with pytest.raises(TrustError, match="SLW-7315"):
        parse_key(line)


def test_a_plain_key_is_no_certificate(authority: Path) -> None:
    with pytest.raises(TrustError, match="SLW-7315"):
        parse_certificate(Path(f"{authority}.pub").read_text())


def offer(**changes: object) -> Offer:
    fields = {"kind": "k", "serial": 1, "for_hosts": False, "key_id": "me", "principals": ("p",), "valid_after": 100,
              "valid_before": 200, "key": "SHA256:key", "authority": "SHA256:ca"}  # fmt: skip
    return Offer("line", Certificate(**(fields | changes)))  # type: ignore[arg-type]


def choose(one: Offer, now: float = 150) -> list[Offer]:
    return usable([one], authorities={"SHA256:ca"}, principals={"p", "q"}, now=now)


def test_a_certificate_that_the_host_accepts_is_usable() -> None:
    assert choose(offer())


@pytest.mark.parametrize(
    ("changes", "now", "said"),
    [
        ({"for_hosts": True}, 150, "is one for hosts"),
        ({"authority": "SHA256:other"}, 150, "not by a trusted authority"),
        ({"principals": ("x",)}, 150, "is for x, not for p, q"),
        ({"principals": ()}, 150, "is for nobody"),
        ({}, 99, "not valid yet"),
        ({}, 199, "has expired"),
    ],
)
def test_every_other_one_is_named_with_its_reason(changes: dict[str, object], now: float, said: str) -> None:
    with pytest.raises(TrustError, match=said):
        choose(offer(**changes), now)


def signed(authority: Path, folder: Path, names: str, life: str) -> tuple[str, str]:
    """A host's certificate and key."""
    key = folder / "host"
    keygen("-q", "-t", "ed25519", "-N", "", "-f", key)
    keygen("-q", "-s", authority, "-h", "-I", "host", "-n", names, "-V", life, f"{key}.pub")
    return Path(f"{key}-cert.pub").read_text().strip(), Path(f"{key}.pub").read_text()


def test_a_hosts_certificate_is_renewed_when_half_of_its_life_is_over(tmp_path: Path, authority: Path) -> None:
    certificate, key = signed(authority, tmp_path, "a,b", "0x1000:0x2000")
    signing = parse_key(Path(f"{authority}.pub").read_text()).fingerprint
    assert is_good(certificate, key, ["a", "b"], signing, 0x1700)
    assert not is_good(certificate, key, ["a", "b"], signing, 0x1801)
    assert not is_good(certificate, key, ["a", "c"], signing, 0x1700)
    assert not is_good(certificate, key, ["a", "b"], "SHA256:other", 0x1700)
    assert not is_good(certificate, Path(f"{authority}.pub").read_text(), ["a", "b"], signing, 0x1700)
    assert not is_good("", key, ["a", "b"], signing, time.time())


def test_names_come_from_the_inventory_alone() -> None:
    said = {
        "ansible_host": "192.0.2.7",
        "ip": "10.0.0.7",
        "ansible_fqdn": "evil.example.com",
        "ansible_hostname": "evil",
    }
    assert host_names("node7", said, ["node7.example.com"]) == ["10.0.0.7", "192.0.2.7", "node7", "node7.example.com"]


def evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """Everything that runs, so without annotations."""
    yield node
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from evaluated(child)


def is_type(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and (
        node.id in ("dict", "list", "tuple", "set", "type") or node.id in abc.__all__
    )


HOST_SIDE = ["errors", "certificate", "keywords", "sshd", "layout", "lockout", "transaction", "host", "static_keys",
             "last_use", "removing"]  # fmt: skip


@pytest.mark.parametrize("name", HOST_SIDE)
def test_what_runs_on_hosts_is_python_3_8(name: str) -> None:
    text = (PLUGINS / "module_utils" / "trust" / f"{name}.py").read_text()
    tree = ast.parse(text, feature_version=(3, 8))
    newer = {"removeprefix", "removesuffix", "is_relative_to", "readlink"}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not newer & used
    # Types can be given parameters in annotations only, which nobody evaluates.
    assert not [ast.unparse(one) for one in evaluated(tree) if isinstance(one, ast.Subscript) and is_type(one.value)]
    assert "from __future__ import annotations" in text


@pytest.mark.parametrize("name", ["ssh_trust_host", "ssh_static_keys_host"])
def test_modules_for_hosts_are_python_3_8(name: str) -> None:
    ast.parse((PLUGINS / "modules" / f"{name}.py").read_text(), feature_version=(3, 8))
