"""Standard Webhooks' own verifier (npm: standardwebhooks), run by Node, as a receiver would run it."""

import base64
import fcntl
import json
import os
import pathlib
import shutil
import subprocess

from .hub import PATIENCE_S, end_with_parent

VERSION = "1.0.0"
SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "clients/verify_webhook.js"
INSTALL_PATIENCE_S = 120


def installed(missing):
    """The folder it is in: the user's cache, once for all runs. Calls `missing` with what cannot be had."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            return missing(f"{tool} is not installed")
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "carillon-tests"
    folder = cache / f"standardwebhooks-{VERSION}"
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w") as lock:  # tests run beside each other
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists() and (why := install_into(folder)):
            return missing(f"npm cannot install standardwebhooks@{VERSION}: {why}")
    return folder


def install_into(folder):
    """Why that cannot be done; None when it is. What was begun and not ended is never taken for the whole."""
    begun = folder.with_suffix(".begun")
    shutil.rmtree(begun, ignore_errors=True)
    begun.mkdir()
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock")
    command = ["npm", "install", "--prefix", str(begun), *options, f"standardwebhooks@{VERSION}"]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=INSTALL_PATIENCE_S,
            check=False,
            cwd=begun,
            preexec_fn=end_with_parent,
        )
    except subprocess.TimeoutExpired:
        return f"not in {INSTALL_PATIENCE_S} s"
    if done.returncode != 0:
        return done.stderr.strip()
    begun.rename(folder)
    return None


class Verifier:
    def __init__(self, missing):
        self.folder = installed(missing)

    def judge(self, key, hook, **changed):
        """"accepted", or "refused: …". Of the delivery, `body` or header fields (given with `_` for `-`) may be
        changed."""
        body = changed.pop("body", hook.body)
        fields = {**hook.fields, **{name.replace("_", "-"): value for name, value in changed.items()}}
        line = json.dumps({"key": key, "headers": fields, "body": base64.b64encode(body).decode()}) + "\n"
        done = subprocess.run(
            ["node", str(SCRIPT), str(self.folder)],
            input=line,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
            preexec_fn=end_with_parent,
        )
        return done.stdout.strip()
