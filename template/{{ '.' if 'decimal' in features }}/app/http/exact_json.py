"""Request bodies whose decimal numbers are read exactly."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from app.http.etags import RowRoute
from app.schemas.types.decimals import WrittenFloat


class ExactRequest(Request):
    """A request that keeps the text of JSON numbers with a point or an exponent."""

    async def json(self) -> Any:
        """Parse the body as JSON."""
        return json.loads(await self.body(), parse_float=WrittenFloat)


class ExactRoute(RowRoute):
    """A route with decimal numbers in its request body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of the route; routes without a body need no other one."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_exactly(request: Request) -> Response:
            return await handle(ExactRequest(request.scope, request.receive))

        return handle_exactly
