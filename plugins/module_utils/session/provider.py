# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a certificate authority is to a session. One file in ``providers/`` for each, one line in its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Request:
    """What is asked for: a user certificate for ``public_key`` (one OpenSSH line), for ``ttl`` seconds."""

    public_key: str
    principals: tuple[str, ...]
    ttl: int


@dataclass(frozen=True)
class Signed:
    """The answer: one OpenSSH line, and what the authority's own clock said (seconds since the epoch), where it tells.

    The life of a certificate is counted by the authority's clock, so that a wrong one of the controller does no harm.
    """

    certificate: str
    clock: float | None = None


class Provider(Protocol):
    """An authority that signs. Lives in the agent's process and is used by one thread at a time."""

    def sign(self, request: Request) -> Signed:
        """A certificate. Raises ``ProviderError``; the caller waits and repeats where ``passes`` is set."""

    def host_authorities(self) -> tuple[str, ...]:
        """Public keys (OpenSSH lines) that certify hosts, where the authority tells. Raises ``ProviderError``."""

    def describe(self) -> str:
        """One line for people, without secrets: which authority, where, as whom."""

    def close(self) -> None:
        """Give back what was obtained (revoke an own token). Never raises for an authority that does not answer."""


@dataclass(frozen=True)
class Wanted:
    """A secret that a provider needs, read once in Ansible's process: from the first of ``environment`` that is set.

    ``fd_option`` and ``file_option`` name options of the provider that give a file descriptor or a file instead, by
    their path (``auth.token_file``). What is set nowhere is left out of what ``create`` gets: it says what is missing.
    Some of them are no secrets but settings from the environment, such as an address: they travel in the same way.
    Names that begin with ``SLIPWAY_`` are taken out of the environment, so that tasks do not inherit them.
    """

    name: str
    environment: tuple[str, ...] = ()
    fd_option: str = ""
    file_option: str = ""


@dataclass(frozen=True)
class Kind:
    """A provider in the table.

    ``check`` reads options without any I/O and returns every problem as ``(key, sentence)``, ``key`` relative to the
    provider's options; ``secrets`` says which secrets these options need; ``create`` makes the provider of both and
    asks the authority nothing. ``paths`` are options that name files: relative ones are made absolute before ``check``.
    ``settled`` writes down what the environment decides about options that say nothing; it is asked before all others.
    """

    name: str
    check: Callable[[Mapping[str, Any]], list[tuple[str, str]]]
    secrets: Callable[[Mapping[str, Any]], tuple[Wanted, ...]]
    create: Callable[[Mapping[str, Any], Mapping[str, str]], Provider]
    # For lab and trial only: said on screen.
    trial: bool = field(default=False)
    paths: tuple[str, ...] = ()
    settled: Callable[[dict[str, Any], Mapping[str, str]], dict[str, Any]] = lambda options, environment: options
