"""A person at a VNC desktop in a browser: sees it, compares it with the server's own picture, and types."""

from __future__ import annotations

import base64
import io

from PIL import Image
from playwright.async_api import BrowserContext, Page

from tests.support.browser import Console
from tests.support.vnc import SIZE, VncDesktop, colourful, difference
from tests.support.waiting import until

JPEG_TOLERANCE = 6
"""Of 255, in any channel of any pixel: gradients and noise are sent as JPEG, at its best quality once nothing moves."""
LINE = "Through wsgui: 0123456789 ~!@#$%^&*()_+{}|[]\\;':,./<>?"


async def canvas(page: Page) -> Image.Image:
    """What noVNC has drawn."""
    data = await page.evaluate("document.querySelector('#screen canvas').toDataURL('image/png')")
    with Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))) as image:
        return image.convert("RGB")


async def shows(page: Page, desktop: VncDesktop, *, tolerance: int = 0) -> None:
    """Wait until the page shows what the server shows, but for `tolerance` in any channel of any pixel."""
    seen = 0

    async def same() -> bool:
        nonlocal seen
        seen = difference(await canvas(page), desktop.screenshot())
        return seen <= tolerance

    try:
        await until("the page showing what the server shows", same)
    except AssertionError as error:
        raise AssertionError(f"{error} (largest difference: {seen} of 255)") from None


async def use_desktop(context: BrowserContext, url: str, desktop: VncDesktop) -> None:
    """Open the page at `url`, which came through the tunnel, and use the desktop in it: look, and type."""
    typed = desktop.typewriter()
    desktop.paint(colourful())
    page = await context.new_page()
    console = Console(page)
    await page.goto(url)
    try:
        await page.wait_for_selector("body[data-state=connected]", timeout=30_000)
    except Exception as error:
        raise AssertionError(f"not connected; the console says {console.lines}") from error
    await shows(page, desktop, tolerance=JPEG_TOLERANCE)
    assert (await canvas(page)).size == SIZE
    assert len(desktop.screenshot().getcolors(SIZE[0] * SIZE[1]) or ()) > 1000  # else it would prove little

    # Keys go to the window under the pointer: there is no window manager.
    await page.locator("#screen canvas").click(position={"x": 60, "y": 60})
    await page.keyboard.type(LINE + "\n")
    await until("the line in the xterm", typed.read_text)
    assert typed.read_text() == LINE + "\n"
    await shows(page, desktop, tolerance=JPEG_TOLERANCE)

    desktop.fill("#13579b")
    await until("the new background", lambda: desktop.screenshot().getpixel((635, 475)) == (0x13, 0x57, 0x9B))
    await shows(page, desktop)
    assert await page.get_attribute("body", "data-state") == "connected"
