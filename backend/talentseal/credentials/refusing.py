"""What the counter is told when somebody is not established: the code, and what to say to the customer.

Whatever concerns a token's genuineness has one text, and so has whatever is the matter with a card. Why a
code is suspended or ended is for its holder.
"""

from types import MappingProxyType
from typing import ClassVar, Final

from talentseal.credentials.refusals import Refusal
from talentseal.errors import TalentSealError

_SHOW_ANEW_ZH: Final = (
    "此码不能使用。请顾客在手机上刷新人才码后重新出示；仍不能使用的，请顾客查看手机上的提示。"
)
_SHOW_ANEW_EN: Final = (
    "This code cannot be used. Ask the customer to refresh it on the phone and show it again; "
    "if that fails too, the phone says why."
)

_SHOW_CODE_ZH: Final = "此卡不能使用。请顾客改为出示手机上的人才码；卡的情况可在本人手机上查看。"
_SHOW_CODE_EN: Final = (
    "This card cannot be used. Ask the customer to show the code on the phone instead, which also says "
    "what is the matter with the card."
)


class PresentationRefused(TalentSealError):
    """Base of what the counter is told; raised once the refusal itself is durable."""

    refusal: ClassVar[Refusal]
    code: ClassVar[str] = "presentation-refused"
    status: ClassVar[int] = 409
    zh: ClassVar[str] = "未能核验身份。请顾客重新出示人才码。"
    en: ClassVar[str] = "Nobody was established. Ask the customer to show the code again."


class TokenMalformed(PresentationRefused):
    refusal = Refusal.TOKEN_MALFORMED
    code = "token-malformed"
    status = 422
    zh = _SHOW_ANEW_ZH
    en = _SHOW_ANEW_EN


class TokenForged(PresentationRefused):
    refusal = Refusal.TOKEN_FORGED
    code = "token-forged"
    status = 422
    zh = _SHOW_ANEW_ZH
    en = _SHOW_ANEW_EN


class TokenExpired(PresentationRefused):
    refusal = Refusal.TOKEN_EXPIRED
    code = "token-expired"
    status = 422
    zh = _SHOW_ANEW_ZH
    en = _SHOW_ANEW_EN


class TokenUsed(PresentationRefused):
    refusal = Refusal.TOKEN_USED
    code = "token-used"
    zh = _SHOW_ANEW_ZH
    en = _SHOW_ANEW_EN


class CodeSuspended(PresentationRefused):
    refusal = Refusal.CODE_SUSPENDED
    code = "code-suspended"
    zh = "该人才码已暂停使用，不能办理。请告知顾客：原因与申诉方式可在本人手机上查看。"
    en = "This code is suspended. Tell the customer that the reason and how to appeal are on the phone."


class CodeTerminated(PresentationRefused):
    refusal = Refusal.CODE_TERMINATED
    code = "code-terminated"
    zh = "该人才码已终止或注销，不能办理。请告知顾客：详情可在本人手机上查看。"
    en = "This code has ended. Tell the customer that the details are on the phone."


class ReviewOverdue(PresentationRefused):
    refusal = Refusal.REVIEW_OVERDUE
    code = "review-overdue"
    zh = "该人才码的复核已逾期，不能办理。请告知顾客：在手机上完成复核后即可使用。"
    en = "The review of this code is overdue. Tell the customer to complete it on the phone."


class CardFrozen(PresentationRefused):
    refusal = Refusal.CARD_FROZEN
    code = "card-frozen"
    zh = _SHOW_CODE_ZH
    en = _SHOW_CODE_EN


class CardNotValid(PresentationRefused):
    refusal = Refusal.CARD_NOT_VALID
    code = "card-not-valid"
    zh = _SHOW_CODE_ZH
    en = _SHOW_CODE_EN


class SecondFactorRequired(PresentationRefused):
    refusal = Refusal.SECOND_FACTOR_REQUIRED
    code = "second-factor-required"
    zh = "仅凭此卡不能办理。请顾客再出示手机上的人才码。"
    en = "The card alone is not enough. Ask the customer to show the code on the phone as well."


TOLD: Final = MappingProxyType(
    {
        kind.refusal: kind
        for kind in (
            TokenMalformed,
            TokenForged,
            TokenExpired,
            TokenUsed,
            CodeSuspended,
            CodeTerminated,
            ReviewOverdue,
            CardFrozen,
            CardNotValid,
            SecondFactorRequired,
        )
    }
)
"""What is told of each refusal that is found here. TERMINAL_UNKNOWN is `partners.counter.TerminalUnknown`."""
