"""State machines as pages of documentation: a mermaid diagram and a table, made of the same transitions."""

from collections.abc import Mapping
from typing import Any

from chassis.lifecycle import Lifecycle, Transition


def diagram(lifecycle: Lifecycle[Any]) -> str:
    """Return a lifecycle as a mermaid state diagram; a state without a way out is an end."""
    left = {one.source for one in lifecycle.transitions}
    lines = [
        "stateDiagram-v2",
        f"    [*] --> {lifecycle.initial}",
        *(f"    {one.source} --> {one.target}: {one.verb}" for one in lifecycle.transitions),
        *(f"    {state} --> [*]" for state in lifecycle.states if state not in left),
    ]
    return "\n".join(lines)


def page(title: str, introduction: str, lifecycles: Mapping[str, Lifecycle[Any]]) -> str:
    """Return a Markdown page that shows lifecycles, each below its heading."""
    sections = [_section(heading, lifecycle) for heading, lifecycle in lifecycles.items()]
    return "\n\n".join([f"# {title}", introduction, *sections]) + "\n"


def _section(heading: str, lifecycle: Lifecycle[Any]) -> str:
    rows = [_row(one) for one in lifecycle.transitions]
    table = "\n".join(["| from | to | event | guards |", "|---|---|---|---|", *rows])
    return f"## {heading}\n\n```mermaid\n{diagram(lifecycle)}\n```\n\n{table}"


def _row(transition: Transition[Any]) -> str:
    guards = ", ".join(f"`{guard.code}`" for guard in transition.guards) or "none"
    return f"| `{transition.source}` | `{transition.target}` | `{transition.verb}` | {guards} |"
