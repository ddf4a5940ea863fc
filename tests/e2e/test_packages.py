"""The two packages, each in a Debian that has nothing but itself: no development package, no library of ours."""

import contextlib
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness.hub import BINARY, REPOSITORY

pytestmark = pytest.mark.plain_binary

UNIT = REPOSITORY / "etc/systemd/carillon.service"
PATIENCE_S = 240
AS_ROOT = [] if os.geteuid() == 0 else ["sudo", "-n"]
# What every system has with its loader, and no program brings along.
OF_GLIBC = r"linux-vdso|ld-linux|lib(c|m|dl|rt|pthread|resolv)\.so"


def run(*command, check=True, **options):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=PATIENCE_S, check=False, **options
    )
    assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


class Debian:
    """A system in a folder."""

    def __init__(self, folder):
        self.folder = folder
        lists = pathlib.Path("/etc/apt")
        sources = [lists / "sources.list", *lists.glob("sources.list.d/*.list"), *lists.glob("sources.list.d/*.sources")]
        text = "\n\n".join(source.read_text() for source in sources if source.exists())
        dumped = run("apt-config", "dump").stdout.splitlines()
        fetching = folder.parent / "apt.conf"
        fetching.write_text("\n".join(line for line in dumped if line.startswith("Acquire::")) + "\n")
        run(*AS_ROOT, "mmdebstrap", "--quiet", "--variant=apt", f"--aptopt={fetching}", "bookworm", folder, "-", input=text)
        for file in ("resolv.conf", "hosts"):
            run(*AS_ROOT, "cp", f"/etc/{file}", folder / "etc" / file)

    def run(self, *command, check=True):
        """In the system, with its own /proc and the machine's /dev."""
        inside = (
            'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && root=$0 && '
            'exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"'
        )
        enter = [*AS_ROOT, "unshare", "--mount", "sh", "-c", inside, self.folder, "chroot", self.folder]
        return run(*enter, *command, check=check)

    def path(self, inside):
        return self.folder / str(inside).lstrip("/")


@contextlib.contextmanager
def debian(folder):
    try:
        yield Debian(folder / "root")
    finally:
        subprocess.run([*AS_ROOT, "rm", "-rf", str(folder / "root")], check=False)


@pytest.fixture
def able(missing):
    """Skips where no system can be made."""
    for tool in ("mmdebstrap", "unshare", "systemd-analyze", "dpkg-shlibdeps"):
        if not shutil.which(tool):
            missing(f"{tool} is not installed")
    for command in (["true"], ["unshare", "--mount", "true"]):
        if subprocess.run([*AS_ROOT, *command], capture_output=True, check=False).returncode != 0:
            missing(f"not allowed here: {' '.join([*AS_ROOT, *command])}")


@pytest.fixture
def packages(tmp_path):
    """Both, made of the build that is tested."""
    build = pathlib.Path(BINARY).resolve().parents[1]
    run("cpack", "--config", build / "CPackConfig.cmake", "-B", tmp_path / "packages", cwd=build)
    (package,) = (tmp_path / "packages").glob("*.deb")
    (tarball,) = (tmp_path / "packages").glob("*.tar.gz")
    return package, tarball


def all_three_were_told(demo):
    for channel in ("websocket", "webhook", "polling"):
        assert f"{channel}: told that the job succeeded" in demo, demo


def tarball_runs_where_nothing_is_installed(system, tarball):
    run(*AS_ROOT, "mkdir", system.path("/opt/anywhere"))
    run(*AS_ROOT, "tar", "-xzf", tarball, "--strip-components=1", "-C", system.path("/opt/anywhere"))
    program = "/opt/anywhere/bin/carillon"
    assert system.run("dpkg-query", "-W", "libpocofoundation80", check=False).returncode != 0
    loaded = system.run("env", "LD_TRACE_LOADED_OBJECTS=1", program).stdout
    foreign = [line for line in loaded.splitlines() if "/opt/anywhere/bin/../lib/" not in line and not re.search(OF_GLIBC, line)]
    assert "/opt/anywhere/bin/../lib/libPocoNet.so" in loaded and not foreign, loaded
    all_three_were_told(system.run(program, "demo").stdout)
    assert system.path("/opt/anywhere/share/doc/carillon/licences-libpocofoundation80").stat().st_size > 0


