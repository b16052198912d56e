"""JupyterLab in a temporary copy with a real browser, for the tests that look at a screen.

A test asks for the fixture `lab` (see conftest.py) and skips where there is no browser:

    def test_something(lab):
        with lab.open(lab.write("a", "import analysis", "1 + 1")) as notebook:
            notebook.run_all()
            assert notebook.faults() == []
            assert notebook.kernel("print(1 + 1)") == "2\n"
            notebook.page.get_by_role("button", name="Next").click()  # playwright's Page
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat

from analysis.reproduce import ROOT

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # whatever asks for another host gets no answer
]  # fmt: skip
_QUIET = '{"fetchNews": "false", "checkForUpdates": false}'
# Read by the server and by every kernel before anything else: writes down each connection that leaves the machine.
_WATCH = """
import os, sys
def watch(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple) and not str(arguments[1][0]).startswith(
        ("127.", "::1", "localhost")
    ):
        with open(os.environ["ANALYSIS_LEFT"], "a") as file:
            file.write(f"{arguments[1]}\\n")
sys.addaudithook(watch)
"""
_IDLE = """() => {
    const panel = jupyterapp.shell.currentWidget;
    const session = panel && panel.sessionContext;
    return Boolean(panel && panel.context && panel.context.isReady && session && session.isReady
        && session.session && session.session.kernel && session.session.kernel.status === 'idle');
}"""
_EXECUTE = """async code => {
    const kernel = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    let written = '', failure = '';
    const future = kernel.requestExecute({code, store_history: false, stop_on_error: true});
    future.onIOPub = message => {
        const content = message.content;
        if (message.header.msg_type === 'stream') written += content.text;
        if (message.header.msg_type === 'error') failure = content.ename + ': ' + content.evalue;
    };
    await future.done;
    return [written, failure];
}"""
_THEMES = {"light": '{"theme": "JupyterLab Light"}', "dark": '{"theme": "JupyterLab Dark"}'}
_RUN_ALL = "() => jupyterapp.commands.execute('notebook:run-all-cells')"
_MODEL = "() => jupyterapp.shell.currentWidget.context.model.toJSON()"


def missing() -> str | None:
    """Say what a browser test lacks on this machine, or None."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "no browser test: playwright is not installed (pip install -e '.[test]')"
    if not any(map(shutil.which, CHROMIUM)):
        return f"no browser test: none of {', '.join(CHROMIUM)} is on the path (Debian: apt install chromium)"
    return None


