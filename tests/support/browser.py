"""Headless Chromium, with its requests and the messages of its console."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions as conditions
from selenium.webdriver.support.wait import WebDriverWait

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT_IN_SECONDS = 20
OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--window-size=1400,1000",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def executables() -> tuple[str, str] | None:
    """Return the paths of Chromium and its driver, or None unless both are installed."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    # GitHub's runners set CHROMEWEBDRIVER.
    folders = [os.environ["PATH"], os.environ.get("CHROMEWEBDRIVER", "")]
    driver = shutil.which("chromedriver", path=os.pathsep.join(filter(None, folders)))
    return (browser, driver) if browser and driver else None


class Browser:
    """A browser with one open page."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._wait = WebDriverWait(driver, TIMEOUT_IN_SECONDS)

    def open(self, url: str) -> None:
        """Open a page."""
        self.driver.get(url)

    def find(self, css: str) -> WebElement:
        """Wait until an element is visible, and return it."""
        return self._wait.until(
            conditions.visibility_of_element_located((By.CSS_SELECTOR, css)), css
        )

    def click(self, css: str) -> None:
        """Wait until an element is clickable, and click on it."""
        self._wait.until(conditions.element_to_be_clickable((By.CSS_SELECTOR, css)), css).click()

    def type(self, css: str, text: str) -> None:
        """Type into an input."""
        self.find(css).send_keys(text)

    def console_messages(self) -> list[str]:
        """Return the errors and warnings in the console since the last call.

        Violations of the Content-Security-Policy are among them.
        """
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in {"SEVERE", "WARNING"}
        ]

    def requests(self) -> list[str]:
        """Return the URLs requested since the last call, except for `blob:` and `data:` URLs."""
        found = []
        for entry in self.driver.get_log("performance"):
            event: dict[str, Any] = json.loads(entry["message"])["message"]
            if event["method"] == "Network.requestWillBeSent":
                found.append(event["params"]["request"]["url"])
            elif event["method"] == "Network.webSocketCreated":
                found.append(event["params"]["url"])
        return [url for url in found if urlsplit(url).scheme not in {"blob", "data"}]


@contextmanager
def open_browser(browser: str, driver: str, log: Path) -> Iterator[Browser]:
    """Run a browser with a new profile."""
    options = ChromeOptions()
    options.binary_location = browser
    # Chromium's sandbox does not work for root.
    for option in (*OPTIONS, *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver, log_output=str(log)))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
