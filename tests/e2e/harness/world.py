"""Hubs in a world that a test steers, by a library that is loaded before the system's: see world.c."""

import pathlib
import time

from . import hold

SOURCE = pathlib.Path(__file__).with_name("world.c")


class World:
    def __init__(self, folder):
        self._folder = folder
        self.environment = {"LD_PRELOAD": str(hold.build(folder, SOURCE)), "WORLD_FOLDER": str(folder)}

    def set_read_only(self, read_only):
        """All disks, for who lives in it."""
        file = self._folder / "read-only"
        file.touch() if read_only else file.unlink()

    def set_clock(self, off_s):
        """The time of day is off by so much from now on."""
        fresh = self._folder / "clock.new"
        fresh.write_text(str(round(off_s * 1000)))
        fresh.rename(self._folder / "clock")
        self.off_s = off_s

    off_s = 0

    def now_s(self):
        """As it is seen there."""
        return time.time() + self.off_s