class Lab:
    """A JupyterLab server over a copy of the notebooks and data in `folder`, and a browser. Close it after use."""

    def __init__(self, folder: Path) -> None:
        from playwright.sync_api import sync_playwright

        self.root = folder / "project"
        for name in ("notebooks", "data"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        self._left = folder / "left.txt"
        self._token = secrets.token_hex(16)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with (folder / "server.log").open("wb") as log:
            self._server = subprocess.Popen(
                self._command(), cwd=self.root, env=self._environment(folder), stdout=log, stderr=log
            )
        try:
            self._wait(folder / "server.log")
            self._playwright = sync_playwright().start()
            executable = next(filter(None, map(shutil.which, CHROMIUM)))
            self._browser = self._playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        except BaseException:
            self._stop()
            raise

    def _command(self) -> list[str]:
        port = self.url.rpartition(":")[2]
        return [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={self._token}",
            f"--ServerApp.root_dir={self.root}", "--expose-app-in-browser",
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--KernelManager.transport_encryption=auto",
        ]  # fmt: skip

    def _environment(self, folder: Path) -> dict[str, str]:
        home = folder / "home"
        places = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR",
                  "JUPYTERLAB_WORKSPACES_DIR", "IPYTHONDIR", "MPLCONFIGDIR"]  # fmt: skip
        own = {name: str(home / name) for name in places}
        for place in own.values():
            Path(place).mkdir(parents=True)
        settings = Path(own["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab"
        quiet, whole = settings / "apputils-extension", settings / "notebook-extension"
        quiet.mkdir(parents=True)
        whole.mkdir()
        (whole / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}', encoding="utf-8")
        (quiet / "notification.jupyterlab-settings").write_text(_QUIET, encoding="utf-8")
        self._theme = quiet / "themes.jupyterlab-settings"  # read when a page is opened
        (home / "sitecustomize.py").write_text(_WATCH, encoding="utf-8")
        path = os.pathsep.join([str(home), str(ROOT)])
        return os.environ | own | {"HOME": str(home), "PYTHONPATH": path, "ANALYSIS_LEFT": str(self._left)}

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self._server.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/api/status?token={self._token}", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")

    def write(self, name: str, *cells: str) -> str:
        """Write a notebook of code cells into the copy and return its path there."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        nbformat.write(notebook, self.root / "notebooks" / f"{name}.ipynb")
        return f"notebooks/{name}.ipynb"

    def open(self, path: str, *, theme: str = "light", width: int = 1280, height: int = 900) -> "Notebook":
        """Open the notebook at `path`, as `write` returns it, in a clean workspace with its kernel idle."""
        self._theme.write_text(_THEMES[theme], encoding="utf-8")
        context = self._browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
        notebook = Notebook(context.new_page(), self.url)
        notebook.page.goto(f"{self.url}/lab/tree/{path}?token={self._token}&reset")
        notebook.page.wait_for_function("() => window.jupyterapp !== undefined")
        notebook.page.evaluate("() => jupyterapp.restored.then(() => null)")
        notebook.idle()
        return notebook

    def left(self) -> list[str]:
        """Addresses outside this machine that the server or a kernel connected to, so far."""
        return self._left.read_text(encoding="utf-8").splitlines() if self._left.exists() else []

    def close(self) -> None:
        """Close the browser and stop the server with its kernels."""
        try:
            self._browser.close()
            self._playwright.stop()
        finally:
            self._stop()

    def _stop(self) -> None:
        for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self._server.poll() is None:
                self._server.send_signal(how)
                if how == signal.SIGINT:
                    self._server.send_signal(how)  # the first asks for confirmation where there is a terminal
            try:
                self._server.wait(timeout=10)
                return
            except subprocess.TimeoutExpired:
                continue


class Notebook:
    """A notebook open in the browser: its `page` (playwright), its kernel, and what went wrong so far."""

    def __init__(self, page: object, url: str) -> None:
        self.page = page
        self.console: list[str] = []  # errors on the console, and exceptions that no script caught
        self.requests: list[str] = []  # addresses asked for that are not the server's
        page.on("console", lambda message: self.console.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.console.append(str(error)))
        own = (f"{url}/", url.replace("http", "ws", 1), "data:", "blob:", "about:")
        page.on("request", lambda asked: None if asked.url.startswith(own) else self.requests.append(asked.url))
        page.on("websocket", lambda asked: None if asked.url.startswith(own) else self.requests.append(asked.url))

    def __enter__(self) -> "Notebook":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def idle(self, seconds: float = 120) -> None:
        """Wait until the kernel has nothing to do."""
        self.page.wait_for_function(_IDLE, timeout=1000 * seconds, polling=50)

    def run_all(self) -> None:
        """Run every cell and wait for the last."""
        self.page.evaluate(f"({_RUN_ALL})().then(() => null)")
        self.idle()

    def model(self) -> dict:
        """Return the notebook as the page holds it, which is more than is on the screen."""
        return self.page.evaluate(_MODEL)

    def faults(self) -> list[str]:
        """Return what should not be: cells that failed or did not run, errors on the console, requests that leave."""
        found = [f"console: {text}" for text in self.console] + [f"request: {url}" for url in self.requests]
        cells = [cell for cell in self.model()["cells"] if cell["cell_type"] == "code" and "".join(cell["source"])]
        for number, cell in enumerate(cells, 1):
            if not cell["execution_count"]:
                found.append(f"code cell {number} did not run")
            for output in cell["outputs"]:
                if output["output_type"] == "error":
                    found.append(f"code cell {number}: {output['ename']}: {output['evalue']}")
                elif output["output_type"] == "stream" and output["name"] == "stderr":
                    found.append(f"code cell {number}, stderr: {''.join(output['text'])[-500:]}")
        return found

    def kernel(self, code: str) -> str:
        """Run `code` in the notebook's kernel, apart from its cells, and return what it printed."""
        written, failure = self.page.evaluate(_EXECUTE, code)
        if failure:
            raise RuntimeError(failure)
        return written

    def value(self, expression: str) -> object:
        """Return what `expression` is in the kernel, by way of JSON."""
        return json.loads(self.kernel(f"import json; print(json.dumps({expression}))"))

    def kill(self) -> None:
        """Kill the kernel as a crash would, and wait until the server has started another in its place."""
        pid = int(self.kernel("import os; print(os.getpid())"))
        os.kill(pid, signal.SIGKILL)
        self.page.wait_for_timeout(500)
        self._accept()
        self.idle()

    def restart(self) -> None:
        """Restart the kernel."""
        restart = "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => null)"
        self.page.evaluate(restart)
        self.idle()

    def _accept(self) -> None:
        """Close the dialogue that says that the kernel has died."""
        button = self.page.locator(".jp-Dialog .jp-mod-accept")
        try:
            button.wait_for(timeout=10_000)
        except Exception as error:
            if "Timeout" not in type(error).__name__:
                raise
        else:
            button.click()

    def close(self) -> None:
        """Shut the kernel down, so that it frees its memory, and close the page without saving."""
        self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.sessionContext.shutdown().then(() => null, () => null)"
        )
        self.page.context.close()
