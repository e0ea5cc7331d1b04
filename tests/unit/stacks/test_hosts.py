# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Lines, lists and maps of hosts: what can be read, and what is told of the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.stacks.codes import CODES
from ansible_collections.slipway.cluster.plugins.module_utils.stacks.hosts import Host, read


def host(given: object) -> Host:
    (found,), problems = read(given)
    assert problems == []
    return found


@pytest.mark.parametrize(
    ("line", "variables", "roles"),
    [
        ("node1", {}, ()),
        ("node1=192.0.2.1", {"ansible_host": "192.0.2.1"}, ()),
        ("node1 192.0.2.1", {"ansible_host": "192.0.2.1"}, ()),
        ("node1 2001:db8::1 etcd", {"ansible_host": "2001:db8::1"}, ("etcd",)),
        ("node1 node1.example.com worker", {"ansible_host": "node1.example.com"}, ("worker",)),
        ("node1=bastion-less", {"ansible_host": "bastion-less"}, ()),
        ("node1.example.com  # the first", {}, ()),
        ("node1 control_plane etcd worker", {}, ("control_plane", "etcd", "worker")),
        ("node1 kube_control_plane kube_node kube_node", {}, ("control_plane", "worker")),
        (
            "node1 ansible_host=192.0.2.1 ip=10.0.0.1 ansible_user=root ansible_port=2222",
            {"ansible_host": "192.0.2.1", "ip": "10.0.0.1", "ansible_user": "root", "ansible_port": 2222},
            (),
        ),
        ("node1 user=core port=22", {"ansible_user": "core", "ansible_port": 22}, ()),
    ],
)
def test_a_line(line: str, variables: dict[str, object], roles: tuple[str, ...]) -> None:
    found = host(line)
    assert (found.variables, found.roles) == (variables, roles)
    assert host([line]).variables == variables


def test_lines_commas_and_remarks() -> None:
    found, problems = read("\n# control planes\n a1=192.0.2.1, a2=192.0.2.2\r\n\n  b1 worker\n")
    assert ([one.name for one in found], problems) == (["a1", "a2", "b1"], [])
    assert [one.where for one in found] == ["line 3", "line 3", "line 5"]


@pytest.mark.parametrize(
    "given",
    [
        {"a": "192.0.2.1", "b": None, "c": {"address": "192.0.2.3", "roles": ["etcd"], "port": 2222}},
        [
            {"name": "a", "address": "192.0.2.1"},
            "b",
            {"name": "c", "address": "192.0.2.3", "roles": "etcd", "port": "2222"},
        ],
        "a=192.0.2.1\nb\nc 192.0.2.3 etcd port=2222",
    ],
    ids=["map", "list", "text"],
)
def test_the_same_hosts_in_each_form(given: object) -> None:
    found, problems = read(given)
    assert problems == []
    assert [(one.name, one.variables, one.roles) for one in found] == [
        ("a", {"ansible_host": "192.0.2.1"}, ()),
        ("b", {}, ()),
        ("c", {"ansible_host": "192.0.2.3", "ansible_port": 2222}, ("etcd",)),
    ]


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("a\nb etcdd", "SLW-8905", "line 2: 'etcdd' is no role and no value of a host (did you mean 'etcd'?)"),
        ("a master", "SLW-8905", "line 1: 'master'"),
        ("a prt=22", "SLW-8905", "did you mean 'port'?"),
        ("a 192.0.2.1 192.0.2.2", "SLW-8905", "line 1: '192.0.2.2'"),
        ("a user=$(id)", "SLW-8905", "cannot be one"),
        ([{"name": "a", "role": "etcd"}], "SLW-8905", "host 1: 'role'"),
        ([{"name": "a", "roles": ["etcd", "boss"]}], "SLW-8905", "host 1: 'boss' is no role"),
        ([{"name": "a", "roles": 3}], "SLW-8905", "host 1: 3 is no role"),
        ([{"name": "a", "port": True}], "SLW-8905", "of another kind"),
        ([{"words": ["a"]}], "SLW-8905", "host 1 is not a host"),
        ([7], "SLW-8905", "host 1 is not a host"),
        (7, "SLW-8905", "slipway_hosts is not a host"),
        ("192.0.2.1", "SLW-8906", "write it as node1=192.0.2.1"),
        ("Node1", "SLW-8906", "Node1 cannot be the name of a node"),
        ("=192.0.2.1", "SLW-8906", "an empty text cannot be"),
        ("a, etcd", "SLW-8906", "etcd is the name of a group, a role or the controller"),
        ("localhost", "SLW-8906", "localhost"),
        ("a" * 300, "SLW-8906", "cannot be the name"),
        ("a=192.0.2.300", "SLW-8907", "'192.0.2.300'"),
        ("a=", "SLW-8907", "''"),
        ("a=x_y", "SLW-8907", "'x_y'"),
        ("a ip=host", "SLW-8907", "ip of a, 'host', is no IP address"),
        ("a port=0", "SLW-8907", "the port of a, '0', is none"),
        ("a port=x", "SLW-8907", "1 to 65535"),
        ("a\nb\na", "SLW-8908", "line 3: a stands in line 1 too"),
        ("a=192.0.2.1\nb=192.0.2.1", "SLW-8908", "line 2: b has 192.0.2.1, as a in line 1"),
        ("a=192.0.2.1\nb=192.0.2.1 port=22", "SLW-8908", "line 2: b has 192.0.2.1"),
        ("a ip=10.0.0.1\nb ip=10.0.0.1", "SLW-8908", "10.0.0.1"),
    ],
)
def test_what_cannot_be_read(given: object, code: str, said: str) -> None:
    _found, problems = read(given)
    assert [problem.code for problem in problems] == [code]
    assert said in str(problems[0])


def test_one_address_with_two_ports_is_two_hosts() -> None:
    assert read("a=192.0.2.1 port=2201\nb=192.0.2.1 port=2202")[1] == []


def test_all_is_told_at_once() -> None:
    _found, problems = read("a etcdd\nB\nc=192.0.2.1\nd=192.0.2.1 port=99999\ne=192.0.2.1")
    assert [problem.code for problem in problems] == ["SLW-8905", "SLW-8906", "SLW-8907", "SLW-8908"]


@given(st.one_of(st.text(), st.lists(st.one_of(st.text(), st.dictionaries(st.text(), st.text()))), st.integers()))
def test_whatever_is_given_is_read_or_told(given: object) -> None:
    found, problems = read(given)
    assert all(one.name == one.name.strip().lower() != "" for one in found)
    assert all(problem.code in CODES for problem in problems)
