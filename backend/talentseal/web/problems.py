"""Every refusal as an RFC 9457 problem document: one shape, a stable code, a Chinese and an English sentence.

`title` and `detail` follow Accept-Language (Chinese unless English is preferred); `zh` and `en` are always
there. What the caller sent is never repeated: it may be personal.
"""

from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from talentseal.errors import TalentSealError
from talentseal.web.language import prefers_english

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

TITLES: Final[Mapping[int, str]] = {
    400: "请求格式有误",
    401: "未通过身份验证",
    403: "没有权限",
    404: "未找到",
    405: "不支持的方法",
    406: "无法提供所要求的格式",
    409: "与当前状态冲突",
    411: "缺少内容长度",
    413: "内容过大",
    415: "不支持的内容类型",
    422: "内容不符合规则",
    429: "请求过于频繁",
    500: "内部错误",
    503: "暂时不可用",
}

_HTTP: Final[Mapping[int, tuple[str, str, str]]] = {
    400: (
        "malformed-request",
        "请求无法解析。请检查格式与编码（UTF-8）。",
        "The request cannot be read; check its form and its UTF-8 encoding.",
    ),
    404: (
        "not-found",
        "没有找到所请求的内容，或您无权查看。请核对地址与编号。",
        "Nothing found here, or it is not yours to see; check the address and the identifier.",
    ),
    405: (
        "method-not-allowed",
        "此地址不支持该方法。请查看 Allow 响应头。",
        "This address does not take that method; see the Allow header.",
    ),
    413: (
        "body-too-large",
        "内容超过上限。文件最大 10 MiB，JSON 最大 1 MiB，请缩小后重试。",
        "The body is over the limit; a document may have 10 MiB, JSON 1 MiB.",
    ),
    415: (
        "media-type-unsupported",
        "不支持该内容类型。请按接口说明使用 application/json 或 multipart/form-data。",
        "This content type is not taken here; use application/json or multipart/form-data as documented.",
    ),
    422: (
        "validation-failed",
        "提交的内容不符合规则，请按 errors 中的说明更正后重试。",
        "The input breaks rules; correct what `errors` lists and send it again.",
    ),
    500: (
        "internal-error",
        "服务内部错误，本次操作未生效。请联系运营机构并提供时间。",
        "Internal error, nothing was changed; contact the operator and state the time.",
    ),
}

_FIELD_ZH: Final[Mapping[str, str]] = {
    "missing": "缺少必填项。",
    "extra_forbidden": "不允许的字段，请删除。",
    "string_too_long": "文字过长。",
    "string_too_short": "文字过短。",
    "string_pattern_mismatch": "格式不符。",
    "enum": "不是允许的取值。",
    "literal_error": "不是允许的取值。",
    "too_long": "数量过多。",
    "too_short": "数量过少。",
    "json_invalid": "不是有效的 JSON。",
    "int_parsing": "应为整数。",
    "int_type": "应为整数。",
    "string_type": "应为文字。",
    "bool_type": "应为 true 或 false。",
    "greater_than_equal": "数值过小。",
    "less_than_equal": "数值过大。",
    "text_blank": "不能为空。",
    "text_unprintable": "含有控制字符或未分配的字符，请删除。",
    "date_from_datetime_parsing": "不是有效的日期，应为 年-月-日。",
    "date_out_of_range": "日期应在 1970 年至 2200 年之间。",
    "dates_reversed": "最后一日早于第一日。",
    "party_repeated": "同一机构只能列一次。",
    "duty_holder_no_party": "义务方必须是当事方之一。",
    "code_of_no_bureau": "只有政府部门（GOVERNMENT）才有部门代码，请删去。",
    "role_of_nobody": "机构的账户不能是“人才”角色，人才自行注册。",
    "document_number_malformed": "号码与证件种类不符，请核对。",
    "claim_needless": "储备人才无须申报，请留空。",
    "claim_incomplete": "请按证书填写认定机构、编号和日期。",
    "part_mismatch": "内容属于申请的另一部分，请在相应页面填写。",
    "reference_is_card_number": "这像是银行卡号。本服务不保存账号和卡号，请填写贵单位自己的编号。",
    "issuer_twice": "同一家单位只需选一次。",
    "delivery_incomplete": "网点领取须选择网点，邮寄须填写邮件编号，二者择一。",
    "tier_repeated": "同一人才层级只能选一次。",
    "day_outside_year": "不在该年度之内（可自上一年 12 月起）。",
    "day_repeated": "该日已在通知中列过。",
    "weekday_worked": "不是周六或周日，无须调休上班。",
    "holiday_too_long": "一个节日最长 31 日，请核对起止日期。",
    "name_repeated": "该节日已在通知中列过。",
    "value_over_limit": "价值高于单次上限。",
    "named_twice": "同一网点或出示方式只能列一次。",
    "line_outside_term": "层次的期间不在权益期限之内。",
    "lines_overlap": "同一层次的两行期间重叠。",
    "budget_unlimited": "份数与金额至少限定一项。",
    "state_of_the_clock": "措施按日期自动生效，不能手动办理。",
    "notice_not_accepted": "请阅读现行的个人信息保护告知并勾选同意。",
}


