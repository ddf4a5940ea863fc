"""Measures the servers of a workload by turns."""

import contextlib
import dataclasses

from . import judge, machine, servers
from .results import Result


def measure(work, rounds, command, only=None, say=lambda *words: None):
    """Its Result. `only` names the servers that are wanted beside the hub; None: all that can be had.

    In each round every server is measured once, another one first each time. What was not the same work as the hub's is
    told of, and why; RuntimeError where the hub itself did not do it.
    """
    missing = []
    rows = []
    with contextlib.ExitStack() as stack:
        opened = {}
        body = b""
        for server in work.servers:
            if rows and only is not None and server.name not in only:
                continue
            if why := server.why_not(work.tools):
                missing.append(f"{server.label}: {why}")
                continue
            try:
                one = server(work.tools, work.folder / server.name, work.size, body)
                opened[server.name] = stack.enter_context(one)
            except servers.DoesNotStart as failure:
                missing.append(str(failure))
                continue
            if not rows:
                body = work.learn(opened[server.name])
            rows.append(
                {"name": server.name, "label": server.label, "version": server.version(), "rounds": [], "refused": ""}
            )
        work.prepare(opened)
        for number in range(rounds):
            turn = number % len(rows)
            for row in rows[turn:] + rows[:turn]:
                row["rounds"].append(work.measure(opened[row["name"]]))
            compare(rows, {name: server.unknown for name, server in opened.items()})
            told = (
                f"{row['label']} " + ("REFUSED" if row["refused"] else f"{row['rounds'][-1][work.measures]:,.2f}")
                for row in rows
            )
            say(f"bench: {work.key} {number + 1}/{rounds}: " + ", ".join(told))
    for peer in missing:
        say(f"bench: {work.key}: not measured: {peer}")
    for row in rows:
        if row["refused"]:
            say(f"bench: {work.key}: {row['label']} is not compared: {row['refused']}")
    if rows[0]["refused"]:
        raise RuntimeError(rows[0]["refused"])
    return Result(
        {
            "key": work.key,
            "title": work.title,
            "operation": work.operation,
            "how": work.how.format(**dataclasses.asdict(work.size)),
            "measures": work.measures,
            "date": machine.now(),
            "commit": machine.commit(),
            "command": command,
            "machine": machine.describe(),
            "missing": missing,
            "rows": rows,
        }
    )


def compare(rows, unknown):
    """Judges the last round; a row that was refused once stays so."""
    for row in rows:
        why = judge.differences(rows[0]["rounds"][-1], row["rounds"][-1], unknown[row["name"]])
        row["refused"] = row["refused"] or "; ".join(why)
