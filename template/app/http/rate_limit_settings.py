"""Settings of rate limits."""

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, Field

if TYPE_CHECKING:
    from limits import RateLimitItem


def _parse(text: str) -> "list[RateLimitItem]":
    # The library takes 20 ms to import, which an app without rate limits does not need.
    from limits import parse_many  # noqa: PLC0415

    return parse_many(text)


def _checked(text: str) -> str:
    try:
        _parse(text)
    except ValueError:
        raise ValueError("must be limits such as 10/minute or 10/minute;100/day") from None
    return text


def _positive(text: str) -> str:
    if not all(limit.amount for limit in _parse(text)):
        raise ValueError("must allow requests; leave it empty for no limit")
    return text


# The notation of the `limits` library: `10/minute`, or `10/minute;100/day`.
RateLimit = Annotated[str, AfterValidator(_checked)]


class RateLimitSettings(BaseModel):
    """Where requests are counted, and how many a user can send; ten times as many an address."""

    rate_limit_storage_url: str = Field(default="memory://", pattern=r"^(memory|rediss?)://")
    rate_limit_requests: Annotated[RateLimit, AfterValidator(_positive)] | None = None
