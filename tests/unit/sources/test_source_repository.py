# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Chart repositories over HTTP and OCI, on loopback."""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.addons.errors import RenderError
from ansible_collections.slipway.cluster.plugins.module_utils.addons.model import Addon, ChartSource
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources import download, process, repository
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.context import RenderContext
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.fetch import chart_path
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.render import render
from ansible_collections.slipway.cluster.plugins.module_utils.addons.sources.repository import Repository
from lab import pki

from .servers import PASSWORD, USER, Server, pack, publish, push, serving

CHART = Path(__file__).parent / "charts" / "gated"
Make = Callable[..., Addon]


@pytest.fixture
def server() -> Iterator[Server]:
    repository._index.cache_clear()
    with serving() as one:
        yield one


@pytest.fixture
def shop(server: Server) -> Server:
    """A repository with several versions of one chart."""
    for version in ("0.1.0", "0.2.0", "0.10.0", "0.10.0-rc.1"):
        publish(server, "gated", version, pack(CHART))
    return server


def known(context: RenderContext, server: Server, **options: Any) -> RenderContext:
    login = {"username": USER, "password": PASSWORD, **options}
    return replace(context, repositories={server.url: Repository(server.url, **login)})


def source(server: Server, version: str = "0.1.0", **other: str) -> ChartSource:
    return replace(ChartSource(repo=server.url, name="gated", version=version), **other)


def test_a_chart_is_fetched_with_credentials_and_then_never_again(shop: Server, offline: RenderContext) -> None:
    context = known(offline, shop)
    path = chart_path(source(shop), context)
    assert Path(path).read_bytes() == shop.pages["/gated-0.1.0.tgz"][1]
    assert shop.requests == ["/index.yaml", "/gated-0.1.0.tgz"]
    assert chart_path(source(shop), context) == path
    assert len(shop.requests) == 2


def test_the_cache_needs_neither_server_nor_credentials(shop: Server, offline: RenderContext) -> None:
    path = chart_path(source(shop), known(offline, shop))
    shop.pages.clear()
    repository._index.cache_clear()
    assert chart_path(source(shop), offline) == path


def test_a_damaged_cache_is_filled_anew(shop: Server, offline: RenderContext) -> None:
    context = known(offline, shop)
    path = Path(chart_path(source(shop), context))
    path.write_bytes(b"cut")
    assert Path(chart_path(source(shop), context)).read_bytes() == shop.pages["/gated-0.1.0.tgz"][1]


def test_the_index_is_read_once_for_many_charts(shop: Server, offline: RenderContext) -> None:
    context = known(offline, shop)
    for version in ("0.1.0", "0.2.0"):
        chart_path(source(shop, version), context)
    assert shop.requests.count("/index.yaml") == 1


@pytest.mark.parametrize("answer", ["index", "wrong"])
def test_refused_access_shows_no_credentials(shop: Server, offline: RenderContext, answer: str) -> None:
    context = offline if answer == "index" else known(offline, shop, password="wr0ng-s3cret")
    with pytest.raises(RenderError, match=r"SLW-2020 .*HTTP 401") as caught:
        chart_path(source(shop), context)
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(context)


def test_credentials_in_an_address_are_not_shown(offline: RenderContext) -> None:
    one = ChartSource(repo="http://user:hunter2@127.0.0.1:1/x", name="a", version="1.0.0")
    with pytest.raises(RenderError, match="SLW-2020") as caught:
        chart_path(one, offline)
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1:1/x/index.yaml" in str(caught.value)


def test_credentials_stay_with_their_own_host(shop: Server, offline: RenderContext) -> None:
    with serving() as other:
        other.is_open = True
        other.pages["/elsewhere.tgz"] = ("application/gzip", pack(CHART))
        index = shop.pages["/index.yaml"][1].replace(b"gated-0.2.0.tgz", f"{other.url}/elsewhere.tgz".encode())
        shop.pages["/index.yaml"] = ("text/yaml", index.replace(b'"digest"', b'"ignored"'))
        chart_path(source(shop, "0.2.0"), known(offline, shop))
        assert other.authorizations == [None]


