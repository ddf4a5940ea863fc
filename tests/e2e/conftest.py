"""What every file here has: hubs that end with their tests, and a word on tools that are missing."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from harness.http import Http  # noqa: E402
from harness.hub import BINARY, Hub  # noqa: E402
from harness.openapi import Contract  # noqa: E402

LOCAL_WEBHOOKS = ("--webhooks-allow-http", "--webhooks-allow-cidrs", "127.0.0.0/8")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "plain_binary: of the hub as it is installed; a library goes before its own, or its memory is weighed"
    )
    Http.judge = Contract.of_repository().judge


def pytest_report_header():
    return f"hub: {BINARY}"


@pytest.fixture
def make_hub(tmp_path_factory):
    """Makes hubs that serve; they end with the test."""
    hubs = []

    def make(*options):
        hubs.append(Hub(tmp_path_factory.mktemp("hub"), *options))
        return hubs[-1].start()

    yield make
    for hub in hubs:
        hub.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A hub that the tests of a file share; webhooks may go to this machine."""
    shared = Hub(tmp_path_factory.mktemp("hub"), *LOCAL_WEBHOOKS)
    try:
        yield shared.start()
    finally:
        shared.close()


@pytest.fixture(params=["running", "at rest"])
def tended(request, make_hub):
    """A hub whose data the commands work on, and back(), which makes sure that it runs."""
    hub = make_hub(*LOCAL_WEBHOOKS)
    if request.param == "at rest":
        hub.stop()

    def back():
        if hub.process.poll() is not None:
            hub.start()
        return hub

    return hub, back


@pytest.fixture
def missing():
    """Skips a test that lacks something; where all tools are wanted, fails it."""

    def give_up(what):
        if os.environ.get("CARILLON_REQUIRE_ALL_TOOLS"):
            pytest.fail(what)
        pytest.skip(what)

    return give_up
