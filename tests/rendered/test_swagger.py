"""The documentation of a served project in a browser: complete, closed, and good for a call."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import BROWSERS, Browser, executables, open_browser
from tests.support.environment import Environment
from tests.support.preset_server import Api, serve
from tests.support.rendering import render

pytestmark = pytest.mark.long

ANSWERS: dict[str, Any] = {"error_format": "problem", "api_prefix": "/api"}
LIST_TASKS = "#operations-tasks-list_tasks"


@pytest.fixture(scope="module")
def chromium() -> tuple[str, str]:
    """The browser and its driver, where there are both."""
    found = executables()
    if found is None:
        pytest.skip(f"there is no chromedriver, or none of {', '.join(BROWSERS)}, on PATH")
    return found


@pytest.fixture
def browser(chromium: tuple[str, str], tmp_path: Path) -> Iterator[Browser]:
    """A browser that has been nowhere."""
    with open_browser(*chromium, tmp_path / "chromedriver.log") as browser:
        yield browser


@pytest.fixture(scope="module", params=["local", "external"])
def served(
    request: pytest.FixtureRequest,
    chromium: tuple[str, str],
    template: Path,
    environment: Environment,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Api]:
    """The default project, with its own users or those of another service."""
    root = tmp_path_factory.mktemp("documented")
    answers = {**ANSWERS, "auth": request.param}
    project = render(template, root / "project", {"auth": request.param})
    with serve(environment, project, answers, f"sqlite:///{root / 'tasks.db'}") as api:
        yield api


def check_closed(browser: Browser, origin: str) -> None:
    """Expect no complaint, and no request that left the machine."""
    assert browser.complaints() == []
    requests = browser.requests()
    assert requests
    assert [url for url in requests if not url.startswith(f"{origin}/")] == []


def test_authorize_and_call(served: Api, browser: Browser) -> None:
    origin = f"http://127.0.0.1:{served.port}"
    local = served.answers["auth"] == "local"
    who = served.register() if local else served.bearer("ada")
    task = who.post(201, "/api/tasks", {"title": "Water the plants"})
    browser.open(f"{origin}/docs")

    browser.click("button.authorize")
    if local:
        browser.type("#oauth_username", who.user["email"])
        browser.type("#oauth_password", "correct horse")
    else:
        browser.type("input#auth-bearer-value", who.token)
    browser.click(".auth-btn-wrapper button.authorize")
    # Logged in, and therefore able to log out.
    browser.find('.auth-btn-wrapper button[aria-label="Remove authorization"]')
    browser.click(".auth-btn-wrapper button.btn-done")

    browser.click(f"{LIST_TASKS} .opblock-summary-control")
    browser.click(f"{LIST_TASKS} .try-out__btn")
    browser.click(f"{LIST_TASKS} .execute")
    answer = f"{LIST_TASKS} .live-responses-table tbody"
    assert browser.find(f"{answer} .response-col_status").text == "200"
    assert task["id"] in browser.find(f"{answer} .response-col_description").text
    check_closed(browser, origin)


def test_redoc_shows_and_searches(served: Api, browser: Browser) -> None:
    origin = f"http://127.0.0.1:{served.port}"
    browser.open(f"{origin}/redoc")
    assert browser.find("h1").text.startswith("Todo Backend")
    browser.type("input[placeholder='Search...']", "list tasks")
    assert "tasks" in browser.find("[data-role='search:results'] label").text.lower()
    check_closed(browser, origin)


def test_what_the_policy_forbids_is_really_seen(served: Api, browser: Browser) -> None:
    origin = f"http://127.0.0.1:{served.port}"
    browser.open(f"{origin}/docs")
    browser.find("button.authorize")
    check_closed(browser, origin)
    elsewhere = "http://192.0.2.1/x.png"
    for html in (f"<img src='{elsewhere}'>", "<p onclick='run()'>"):
        script = "document.body.insertAdjacentHTML('beforeend', arguments[0])"
        browser.driver.execute_script(script, html)
        assert any("Content Security Policy" in text for text in browser.complaints()), html
    assert browser.requests() == [elsewhere]
