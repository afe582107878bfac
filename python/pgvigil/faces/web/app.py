"""Putting the web service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from pgvigil import __version__
from pgvigil.faces.web.database import Database
from pgvigil.faces.web.exporting import Exporter
from pgvigil.faces.web.other_paths import OtherPaths, check_paths
from pgvigil.faces.web.problems import add_handlers
from pgvigil.faces.web.routes import (
    alerts,
    batch,
    components,
    envelopes,
    errors,
    export,
    fleet,
    incoming,
    jobs,
    pings,
    queues,
    records,
    rules,
    search,
    service,
    state,
    tasks,
    telling,
    trends,
)
from pgvigil.faces.web.security import Guard
from pgvigil.faces.web.settings import WebSettings
from pgvigil.faces.web.sharing import SharedAnswers
from pgvigil.faces.web.static import NothingThere, PageFiles

# Pings first: they come most often, and each of these is asked in turn whether it knows a path.
_PARTS = (
    pings,
    alerts,
    batch,
    jobs,
    tasks,
    errors,
    rules,
    telling,
    queues,
    components,
    state,
    trends,
    search,
    records,
    export,
    fleet,
    incoming,
    envelopes,
    service,
)
_DESCRIPTION = "What pgvigil has recorded. Everything here is a view or a function of the database."


def create_app(settings: WebSettings) -> FastAPI:
    """Return the service as an ASGI application.

    Args:
        settings: where the database is, and who may write.

    Raises:
        DatabaseNotReadyError: the DSN cannot be parsed.
        PathError: the API cannot be found under a path that is asked for.
    """
    database = Database(settings.dsn, settings.connections, settings.seconds_to_answer)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await database.close()

    app = FastAPI(
        title="pgvigil",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=lifespan,
        # Clients that are made of the description call their methods so.
        generate_unique_id_function=lambda route: route.name,
        # Their pages load programs from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.exporter = Exporter(settings.dsn)
    app.state.page = PageFiles(settings.page)
    add_handlers(app)
    for part in _PARTS:
        app.include_router(part.router)
    app.router.default = NothingThere(app.state.page, app.router.default)
    check_paths(settings.api_paths, [route for part in _PARTS for route in part.router.routes])
    app.add_middleware(SharedAnswers)
    app.add_middleware(OtherPaths, paths=settings.api_paths)
    app.add_middleware(Guard, names=settings.names)
    return app
