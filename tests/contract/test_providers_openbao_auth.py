# Copyright (c) 2026 Slipway contributors
# BSD-2-Clause (see LICENSES/BSD-2-Clause.txt or https://opensource.org/license/bsd-2-clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Every way to log in at a real OpenBao, with identities of the lab's API server, in a namespace and outside of any."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.slipway.cluster.plugins.module_utils.session.errors import ProviderError
from ansible_collections.slipway.cluster.plugins.module_utils.session.provider import Provider
from tests.contract.fixtures.authority import (
    AUDIENCE,
    ROLE,
    Authority,
    authority,
    certificate,
    request,
    wrapped,
)

pytestmark = pytest.mark.lab

ACCOUNT = "system:serviceaccount:default:default"


@pytest.fixture(scope="module", params=["", "team-a"], ids=["root namespace", "namespace"])
def bao(request: pytest.FixtureRequest, lab_env: dict[str, Any]) -> Iterator[Authority]:
    name = f"{request.param}-{id(request):x}" if request.param else ""
    with authority(lab_env, name) as made:
        yield made


def jwt(env: dict[str, Any], audience: str = AUDIENCE) -> str:
    """A short-lived token of the lab's API server."""
    command = [env["bin"]["kubectl"], "--kubeconfig", env["kubeconfig"], "create", "token", "default"]
    if audience:
        command += ["--audience", audience]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def refused(provider: Provider) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        provider.sign(request())
    return error.value


def signed_by(bao: Authority, provider: Provider) -> str:
    """Signs twice; the id in the certificate says who asked. Afterwards no token is left."""
    before = bao.accessors()
    ids = {certificate(provider.sign(request()).certificate).key_id.decode() for _ in range(2)}
    provider.close()
    assert bao.accessors() == before
    (only,) = ids
    return only


class TestAppRole:
    def auth(self, bao: Authority) -> dict[str, Any]:
        return {"method": "approle", "mount": bao.login("approle"), "role_id": bao.role_id}

    def test_signs_and_leaves_nothing(self, bao: Authority) -> None:
        provider = bao.provider(self.auth(bao), {"secret_id": bao.secret_id()})
        assert signed_by(bao, provider) == bao.key_id("approle")

    def test_one_login_for_any_number_of_certificates(self, bao: Authority) -> None:
        bao.app_role(secret_id_num_uses=1)
        try:
            secret = bao.secret_id()
            provider = bao.provider(self.auth(bao), {"secret_id": secret})
            for _ in range(5):
                provider.sign(request())
            # The second session finds it used up.
            error = refused(bao.provider(self.auth(bao), {"secret_id": secret}))
        finally:
            bao.app_role()
        provider.close()
        assert error.code == "SLW-7110"
        assert error.message.endswith(
            f"refuses the login by approle (auth/{bao.login('approle')}): invalid role or secret ID"
        )
        assert error.advice == "the secret-id is used up, expired or of another role: issue a new one"
        assert secret not in str(error)

    def test_a_wrong_role_id(self, bao: Authority) -> None:
        provider = bao.provider(self.auth(bao) | {"role_id": "other"}, {"secret_id": bao.secret_id()})
        assert refused(provider).code == "SLW-7110"

    def test_a_method_that_is_not_enabled(self, bao: Authority) -> None:
        error = refused(bao.provider(self.auth(bao) | {"mount": "not-there"}, {"secret_id": "x"}))
        assert error.code == "SLW-7110"
        assert "is auth/not-there enabled there" in error.advice


class TestJwt:
    def auth(self, bao: Authority, **more: Any) -> dict[str, Any]:
        return {"method": "jwt", "mount": bao.login("jwt"), "role": ROLE} | more

    def test_of_the_environment(self, bao: Authority) -> None:
        provider = bao.provider(self.auth(bao), {"jwt": jwt(bao.env)})
        assert signed_by(bao, provider) == bao.key_id("jwt", f"-{ACCOUNT}")

    def test_in_a_file_that_is_read_at_every_login(self, bao: Authority, tmp_path: Path) -> None:
        file = tmp_path / "token"
        provider = bao.provider(self.auth(bao, jwt_file=str(file)))
        error = refused(provider)
        assert (error.code, error.message) == (
            "SLW-7114",
            f"the token for the login cannot be read: {file}: No such file or directory",
        )
        file.write_text(jwt(bao.env) + "\n", encoding="utf-8")
        before = bao.accessors()
        provider.sign(request())
        (first,) = bao.accessors() - before
        bao.root.need("POST", "auth/token/revoke-accessor", {"accessor": first})
        file.write_text("\n", encoding="utf-8")
        assert refused(provider).message == f"{file} holds no token for the login"
        file.write_text(jwt(bao.env), encoding="utf-8")
        assert provider.sign(request())
        provider.close()
        assert bao.accessors() == before

    @pytest.mark.parametrize(
        ("role", "make", "message", "advice"),
        [
            (ROLE, lambda env: jwt(env, "else"), "invalid audience (aud) claim", "get the token for an audience that "),
            ("zz", jwt, 'role "zz" could not be found', "set auth.role to one that exists: bao list auth/"),
            (ROLE, lambda env: forged(jwt(env)), "error verifying token signature", "the token is not from the issuer"),
            (ROLE, lambda env: "nonsense", "error validating token", ""),
        ],
        ids=["audience", "role", "signature", "nonsense"],
    )
    def test_refusals(
        self, bao: Authority, role: str, make: Callable[[dict[str, Any]], str], message: str, advice: str
    ) -> None:
        token = make(bao.env)
        error = refused(bao.provider(self.auth(bao, role=role), {"jwt": token}))
        assert error.code == "SLW-7110"
        assert f"refuses the login by jwt as {role} (auth/{bao.login('jwt')}): " in error.message
        assert message in error.message
        assert error.advice.startswith(advice)
        assert token.rpartition(".")[2] not in str(error)


