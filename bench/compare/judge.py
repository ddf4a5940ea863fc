"""Were two runs the same work? Only then what they took is compared.

What is looked at is what the load's generator counted as done, not what it was told to do.
"""

# Messages differ by the digits of a number or a time in them.
BYTES_TOLERANCE = 0.02

EXACT = ("operations", "paced_operations", "connections")
NEARLY = ("received_bytes", "progress_bytes")


def differences(reference, other, unknown=()):
    """Why `other` is not the same work as `reference`, as a list of sentences; empty where it is.

    `unknown` names what the other cannot tell: a floor that runs in its own process has no connections.
    """
    found = []
    for name, figures in (("the reference", reference), ("this run", other)):
        if "error" in figures:
            return [f"{name} did not end well: {figures['error']}"]
        if figures["operations"] == 0:
            return [f"{name} did nothing"]
        if figures["failed"] > 0:
            found.append(f"{figures['failed']:g} of {figures['operations'] + figures['failed']:g} failed in {name}")
    for what in EXACT + NEARLY:
        if what not in reference or what in unknown:
            continue
        ours, theirs = reference[what], other.get(what)
        if theirs is None:
            found.append(f"{what} is not told")
        elif abs(ours - theirs) > (BYTES_TOLERANCE * ours if what in NEARLY else 0):
            found.append(f"{what}: {theirs:g}, not {ours:g}")
    return found
