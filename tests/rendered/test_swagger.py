"""The API documentation of a project works in a browser, without requests to other hosts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import BROWSERS, Browser, executables, open_browser
from tests.support.environment import Environment
from tests.support.preset_server import Api, serve
from tests.support.rendering import render

pytestmark = pytest.mark.long

LIST_TASKS = "#operations-tasks-list_tasks"


@pytest.fixture(scope="module")
def chromium() -> tuple[str, str]:
    """The paths of the browser and its driver."""
    found = executables()
    if found is None:
        pytest.skip(f"PATH has no chromedriver, or none of {', '.join(BROWSERS)}")
    return found


@pytest.fixture
def browser(chromium: tuple[str, str], tmp_path: Path) -> Iterator[Browser]:
    """A browser with a new profile."""
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
    """The default project, with own users or the tokens of another service."""
    root = tmp_path_factory.mktemp("documented")
    project = render(template, root / "project", {"auth": request.param})
    with serve(environment, project, f"sqlite:///{root / 'tasks.db'}") as api:
        yield api


def assert_no_messages_and_only_own_requests(browser: Browser, origin: str) -> None:
    """Check that the console is empty, and that all requests have the same origin."""
    assert browser.console_messages() == []
    requests = browser.requests()
    assert requests
    assert [url for url in requests if not url.startswith(f"{origin}/")] == []


def test_authorize_and_call(served: Api, browser: Browser) -> None:
    origin = f"http://127.0.0.1:{served.port}"
    local = served.answers["auth"] == "local"
    user = served.register() if local else served.bearer("ada")
    task = user.post(201, "/api/tasks", {"title": "Water the plants"})
    browser.open(f"{origin}/docs")

    browser.click("button.authorize")
    if local:
        browser.type("#oauth_username", user.user["email"])
        browser.type("#oauth_password", "correct horse")
    else:
        browser.type("input#auth-bearer-value", user.token)
    browser.click(".auth-btn-wrapper button.authorize")
    # This button shows that the login succeeded.
    browser.find('.auth-btn-wrapper button[aria-label="Remove authorization"]')
    browser.click(".auth-btn-wrapper button.btn-done")

    browser.click(f"{LIST_TASKS} .opblock-summary-control")
    browser.click(f"{LIST_TASKS} .try-out__btn")
    browser.click(f"{LIST_TASKS} .execute")
    answer = f"{LIST_TASKS} .live-responses-table tbody"
    assert browser.find(f"{answer} .response-col_status").text == "200"
    assert task["id"] in browser.find(f"{answer} .response-col_description").text
    assert_no_messages_and_only_own_requests(browser, origin)


def test_redoc_and_its_search(served: Api, browser: Browser) -> None:
    origin = f"http://127.0.0.1:{served.port}"
    browser.open(f"{origin}/redoc")
    assert browser.find("h1").text.startswith("Todo Backend")
    browser.type("input[placeholder='Search...']", "list tasks")
    assert "tasks" in browser.find("[data-role='search:results'] label").text.lower()
    assert_no_messages_and_only_own_requests(browser, origin)


def test_violations_of_the_policy_are_detected(served: Api, browser: Browser) -> None:
    origin = f"http://127.0.0.1:{served.port}"
    browser.open(f"{origin}/docs")
    browser.find("button.authorize")
    assert_no_messages_and_only_own_requests(browser, origin)
    elsewhere = "http://192.0.2.1/x.png"
    for html in (f"<img src='{elsewhere}'>", "<p onclick='run()'>"):
        script = "document.body.insertAdjacentHTML('beforeend', arguments[0])"
        browser.driver.execute_script(script, html)
        assert any("Content Security Policy" in text for text in browser.console_messages()), html
    assert browser.requests() == [elsewhere]
