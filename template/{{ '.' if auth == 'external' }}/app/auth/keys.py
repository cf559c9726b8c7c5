"""The public keys of the issuer: fetched, cached and refreshed.

- Old keys are refreshed in the background: no request waits.
- An unknown key id causes a fetch, so that new keys work at once; at most one per interval, so that
  forged ids do not put load on the issuer.
- While the issuer is unavailable, the cached keys stay valid; without any, the response is a 503.
- Redirects are followed, up to a limit, and from https only to https: a location that the issuer
  names over TLS is as trustworthy as its keys.
"""

import asyncio
import json
import logging
import math
from contextlib import aclosing
from http import HTTPStatus
from time import monotonic as clock
from typing import Any

import httpx
import jwt

from app.errors import ServiceUnavailable

ALGORITHMS = (
    "EdDSA",
    "ES256",
    "ES384",
    "ES512",
    "PS256",
    "PS384",
    "PS512",
    "RS256",
    "RS384",
    "RS512",
)
FRESH_SECONDS = 300
SEARCH_PAUSE_SECONDS = 30
FAILURE_PAUSE_SECONDS = 5
FETCH_TIMEOUT_SECONDS = 3
MAX_DOCUMENT_BYTES = 256 * 1024
MAX_REDIRECTS = 5

logger = logging.getLogger(__name__)

Keys = dict[str | None, jwt.PyJWK]


def new_client() -> httpx.AsyncClient:
    """Return the client that fetches keys; it does not follow redirects."""
    return httpx.AsyncClient(timeout=FETCH_TIMEOUT_SECONDS, headers={"Accept": "application/json"})


def _usable_key(jwk: Any) -> jwt.PyJWK | None:
    """Read a key of a set; None if it is not a public key for signatures."""
    if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
        return None
    operations = jwk.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        return None
    if "d" in jwk or jwk.get("alg", "EdDSA") not in ALGORITHMS:
        return None
    try:
        key = jwt.PyJWK(jwk)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if key.algorithm_name not in ALGORITHMS or key.Algorithm.check_key_length(key.key):
        return None
    return key


def read_keys(document: bytes) -> Keys:
    """Read a JSON Web Key Set, and skip keys that cannot be used.

    Raises:
        ValueError: it is not a key set, or none of its keys can be used.
    """
    try:
        content = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise ValueError("the response is not JSON") from error
    jwks = content.get("keys") if isinstance(content, dict) else None
    found = [key for jwk in jwks if (key := _usable_key(jwk))] if isinstance(jwks, list) else []
    if not found:
        raise ValueError("the response has no key that can verify signatures")
    return {key.key_id if isinstance(key.key_id, str) else None: key for key in found}


def _cause(error: Exception) -> str:
    """Describe for the log why keys cannot be fetched."""
    if isinstance(error, TimeoutError | httpx.TimeoutException):
        return f"no complete response within {FETCH_TIMEOUT_SECONDS} seconds"
    text = str(error) or type(error).__name__
    return f"{error.request.url.host}: {text}" if isinstance(error, httpx.RequestError) else text


class KeyCache:
    """The cached keys of the issuer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = new_client()
        self._lock = asyncio.Lock()
        self._background: asyncio.Task[bool] | None = None
        self._keys: Keys = {}
        self._failure = ""
        # Times of `clock`.
        self._attempted_at = self._stale_from = self._search_from = self._failed_until = 0.0

    async def close(self) -> None:
        """Stop fetching, and close connections."""
        if self._background is not None:
            self._background.cancel()
            await asyncio.gather(self._background, return_exceptions=True)
        await self._client.aclose()

    async def get(self, key_id: str | None) -> jwt.PyJWK | None:
        """Return a key of the issuer, or None; without an id, its only key.

        Raises:
            ServiceUnavailable: the keys cannot be fetched.
        """
        if not self._keys:
            await self._fetch()
        elif clock() >= max(self._stale_from, self._failed_until):
            self._fetch_in_background()
        if self._keys and self._find(key_id) is None:
            await self._search()
        key = self._find(key_id)
        if key is None and self._failed_until:
            retry_after = max(1, math.ceil(self._failed_until - clock()))
            raise ServiceUnavailable(retry_after) from ConnectionError(self._failure)
        return key

    def _find(self, key_id: str | None) -> jwt.PyJWK | None:
        if key_id is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def _fetch_in_background(self) -> None:
        if self._background is None or self._background.done():
            self._background = asyncio.create_task(self._fetch())

    async def _search(self) -> None:
        """Fetch the keys for one that is not cached."""
        if clock() >= self._search_from and await self._fetch():
            self._search_from = clock() + SEARCH_PAUSE_SECONDS

    async def _fetch(self) -> bool:
        """Fetch the keys, unless another request just did, or the last attempt failed."""
        asked_at = clock()
        async with self._lock:
            if self._attempted_at >= asked_at or clock() < self._failed_until:
                return False
            try:
                self._keys = await self._download()
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
                self._failure = f"cannot fetch the keys of the issuer: {_cause(error)}"
                logger.warning("%s", self._failure)
                self._failed_until = clock() + FAILURE_PAUSE_SECONDS
            else:
                self._failed_until = 0.0
                self._stale_from = clock() + FRESH_SECONDS
            self._attempted_at = clock()
            return self._failed_until == 0

    async def _download(self) -> Keys:
        """Download the keys, and follow redirects.

        Raises:
            ValueError: the response has no keys that can be used.
        """
        request = self._client.build_request("GET", self._url)
        async with asyncio.timeout(FETCH_TIMEOUT_SECONDS):
            for _ in range(1 + MAX_REDIRECTS):
                async with aclosing(await self._client.send(request, stream=True)) as response:
                    target = response.next_request
                    if target is None:
                        return read_keys(await _read(response))
                scheme, other = request.url.scheme, target.url.scheme
                if other not in {scheme, "https"}:
                    raise ValueError(f"a redirect from {scheme} to {other} is not followed")
                request = target
        raise ValueError(f"more than {MAX_REDIRECTS} redirects")


async def _read(response: httpx.Response) -> bytes:
    """Read a response of limited size."""
    if response.status_code != HTTPStatus.OK:
        raise ValueError(f"the response has status {response.status_code}")
    document = bytearray()
    async for chunk in response.aiter_bytes():
        document += chunk
        if len(document) > MAX_DOCUMENT_BYTES:
            raise ValueError(f"the response is longer than {MAX_DOCUMENT_BYTES} bytes")
    return bytes(document)
