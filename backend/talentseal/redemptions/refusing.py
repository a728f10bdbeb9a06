"""What the counter is told when nothing is redeemed: the code, and what to say to the customer."""

from types import MappingProxyType
from typing import ClassVar, Final

from talentseal.credentials.refusals import Refusal as Unestablished
from talentseal.credentials.refusing import TOLD as NOT_ESTABLISHED
from talentseal.errors import TalentSealError
from talentseal.redemptions.refusals import Refusal


class RedemptionRefused(TalentSealError):
    """Base of the refusals; raised once the refusal itself is durable."""

    code: ClassVar[str] = "redemption-refused"
    status: ClassVar[int] = 409
    zh: ClassVar[str] = "未能办理该权益。"
    en: ClassVar[str] = "The benefit was not given."


class InstrumentExpired(RedemptionRefused):
    code = "redemption-instrument-expired"
    zh = "现行办法已过有效期，该权益暂停办理。新版办法生效后可再次办理。"
    en = "The measures in force have run out; this benefit rests until a new version is in force."


class AgreementNotInForce(RedemptionRefused):
    code = "agreement-not-in-force"
    zh = "该权益所依据的合作协议不在有效期内。请改日再来，或向提供单位咨询。"
    en = "The agreement behind this benefit is not in force; ask its provider, or come back later."


class BenefitNotPublished(RedemptionRefused):
    code = "benefit-not-published"
    zh = "该权益未发布、已暂停或已结束。请在“我的权益”中查看现有权益。"
    en = "This benefit is not published, rests or has ended; see the present ones under “my benefits”."


class OutletNotCovered(RedemptionRefused):
    code = "outlet-not-covered"
    zh = "该权益不在本网点办理。可办理的网点见权益说明。"
    en = "This benefit is not given at this outlet; its description lists the outlets that give it."


class TierNotEligible(RedemptionRefused):
    code = "tier-not-eligible"
    zh = "该权益不适用于顾客现在的人才层次。认定了相应层次后可以办理。"
    en = "The customer's present tier has no right to this benefit; a recognised tier that has is needed."


class ChannelNotAllowed(RedemptionRefused):
    code = "channel-not-allowed"
    zh = "该权益不能以这种方式出示。请改为出示手机上的人才码。"
    en = "This benefit does not take this way of showing oneself; show the code on the phone instead."


class ConsentMissing(RedemptionRefused):
    code = "redemption-consent-missing"
    zh = "顾客尚未同意贵单位为其办理权益，或已撤回同意。请顾客在“授权管理”中同意后再办理。"
    en = "The customer has not consented to your serving him, or no longer does; he can under his consents."


class ExclusionConflict(RedemptionRefused):
    code = "exclusion-conflict"
    zh = "顾客本期已使用与此互斥的另一项权益，二者只能择一。下一期可再选择。"
    en = "The customer has used a benefit this period that excludes this one; he may choose anew next period."


class QuotaExhausted(RedemptionRefused):
    code = "quota-exhausted"
    zh = "顾客本期的次数不足。下一期开始后可再办理。"
    en = "The customer's quota of this period does not suffice; it begins anew next period."


class BudgetExhausted(RedemptionRefused):
    code = "budget-exhausted"
    zh = "该权益的预算已用完。追加后可再办理。"
    en = "The budget of this benefit is used up; it can be given again once it is raised."


class ValueOverLimit(RedemptionRefused):
    code = "value-over-limit"
    zh = "金额超过该权益单次的上限。请按上限以内的金额办理。"
    en = "The amount is over what one use of this benefit may be worth; stay within the limit."


TOLD: Final = MappingProxyType(
    {
        Refusal.CODE_SUSPENDED: NOT_ESTABLISHED[Unestablished.CODE_SUSPENDED],
        Refusal.CODE_TERMINATED: NOT_ESTABLISHED[Unestablished.CODE_TERMINATED],
        Refusal.REVIEW_OVERDUE: NOT_ESTABLISHED[Unestablished.REVIEW_OVERDUE],
        Refusal.CARD_FROZEN: NOT_ESTABLISHED[Unestablished.CARD_FROZEN],
        Refusal.INSTRUMENT_EXPIRED: InstrumentExpired,
        Refusal.AGREEMENT_NOT_IN_FORCE: AgreementNotInForce,
        Refusal.BENEFIT_NOT_PUBLISHED: BenefitNotPublished,
        Refusal.OUTLET_NOT_COVERED: OutletNotCovered,
        Refusal.TIER_NOT_ELIGIBLE: TierNotEligible,
        Refusal.CHANNEL_NOT_ALLOWED: ChannelNotAllowed,
        Refusal.CONSENT_MISSING: ConsentMissing,
        Refusal.EXCLUSION_CONFLICT: ExclusionConflict,
        Refusal.QUOTA_EXHAUSTED: QuotaExhausted,
        Refusal.BUDGET_EXHAUSTED: BudgetExhausted,
        Refusal.VALUE_OVER_LIMIT: ValueOverLimit,
        Refusal.SECOND_FACTOR_REQUIRED: NOT_ESTABLISHED[Unestablished.SECOND_FACTOR_REQUIRED],
    }
)
"""Each refusal's error."""