def debian_package_installs_runs_and_goes(system, package):
    run(*AS_ROOT, "cp", package, system.path("/tmp/carillon.deb"))
    system.run("apt-get", "update", "-qq")
    system.run("apt-get", "install", "-qq", "--yes", "--no-install-recommends", "/tmp/carillon.deb")
    all_three_were_told(system.run("carillon", "demo").stdout)

    # What root does is done as the hub's own user, in the hub's own place, that its settings file names.
    system.run("carillon", "account", "create", "acme")
    key = system.run("carillon", "key", "create", "--account", "acme").stdout
    assert re.fullmatch(r"sk_live_\w{32,}\n", key)
    owners = system.run("find", "/var/lib/carillon", "-printf", "%u:%g %m %f\\n").stdout.splitlines()
    assert "carillon:carillon 700 carillon" in owners
    assert "carillon:carillon 600 carillon.db" in owners
    assert all(line.startswith("carillon:carillon ") for line in owners), owners

    assert system.path("/lib/systemd/system/carillon.service").read_text() == UNIT.read_text()
    assert system.path("/usr/share/man/man1/carillon.1.gz").exists()
    assert system.path("/usr/share/bash-completion/completions/carillon").exists()

    # A settings file that was changed is not overwritten, and data outlives the package.
    run(*AS_ROOT, "sh", "-c", f"echo '# mine' >> '{system.path('/etc/carillon/carillon.toml')}'")
    system.run("apt-get", "install", "-qq", "--yes", "--reinstall", "/tmp/carillon.deb")
    assert "# mine" in system.path("/etc/carillon/carillon.toml").read_text()
    mask = system.path("/etc/systemd/system/carillon.service")
    system.run("apt-get", "remove", "-qq", "--yes", "carillon")
    assert os.readlink(mask) == "/dev/null", "nothing starts what is not there"
    system.run("apt-get", "install", "-qq", "--yes", "/tmp/carillon.deb")
    assert not mask.is_symlink(), "it can be started again"
    gone = system.run("apt-get", "purge", "-qq", "--yes", "carillon")
    assert "/var/lib/carillon is kept" in gone.stdout + gone.stderr
    assert not system.path("/usr/bin/carillon").exists()
    assert not system.path("/etc/carillon/carillon.toml").exists()
    assert run(*AS_ROOT, "ls", system.path("/var/lib/carillon")).stdout


def test_both_packages_run_the_demo_on_a_bare_debian(able, packages, tmp_path):
    """One test, for the system that both are put into takes longest; the tarball first, while nothing is installed."""
    package, tarball = packages
    with debian(tmp_path) as system:
        tarball_runs_where_nothing_is_installed(system, tarball)
        debian_package_installs_runs_and_goes(system, package)


def test_the_units_are_sound(missing, tmp_path):
    if not shutil.which("systemd-analyze"):
        missing("systemd-analyze is not installed")
    for name in ("carillon.service", "carillon.socket"):
        # This machine has the program elsewhere, and no manual page of it.
        text = (UNIT.parent / name).read_text().replace("/usr/bin/carillon", BINARY)
        (tmp_path / name).write_text(text)
    verified = run("systemd-analyze", "verify", "--man=no", *sorted(tmp_path.glob("carillon.*")), check=False)
    about_ours = [line for line in (verified.stdout + verified.stderr).splitlines() if "carillon" in line]
    assert verified.returncode == 0 and not about_ours, verified


def test_the_unit_is_locked_down(missing):
    if not shutil.which("systemd-analyze"):
        missing("systemd-analyze is not installed")
    told = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=30", UNIT)
    assert re.search(r"Overall exposure level for carillon\.service: [0-2]\.\d", told.stdout), told.stdout
