"""The documents: every link leads somewhere, every program that is shown is the one that is tested, every document is
in the index."""

import re
import subprocess
import urllib.parse
import xml.etree.ElementTree

import pytest

from harness.hub import PATIENCE_S, REPOSITORY, end_with_parent

DOCS = REPOSITORY / "docs"
SHOWN = {"py": "python", "mjs": "javascript", "cpp": "cpp"}
DOCUMENTS = sorted(
    path.relative_to(REPOSITORY)
    for path in REPOSITORY.rglob("*.md")
    if not {"build", "node_modules"} & set(path.relative_to(REPOSITORY).parts)
    and not any(part.startswith(".") for part in path.relative_to(REPOSITORY).parts)
)


def prose(text):
    """Without the code: blocks between fences, indented ones, and what stands between backticks."""
    text = re.sub(r"^(```+).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "`code`", text, flags=re.DOTALL)


def anchors(text):
    """What the headings can be linked by, as GitHub makes it."""
    found = set()
    text = re.sub(r"^(```+).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found


def fault_of(document, target):
    """What is wrong with a link; None where nothing is. Links out of the repository are not followed."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    name, _, anchor = urllib.parse.unquote(target).partition("#")
    path = (document.parent / name).resolve() if name else document
    if not path.is_relative_to(REPOSITORY) or not path.exists():
        return f"{target}: there is no such file"
    if anchor and (path.suffix != ".md" or anchor not in anchors(path.read_text())):
        return f"{target}: there is no such heading"
    return None


def links(text):
    return re.findall(r"\]\(([^)\s]+)\)", prose(text))


@pytest.mark.parametrize("name", DOCUMENTS, ids=str)
def test_every_link_leads_somewhere(name):
    document = REPOSITORY / name
    faults = [fault for target in links(document.read_text()) if (fault := fault_of(document, target))]
    assert not faults


def test_what_the_link_checker_finds():
    """Itself: a link that is wrong is found, one that is right is not."""
    document = DOCS / "webhooks.md"
    assert fault_of(document, "limits.md#http") is None
    assert fault_of(document, "#is-it-from-the-hub") is None
    assert fault_of(document, "../etc/carillon.toml") is None
    assert fault_of(document, "https://example.com/nowhere") is None
    assert "no such file" in fault_of(document, "limit.md")
    assert "no such file" in fault_of(document, "../../limits.md")
    assert "no such heading" in fault_of(document, "limits.md#nothing")
    assert "no such heading" in fault_of(document, "#nothing")
    assert links("[a](b) `[c](d)` ![e](f#g)\n\n    [h](i)\n\n```\n[j](k)\n```\n[l\nm](n)\n") == ["b", "f#g", "n"]
    assert anchors("# A `b`: c?\n## A b c\n```\n# d\n```\n") == {"a-b-c", "a-b-c-1"}


def test_the_programs_are_shown_as_they_are():
    """After a change: script/quote"""
    done = subprocess.run([REPOSITORY / "script/quote", "--check"], capture_output=True, text=True, timeout=PATIENCE_S,
                          check=False, preexec_fn=end_with_parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_program_is_shown_and_nothing_else_is():
    """What a document shows in one of their languages is a program that is tested."""
    shown = set()
    for document in DOCS.glob("*.md"):
        text = document.read_text()
        blocks = re.findall(r"^```(?:python|javascript|cpp)$", text, re.MULTILINE)
        head = r"^\[[^\]\n]*\]\((examples/[^)\n]+)\)\n\n(?:<details>[^\n]*\n\n)?```(\w+)$"
        quoted = re.findall(head, text, re.MULTILINE)
        assert len(blocks) == len(quoted), document
        for name, language in quoted:
            assert SHOWN[name.rpartition(".")[2]] == language, name
            shown.add(DOCS / name)
    assert shown == {path for path in (DOCS / "examples").rglob("*") if path.suffix.lstrip(".") in SHOWN}


def test_every_document_is_in_the_index():
    listed = {(DOCS / target).resolve() for target in links((DOCS / "README.md").read_text())}
    missed = [path.name for path in DOCS.glob("*.md") if path.name != "README.md" and path not in listed]
    assert not missed
    assert "docs/README.md" in links((REPOSITORY / "README.md").read_text())


def test_the_promises_name_files_that_are_there():
    text = (DOCS / "promises.md").read_text()
    for name in set(re.findall(r"`(test_\w+\.py)`", text)):
        assert (REPOSITORY / "tests/e2e" / name).exists(), name
    for name in set(re.findall(r"`(\w+_fuzz)(?:\.cpp)?`", text)):
        assert (REPOSITORY / "tests/fuzz" / f"{name}.cpp").exists(), name


@pytest.mark.parametrize("picture", sorted((DOCS / "pictures").glob("*")), ids=lambda path: path.name)
def test_pictures_are_text_that_says_what_it_shows_in_light_and_dark(picture):
    root = xml.etree.ElementTree.parse(picture).getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert root.tag == space + "svg"
    assert root.findtext(space + "title") and root.findtext(space + "desc")
    assert "prefers-color-scheme: dark" in root.findtext(space + "style")
