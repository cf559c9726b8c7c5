"""Headless Chromium, and what it asked for and complained about."""

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
PATIENCE_IN_SECONDS = 20
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
    """Chromium and its driver, where both are installed."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    # Where GitHub's machines keep it.
    folders = [os.environ["PATH"], os.environ.get("CHROMEWEBDRIVER", "")]
    driver = shutil.which("chromedriver", path=os.pathsep.join(filter(None, folders)))
    return (browser, driver) if browser and driver else None


class Browser:
    """A browser that is at one page after the other."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._wait = WebDriverWait(driver, PATIENCE_IN_SECONDS)

    def open(self, url: str) -> None:
        """Go to a page."""
        self.driver.get(url)

    def find(self, css: str) -> WebElement:
        """An element, as soon as it is shown."""
        return self._wait.until(
            conditions.visibility_of_element_located((By.CSS_SELECTOR, css)), css
        )

    def click(self, css: str) -> None:
        """Click on an element, as soon as it can be."""
        self._wait.until(conditions.element_to_be_clickable((By.CSS_SELECTOR, css)), css).click()

    def type(self, css: str, text: str) -> None:
        """Write into a field."""
        self.find(css).send_keys(text)

    def complaints(self) -> list[str]:
        """Errors and warnings in the console since the last time, violations of a policy too."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in {"SEVERE", "WARNING"}
        ]

    def requests(self) -> list[str]:
        """The URLs that the page asked for since the last time; those of its own content not."""
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
    """Start a browser with nothing in it, and end it."""
    options = ChromeOptions()
    options.binary_location = browser
    # Chromium has no sandbox for root.
    for option in (*OPTIONS, *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver, log_output=str(log)))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
