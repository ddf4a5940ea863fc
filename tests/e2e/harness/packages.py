"""Tools of others that tests use, from their registries: in the user's cache, once for all runs."""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess

from .hub import end_with_parent

PATIENCE_S = 300
PYTHON = "/usr/bin/python3"
PYTHON_TOOLS = pathlib.Path(__file__).resolve().parents[1] / "clients/python_tools.txt"


def npm(missing, name, version):
    """The folder that an npm package is installed in. Calls `missing` with what cannot be had."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            return missing(f"{tool} is not installed")
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock")

    def install(folder):
        return run("npm", "install", "--prefix", str(folder), *options, f"{name}@{version}", cwd=folder)

    folder, why = cached(f"{name.strip('@').replace('/', '-')}-{version}", install)
    return missing(f"npm cannot install {name}@{version}: {why}") if why else folder


def python(missing):
    """The interpreter that has what python_tools.txt lists, to the version."""
    if not os.access(PYTHON, os.X_OK):
        return missing(f"{PYTHON} is not installed")
    mark = hashlib.sha256(PYTHON_TOOLS.read_bytes()).hexdigest()[:16]

    def install(folder):
        interpreter = str(folder / "bin/python")
        quiet = ("-q", "--disable-pip-version-check", "--no-input")
        return run(PYTHON, "-m", "venv", str(folder)) or run(
            interpreter, "-m", "pip", "install", *quiet, "--no-deps", "-r", str(PYTHON_TOOLS)
        )

    folder, why = cached(f"python-tools-{mark}", install)
    return missing(f"pip cannot install {PYTHON_TOOLS.name}: {why}") if why else str(folder / "bin/python")


def cached(name, install):
    """The folder of that name, and None; or why it cannot be had. What was begun and not ended is begun anew."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "carillon-tests"
    cache.mkdir(parents=True, exist_ok=True)
    folder, whole = cache / name, cache / f"{name}.whole"
    with locked(cache / "lock"):  # tests run beside each other
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            if why := install(folder):
                return folder, why
            whole.touch()
    return folder, None


@contextlib.contextmanager
def locked(path):
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(*command, cwd=None):
    """Why it cannot be done; None when it is."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            cwd=cwd,
            preexec_fn=end_with_parent,
        )
    except subprocess.TimeoutExpired:
        return f"not in {PATIENCE_S} s"
    return None if done.returncode == 0 else done.stderr.strip() or f"{command[0]} ended with {done.returncode}"
