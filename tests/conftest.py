"""Fixtures that several files of tests share."""

from collections.abc import Iterator

import browser
import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is quick first, so that most mistakes show at once."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[browser.Lab]:
    """Start JupyterLab with a browser, once for all tests; skip where there is no browser."""
    if reason := browser.missing():
        pytest.skip(reason)
    running = browser.Lab(tmp_path_factory.mktemp("lab"))
    yield running
    running.close()
