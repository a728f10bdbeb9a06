"""Why a settlement cannot go on."""

from talentseal.errors import Conflict, Invalid, NotFound


class SettlementNotFound(NotFound):
    code = "settlement-not-found"
    zh = "没有找到该结算，或您无权查看。请核对编号。"
    en = "There is no such settlement, or it is not yours to see; check the number."


class PeriodRunning(Conflict):
    code = "settlement-period-running"
    zh = "结算期 {period} 尚未结束。请在期满后关账。"
    en = "The period {period} is not over; close it when it is."


class PeriodClosed(Conflict):
    code = "settlement-period-closed"
    zh = "该单位的结算期 {period} 或其后的结算期已经关账。遗漏的部分会计入下一期。"
    en = "This period {period}, or a later one, is closed already; what it left out counts in the next."


class NothingToSettle(Conflict):
    code = "settlement-empty"
    zh = "该单位截至 {period} 期末没有未结算的核销或冲正，无需关账。"
    en = "Nothing of it is unsettled up to the end of {period}, so there is nothing to close."


class OwnSettlement(Conflict):
    code = "settlement-own"
    zh = "不能为本单位关账或作为付款方对账。请由其他单位办理。"
    en = "Nobody closes or reconciles a settlement with himself; another organisation has to."


class OwnClosing(Conflict):
    code = "settlement-own-closing"
    zh = "此单由您关账或对账，不能再由您确认。请由本单位另一人办理。"
    en = "You closed or reconciled this one, so you cannot confirm it; another person has to."


class StatementOutdated(Conflict):
    code = "settlement-statement-outdated"
    zh = "现行结算单是第 {number} 版。请刷新后核对并签署该版。"
    en = "The statement that counts is number {number}; reload, check it and sign that."


class SideSigned(Conflict):
    code = "settlement-side-signed"
    zh = "该方已签署这一版，每方只签一次。请刷新查看。"
    en = "This side has signed this statement already, and each signs once; reload and look."


class StatementSignatureFalse(Invalid):
    code = "settlement-signature-false"
    zh = "签名不是由贵单位现行有效的密钥对这一版结算单作出的。请用已登记的密钥对该文本重新签名（EIP-191）。"
    en = (
        "The signature is not by a valid key of your organisation over this statement; sign that text with a "
        "registered key (EIP-191)."
    )


class LineUnknown(Invalid):
    code = "settlement-line-unknown"
    zh = "结算单没有第 {line} 行。请按结算单上的行号填写。"
    en = "The statement has no line {line}; name lines by their numbers."


class AdjustmentEmpty(Invalid):
    code = "settlement-adjustment-zero"
    zh = "调整金额不能为 0。请填写正数（增加）或负数（减少）。"
    en = "An adjustment of 0 changes nothing; give an amount above or below 0."


class NotSignedByBoth(Conflict):
    code = "settlement-not-signed-by-both"
    zh = "双方尚未都签署现行结算单，不能确认到账。请先完成签署。"
    en = "Both sides have to sign the statement before its payment is confirmed."


class PaymentAhead(Invalid):
    code = "settlement-payment-ahead"
    zh = "到账日期 {day} 不在关账日与今日之间。请核对日期。"
    en = "The day {day} is not between the closing and today; check it."