class FieldProblem(BaseModel):
    """One field that breaks a rule. path: where, as in `body.parties.0.organisation`."""

    path: str
    code: str
    zh: str
    en: str


class Problem(BaseModel):
    """RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    zh: str
    en: str
    errors: list[FieldProblem] = []


REFUSED: Final = (
    "request-refused",
    "请求未被接受，请检查后重试。",
    "The request was refused; check it and try again.",
)
"""For a status without words of its own: code, Chinese, English."""


def of_http() -> list[tuple[str, int, str, str]]:
    """Code, status, Chinese and English of every refusal of the HTTP layer itself."""
    return [(code, status, zh, en) for status, (code, zh, en) in _HTTP.items()]


def title_of(status: int, *, english: bool) -> str:
    """What kind of refusal it is, in a few words."""
    return HTTPStatus(status).phrase if english else TITLES.get(status, "请求未被接受")


def answer(
    status: int,
    code: str,
    zh: str,
    en: str,
    *,
    english: bool,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The problem document as a response."""
    problem = Problem(
        type=f"urn:talentseal:problem:{code}",
        title=title_of(status, english=english),
        status=status,
        detail=en if english else zh,
        code=code,
        zh=zh,
        en=en,
        errors=list(errors),
    )
    content = problem.model_dump(exclude_defaults=not errors)
    return JSONResponse(content, status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def of_error(error: TalentSealError, *, english: bool) -> Response:
    """A refusal of the service as a problem document."""
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    if error.status in {429, 503}:
        headers["Retry-After"] = str(error.params.get("retry_after", 2))
    return answer(
        error.status, error.code, error.sentence_zh, error.sentence_en, english=english, headers=headers
    )


def of_status(status: int, *, english: bool, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal of the HTTP layer itself as a problem document."""
    code, zh, en = _HTTP.get(status, REFUSED)
    return answer(status, code, zh, en, english=english, headers=headers)


def field_problems(errors: Iterable[Mapping[str, Any]]) -> list[FieldProblem]:
    """Pydantic's findings without the input they quote."""
    return [
        FieldProblem(
            path=".".join(str(part) for part in error["loc"]),
            code=str(error["type"]),
            zh=_FIELD_ZH.get(str(error["type"]), "取值不符合要求。"),
            en=str(error["msg"]),
        )
        for error in errors
    ]


def _english(request: Request) -> bool:
    return prefers_english(request.headers.get("accept-language"))


async def _on_talentseal_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, TalentSealError):
        raise error
    return _refusal(request, error)


def _refusal(request: Request, error: TalentSealError) -> Response:
    if error.status >= 500:
        log.error("request.failed", code=error.code, method=request.method)
    return of_error(error, english=_english(request))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return of_status(error.status_code, english=_english(request), headers=error.headers)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    code, zh, en = _HTTP[422]
    return answer(422, code, zh, en, english=_english(request), errors=field_problems(error.errors()))


class LastResort:
    """Whatever escaped the routes becomes a problem document, and its log line holds no values."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            if started or not isinstance(error, TalentSealError):
                log.error(  # noqa: TRY400 - a traceback would show values
                    "request.crashed", error=type(error).__name__, where=_where(error)
                )
            if started:
                raise
            await _last_word(scope, error)(scope, receive, send)


def _last_word(scope: Scope, error: Exception) -> Response:
    """The answer to what escaped: a refusal by a layer around the routes, or a crash."""
    request = Request(scope)
    if isinstance(error, TalentSealError):
        return _refusal(request, error)
    return of_status(500, english=_english(request))


class PlainRefusals:
    """Outermost layer: refusals that the framework words itself, as plain text, become problem documents."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        replaced = False

        async def replace(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_plain_refusal(message):
                replaced = True
                english = prefers_english(Request(scope).headers.get("accept-language"))
                await of_status(message["status"], english=english)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self.app(scope, receive, replace)


def _is_plain_refusal(start: Message) -> bool:
    if start["status"] < HTTPStatus.BAD_REQUEST:
        return False
    kind = Headers(raw=start.get("headers", [])).get("content-type", "")
    return not kind.startswith(("application/", "text/html"))


def _where(error: BaseException) -> str:
    """File and line of the innermost frame: enough to find the fault, and free of values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def install(app: FastAPI) -> None:
    """Let `app` answer every refusal as a problem document."""
    app.add_exception_handler(TalentSealError, _on_talentseal_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    # Inside the framework's own layer for crashes, which would answer first and in its own words.
    app.add_middleware(LastResort)
