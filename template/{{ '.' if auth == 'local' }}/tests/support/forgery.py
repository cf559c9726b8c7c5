"""Tokens built by hand, which can be invalid in any way."""

import base64
import hashlib
import hmac
import json
from typing import Any

DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
HEADER = {"alg": "HS256", "typ": "at+jwt"}


def encode(part: bytes) -> str:
    """Encode a part of a token."""
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def decode(part: str) -> Any:
    """Read the header or the claims of a token, unverified."""
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def sign(secret: str, header: bytes, payload: bytes, algorithm: str = "HS256") -> str:
    """Sign any header and payload."""
    text = f"{encode(header)}.{encode(payload)}"
    signature = hmac.new(secret.encode(), text.encode(), DIGESTS[algorithm]).digest()
    return f"{text}.{encode(signature)}"


class Forger:
    """Signs variants of a valid token with a secret."""

    def __init__(self, secret: str, valid: str) -> None:
        self.secret = secret
        self.valid = valid
        self.claims: dict[str, Any] = decode(valid.split(".")[1])

    def with_claims(self, **changes: Any) -> str:
        """Sign changed claims; None omits a claim."""
        claims = {**self.claims, **changes}
        kept = {name: value for name, value in claims.items() if value is not None}
        return self.with_payload(json.dumps(kept).encode())

    def with_header(self, **changes: Any) -> str:
        """Sign with a changed header; None omits a parameter. The signature stays HS256."""
        header = {**HEADER, **changes}
        kept = {name: value for name, value in header.items() if value is not None}
        payload = json.dumps(self.claims).encode()
        return sign(self.secret, json.dumps(kept).encode(), payload)

    def with_payload(self, payload: bytes) -> str:
        """Sign any payload."""
        return sign(self.secret, json.dumps(HEADER).encode(), payload)

    def with_algorithm(self, algorithm: str) -> str:
        """Sign with another algorithm, which the header names."""
        header = json.dumps({**HEADER, "alg": algorithm}).encode()
        return sign(self.secret, header, json.dumps(self.claims).encode(), algorithm)
