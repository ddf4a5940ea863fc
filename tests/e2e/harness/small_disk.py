"""A disk of a few MiB (tmpfs), that a test fills, empties and makes read-only.

Mounted by root; by anyone else in a mount namespace of a user namespace, where the kernel lets one make those. What is
run on it is run with `prefix` before it, which enters the namespace."""

import os
import subprocess

from .hub import PATIENCE_S, end_with_parent


class NoDisk(Exception):
    """None can be had here."""


class SmallDisk:
    """`path` is where it is mounted, for those whose command begins with `prefix`."""

    def __init__(self, folder, size_bytes):
        self.path = folder / "disk"
        self.path.mkdir()
        self.prefix = []
        self._keeper = None
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=0700", "tmpfs", str(self.path)]
        if os.geteuid() == 0 and self._run(mount, check=False) == 0:
            return
        self._enter_namespace()
        if self._run(mount, check=False) != 0:
            self.close()
            raise NoDisk("no tmpfs can be mounted here, neither as root nor in a user namespace")

    def _enter_namespace(self):
        """Which lives for as long as the one who keeps it."""
        try:
            self._keeper = subprocess.Popen(
                ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "echo ready; exec cat"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=end_with_parent)
        except FileNotFoundError:
            raise NoDisk("there is no unshare here, and only root mounts a disk without it") from None
        if not self._keeper.stdout.readline():
            self.close()
            raise NoDisk("no user namespace can be made here, and only root mounts a disk without one")
        self.prefix = ["nsenter", "--target", str(self._keeper.pid), "--user", "--mount", "--preserve-credentials"]

    def _run(self, command, check=True, **options):
        return subprocess.run([*self.prefix, *command], check=check, timeout=PATIENCE_S, stderr=subprocess.DEVNULL,
                              preexec_fn=end_with_parent, **options).returncode

    def close(self):
        if self._keeper:
            self._keeper.stdin.close()
            self._keeper.wait(PATIENCE_S)
            self._keeper.stdout.close()
        else:
            self._run(["umount", "--lazy", str(self.path)])

    # --- what is done to it -------------------------------------------------------------------------------------------

    def fill(self):
        """To the last byte."""
        self._run(["sh", "-c", f"cat /dev/zero >>'{self.path}/ballast'"], check=False)

    def empty(self):
        """Gives back what fill() took."""
        self._run(["rm", "-f", f"{self.path}/ballast"])

    def set_read_only(self, read_only):
        """While nobody has a file open for writing."""
        self._run(["mount", "-o", f"remount,{'ro' if read_only else 'rw'}", str(self.path)])
