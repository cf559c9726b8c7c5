"""The application, with settings from the environment: `uvicorn app.main:app`."""

from app.factory import create_app

app = create_app()
