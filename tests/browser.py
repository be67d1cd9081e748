# Licensed under a 3-clause BSD style license - see LICENSE.rst
"""Chromium without a window, for tests, benchmarks and the pictures of the documentation."""

import shutil
from contextlib import contextmanager
from tempfile import TemporaryDirectory

__all__ = ["lacking", "open_browser"]

_CHROMIUM = "chromium", "chromium-browser", "google-chrome"
_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def lacking():
    """
    Say what is missing to drive a browser.

    Returns
    -------
    reason : str
        Empty if nothing is.
    """
    try:
        import selenium  # noqa: F401
    except ImportError:
        return "selenium is not installed"
    missing = [] if _chromium() else ["Chromium"]
    missing += [] if shutil.which("chromedriver") else ["ChromeDriver"]
    return f"{' and '.join(missing)} not found in PATH" if missing else ""


@contextmanager
def open_browser(width=1280, height=900, *, theme="light", downloads=None):
    """
    Start Chromium with a profile of its own, and end it.

    Parameters
    ----------
    width, height : int, optional
        Size of the page in CSS pixels.
    theme : {'light', 'dark'}, optional
        What the user of the browser prefers.
    downloads : path-like, optional
        Where files that are downloaded go.

    Yields
    ------
    browser : `selenium.webdriver.Chrome`
        Its log of the console and of the network is kept.
    """
    from selenium import webdriver

    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = _chromium()
        for argument in (*_ARGUMENTS, f"--user-data-dir={profile}", f"--window-size={width},{height}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
        browser = webdriver.Chrome(options, service)
        try:
            metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            scheme = [{"name": "prefers-color-scheme", "value": theme}]
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
            if downloads is not None:
                where = {"behavior": "allow", "downloadPath": str(downloads)}
                browser.execute_cdp_cmd("Page.setDownloadBehavior", where)
            yield browser
        finally:
            browser.quit()


def _chromium():
    return next(filter(None, map(shutil.which, _CHROMIUM)), None)
