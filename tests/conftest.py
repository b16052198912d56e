"""Fixtures that several files of tests share."""

from collections.abc import Iterator

import browser
import pytest


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[browser.Lab]:
    """Start JupyterLab with a browser, once for all tests; skip where there is no browser."""
    if reason := browser.missing():
        pytest.skip(reason)
    running = browser.Lab(tmp_path_factory.mktemp("lab"))
    yield running
    running.close()
