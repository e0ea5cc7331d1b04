# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What is kept of an object holds no secret, and becomes whole again with those of today."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.slipway.cluster.plugins.module_utils.addons.digest import Digester
from ansible_collections.slipway.cluster.plugins.module_utils.addons.masking import Masker
from ansible_collections.slipway.cluster.plugins.module_utils.addons.withheld import restore, withhold

DIGESTER = Digester(b"k" * 32)
WORDS = st.sampled_from(["hunter2", "p4ss/w0rd", 'quo"ted', "8080123", "plain", "x"])
TEXTS = st.lists(WORDS, max_size=4).map("-".join)
VALUES = st.recursive(
    TEXTS | st.integers(0, 9) | st.just(8080123) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)
SECRETS = ["hunter2", "p4ss/w0rd", 'quo"ted', "8080123"]


def body(kind: str = "ConfigMap", **parts: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "one"}, **parts}


@given(VALUES)
def test_known_secrets_come_back_and_none_is_kept(value: Any) -> None:
    masker = Masker(SECRETS)
    kept = withhold(body(data=value), masker, DIGESTER)
    text = json.dumps(kept)
    for secret in SECRETS:
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text
        assert base64.b64encode(secret.encode()).decode() not in text
    found = restore(json.loads(text), None, masker, DIGESTER)
    assert found.body == body(data=value)
    assert not found.missing
    assert not found.todays


def test_of_a_secret_only_the_keys_are_kept() -> None:
    secret = body("Secret", type="Opaque", data={"a": "QQ==", "b": "Qg=="})
    kept = withhold(secret, Masker(), DIGESTER)
    assert "QQ==" not in json.dumps(kept)
    today = body("Secret", data={"a": "Q0M=", "b": "", "c": "Qw=="})
    assert restore(kept, today, Masker(), DIGESTER).body == body("Secret", type="Opaque", data={"a": "Q0M=", "b": ""})
    assert restore(kept, body("Secret", data={"a": "Q0M="}), Masker(), DIGESTER).missing == ["data.b"]
    assert restore(kept, None, Masker(), DIGESTER).missing == ["data.a", "data.b"]
    # A kind of that name in another group is an object like any other.
    other = {**body("Secret", data={"a": "b"}), "apiVersion": "example.org/v1"}
    assert withhold(other, Masker(), DIGESTER) == other


def test_a_secret_that_has_changed_is_read_from_what_is_live() -> None:
    items = [{"name": "side", "url": "x"}, {"name": "db", "url": "postgres://app:hunter2@db:5432"}]
    kept = withhold(body(items=items), Masker(["hunter2"]), DIGESTER)
    live = body(items=[{"name": "db", "url": "postgres://app:changed1@db:5432"}, {"name": "side", "url": "y"}])
    found = restore(kept, live, Masker(["changed1"]), DIGESTER)
    assert found.body["items"] == [items[0], {"name": "db", "url": "postgres://app:changed1@db:5432"}]
    assert found.todays == ["items[1].url"]
    # The text around it is another one now: what belongs there nobody knows.
    live["items"][0]["url"] = "mysql://app:changed1@db"
    assert restore(kept, live, Masker(["changed1"]), DIGESTER).missing == ["items[1].url"]
    assert restore(kept, body(), Masker(), DIGESTER).missing == ["items[1].url"]


def test_digests_of_another_key_tell_nothing() -> None:
    kept = withhold(body(data={"a": "hunter2"}), Masker(["hunter2"]), DIGESTER)
    assert restore(kept, None, Masker(["hunter2"]), Digester(b"o" * 32)).missing == ["data.a"]
