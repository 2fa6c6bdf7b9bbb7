"""The page at `/` of a running server, as a person sees it in a real browser."""

from collections.abc import Iterator

import pytest

from lightwell import __version__
from lightwell.contract.versions import API_VERSION
from tests.serving import lightwell_server
from tests.ui.browser import Page, browser

STATUS = "document.getElementById('status')?.textContent"
LEAST_CONTRAST = 4.5
"""What WCAG 2 asks for of text of this size."""

CONTRASTS = """
(() => {
  const shades = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const light = (colour) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = shades(colour).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return colour === "rgba(0, 0, 0, 0)" ? behind(node.parentElement) : colour;
  };
  return [...document.querySelectorAll("h1, h2, p, dt, dd, a, code")].map((node) => {
    const both = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => a - b);
    return [node.textContent.trim(), (both[1] + 0.05) / (both[0] + 0.05)];
  });
})()
"""


@pytest.fixture(scope="module")
def api_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API's address of a running server."""
    with lightwell_server(tmp_path_factory.mktemp("server")) as server:
        yield server.api_url


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser that is started once."""
    with browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def page(opened: Page, api_url: str) -> Page:
    """The server's page, opened afresh."""
    opened.tell("Emulation.clearDeviceMetricsOverride")
    opened.tell("Emulation.setEmulatedMedia", features=[])
    opened.complaints.clear()
    opened.open(api_url.removesuffix("/api"))
    opened.wait_for(STATUS, "Ready")
    return opened


@pytest.mark.parametrize(("scheme", "ground"), [("light", "rgb(246, 247, 249)"), ("dark", "rgb(16, 22, 29)")])
def test_it_says_what_runs_here_and_that_it_is_ready(page: Page, api_url: str, scheme: str, ground: str) -> None:
    """Readable in light and in dark, as the person likes it, and without a complaint of the browser."""
    page.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    page.wait_for("getComputedStyle(document.body).backgroundColor", ground)
    shown = page.value("document.body.innerText")

    assert {__version__, API_VERSION, api_url, f"export PREFECT_API_URL={api_url}"} <= set(shown.splitlines())
    assert page.value("document.getElementById('status').className") == "status ready"
    assert [text for text, contrast in page.value(CONTRASTS) if contrast < LEAST_CONTRAST] == []
    assert page.complaints == []


def test_it_fits_a_small_screen(page: Page) -> None:
    """Nothing needs scrolling sideways."""
    page.tell("Emulation.setDeviceMetricsOverride", width=320, height=640, deviceScaleFactor=1, mobile=True)

    page.wait_for("window.innerWidth", 320)
    assert page.value("document.documentElement.scrollWidth") == 320


def test_its_links_lead_to_documents(page: Page, api_url: str) -> None:
    """Both are there where the page says."""
    links = page.value("[...document.links].map((link) => link.href)")

    assert links == [f"{api_url}/docs", f"{api_url}/openapi.json"]


def test_it_tells_when_the_server_is_gone(page: Page) -> None:
    """The page goes on asking, and says what it finds."""
    page.tell("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=-1, uploadThroughput=-1)
    try:
        page.wait_for(STATUS, "The server does not answer")
    finally:
        page.tell(
            "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1
        )
    page.wait_for(STATUS, "Ready")
