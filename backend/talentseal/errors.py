"""The service's one error shape: a stable code, a status, a sentence in Chinese and in English.

A feature declares its errors as subclasses beside the service that raises them; `web.problems` turns them
into RFC 9457 problem documents at the edge. The sentence says what was expected, what was met and what to do.

    TalentSealError
    ├── NotFound            404  the thing does not exist, or is not the caller's to see
    ├── NotPermitted        403  the caller's role does not allow the act
    ├── Conflict            409  the act contradicts the present state
    ├── Invalid             422  the input is well-formed but breaks a rule
    └── Unavailable         503  nothing is wrong with the request; try again
"""

from typing import ClassVar


class TalentSealError(Exception):
    """Base of every refusal. `params` fill the templates `zh` and `en`; they never hold personal data or
    secrets.
    """

    code: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    zh: ClassVar[str] = "服务内部错误，请联系运营机构并提供时间。"
    en: ClassVar[str] = "Internal error; contact the operator and state the time."

    def __init__(self, **params: str | int) -> None:
        self.params = params
        super().__init__(self.en.format(**params))

    @property
    def sentence_zh(self) -> str:
        return self.zh.format(**self.params)

    @property
    def sentence_en(self) -> str:
        return self.en.format(**self.params)


class NotFound(TalentSealError):
    code = "not-found"
    status = 404
    zh = "没有找到所请求的内容，或您无权查看。请核对编号。"
    en = "Nothing found under this identifier, or it is not yours to see; check the identifier."


class NotPermitted(TalentSealError):
    code = "not-permitted"
    status = 403
    zh = "您的角色不允许此操作（需要权限：{permission}）。请由有权限的人员办理。"
    en = "Your role does not allow this (permission needed: {permission}); ask someone who holds it."


class Conflict(TalentSealError):
    code = "conflict"
    status = 409
    zh = "此操作与当前状态冲突，请刷新后重试。"
    en = "The act contradicts the present state; reload and decide again."


class Invalid(TalentSealError):
    code = "invalid"
    status = 422
    zh = "提交的内容不符合规则，请更正后重试。"
    en = "The input breaks a rule; correct it and send it again."


class Unavailable(TalentSealError):
    code = "unavailable"
    status = 503
    zh = "服务暂时不可用，请稍后重试。"
    en = "Temporarily unavailable; try again shortly."
