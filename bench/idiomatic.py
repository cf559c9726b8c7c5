"""The usual way to write such a backend, on the tables of a project with default answers.

As the tutorials of FastAPI and SQLModel do it: an ORM session from a generator dependency, a pool
with its defaults, a user that is loaded for each request, a count and a query for each page.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import JSON, DateTime
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, SQLModel, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar
from uuid_utils.compat import uuid7

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
SCHEME, _, REST = os.environ["DATABASE_URL"].partition(":")
MOMENT: Any = DateTime(timezone=True)

engine = create_async_engine(f"{DRIVERS[SCHEME]}:{REST}")
app = FastAPI()


def now() -> datetime:
    """The current time."""
    return datetime.now(UTC)


class User(SQLModel, table=True):
    """A user."""

    __tablename__ = "users"

    id: UUID = Field(primary_key=True)
    email: str
    name: str | None
    password_hash: str
    password_changed_at: datetime = Field(sa_type=MOMENT)
    created_at: datetime = Field(sa_type=MOMENT)


class TaskCreate(SQLModel):
    """A new task."""

    title: str = Field(min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=1000)
    completed: bool = False
    priority: str = "medium"
    due_date: datetime | None = None
    tags: list[str] = []


class TaskUpdate(SQLModel):
    """Changes to a task."""

    title: str | None = Field(default=None, min_length=1, max_length=200)
    description: str | None = Field(default=None, max_length=1000)
    completed: bool | None = None
    priority: str | None = None
    due_date: datetime | None = None
    tags: list[str] | None = None


class Task(SQLModel, table=True):
    """A task."""

    __tablename__ = "tasks"

    id: UUID = Field(default_factory=uuid7, primary_key=True)
    title: str
    description: str | None
    completed: bool
    priority: str
    due_date: datetime | None = Field(sa_type=MOMENT)
    tags: list[str] = Field(sa_type=JSON().with_variant(JSONB(), "postgresql"))
    user_id: UUID = Field(foreign_key="users.id")
    created_at: datetime = Field(default_factory=now, sa_type=MOMENT)
    updated_at: datetime = Field(
        default_factory=now, sa_type=MOMENT, sa_column_kwargs={"onupdate": now}
    )


class TaskRead(TaskCreate):
    """A stored task."""

    id: UUID
    user_id: UUID
    created_at: datetime
    updated_at: datetime


class Pagination(SQLModel):
    """Position of a page, and totals."""

    total: int
    page: int
    page_size: int
    total_pages: int
    has_previous: bool
    has_next: bool


class TaskPage(SQLModel):
    """A page of tasks."""

    items: list[TaskRead]
    pagination: Pagination


async def get_session() -> AsyncIterator[AsyncSession]:
    """A session for each request."""
    async with AsyncSession(engine) as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(get_session)]
TokenDep = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="token"))]


async def get_current_user(session: SessionDep, token: TokenDep) -> User:
    """The user of the token."""
    try:
        claims = jwt.decode(
            token, os.environ["JWT_SECRET_KEY"], algorithms=["HS256"], audience="todo-backend"
        )
    except jwt.PyJWTError as error:
        raise HTTPException(401) from error
    user = await session.get(User, UUID(claims["sub"]))
    if user is None:
        raise HTTPException(401)
    return user


UserDep = Annotated[User, Depends(get_current_user)]


async def paginate(
    session: AsyncSession, found: SelectOfScalar[Task], page: int, size: int
) -> dict[str, Any]:
    """A page of tasks: a count and a query."""
    total = (await session.exec(select(func.count()).select_from(found.subquery()))).one()
    order = (col(Task.created_at).desc(), col(Task.id).desc())
    offset = (page - 1) * size
    items = (await session.exec(found.order_by(*order).offset(offset).limit(size))).all()
    pagination = Pagination(
        total=total,
        page=page,
        page_size=size,
        total_pages=-(-total // size),
        has_previous=page > 1,
        has_next=offset + size < total,
    )
    return {"items": items, "pagination": pagination}


async def load(session: AsyncSession, user: User, task_id: UUID) -> Task:
    """A task of a user, or 404."""
    task = await session.get(Task, task_id)
    if task is None or task.user_id != user.id:
        raise HTTPException(404)
    return task


@app.get("/api/tasks", response_model=TaskPage)
async def list_tasks(
    session: SessionDep, user: UserDep, page: int = 1, page_size: int = 20
) -> dict[str, Any]:
    """A page of tasks."""
    found = select(Task).where(Task.user_id == user.id)
    return await paginate(session, found, page, page_size)


@app.get("/api/tasks/search", response_model=TaskPage)
async def search_tasks(
    session: SessionDep, user: UserDep, query: str, page: int = 1, page_size: int = 20
) -> dict[str, Any]:
    """A page of the tasks that contain a text."""
    found = select(Task).where(
        Task.user_id == user.id,
        or_(col(Task.title).icontains(query), col(Task.description).icontains(query)),
    )
    return await paginate(session, found, page, page_size)


@app.get("/api/tasks/{task_id}", response_model=TaskRead)
async def get_task(session: SessionDep, user: UserDep, task_id: UUID) -> Task:
    """A task."""
    return await load(session, user, task_id)


@app.post("/api/tasks", status_code=201, response_model=TaskRead)
async def create_task(session: SessionDep, user: UserDep, data: TaskCreate) -> Task:
    """A new task."""
    task = Task.model_validate(data, update={"user_id": user.id})
    session.add(task)
    await session.commit()
    await session.refresh(task)
    return task


@app.patch("/api/tasks/{task_id}", response_model=TaskRead)
async def update_task(session: SessionDep, user: UserDep, task_id: UUID, data: TaskUpdate) -> Task:
    """A changed task."""
    task = await load(session, user, task_id)
    task.sqlmodel_update(data.model_dump(exclude_unset=True))
    session.add(task)
    await session.commit()
    await session.refresh(task)
    return task


@app.get("/health")
async def health() -> dict[str, str]:
    """The process is running."""
    return {"status": "healthy"}
