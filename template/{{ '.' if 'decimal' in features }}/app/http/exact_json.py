"""Bodies of requests whose numbers are not rounded when they are read."""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.schemas.types.decimals import WrittenFloat


class ExactRequest(Request):
    """A request whose numbers with a point or an exponent remember how they were written."""

    async def json(self) -> Any:
        """Parse the body."""
        return json.loads(await self.body(), parse_float=WrittenFloat)


class ExactRoute(APIRoute):
    """A route that takes decimal numbers in its body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what handles requests: as other routes do, where there is no body."""
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_exactly(request: Request) -> Response:
            return await handle(ExactRequest(request.scope, request.receive))

        return handle_exactly
