"""An OpenID provider on this machine, over real HTTP: it keeps to the protocol, and lies as it is told."""

import asyncio
import base64
import hashlib
import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

import h11
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.http_requests import headers_of, next_request, send_answer

CLIENT, SECRET = "bylaw test", "a secret: with+signs"
LABEL = "Acme Login"
_KINDS = {"R": jwt.algorithms.RSAAlgorithm, "P": jwt.algorithms.RSAAlgorithm, "E": jwt.algorithms.ECAlgorithm}
_RSA = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
_OTHER = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


def key_for(alg):
    """A private key for an algorithm."""
    if alg == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1()) if alg == "ES256" else _RSA


def public_of(key, kid, alg):
    """The public half of a key as it is published."""
    kind = jwt.algorithms.OKPAlgorithm if alg == "EdDSA" else _KINDS[alg[0]]
    return {**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


@dataclass
class Issuer:
    """Who signs in next, and in which way it lies: `claims` replace those that are right, None for none.

    `alg` and `kid` are of the next token, `key` signs it; `published` are the keys that anybody may read.
    `answers` are statuses and bodies by path, in place of what is right. `denies`: the person said no.
    """

    url: str = ""
    subject: str = "248289761001"
    email: str = "ada@example.com"
    claims: dict = field(default_factory=dict)
    alg: str = "RS256"
    kid: str = "k1"
    key: object = _RSA
    published: dict = field(default_factory=lambda: {"k1": (_RSA, "RS256")})
    answers: dict = field(default_factory=dict)
    doors: dict = field(default_factory=dict)
    denies: bool = False
    token: str = ""
    codes: dict = field(default_factory=dict)
    asked: Counter = field(default_factory=Counter)
    ahead_s: int = 0
    now_s: object = None

    def reset(self):
        """Be honest again; codes are forgotten."""
        vars(self).update(vars(Issuer(url=self.url, now_s=self.now_s)))

    def rotate(self, alg="RS256", kid="k2"):
        """Sign with another key from now on, which is published."""
        self.alg, self.kid, self.key = alg, kid, _OTHER if alg[0] in "RP" else key_for(alg)
        self.published = {kid: (self.key, alg)}

    def given(self, now_s):
        """The settings with which a server asks it; `now_s` is its clock."""
        self.now_s = now_s
        return {
            "outgoing": "any",
            "sso_issuer": self.url,
            "sso_client_id": CLIENT,
            "sso_client_secret": SECRET,
            "sso_label": LABEL,
        }

    def signs_in(self, address):
        """The query with which a person who is led to `address` comes back, and where to."""
        asked = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert (asked["client_id"], asked["code_challenge_method"]) == (CLIENT, "S256")
        assert {"openid", "email"} <= set(asked["scope"].split())
        if self.denies:
            return asked["redirect_uri"], {"error": "access_denied", "state": asked["state"]}
        code = f"code {len(self.codes)}"
        self.codes[code] = asked
        return asked["redirect_uri"], {"code": code, "state": asked["state"]}

    async def serve(self, reader, writer):
        """Answer what comes over one connection."""
        state = h11.Connection(h11.SERVER)
        try:
            while (came := await next_request(state, reader)) is not None:
                head, body = came
                status, more, answer = self._answer(head, body.decode())
                await send_answer(state, writer, status, {"content-type": "application/json", **more}, answer)
        except (ConnectionError, h11.ProtocolError):
            pass
        finally:
            writer.close()

    def _answer(self, head, body):
        target = head.target.decode()
        path = urlsplit(target).path
        self.asked[path] += 1
        if path in self.answers:
            status, said = self.answers[path]
            return status, {}, said if isinstance(said, bytes) else json.dumps(said).encode()
        if path == "/authorize":
            to, query = self.signs_in(target)
            return 302, {"location": f"{to}?{urlencode(query)}"}, b""
        if path == "/token":
            return self._redeemed(headers_of(head), {n: v for n, (v,) in parse_qs(body).items()})
        published = [public_of(key, kid, alg) for kid, (key, alg) in self.published.items()]
        found = {"/jwks": {"keys": published}, "/.well-known/openid-configuration": self._doors()}
        return (200, {}, json.dumps(found[path]).encode()) if path in found else (404, {}, b"{}")

    def _doors(self):
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks",
            "response_types_supported": ["code"],
            **self.doors,
        }

    def _redeemed(self, headers, sent):
        pair = f"{quote(CLIENT, safe='')}:{quote(SECRET, safe='')}"
        basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
        posted = (sent.get("client_id"), sent.get("client_secret")) == (CLIENT, SECRET)
        if headers.get("authorization") != basic and not posted:
            return 401, {}, b'{"error": "invalid_client"}'
        asked = self.codes.pop(unquote(sent["code"]), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(sent["code_verifier"].encode()).digest())
        if (
            asked is None
            or sent["grant_type"] != "authorization_code"
            or asked["redirect_uri"] != sent["redirect_uri"]
            or asked["code_challenge"] != challenge.rstrip(b"=").decode()
        ):
            return 400, {}, b'{"error": "invalid_grant"}'
        token = self.token or self.token_for(asked["nonce"])
        return 200, {}, json.dumps({"token_type": "Bearer", "access_token": "x", "id_token": token}).encode()

    def token_for(self, nonce):
        """A token about whoever signs in."""
        now_s = int(self.now_s()) + self.ahead_s
        claims = {
            "iss": self.url,
            "sub": self.subject,
            "aud": CLIENT,
            "iat": now_s,
            "exp": now_s + 300,
            "nonce": nonce,
            "email": self.email,
            "email_verified": True,
            **self.claims,
        }
        said = {name: value for name, value in claims.items() if value is not None}
        headers = {"kid": self.kid} if self.kid else {}
        return jwt.encode(said, self.key, algorithm=self.alg, headers=headers)


@asynccontextmanager
async def issuing():
    """An issuer that runs until the block ends."""
    issuer = Issuer()
    server = await asyncio.start_server(issuer.serve, "127.0.0.1", 0)
    async with server:
        issuer.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield issuer
        server.close()
