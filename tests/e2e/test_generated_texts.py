"""Texts that follow from the commands and the settings: completed by the real bash, set by the real groff."""

import shutil
import subprocess

import pytest

from harness.hub import BINARY, REPOSITORY, run_command

SCRIPT = r"""
source /dev/stdin
compopt() { :; }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_carillon
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def completed():
    """What bash offers for the last of some words."""
    completion = run_command("generate", "bash-completion").stdout

    def ask(*words):
        done = subprocess.run(
            ["bash", "-c", SCRIPT, "bash", *words], input=completion, capture_output=True, text=True, check=True, timeout=30
        )
        assert not done.stderr
        return done.stdout.split()

    return ask


@pytest.mark.parametrize(
    "words, wanted",
    [
        (("carillon", "ser"), ["serve"]),
        (("carillon", "key", "ro"), ["rotate"]),
        (("carillon", "--data", "somewhere", "key", "re"), ["revoke"]),
        (("carillon", "key", "create", "--ac"), ["--account"]),
        (("carillon", "key", "create", "--role", ""), ["client", "worker", "admin"]),
        (("carillon", "serve", "--log-format", ""), ["text", "json"]),
        (("carillon", "serve", "--webhooks-allow-h"), ["--webhooks-allow-http"]),
        (("carillon", "webhook", "deliveries", "--status", "p"), ["pending"]),
        (("carillon", "key", "create", "x"), []),
    ],
)
def test_bash_completes(completed, words, wanted):
    assert completed(*words) == wanted


def test_every_command_is_completed(completed):
    offered = completed("carillon", "")
    helped = run_command("--help").stdout.split("Subcommands:\n")[1]
    named = [line.split()[0] for line in helped.splitlines() if line.startswith("  ") and line[2] != " "]
    assert named and sorted(offered) == sorted(named)


def test_the_manual_page_is_sound(missing):
    if not shutil.which("groff"):
        missing("groff is not installed")
    page = run_command("generate", "manual-page").stdout
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-P-cbou"], input=page, capture_output=True, text=True, check=True, timeout=30
    )
    assert not done.stderr
    for words in ("carillon key rotate ID", "--webhooks-allow-http", "SIGHUP", "EXIT STATUS"):
        assert words in done.stdout, words


def test_the_settings_reference_is_the_program_s():
    """After a change: carillon generate settings-reference > docs/configuration.md"""
    assert (REPOSITORY / "docs/configuration.md").read_text() == run_command("generate", "settings-reference").stdout


def test_they_need_no_settings(tmp_path):
    broken = tmp_path / "carillon.toml"
    broken.write_text("nonsense")
    done = subprocess.run(
        [BINARY, "generate", "manual-page", "--config", str(broken)], capture_output=True, check=False, timeout=30
    )
    assert done.returncode == 0
