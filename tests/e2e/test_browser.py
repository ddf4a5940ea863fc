"""A real browser's handshake, with the key as subprotocol."""

import http.server
import os
import shutil
import subprocess
import threading

from harness.hub import PATIENCE_S, end_with_parent

PAGE = """<!doctype html><script>
const socket = new WebSocket("{scheme}://127.0.0.1:{port}/api/v1/ws/jobs", {protocols});
const say = text => fetch("/", {{method: "POST", body: text}});
socket.onmessage = message => say(socket.protocol + " " + message.data);
socket.onclose = close => say("closed " + close.code + " " + close.reason);
</script>"""


def what_a_page_gets(tmp_path, port, protocols, missing, scheme="ws", options=()):
    """The first thing that the page's WebSocket tells."""
    browser = shutil.which("chromium") or missing("chromium is not installed")
    told = []
    has_told = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = PAGE.format(scheme=scheme, port=port, protocols=protocols).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            told.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()
            has_told.set()

        def log_message(self, *ignored):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        command = [browser, "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
                   "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
                   f"--user-data-dir={tmp_path / 'profile'}", "--remote-debugging-port=0",
                   *options, f"http://127.0.0.1:{server.server_address[1]}/"]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        with open(tmp_path / "browser.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=end_with_parent)
            try:
                has_told.wait(2 * PATIENCE_S)
            finally:
                process.kill()
                process.wait()
                server.shutdown()
    assert told, (tmp_path / "browser.log").read_text()
    return told[0]


def test_the_key_as_subprotocol(hub, tmp_path, missing):
    told = what_a_page_gets(tmp_path, hub.port, f'["{hub.client}"]', missing)
    assert told.startswith(hub.client + ' {"type":"connected",')


def test_the_key_beside_a_subprotocol_is_not_echoed(hub, tmp_path, missing):
    told = what_a_page_gets(tmp_path, hub.port, f'["carillon.v1", "{hub.client}"]', missing)
    assert told.startswith('carillon.v1 {"type":"connected",')


def test_a_refused_key_is_told_by_4001(hub, tmp_path, missing):
    assert what_a_page_gets(tmp_path, hub.port, '["sk_live_wrong"]', missing) == "closed 4001 Invalid API key"
