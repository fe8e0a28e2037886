from chassis.diagrams import diagram, page
from chassis.lifecycle import Guard, Lifecycle, Transition

LAMP: Lifecycle[str] = Lifecycle(
    name="The lamp",
    initial="off",
    transitions=(
        Transition("off", "on", "lit", (Guard("plugged_in", lambda _: None),)),
        Transition("on", "off", "put_out"),
        Transition("on", "broken", "broken"),
    ),
)


def test_a_diagram_shows_every_transition_the_beginning_and_the_ends() -> None:
    assert diagram(LAMP).splitlines() == [
        "stateDiagram-v2",
        "    [*] --> off",
        "    off --> on: lit",
        "    on --> off: put_out",
        "    on --> broken: broken",
        "    broken --> [*]",
    ]


def test_a_page_names_the_guards() -> None:
    told = page("Lives", "Of things.", {"Lamp": LAMP})
    assert told.startswith("# Lives\n\nOf things.\n\n## Lamp\n\n```mermaid\nstateDiagram-v2\n")
    assert "| `off` | `on` | `lit` | `plugged_in` |\n| `on` | `off` | `put_out` | none |" in told
