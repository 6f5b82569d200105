"""A headless Chromium, driven over its pipe: any width, light or dark, keys, screenshots, axe-core."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NO_BROWSER = "no Chromium here (Debian: apt-get install chromium)"

#: axe-core comes from npm and is not part of the repository; `make axe` fetches it.
AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"))
NO_AXE = f"no {AXE.name} here (make axe fetches it)"

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)


class Tab:
    """One page, as a person at a window of some width sees it."""

    def __init__(self, pipe: Pipe, session: str) -> None:
        self._pipe, self._session = pipe, session
        self("Page.enable")
        self("Network.enable")

    def __call__(self, method: str, **given):
        return self._pipe.call(method, given, self._session)

    def open(self, path: Path, width: int = 1200, height: int = 900, *, dark: bool = False) -> Tab:
        """Load a file in a window of this width; 640 and less is a telephone."""
        self._pipe.events.clear()
        self(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width <= 640,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self("Emulation.setEmulatedMedia", features=[scheme, still])
        self("Page.navigate", url=path.absolute().as_uri())
        self._pipe.wait("Page.loadEventFired")
        return self

    def script(self, allowed: bool) -> None:
        """Switch the scripts of the page on or off, from the next load on."""
        self("Emulation.setScriptExecutionDisabled", value=not allowed)

    def value(self, expression: str):
        """Evaluate JavaScript, wait for its promise, and return what JSON has of it."""
        done = self("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in done:
            raise AssertionError(done["exceptionDetails"])
        return done["result"].get("value")

    def press(self, key: str, times: int = 1) -> None:
        """Press a key such as "Tab" or "ArrowRight"."""
        code = {"Tab": 9, "ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "Enter": 13}[key]
        for _ in range(times):
            for kind in ("rawKeyDown", "keyUp"):
                self("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    @property
    def requests(self) -> list[str]:
        """Addresses asked for since the page was opened, those inside the page left out."""
        sent = [e["params"] for e in self._pipe.events if e["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"] for one in sent if not one["request"]["url"].startswith("data:")]

    @property
    def sticks_out(self) -> list[str]:
        """Elements that reach beyond the right edge, those inside boxes that scroll left out."""
        return self.value("""(() => {
          const wide = document.documentElement.clientWidth;
          const inside = e => { for (let p = e.parentElement; p; p = p.parentElement)
            if (getComputedStyle(p).overflowX != "visible") return true; return false; };
          const out = [...document.body.querySelectorAll("*")].filter(
            e => e.getBoundingClientRect().right > wide + 0.5 && !inside(e));
          const page = document.documentElement.scrollWidth > innerWidth ? ["the page itself"] : [];
          return [...page, ...out.map(e => e.tagName + "." + e.className)];
        })()""")

    def boxes(self, selector: str) -> list[list[int]]:
        """Return left, top, width and height of elements, pixels."""
        return self.value(f"""[...document.querySelectorAll({json.dumps(selector)})].map(e => {{
          const b = e.getBoundingClientRect();
          return [b.left, b.top + scrollY, b.width, b.height].map(Math.round); }})""")

    def picture(self, path: Path | None = None, *, whole: bool = True) -> bytes:
        """Take a screenshot, a PNG, of the whole page."""
        taken = self("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        png = base64.b64decode(taken["data"])
        if path is not None:
            path.write_bytes(png)
        return png

    def axe(self) -> list[str]:
        """Return what axe-core finds against WCAG 2.2 A and AA and its best practices, a line each."""
        self.value(AXE.read_text(encoding="utf-8") + ";0")
        found = self.value(
            "axe.run(document).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
        )
        return [f"{rule}: {node[:200]}" for rule, nodes in found for node in nodes]


class Pipe:
    """Messages to and from the browser: JSON, each ended by a zero byte."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read, self._left, self._last = write, read, b"", 0
        self.events: list[dict] = []

    def call(self, method: str, given: dict, session: str | None = None):
        self._last += 1
        message = {"id": self._last, "method": method, "params": given}
        os.write(
            self._write, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        )
        while (got := self._next()).get("id") != self._last:
            self.events.append(got)
        assert "error" not in got, (method, got.get("error"))
        return got["result"]

    def wait(self, event: str) -> None:
        while not any(one["method"] == event for one in self.events):
            self.events.append(self._next())

    def _next(self) -> dict:
        while b"\0" not in self._left:
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._left += part
        message, _, self._left = self._left.partition(b"\0")
        return json.loads(message)


@contextmanager
def browser(profile: Path):
    """Yield a tab of a fresh browser that reaches no network."""
    to_browser, write = os.pipe()
    read, from_browser = os.pipe()
    # The browser reads at descriptor 3 and writes at 4, so neither may be in the way of the other.
    ours = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (to_browser, from_browser)]
    command = [
        "bash",
        "-c",
        f'exec 3<&{ours[0]} 4>&{ours[1]}; exec "$@"',
        "bash",
        BROWSER,
        *_OPTIONS,
        f"--user-data-dir={profile}",
        "about:blank",
    ]
    process = subprocess.Popen(command, pass_fds=ours, stderr=subprocess.DEVNULL)
    for one in (to_browser, from_browser, *ours):
        os.close(one)
    try:
        pipe = Pipe(write, read)
        target = pipe.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = pipe.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        yield Tab(pipe, session)
    finally:
        process.kill()
        process.wait()
        os.close(write)
        os.close(read)