def forged(token: str) -> str:
    head, body, _signature = token.split(".")
    return f"{head}.{body}.{base64.urlsafe_b64encode(b'x' * 256).decode().rstrip('=')}"


@pytest.fixture(scope="module")
def reviewed(bao: Authority) -> Iterator[Authority]:
    kubectl = [bao.env["bin"]["kubectl"], "--kubeconfig", bao.env["kubeconfig"]]
    bind = ["create", "clusterrolebinding", bao.name, "--clusterrole=system:auth-delegator"]
    subprocess.run([*kubectl, *bind, "--serviceaccount=default:default"], capture_output=True, check=True)
    config = {
        "kubernetes_host": bao.env["server"],
        "kubernetes_ca_cert": Path(bao.env["ca_file"]).read_text(encoding="utf-8"),
        "token_reviewer_jwt": jwt(bao.env, ""),
        "disable_local_ca_jwt": True,
    }
    bao.root.need("POST", f"auth/{bao.login('kubernetes')}/config", config)
    role = {"bound_service_account_names": "default", "bound_service_account_namespaces": "default"}
    body = role | {"token_policies": bao.name, "token_ttl": "60s", "audience": AUDIENCE}
    bao.root.need("POST", f"auth/{bao.login('kubernetes')}/role/{ROLE}", body)
    yield bao
    subprocess.run([*kubectl, "delete", "clusterrolebinding", bao.name], capture_output=True, check=True)


class TestKubernetes:
    def auth(self, reviewed: Authority, **more: Any) -> dict[str, Any]:
        return {"method": "kubernetes", "mount": reviewed.login("kubernetes"), "role": ROLE} | more

    def test_signs_and_leaves_nothing(self, reviewed: Authority, tmp_path: Path) -> None:
        file = tmp_path / "token"
        file.write_text(jwt(reviewed.env), encoding="utf-8")
        provider = reviewed.provider(self.auth(reviewed, jwt_file=str(file)))
        assert signed_by(reviewed, provider) == reviewed.key_id("kubernetes", "-default-default")

    def test_a_wrong_audience(self, reviewed: Authority) -> None:
        error = refused(reviewed.provider(self.auth(reviewed), {"jwt": jwt(reviewed.env, "else")}))
        assert error.code == "SLW-7110"
        assert f"by kubernetes as {ROLE}" in error.message
        assert error.advice

    def test_a_wrong_role(self, reviewed: Authority) -> None:
        error = refused(reviewed.provider(self.auth(reviewed, role="zz"), {"jwt": jwt(reviewed.env)}))
        assert error.code == "SLW-7110"
        assert error.advice == f"set auth.role to one that exists: bao list auth/{reviewed.login('kubernetes')}/role"


