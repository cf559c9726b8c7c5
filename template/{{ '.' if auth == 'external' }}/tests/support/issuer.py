"""An issuer of tokens in this process: it signs, publishes its keys, and can be unavailable."""

import asyncio
import base64
import json
import time
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

URL = "https://issuer.example/api/auth/jwks"
NAME = "https://issuer.example"

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
GENERATE: dict[str, Any] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
}


def encode(part: bytes) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def sign(algorithm: str, key: Any, header: dict[str, Any], payload: bytes) -> str:
    """Sign any payload with any header."""
    text = f"{encode(json.dumps(header).encode())}.{encode(payload)}"
    implementation = jwt.get_algorithm_by_name(algorithm)
    return f"{text}.{encode(implementation.sign(text.encode(), key))}"


class FakeIssuer:
    """Signs with its newest key; publishes all keys that were not dropped."""

    def __init__(self, algorithm: str = "EdDSA") -> None:
        self.algorithm = algorithm
        self.keys: dict[str, PrivateKey] = {}
        self.extra_keys: list[Any] = []
        self.is_up = True
        self.fetches = 0
        self.rotate("first")

    def rotate(self, key_id: str, *, drop_others: bool = False) -> None:
        """Use a new key from now on."""
        if drop_others:
            self.keys.clear()
        self.keys[key_id] = GENERATE[self.algorithm]()

    def jwk(self, key_id: str) -> dict[str, Any]:
        """Return the public half of a key, as Better Auth publishes it: without `use`."""
        implementation = jwt.get_algorithm_by_name(self.algorithm)
        public: dict[str, Any] = implementation.to_jwk(self.keys[key_id].public_key(), as_dict=True)
        public.pop("key_ops", None)
        return {**public, "kid": key_id, "alg": self.algorithm}

    def document(self) -> bytes:
        """Return the key set as JSON."""
        return json.dumps({"keys": [*self.extra_keys, *map(self.jwk, self.keys)]}).encode()

    async def respond(self, _request: httpx.Request) -> httpx.Response:
        """Respond to a request for the keys."""
        self.fetches += 1
        # Let other coroutines run, as a request over a network does.
        for _ in range(5):
            await asyncio.sleep(0)
        if not self.is_up:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, content=self.document())

    def client(self) -> httpx.AsyncClient:
        """Return a client whose requests all reach this issuer."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self.respond))

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a token; None omits a claim."""
        now = int(time.time())
        claims = {"iss": NAME, "aud": NAME, "sub": "aLiCe", "iat": now, "exp": now + 900, **changes}
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Issue a token as Better Auth does, with a key id and without a type."""
        return self.token_of(json.dumps(self.claims(**claims)).encode(), header)

    def token_of(self, payload: bytes, header: dict[str, Any] | None = None) -> str:
        """Sign any payload with the newest key; None omits a header parameter."""
        key_id, key = list(self.keys.items())[-1]
        merged = {"alg": self.algorithm, "kid": key_id, **(header or {})}
        kept = {name: value for name, value in merged.items() if value is not None}
        return sign(self.algorithm, key, kept, payload)
