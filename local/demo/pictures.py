"""`python -m local.demo.pictures`: plays a demo, and takes the pictures of docs/desk.md in a browser meanwhile.

It needs Chromium. The pages are those of a risk officer, during and after the first crash.
"""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from local.demo.logins import PASSWORD, RISK_OFFICER

LAPTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
#: How long to wait for the service to be up, for the first sales, and then for the most of them to be done.
_READY_SECONDS, _CRASH_SECONDS, _SALES_SECONDS = 180, 240, 25


def main() -> int:
    """Take all pictures; the exit code says whether it worked."""
    parser = argparse.ArgumentParser(prog="python -m local.demo.pictures", description=__doc__)
    parser.add_argument("--into", type=Path, default=Path("docs/images/desk"), help="folder (%(default)s)")
    parser.add_argument("--port", type=int, default=4800, help="of the demo's admin (%(default)s)")
    chosen = parser.parse_args()
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        print("Chromium is needed: apt-get install chromium")
        return 1
    chosen.into.mkdir(parents=True, exist_ok=True)
    home = f"http://127.0.0.1:{chosen.port}"
    folder = Path(".local/pictures")
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "local.demo", "--port", str(chosen.port), "--folder", str(folder)]
    demo = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_for(f"{home}/health/live")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
            _take(browser, home, chosen.into)
            browser.close()
    finally:
        demo.terminate()
        demo.wait()
    return 0


def _wait_for(address: str) -> None:
    ends = time.monotonic() + _READY_SECONDS
    while time.monotonic() < ends:
        try:
            if requests.get(address, timeout=2).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.5)
    raise TimeoutError(f"{address} does not answer")


def _take(browser: Browser, home: str, into: Path) -> None:
    pages = {
        (device, scheme): _log_in(browser, home, size, scheme)
        for device, size in (("laptop", LAPTOP), ("phone", PHONE))
        for scheme in ("light", "dark")
    }
    page = pages["laptop", "light"]
    page.get_by_text("selling", exact=True).first.wait_for(timeout=_CRASH_SECONDS * 1000)
    for (device, scheme), shown in pages.items():
        _picture(shown, into / f"overview-{device}-{scheme}.png", whole=device == "laptop")
    time.sleep(_SALES_SECONDS)
    sold = f"{home}/admin/liquidation/liquidation/?status__exact=settled"
    page.goto(sold)
    _picture(page, into / "liquidations.png")
    page.goto(f"{home}/admin/loans/loan/?status__exact=liquidated")
    page.locator("#result_list tbody a").first.click()
    _picture(page, into / "loan.png", whole=True)
    for name in ("stress", "replay", "prices"):
        page.goto(f"{home}/admin/desk/{name}/" + ("?fall=30" if name == "stress" else ""))
        _picture(page, into / f"{name}.png", whole=name == "stress")
    page.goto(f"{home}/admin/controls/control/")
    _picture(page, into / "controls.png")


def _log_in(browser: Browser, home: str, size: dict[str, int], scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    page.goto(f"{home}/admin/")
    page.get_by_label("Username").fill(RISK_OFFICER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.locator("#dashboard").wait_for()
    return page


def _picture(page: Page, path: Path, *, whole: bool = False) -> None:
    page.wait_for_load_state("load")
    page.screenshot(path=path, full_page=whole)
    print(path)


if __name__ == "__main__":
    sys.exit(main())
