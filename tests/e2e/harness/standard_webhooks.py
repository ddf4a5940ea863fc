"""Standard Webhooks' own verifier (npm: standardwebhooks), run by Node, as a receiver would run it."""

import base64
import json
import pathlib
import subprocess

from . import packages
from .hub import PATIENCE_S, end_with_parent

VERSION = "1.0.0"
SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "clients/verify_webhook.js"


class Verifier:
    def __init__(self, missing):
        self.folder = packages.npm(missing, "standardwebhooks", VERSION)

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
