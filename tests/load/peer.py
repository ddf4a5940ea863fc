"""What the load tests measure the hub beside: nginx with one static file, and the CPU that a server takes."""

import os
import socket
import subprocess
import time

from harness.hub import end_with_parent

NGINX = """
daemon off; worker_processes auto; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b;
  fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e; open_file_cache max=10;
  server {{ listen 127.0.0.1:{port}; location / {{ root {folder}/files; }} }} }}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_nginx(folder, content):
    """Serves `content` as /job.json. Returns the process, which is to be terminated, and the port."""
    port = free_port()
    (folder / "files").mkdir()
    (folder / "files/job.json").write_bytes(content)
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(NGINX.format(folder=folder, port=port, user=user))
    command = ["nginx", "-e", f"{folder}/error.log", "-c", str(config)]
    process = subprocess.Popen(command, preexec_fn=end_with_parent)
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, "nginx does not start"
            time.sleep(0.02)


def children_of(process):
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as children:
        return [int(child) for child in children.read().split()]


def cpu_s(process):
    """User and system time of all its threads, and of its children."""
    ticks = 0
    for pid in [process.pid, *children_of(process)]:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            ticks += sum(map(int, stat.read().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK")
