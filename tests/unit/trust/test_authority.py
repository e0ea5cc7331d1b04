# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The steps of a rotation, and what the authority is asked to hold."""

from __future__ import annotations

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.authority import issuers
from ansible_collections.slipway.cluster.plugins.module_utils.authority.issuers import Engine, Issuer
from ansible_collections.slipway.cluster.plugins.module_utils.authority.setup import Wanted, policies, user_role
from ansible_collections.slipway.cluster.plugins.module_utils.trust.errors import TrustError
from tests.unit.trust.test_static_keys import ED, ED_PRINT, OTHER, OTHER_PRINT

OLD = Issuer("id-old", "slipway-1", ED, signs=True)
NEW = Issuer("id-new", "slipway-2", OTHER, signs=False)


def engine(*found: Issuer, several: bool = True) -> Engine:
    return Engine("m", found, several=several)


def test_add_names_the_next_key_and_does_it_once() -> None:
    (step,) = issuers.rotate(engine(OLD), "add")
    assert (step.method, step.path) == ("POST", "m/issuers/import/slipway-2")
    assert "set_default" not in step.body
    assert issuers.rotate(engine(OLD, NEW), "add") == []


def test_a_key_that_was_not_made_here_is_older_than_ours() -> None:
    foreign = Issuer("id", "", ED, signs=True)
    (step,) = issuers.rotate(engine(foreign), "add")
    assert step.path.endswith("/slipway-2")


def test_switch_makes_the_newest_sign_and_does_it_once() -> None:
    (step,) = issuers.rotate(engine(OLD, NEW), "switch")
    assert (step.path, step.body) == ("m/config/issuers", {"default": "id-new"})
    newest = Issuer("id-new", "slipway-2", OTHER, signs=True)
    assert issuers.rotate(engine(Issuer("id-old", "slipway-1", ED, signs=False), newest), "switch") == []


def test_switch_needs_two_and_a_server_that_holds_several() -> None:
    with pytest.raises(TrustError, match="SLW-7325"):
        issuers.rotate(engine(OLD), "switch")
    with pytest.raises(TrustError, match="SLW-7326"):
        issuers.rotate(engine(OLD, several=False), "add")


def test_only_named_keys_that_do_not_sign_are_dropped() -> None:
    (step,) = issuers.drop([engine(OLD, NEW)], [OTHER_PRINT])
    assert (step.method, step.path) == ("DELETE", "m/issuer/id-new")
    assert issuers.drop([engine(OLD, NEW)], []) == []
    with pytest.raises(TrustError, match="SLW-7325"):
        issuers.drop([engine(OLD, NEW)], [ED_PRINT])


def test_who_signs_makes_no_difference_to_a_host_and_dropped_keys_do() -> None:
    both = engine(Issuer("a", "slipway-1", ED, signs=False), Issuer("b", "slipway-2", OTHER, signs=True))
    assert both.keys() == engine(OLD, NEW).keys() == [ED, OTHER]
    assert both.keys(without=[ED_PRINT]) == [OTHER]


def test_the_first_key_of_a_server_with_several_has_a_name_so_that_it_cannot_be_made_twice() -> None:
    assert issuers.create("m", several=True).path == "m/issuers/import/slipway-1"
    assert issuers.create("m", several=False).path == "m/config/ca"


def test_certificates_allow_nothing_unless_asked() -> None:
    assert user_role(Wanted("prod"))["default_extensions"] == {}
    assert user_role(Wanted("prod", port_forwarding=True))["default_extensions"] == {"permit-port-forwarding": ""}


def test_nobody_who_may_sign_chooses_what_a_certificate_allows() -> None:
    for text in policies(Wanted("prod")).values():
        assert text.count("/sign/") == text.count('"critical_options" = [], "extensions" = [], "key_id" = []') == 1
