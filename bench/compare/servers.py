"""The hub and its peers: how each is started, and how each is told of an update, listened to and asked.

All take the same jobs for their topics, and send the same bytes: what peers are told to pass on is the text that the
hub makes of a report.
"""

import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import time
import uuid

from . import machine

REPOSITORY = machine.REPOSITORY
sys.path += [str(REPOSITORY / "tests/e2e"), str(REPOSITORY / "tests/load")]
sys.dont_write_bytecode = True

from harness.http import Http  # noqa: E402
from harness.hub import BINARY, Hub, end_with_parent  # noqa: E402
from peer import free_port  # noqa: E402

PEERS = pathlib.Path(__file__).resolve().parents[1] / "peers"
NODE_MODULES = REPOSITORY / "build/bench/npm/node_modules"
NCHAN = pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
PATIENCE_S = 30

PROGRESS = '{"n":{n},"t":{t},"pad":"{pad}"}'
# A job_update over WebSocket, and a job over HTTP, as the hub sends them.
UPDATE = (
    '{"type":"job_update","job_id":"{job}","status":"running","result":null,"error":null,"progress":'
    + PROGRESS
    + ',"ts":1795580145}'
)


class Tools:
    """The programs that put load on servers, of the same build as the hub."""

    def __init__(self):
        self.folder = pathlib.Path(BINARY).parents[1]

    def missing(self):
        return [name for name in ("any_load", "hub_load", "curl_floor", "sqlite_floor") if not self.path(name).exists()]

    def path(self, name):
        return self.folder / ("bench/peers" if name == "poco_server" else "tests/load") / name

    @staticmethod
    def _arguments(options):
        return [str(part) for name, value in options.items() for part in ("--" + name.replace("_", "-"), value)]

    def load(self, work, **options):
        """Figures of any_load; {"error": …} where it could not do the work."""
        command = [str(self.path("any_load")), work, *self._arguments(options)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=end_with_parent)
        return self.figures(done.returncode, done.stdout, done.stderr)

    def receive(self, **options):
        """any_load as it begins to receive webhooks."""
        command = [str(self.path("any_load")), "webhooks", *self._arguments(options)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=end_with_parent
        )
        process.stderr.readline()  # it listens
        return process

    def run(self, name, *arguments):
        command = [str(self.path(name)), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=end_with_parent)
        return self.figures(done.returncode, done.stdout, done.stderr)

    @staticmethod
    def figures(code, out, error):
        return json.loads(out) if code == 0 else {"error": error.strip().splitlines()[-1] if error.strip() else code}


class DoesNotStart(Exception):
    pass


class Server:
    """Started in a folder of its own, for work of that size; `body` is what it answers a GET with, where it serves one
    thing."""

    name = ""
    label = ""
    unknown = ()  # of what the judge asks for

    def __init__(self, tools, folder, size, body=b""):
        self.tools = tools
        self.folder = folder
        self.size = size
        self.body = body
        self.port = 0
        self.process = None

    @staticmethod
    def why_not(_tools):
        """Why it cannot be measured here; empty where it can."""
        return ""

    @staticmethod
    def version():
        return ""

    def __enter__(self):
        self.folder.mkdir(parents=True)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *ignored):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)

    def start(self):
        raise NotImplementedError

    def spawn(self, command, **environment):
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **environment},
            preexec_fn=end_with_parent,
        )
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise DoesNotStart(f"{self.label}: does not start") from None
                time.sleep(0.02)

    @property
    def at(self):
        return {"port": self.port, "pid": self.process.pid}

    def listening(self):
        return {"listen_target": "/sub/{job}"}

    def publishing(self, body=UPDATE):
        return {"publish_method": "POST", "publish_target": "/pub/{job}", "publish_body": body}

    def polling(self):
        return {"listen_target": "/poll/{job}"}