class TestWrapped:
    def provider(self, bao: Authority, token: str, **more: Any) -> Provider:
        return bao.provider({"method": "wrapped_token"} | more, {"wrapped_token": token})

    def a_token(self, bao: Authority, **settings: Any) -> dict[str, Any]:
        return wrapped(bao, "auth/token/create", {"policies": [bao.name], "ttl": "60s"} | settings)

    def test_a_token(self, bao: Authority) -> None:
        before = bao.accessors()
        token = self.a_token(bao)["token"]
        provider = self.provider(bao, token, creation_path="auth/token/create")
        assert certificate(provider.sign(request()).certificate)
        assert certificate(provider.sign(request()).certificate)
        assert len(bao.accessors() - before) == 1
        provider.close()
        # Nobody else has it, so it is given back.
        assert bao.accessors() == before

    def test_a_secret_id(self, bao: Authority) -> None:
        bao.app_role(secret_id_num_uses=1)
        path = f"auth/{bao.login('approle')}/role/{ROLE}/secret-id"
        told = wrapped(bao, path, {})
        provider = self.provider(bao, told["token"], role_id=bao.role_id, creation_path=path)
        assert signed_by(bao, provider) == bao.key_id("approle")
        bao.app_role()

    def test_used_before_by_somebody_else(self, bao: Authority) -> None:
        token = self.a_token(bao)["token"]
        thief = self.provider(bao, token)
        thief.sign(request())
        error = refused(self.provider(bao, token))
        assert error.code == "SLW-7112"
        assert "possible theft: it was used before by somebody else, or expired" in error.message
        assert "revoke what it gave" in error.advice
        assert token not in str(error)
        assert not error.passes
        thief.close()

    def test_never_made(self, bao: Authority) -> None:
        assert refused(self.provider(bao, "s.never-made")).code == "SLW-7112"

    def test_exchanged_by_somebody(self, bao: Authority) -> None:
        """Whoever unwrapped it may wrap what it held again: that is seen before it is unwrapped."""
        told = wrapped(bao, "sys/wrapping/wrap", {"token": "s.stolen"})
        error = refused(self.provider(bao, told["token"]))
        assert error.code == "SLW-7113"
        assert "holds what sys/wrapping/wrap of " in error.message
        assert "not a token or a secret-id" in error.message
        assert still_wrapped(bao, told["token"])

    def test_made_by_another_request_than_expected(self, bao: Authority) -> None:
        token = self.a_token(bao)["token"]
        error = refused(self.provider(bao, token, creation_path="auth/approle/role/kx/secret-id"))
        assert error.code == "SLW-7113"
        assert "gave, not auth/approle/role/kx/secret-id" in error.message
        assert still_wrapped(bao, token)

    def test_a_secret_id_without_a_role_id(self, bao: Authority) -> None:
        told = wrapped(bao, f"auth/{bao.login('approle')}/role/{ROLE}/secret-id", {})
        error = refused(self.provider(bao, told["token"]))
        assert error.code == "SLW-7113"
        assert "set auth.role_id" in error.advice
        assert still_wrapped(bao, told["token"])

    def test_the_token_that_it_held_has_ended(self, bao: Authority) -> None:
        told = self.a_token(bao)
        provider = self.provider(bao, told["token"])
        provider.sign(request())
        bao.root.need("POST", "auth/token/revoke-accessor", {"accessor": told["wrapped_accessor"]})
        error = refused(provider)
        assert error.code == "SLW-7111"
        assert "came only once" in error.message


def still_wrapped(bao: Authority, token: str) -> bool:
    return bao.root.call("POST", "sys/wrapping/lookup", {"token": token})[0] == 200


class TestInline:
    def test_no_token_exists_at_any_time(self, bao: Authority) -> None:
        auth = {"method": "inline", "mount": bao.login("jwt"), "role": ROLE}
        provider = bao.provider(auth, {"jwt": jwt(bao.env)})
        before = bao.accessors()
        ids = {certificate(provider.sign(request()).certificate).key_id.decode() for _ in range(5)}
        assert ids == {bao.key_id("jwt", f"-{ACCOUNT}")}
        assert bao.accessors() == before
        assert "by inline jwt" in provider.describe()
        provider.close()

    def test_an_app_role(self, bao: Authority) -> None:
        auth = {"method": "inline", "login": "approle", "mount": bao.login("approle"), "role_id": bao.role_id}
        bao.app_role(secret_id_num_uses=1)
        try:
            secret = bao.secret_id()
            provider = bao.provider(auth, {"secret_id": secret})
            assert provider.sign(request())
            error = refused(provider)
        finally:
            bao.app_role()
        assert error.code == "SLW-7110"
        assert error.advice.startswith("the secret-id is used up")
        assert secret not in str(error)

    def test_a_login_that_is_refused_is_told_apart_from_a_policy(self, bao: Authority) -> None:
        auth = {"method": "inline", "mount": bao.login("jwt"), "role": ROLE}
        before = bao.accessors()
        wrong = refused(bao.provider(auth, {"jwt": jwt(bao.env, "else")}))
        assert (wrong.code, "invalid audience" in wrong.message) == ("SLW-7110", True)
        forbidden = refused(bao.provider(auth, {"jwt": jwt(bao.env)}, role="other"))
        assert forbidden.code == "SLW-7120"
        # Neither is a reason to fall back to a login that leaves a token.
        assert bao.accessors() == before


def test_a_login_in_another_namespace_than_the_engine(lab_env: dict[str, Any]) -> None:
    """Where the logins of all teams are kept in one namespace, and a child has the SSH engine."""
    with authority(lab_env) as outer, authority(lab_env, f"child-{outer.name}") as inner:
        policy = f'path "{inner.namespace}/{inner.users}/sign/{ROLE}" {{ capabilities = ["update"] }}'
        outer.root.need("PUT", f"sys/policies/acl/{outer.name}", {"policy": policy})
        auth = {"mount": outer.login("jwt"), "role": ROLE, "namespace": "root"}
        token = jwt(lab_env)
        for method in ("jwt", "inline"):
            provider = inner.provider(auth | {"method": method}, {"jwt": token})
            assert signed_by(outer, provider) == outer.key_id("jwt", f"-{ACCOUNT}")
            assert provider.describe().endswith(f" by {'inline ' * (method == 'inline')}jwt")


def test_a_token_says_nothing_about_itself(bao: Authority) -> None:
    token = jwt(bao.env)
    provider = bao.provider({"method": "jwt", "mount": bao.login("jwt"), "role": ROLE}, {"jwt": token})
    provider.sign(request())
    state = json.dumps([repr(value) for value in vars(provider).values()]) + provider.describe()
    assert token not in state
    assert "s." not in provider.describe()
    provider.close()
