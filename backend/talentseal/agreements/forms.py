"""The desk's forms made into the commands that the API takes, and versions made into filled forms.

Fields are named by their place in the command. Three things differ, because people fill them in: an
organisation is written as its name or credit code, a duty holder as the place of a party, and times without
their zone, which is Beijing's.
"""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

from talentseal.accounts.models import Organisation
from talentseal.agreements import documents
from talentseal.agreements.documents import DocumentCipher
from talentseal.agreements.schemas import (
    HashOnlySubmission,
    SignatureFile,
    Submission,
    TerminationInput,
    UploadedSubmission,
)
from talentseal.agreements.sheets import Sheet
from talentseal.agreements.submission import Intake
from talentseal.clock import SHANGHAI
from talentseal.errors import TalentSealError
from talentseal.web.forms import WHOLE, FormRefused, Typed, nested, texts

Model = TypeVar("Model", bound=BaseModel)

Values = Typed
"""A form's fields as a tree; what was typed, blanks left out."""


@dataclass(frozen=True, slots=True)
class Directory:
    """The scheme's organisations as forms name them. labels: by id, in the order of the list."""

    labels: Mapping[str, str]
    _ids: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, organisations: Iterable[Organisation]) -> "Directory":
        labels: dict[str, str] = {}
        ids: dict[str, tuple[str, ...]] = {}
        for each in organisations:
            labels[each.id] = f"{each.name} · {each.credit_code}"
            for written in (each.id, each.name, each.credit_code, labels[each.id]):
                ids[written] = (*ids.get(written, ()), each.id)
        return cls(labels, ids)

    def find(self, typed: str) -> str | None:
        """The id for a label, a name that only one has, a credit code or an id; None for anything else."""
        found = self._ids.get(typed.strip(), ())
        return found[0] if len(found) == 1 else None


Wrong = dict[str, tuple[str, str]]
"""Chinese and English sentence by the field's name."""

_CHOICES: Final = frozenset({"duty_holder", "period", "beneficiary_tiers"})
"""Fields of a stipulation that are chosen, not written: a row with nothing else is no row."""

_LAST_MOMENT: Final = time(23, 59, 59)
_UNKNOWN: Final = (
    "没有这家机构。请从列表中选择，或填写完整的名称或统一社会信用代码。",
    "No such organisation; choose one of the list, or give its full name or credit code.",
)
_NO_DOCUMENT: Final = ("请选择协议文件。", "Choose the agreement's document.")
_CHOOSE_AGAIN: Final = (
    "要加密留存原件，请重新选择文件：文件不会随表单保存。",
    "To deposit the document choose it again: files are not kept with the form.",
)
_NO_TIME: Final = ("不是有效的日期与时间。", "Not a valid date and time.")


def values_of(form: FormData) -> Values:
    """What was typed, with blank rows left out."""
    values = nested(texts(form), lists=frozenset({"beneficiary_tiers"}))
    for name in ("parties", "stipulations"):
        if not isinstance(values.get(name, []), list):
            del values[name]
    rows = values.get("stipulations", [])
    values["stipulations"] = [row for row in rows if isinstance(row, dict) and row.keys() - _CHOICES]
    parties = [row for row in values.get("parties", []) if isinstance(row, dict)]
    values["parties"] = [row for place, row in enumerate(parties) if place < 2 or "organisation" in row]
    return values


def hash_only_of(values: Values, directory: Directory) -> HashOnlySubmission:
    """The command that a form states by digests. Raises FormRefused with what is wrong at each field."""
    terms, wrong = _terms(values, directory)
    terms["document"] = _digests(values, wrong)
    return _validated(HashOnlySubmission, terms, wrong)


def uploaded_of(values: Values, directory: Directory) -> UploadedSubmission:
    """The command that a form states beside an uploaded file. Raises FormRefused likewise."""
    terms, wrong = _terms(values, directory)
    terms["keep_document"] = values.get("keep") == "deposit"
    return _validated(UploadedSubmission, terms, wrong)


def terms_of(values: Values, directory: Directory) -> Submission:
    """What a form states but for its document. Raises FormRefused likewise."""
    return _validated(Submission, *_terms(values, directory))


def _terms(values: Values, directory: Directory) -> tuple[Values, Wrong]:
    wrong: Wrong = {}
    terms = Typed((name, values[name]) for name in Submission.model_fields if name in values)
    terms["parties"] = [_party(row, place, directory, wrong) for place, row in enumerate(values["parties"])]
    terms["stipulations"] = [_stipulation(row, terms["parties"]) for row in values["stipulations"]]
    terms["draft"] = values.get("do") == "draft"
    if "deadline" in values:
        terms["deadline"] = _moment(values["deadline"], "deadline", wrong)
    return terms, wrong


