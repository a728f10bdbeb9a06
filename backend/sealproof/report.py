"""The result of a verification: numbered steps, each with a verdict and a reason in plain words, and an exit
code."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sealproof.canonical import Json
from sealproof.wording import Language, Said

ALL_PASSED: Final = 0
SOMETHING_FAILED: Final = 1
MALFORMED: Final = 2
NOT_ALL_CHECKED: Final = 3


class Verdict(StrEnum):
    """How a step ended. NOT_CHECKED is neither good nor bad: something that it needs was not there."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not-checked"


_VERDICT_WORDS: Final = {
    Verdict.PASSED: Said("passed", "通过"),
    Verdict.FAILED: Said("FAILED", "未通过"),
    Verdict.NOT_CHECKED: Said("not checked", "未检查"),
}
_RESULTS: Final = {
    ALL_PASSED: Said("All steps passed.", "全部步骤通过。"),
    SOMETHING_FAILED: Said(
        "FAILED: at least one statement of this material is false. Do not rely on it.",
        "未通过：该材料至少有一处不实，请勿采信。",
    ),
    MALFORMED: Said(
        "MALFORMED: this cannot be read as what it should be; nothing was checked.",
        "格式有误：无法读作应有的材料，未作任何校验。",
    ),
    NOT_ALL_CHECKED: Said(
        "Nothing failed, but not everything was checked; see the steps marked so.",
        "没有步骤不通过，但有步骤未检查，见上面的标注。",
    ),
}
_OUTCOMES: Final = {
    ALL_PASSED: "passed",
    SOMETHING_FAILED: "failed",
    MALFORMED: "malformed",
    NOT_ALL_CHECKED: "incomplete",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """A verdict and why."""

    verdict: Verdict
    why: Said


def passed(en: str, zh: str) -> Finding:
    """A finding that what was claimed holds."""
    return Finding(Verdict.PASSED, Said(en, zh))


def failed(en: str, zh: str) -> Finding:
    """A finding that what was claimed is false."""
    return Finding(Verdict.FAILED, Said(en, zh))


def not_checked(en: str, zh: str) -> Finding:
    """A finding that a step could not be carried out."""
    return Finding(Verdict.NOT_CHECKED, Said(en, zh))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a report. number and name are stable; why and why_zh are for people."""

    number: int
    name: str
    verdict: Verdict
    why: str
    why_zh: str
    name_zh: str

    @classmethod
    def of(cls, number: int, name: Said, finding: Finding) -> "Step":
        """The step of this number and name with this finding."""
        return cls(number, name.en, finding.verdict, finding.why.en, finding.why.zh, name.zh)

    def line(self, language: Language) -> str:
        """One line for a person."""
        word = _VERDICT_WORDS[self.verdict].within(language)
        if language is Language.ZH:
            return f"{self.number:>2}. [{word}] {self.name_zh}：{self.why_zh}"
        return f"{self.number:>2}. [{word}] {self.name}: {self.why}"

    def to_json(self) -> dict[str, Json]:
        """The step as JSON."""
        return {
            "number": self.number,
            "name": self.name,
            "name_zh": self.name_zh,
            "verdict": self.verdict.value,
            "why": self.why,
            "why_zh": self.why_zh,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All steps that apply, in order. malformed: the input could not even be read. limits: what is not proved
    even when all passed.
    """

    steps: tuple[Step, ...]
    malformed: bool = False
    limits: Sequence[Said] = ()

    @property
    def exit_code(self) -> int:
        """0 all passed, 1 a step failed, 2 malformed, 3 nothing failed but something was not checked."""
        verdicts = {step.verdict for step in self.steps}
        if self.malformed:
            return MALFORMED
        if Verdict.FAILED in verdicts:
            return SOMETHING_FAILED
        return NOT_ALL_CHECKED if Verdict.NOT_CHECKED in verdicts else ALL_PASSED

    def step(self, number: int) -> Step | None:
        """The step of this number; None when it does not apply."""
        return next((step for step in self.steps if step.number == number), None)

    def text(self, language: Language) -> str:
        """The report for a person: steps, result, and what it does not prove."""
        lines = [step.line(language) for step in self.steps]
        lines += ["", _RESULTS[self.exit_code].within(language)]
        if self.limits and self.exit_code != MALFORMED:
            lines += ["", Said("What this does not prove:", "以上不证明：").within(language)]
            lines += [f" - {limit.within(language)}" for limit in self.limits]
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Json]:
        """The report as JSON: `outcome` is passed, failed, malformed or incomplete."""
        return {
            "v": 1,
            "outcome": _OUTCOMES[self.exit_code],
            "exit_code": self.exit_code,
            "steps": [step.to_json() for step in self.steps],
            "not_proved": [{"en": limit.en, "zh": limit.zh} for limit in self.limits],
        }
