"""The machine, the product and its peers, as results tell them: no names of hosts, no paths."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def _output(*command, cwd=None):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
        return (done.stdout + done.stderr).strip() if done.returncode == 0 else ""
    except OSError:
        return ""


def _first(pattern, text):
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else "unknown"


def describe():
    cpu = _first(r"^model name\s*:\s*(.*)$", pathlib.Path("/proc/cpuinfo").read_text())
    kib = int(_first(r"^MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text()))
    system = _first(r'^PRETTY_NAME="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text())
    cores = len(os.sched_getaffinity(0))
    return f"{cpu}, {cores} cores, {kib / 2**20:.0f} GiB, {system}, Linux {platform.release()}"


PRODUCT = ("app", "channels", "hub", "net", "storage", "migrations", "cmake", "CMakeLists.txt", "CMakePresets.json")


def commit():
    """The last one that changed what the hub is built from."""
    name = _output("git", "log", "-1", "--format=%h", "--abbrev=10", "--", *PRODUCT, cwd=REPOSITORY)
    changed = _output("git", "status", "--porcelain", "--", *PRODUCT, cwd=REPOSITORY)
    return (name or "unknown") + (" with changes" if changed else "")


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def package_version(name):
    """Of a Debian package; empty where it is not installed."""
    return _output("dpkg-query", "-W", "-f", "${Version}", name)


def node_version():
    return _output("node", "--version")
