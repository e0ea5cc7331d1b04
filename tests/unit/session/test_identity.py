# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A certificate that is fresh when somebody asks: renewal, failures, clocks, and many who ask at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from ansible_collections.slipway.cluster.plugins.module_utils.session import identity as module
from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError, SessionError
from ansible_collections.slipway.cluster.plugins.module_utils.session.identity import Counts, Identity
from ansible_collections.slipway.cluster.plugins.module_utils.session.provider import Request, Signed

from .peers import Authority, certify

PASSES = ProviderError("SLW-7103", "sealed", passes=True)
FINAL = ProviderError("SLW-7120", "policy")


class Clock:
    """The monotonic and the wall clock of the module, moved by hand; sleeping moves them too."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset = 0.0
        self.slept: list[float] = []
        monotonic, wall = time.monotonic, time.time
        monkeypatch.setattr(module.time, "monotonic", lambda: monotonic() + self.offset)
        monkeypatch.setattr(module.time, "time", lambda: wall() + self.offset)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.offset += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def make(authority: Authority, clock: Clock | None = None, patience: float = 0) -> Identity:
    sleep = clock.sleep if clock else time.sleep
    return Identity(authority, ("slipway-test",), 600, patience=patience, counts=Counts(), sleep=sleep)


def test_one_request_for_any_number_of_connections_at_once() -> None:
    authority = Authority()
    authority.pause = 0.2
    identity = make(authority)
    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(lambda _number: identity.certificate(), range(50)))
    assert authority.asked == 1
    assert len({one.blob for one in found}) == 1


def test_one_failure_is_the_answer_for_all_who_waited_for_it() -> None:
    authority = Authority(answers=[FINAL] * 100)
    authority.pause = 0.2
    identity = make(authority)
    gate = threading.Barrier(20)

    def ask(_number: int) -> str:
        gate.wait()
        with pytest.raises(SessionError) as caught:
            identity.certificate()
        return caught.value.code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(ask, range(20))) == {"SLW-7120"}
    assert authority.asked == 1
    with pytest.raises(SessionError):
        identity.certificate()
    assert authority.asked == 2, "who comes later is asked for anew"


def test_it_is_renewed_before_its_end_and_not_earlier(clock: Clock) -> None:
    authority = Authority(life=60)
    identity = make(authority, clock)
    first = identity.certificate()
    clock.offset += 40
    assert identity.certificate() is first
    clock.offset += 3
    second = identity.certificate()
    assert second is not first
    assert authority.asked == 2
    assert identity.sign(first.blob, b"x"), "who was given the older one may still use it"
    clock.offset += 20
    assert identity.sign(first.blob, b"x") is None, "it has ended"
    assert identity.sign(second.blob, b"x")


def test_a_long_life_is_renewed_two_minutes_before_its_end(clock: Clock) -> None:
    authority = Authority(life=3600)
    identity = make(authority, clock)
    identity.certificate()
    clock.offset += 3600 - 125
    identity.certificate()
    assert authority.asked == 1
    clock.offset += 10
    identity.certificate()
    assert authority.asked == 2


def test_while_the_authority_is_away_the_old_one_serves_until_its_end(clock: Clock) -> None:
    authority = Authority(life=60)
    identity = make(authority, clock)
    first = identity.certificate()
    authority.answers = [PASSES] * 100
    clock.offset += 45
    assert identity.certificate() is first
    assert identity.last_error is not None
    clock.offset += 14
    with pytest.raises(SessionError, match="SLW-7103"):
        identity.certificate()
    authority.answers = []
    assert identity.certificate() is not first
    assert identity.last_error is None


def test_what_passes_is_asked_again_until_patience_ends(clock: Clock) -> None:
    authority = Authority(answers=[PASSES, PASSES, None])
    identity = make(authority, clock, patience=10)
    assert identity.certificate()
    assert authority.asked == 3
    assert clock.slept == sorted(clock.slept)

    hopeless = Authority(answers=[PASSES] * 1000)
    with pytest.raises(SessionError, match="SLW-7103"):
        make(hopeless, clock, patience=10).certificate()
    assert 4 <= hopeless.asked <= 12


def test_a_refusal_is_not_repeated(clock: Clock) -> None:
    authority = Authority(answers=[FINAL, None])
    with pytest.raises(SessionError, match="SLW-7120"):
        make(authority, clock, patience=10).certificate()
    assert authority.asked == 1


@pytest.mark.parametrize("ahead", [300.0, -300.0])
def test_life_is_counted_by_the_clock_of_the_authority(clock: Clock, ahead: float) -> None:
    authority = Authority(life=60)
    authority.clock_ahead = ahead
    identity = make(authority, clock)
    identity.certificate()
    assert "300 s" in identity.clock_warning
    assert ("ahead of" in identity.clock_warning) == (ahead > 0)
    clock.offset += 40
    identity.certificate()
    assert authority.asked == 1
    clock.offset += 10
    identity.certificate()
    assert authority.asked == 2


def test_equal_clocks_are_not_worth_a_word() -> None:
    identity = make(Authority())
    identity.certificate()
    assert identity.clock_warning == ""


def test_a_certificate_without_a_principal_that_was_asked_for_is_refused() -> None:
    authority = Authority()
    authority.principals = ("somebody",)
    with pytest.raises(SessionError, match=r"SLW-7152.*slipway-test"):
        make(authority).certificate()


@pytest.mark.parametrize("what", ["host", "other key", "no certificate", "rubbish"])
def test_another_answer_than_a_user_certificate_for_this_key_is_refused(what: str) -> None:
    own = ed25519.Ed25519PrivateKey.generate()

    class Odd(Authority):
        def sign(self, request: Request) -> Signed:
            if what == "rubbish":
                return Signed("hello world")
            if what == "no certificate":
                return Signed(request.public_key)
            return Signed(certify(self.key, own.public_key(), ("slipway-test",), host=what == "host"))

    with pytest.raises(SessionError, match="SLW-7152"):
        make(Odd()).certificate()


def test_one_that_has_ended_is_never_given_out(clock: Clock) -> None:
    with pytest.raises(SessionError, match="SLW-7151"):
        make(Authority(life=1), clock).certificate()