class Carillon(Server):
    name = "carillon"
    label = "Carillon"
    WEBHOOKS = ("--webhooks-allow-http=true", "--webhooks-allow-cidrs", "127.0.0.0/8")
    IN_FLIGHT = ("--webhooks-in-flight-per-endpoint", "64")

    def start(self):
        self.hub = Hub(self.folder, *self.WEBHOOKS, *self.IN_FLIGHT, "--log-level", "warning").start()
        self._serves()

    def _serves(self):
        self.port = self.hub.port
        self.process = self.hub.process

    def __exit__(self, *ignored):
        self.hub.close()  # at once: what it has on disk is not looked at again

    def restart(self, between):
        """Calls `between` while it does not run."""
        self.hub.stop()
        between(self.hub)
        self.hub.start()
        self._serves()

    def jobs(self, count, running=True):
        """New ones, written to a file, one id a line; the file."""
        ids = [str(uuid.uuid4()) for _ in range(count)]
        self._all([f'POST /api/v1/jobs {{"job_id":"{job}"}}' for job in ids], self.hub.client, 201)
        if running:
            self._all([f'PATCH /api/v1/jobs/{job} {{"status":"running"}}' for job in ids], self.hub.worker, 200)
        file = self.folder / f"{ids[0]}.jobs"
        file.write_text("\n".join(ids) + "\n")
        return file

    def report(self, job, progress):
        """Its progress, as JSON text, which the hub keeps as it comes; the answer's body."""
        body = f'{{"status":"running","progress":{progress}}}'.encode()
        answer = self.hub.http(self.hub.worker).patch(f"/api/v1/jobs/{job}", body, Content_Type="application/json")
        assert answer.status == 200, answer
        return answer.body

    def _all(self, lines, key, status):
        file = self.folder / "requests"
        file.write_text("\n".join(lines) + "\n")
        figures = self.tools.load(
            "requests",
            **self.at,
            requests=file,
            operations=len(lines),
            connections=min(64, len(lines)),
            status=status,
            publish_fields=f"X-API-Key: {key}\n",
            warm_up=0,
        )
        assert figures.get("failed") == 0, figures

    def listening(self):
        return {
            "listen_target": "/api/v1/ws/jobs",
            "listen_fields": f"X-API-Key: {self.hub.client}\n",
            "subscribe": '{"action":"subscribe","job_id":"{job}"}',
        }

    def publishing(self, body=None):
        return {
            "publish_method": "PATCH",
            "publish_target": "/api/v1/jobs/{job}",
            "publish_fields": f"X-API-Key: {self.hub.worker}\n",
            "publish_body": '{"status":"running","progress":' + PROGRESS + "}",
        }

    def polling(self):
        return {
            "first_target": "/api/v1/jobs/{job}",
            "listen_target": "/api/v1/jobs/{job}?wait=60",
            "listen_fields": f"X-API-Key: {self.hub.client}\n",
        }


class Nginx(Server):
    """Its static file."""

    name = "nginx"
    label = "nginx, static file"
    workers = "auto"

    @staticmethod
    def why_not(_tools):
        return "" if shutil.which("nginx") and NCHAN.exists() else "nginx with nchan is not installed"

    @staticmethod
    def version():
        return f"nginx {machine.package_version('nginx')}"

    def start(self):
        self.port = free_port()
        (self.folder / "files").mkdir()
        (self.folder / "files/job.json").write_bytes(self.body)
        config = self.folder / "nginx.conf"
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        config.write_text(
            (PEERS / "nginx.conf")
            .read_text()
            .format(
                modules=NCHAN.parent,
                folder=self.folder,
                port=self.port,
                workers=self.workers,
                files=files,
                connections=files - 100,
                user="user root;" if os.geteuid() == 0 else "",
            )
        )
        self.spawn(["nginx", "-e", self.folder / "error.log", "-c", config])


class Nchan(Nginx):
    """With one worker: what it costs to tell workers of one another is not part of the comparison."""

    name = "nchan"
    label = "nchan (nginx)"
    workers = "1"

    @staticmethod
    def version():
        return f"nchan {machine.package_version('libnginx-mod-nchan')} in nginx {machine.package_version('nginx')}"


class NodeServer(Server):
    package = ""
    program = ""

    @classmethod
    def why_not(cls, _tools):
        if not shutil.which("node"):
            return "there is no node"
        return "" if (NODE_MODULES / cls.package).exists() else f"the npm package {cls.package} could not be had"

    @classmethod
    def version(cls):
        package = json.loads((NODE_MODULES / cls.package / "package.json").read_text())
        return f"npm {cls.package} {package['version']} on Node {machine.node_version()}"

    def start(self):
        self.port = free_port()
        body = self.folder / "body"
        body.write_bytes(self.body)
        self.spawn(["node", PEERS / self.program, self.port], NODE_PATH=str(NODE_MODULES), BODY=str(body))


class NodeWs(NodeServer):
    name = "ws"
    label = "Node ws"
    package = "ws"
    program = "ws_server.js"


class Uws(NodeServer):
    """uWebSockets' own releases are not on the npm registry; this package has one, as it was released."""

    name = "uwebsockets"
    label = "uWebSockets.js"
    package = "@trufflesuite/uws-js-unofficial"
    program = "uws_server.js"


class Poco(Server):
    name = "poco"
    label = "Poco HTTPServer"

    @staticmethod
    def why_not(tools):
        return "" if tools.path("poco_server").exists() else "poco_server is not built"

    @staticmethod
    def version():
        return f"Poco {machine.package_version('libpoco-dev')}"

    def start(self):
        self.port = free_port()
        file = self.folder / "body"
        file.write_bytes(self.body)
        self.spawn([self.tools.path("poco_server"), self.port, file])


class Floor(Server):
    """No server: a library that does the bare work, in a process that measures itself."""

    def start(self):
        pass


class Sqlite(Floor):
    name = "sqlite"
    label = "SQLite alone"
    unknown = ("connections", "received_bytes")

    @staticmethod
    def version():
        return f"SQLite {machine.package_version('libsqlite3-0')}"

    def start(self):
        """On a database that a hub has made."""
        with Carillon(self.tools, self.folder / "hub", self.size) as maker:
            maker.jobs(self.size.jobs)
            maker.hub.stop()
            self.database = pathlib.Path(maker.hub.data) / "carillon.db"


class Curl(Floor):
    name = "curl"
    label = "libcurl alone"

    @staticmethod
    def version():
        return f"libcurl {machine.package_version('libcurl4')}"