def test_certificates_of_servers_are_checked(
    shop: Server, offline: RenderContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_TRIES", 1)
    keys = tmp_path / "pki"
    pki.create(keys, "127.0.0.1")
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.load_cert_chain(keys / "webhook.crt", keys / "webhook.key")
    shop.socket = settings.wrap_socket(shop.socket, server_side=True)
    url = shop.url.replace("http:", "https:")
    login = {"username": USER, "password": PASSWORD}
    unknown = replace(offline, repositories={url: Repository(url, **login)})
    with pytest.raises(RenderError, match="SLW-2020"):
        chart_path(source(shop, repo=url), unknown)
    assert shop.requests == []
    trusted = replace(offline, repositories={url: Repository(url, ca_file=str(keys / "ca.crt"), **login)})
    assert Path(chart_path(source(shop, repo=url), trusted)).exists()


def test_servers_that_fail_are_asked_again(shop: Server, offline: RenderContext) -> None:
    shop.failures = 2
    chart_path(source(shop), known(offline, shop))
    assert shop.requests.count("/index.yaml") == 3


def test_servers_that_keep_failing_are_given_up(
    shop: Server, offline: RenderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_TRIES", 1)
    shop.failures = 9
    with pytest.raises(RenderError, match="SLW-2020"):
        chart_path(source(shop), known(offline, shop))


def test_a_missing_version_names_those_that_exist(shop: Server, offline: RenderContext) -> None:
    with pytest.raises(RenderError, match="SLW-2021") as caught:
        chart_path(source(shop, "0.2.1"), known(offline, shop))
    assert caught.value.advice == "it has 0.2.0, 0.10.0, 0.10.0-rc.1, 0.1.0"


def test_a_missing_chart_names_the_nearest(shop: Server, offline: RenderContext) -> None:
    with pytest.raises(RenderError, match="did you mean gated") as caught:
        chart_path(source(shop, name="gatde"), known(offline, shop))
    assert caught.value.code == "SLW-2021"


def test_what_is_no_index_is_said(server: Server, offline: RenderContext) -> None:
    server.pages["/index.yaml"] = ("text/html", b"<html>hello</html>")
    with pytest.raises(RenderError, match="SLW-20"):
        chart_path(source(server), known(offline, server))


def test_digests_of_index_and_manifest_are_checked(shop: Server, offline: RenderContext) -> None:
    context = known(offline, shop)
    publish(shop, "gated", "0.3.0", pack(CHART), digest="00" * 32)
    with pytest.raises(RenderError, match="SLW-2022"):
        chart_path(source(shop, "0.3.0"), context)
    with pytest.raises(RenderError, match="SLW-2022"):
        chart_path(source(shop, digest="sha256:" + "11" * 32), context)
    right = hashlib.sha256(shop.pages["/gated-0.1.0.tgz"][1]).hexdigest()
    assert chart_path(source(shop, digest=f"sha256:{right}"), context)
    with pytest.raises(RenderError, match="SLW-2022"):
        chart_path(source(shop, digest="sha256:" + "11" * 32), context)


def test_a_new_pin_is_fetched_although_an_old_archive_is_cached(shop: Server, offline: RenderContext) -> None:
    context = known(offline, shop)
    old = chart_path(source(shop), context)
    fresh = pack(CHART.parent / "dice")
    shop.pages["/index.yaml"] = ("text/yaml", json.dumps({"entries": {}}).encode())
    publish(shop, "gated", "0.1.0", fresh)
    repository._index.cache_clear()
    pinned = source(shop, digest=hashlib.sha256(fresh).hexdigest())
    assert chart_path(source(shop), context) == old
    assert Path(chart_path(pinned, context)).read_bytes() == fresh


def test_a_fetched_chart_is_rendered(shop: Server, context: RenderContext, addon: Make) -> None:
    rendered = render(addon(source(shop)), known(context, shop))
    assert rendered.version == "0.1.0"
    assert rendered.objects[0]["metadata"]["name"] == "gated"


@pytest.fixture
def registry(server: Server) -> Server:
    server.digest = push(server, "team/gated", "0.1.0", pack(CHART))  # type: ignore[attr-defined]
    return server


def oci(server: Server, context: RenderContext, **options: Any) -> RenderContext:
    url = f"oci://{server.host}/team"
    login = {"username": USER, "password": PASSWORD, **options}
    return replace(context, repositories={url: Repository(url, plain_http=True, **login)})


def oci_source(server: Server, version: str = "0.1.0", digest: str = "") -> ChartSource:
    return ChartSource(repo=f"oci://{server.host}/team", name="gated", version=version, digest=digest)


def test_oci_charts_are_pulled_once_and_leave_no_credentials(
    registry: Server, context: RenderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    real = process.run

    def note(argv: Any, env: Any, **other: Any) -> str:
        seen.extend([*argv, *env.values()])
        return real(argv, env, **other)

    monkeypatch.setattr(process, "run", note)
    path = chart_path(oci_source(registry), oci(registry, context))
    assert Path(path).read_bytes() == pack(CHART)
    assert PASSWORD not in " ".join(seen)
    asked = len(registry.requests)
    assert chart_path(oci_source(registry), context) == path
    assert len(registry.requests) == asked
    files = [file for file in context.cache_dir.parent.rglob("*") if file.is_file()]
    assert not [file for file in files if PASSWORD.encode() in file.read_bytes()]


def test_oci_charts_are_pinned_by_manifest_or_archive(registry: Server, context: RenderContext) -> None:
    there = oci(registry, context)
    for digest in (registry.digest, f"sha256:{hashlib.sha256(pack(CHART)).hexdigest()}"):  # type: ignore[attr-defined]
        assert chart_path(oci_source(registry, digest=digest), there)
    with pytest.raises(RenderError, match="SLW-2022"):
        chart_path(oci_source(registry, digest="sha256:" + "11" * 32), there)


def test_oci_errors_are_told_apart(registry: Server, context: RenderContext) -> None:
    with pytest.raises(RenderError, match="SLW-2021"):
        chart_path(oci_source(registry, "9.9.9"), oci(registry, context))
    with pytest.raises(RenderError, match="SLW-2020") as caught:
        chart_path(oci_source(registry), oci(registry, context, password="wr0ng-s3cret"))
    assert "s3cret" not in str(caught.value)