def intake_of(values: Values, form: FormData, directory: Directory, cipher: DocumentCipher) -> Intake:
    """A form with its document made ready to be taken in: examined, and encrypted if it is to be kept.

    Raises FormRefused.
    """
    file = form.get("document")
    if not isinstance(file, UploadFile) or not file.filename:
        command = hash_only_of(values, directory)
        return Intake(command, command.document.to_digests(), secrets.token_hex(16), None)
    uploaded = uploaded_of(values, directory)
    try:
        digests = documents.examine(file.file)
    except TalentSealError as refusal:
        raise FormRefused({"document": (refusal.sentence_zh, refusal.sentence_en)}) from None
    document_id = secrets.token_hex(16)
    sealed = cipher.seal(document_id, digests, file.file.read()) if uploaded.keep_document else None
    return Intake(uploaded, digests, document_id, sealed)


def termination_of(values: Values) -> TerminationInput:
    """The command that a form states. Raises FormRefused."""
    wrong: Wrong = {}
    terms = Typed((name, values[name]) for name in TerminationInput.model_fields if name in values)
    for name in ("effective_at", "deadline"):
        if name in terms:
            terms[name] = _moment(terms[name], name, wrong)
    return _validated(TerminationInput, terms, wrong)


def _validated(model: type[Model], terms: Values, wrong: Wrong) -> Model:
    try:
        command = model.model_validate(terms)
    except ValidationError as error:
        raise FormRefused({**FormRefused.of(error).errors, **wrong}) from None
    if wrong:
        raise FormRefused(wrong)
    return command


def _party(row: Values, place: int, directory: Directory, wrong: Wrong) -> Values:
    typed = row.get("organisation")
    if typed is None:
        return row
    found = directory.find(typed)
    if found is None:
        wrong[f"parties.{place}.organisation"] = _UNKNOWN
    return Typed(row, organisation=found or "")


def _stipulation(row: Values, parties: list[Values]) -> Values:
    holder = str(row.get("duty_holder", ""))
    if not WHOLE.match(holder) or int(holder) >= len(parties):
        return Typed((name, value) for name, value in row.items() if name != "duty_holder")
    return Typed(row, duty_holder=parties[int(holder)]["organisation"])


def _digests(values: Values, wrong: Wrong) -> Values:
    document = values["document"] if isinstance(values["document"], Typed) else Typed()
    if values.get("keep") == "deposit":
        wrong["document"] = _CHOOSE_AGAIN
    elif "sha256" not in document:
        wrong["document"] = _NO_DOCUMENT
    size = document["size"]
    named = Typed((name, document[name]) for name in ("sha256", "sm3", "media_type") if name in document)
    return Typed(named, size=int(size) if WHOLE.match(size) else 0)


def _moment(typed: str, name: str, wrong: Wrong) -> datetime | str:
    """A date, meaning its last moment, or a date and time, in Beijing."""
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        wrong[name] = _NO_TIME
        return typed
    if len(typed) == len("2026-01-01"):
        moment = datetime.combine(moment.date(), _LAST_MOMENT)
    return moment.replace(tzinfo=SHANGHAI)


def signature_of(form: FormData) -> str:
    """What was pasted, or what stands in the file that `talentseal sign-file` wrote; empty when neither."""
    pasted = str(form.get("signature") or "").strip()
    return _signature_in(pasted)


def _signature_in(text: str) -> str:
    """A signature that stands alone, or in the JSON of a signature file."""
    if not text.startswith("{"):
        return text
    try:
        return SignatureFile.model_validate_json(text).signature
    except ValidationError:
        return text


def filled(sheet: Sheet, directory: Directory) -> Values:
    """The form that says what a version says."""
    row = sheet.row
    places = {line.organisation: str(place) for place, line in enumerate(sheet.parties)}
    return Typed(
        number=row.number or "",
        title=row.title or "",
        category=row.category.value,
        effective_from=row.effective_from.isoformat(),
        valid_through=row.valid_through.isoformat(),
        survives_instrument="true" if row.survives_instrument else "",
        keep="digests",
        parties=[
            Typed(organisation=directory.labels[line.organisation], role=line.role, signer=line.signer)
            for line in sheet.parties
        ],
        stipulations=[
            Typed(each.model_dump(mode="json"), duty_holder=places[each.duty_holder])
            for each in sheet.stipulations
            if each is not None
        ],
    )
