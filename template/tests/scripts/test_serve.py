"""The command that serves the API."""

import signal
from collections.abc import Iterator

import pytest
import uvicorn

from app.settings import STARTUP_FAILURE
from scripts import serve


@pytest.fixture(autouse=True)
def restored_handler() -> Iterator[None]:
    """Restore the handler of the signal, which the command replaces."""
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def valid_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command find settings that are valid."""
    monkeypatch.setattr(serve, "load_settings", lambda: None)


@pytest.mark.usefixtures("valid_settings")
@pytest.mark.parametrize(("port", "used"), [(None, 8000), ("", 8000), ("9000", 9000)])
def test_options(monkeypatch: pytest.MonkeyPatch, port: str | None, used: int) -> None:
    monkeypatch.setenv("UVICORN_TIMEOUT_KEEP_ALIVE", "75")
    monkeypatch.delenv("PORT", raising=False)
    if port is not None:
        monkeypatch.setenv("PORT", port)
    found: dict[str, object] = {}
    monkeypatch.setattr(uvicorn.main, "callback", lambda **options: found.update(options))

    with pytest.raises(SystemExit):
        serve.main(["--host", "127.0.0.2"])
    assert found["app"] == "app.main:app"
    assert (found["host"], found["port"]) == ("127.0.0.2", used)
    assert (found["access_log"], found["server_header"]) == (False, False)
    assert found["timeout_keep_alive"] == 75


@pytest.mark.usefixtures("valid_settings")
def test_stop_signal_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def raise_again(**_: object) -> None:
        """Raise the signal, as uvicorn does when it has stopped."""
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(uvicorn.main, "callback", raise_again)
    with pytest.raises(SystemExit) as ended:
        serve.main([])
    assert ended.value.code == 0


def test_invalid_settings_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_POOL_SIZE", "many")
    monkeypatch.setattr(uvicorn.main, "callback", lambda **_: pytest.fail("it must not start"))
    with pytest.raises(SystemExit) as ended:
        serve.main([])
    assert ended.value.code == STARTUP_FAILURE
