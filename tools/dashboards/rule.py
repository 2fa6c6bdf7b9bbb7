"""What a rule of Prometheus is: a question that is recorded, or one that alarms when it has an answer."""

from dataclasses import dataclass, field
from typing import Any, Literal

from lightwell.instrumentation.vocabulary import prometheus_label

RUNBOOK = "docs/operating.md"


def of(attribute: str) -> str:
    """The value of an attribute of what alarms, inside its texts."""
    return f"{{{{ $labels.{prometheus_label(attribute)} }}}}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """A question whose answer is kept under a name, with labels of its own."""

    name: str
    expression: str
    labels: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {"record": self.name, "expr": self.expression, "labels": self.labels}


@dataclass(frozen=True, slots=True)
class Alert:
    """A question that alarms after it has had an answer for some time.

    `page` wakes somebody, `ticket` waits for the morning. The section of `docs/operating.md` that has its name says
    what to do; `dashboard` is the one to look at first.
    """

    name: str
    expression: str
    lasting: str
    severity: Literal["page", "ticket"]
    summary: str
    description: str
    dashboard: str

    def document(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expression,
            "for": self.lasting,
            "labels": {"severity": self.severity},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook": f"{RUNBOOK}#{self.name.lower()}",
                "dashboard": f"/d/{self.dashboard}",
            },
        }


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, in order."""

    name: str
    rules: tuple[Recorded | Alert, ...]

    def document(self) -> dict[str, Any]:
        """As Prometheus reads it."""
        return {"name": self.name, "rules": [rule.document() for rule in self.rules]}
