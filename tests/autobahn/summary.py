"""Sums up a report of the Autobahn fuzzing client: summary.py INDEX [PAGE]

Prints what is not OK and, with PAGE, writes the page. Fails if a case is neither OK nor informational.
"""

import json
import sys
from collections import Counter

SECTIONS = {
    1: "Framing",
    2: "Pings and pongs",
    3: "Reserved bits",
    4: "Opcodes",
    5: "Fragmentation",
    6: "UTF-8",
    7: "Close handling",
    9: "Limits and performance",
    10: "Miscellaneous",
    12: "Compression, different payloads",
    13: "Compression, different parameters",
}
GOOD = ("OK", "INFORMATIONAL")

HEAD = """# The Autobahn Testsuite

What its fuzzing client says of the WebSocket codec, which [`tests/autobahn/echo_server.cpp`](../tests/autobahn/echo_server.cpp)
serves as an echo server on the hub's own event loop. A case is judged by how it went ("behaviour") and by how its connection
was closed.

    tests/autobahn/run

"""


def number(case):
    return [int(part) for part in case.split(".")]


def judged(result):
    """One word for both judgements: the worse of them."""
    return result["behavior"] if result["behavior"] != "OK" else result["behaviorClose"]


def table(results):
    kinds = [*GOOD, *sorted({judged(result) for result in results.values()} - set(GOOD))]
    rows = [["section", *(kind.lower() if kind != "OK" else kind for kind in kinds)], ["---"] * (len(kinds) + 1)]
    for section in sorted({number(case)[0] for case in results}):
        counts = Counter(judged(result) for case, result in results.items() if number(case)[0] == section)
        rows.append([f"{section} {SECTIONS[section]}", *(str(counts[kind]) for kind in kinds)])
    counts = Counter(judged(result) for result in results.values())
    rows.append(["**all**", *(f"**{counts[kind]}**" for kind in kinds)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main(index, page=None):
    with open(index) as file:
        results = json.load(file)["Carillon"]
    cases = sorted(results, key=number)
    others = [case for case in cases if judged(results[case]) != "OK"]
    named = "".join(
        f"- {case}: {results[case]['behavior'].lower()}, closed with {results[case]['remoteCloseCode']}\n" for case in others
    )
    text = table(results) + ("\nEvery case that is not simply OK:\n\n" + named if named else "")
    print(text)
    if page:
        with open(page, "w") as file:
            file.write(HEAD + text)
    return 0 if all(judged(results[case]) in GOOD for case in cases) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
