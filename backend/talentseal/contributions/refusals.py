"""Why contribution value is not counted, closed or rewarded."""

from talentseal.errors import Conflict, Invalid, NotFound


class MeasureNotApproved(Conflict):
    code = "contribution-measure-not-approved"
    zh = "所引措施现为 {state}，未经批准的公式不能启用。请在措施批准后录入。"
    en = "The measure is {state}; a formula counts when its measure is approved, so enter it then."


class FormulaNotInMeasure(Invalid):
    code = "contribution-formula-not-in-measure"
    zh = "所引措施的正文没有写明该公式的摘要 {sha256}。请录入措施批准的那个公式。"
    en = "The measure's text does not name this formula's hash {sha256}; enter the formula that was approved."


class FormulaEntered(Conflict):
    code = "contribution-formula-entered"
    zh = "该措施的公式已经录入，或另有人刚录入了新版本。请刷新查看。"
    en = "This measure's formula has been entered, or someone has just entered another one; reload and look."


class NotThirdParty(Invalid):
    code = "contribution-not-third-party"
    zh = "服务贡献值只记给第三方机构，该单位不是。请核对单位。"
    en = "Contribution value is for third-party institutions, and this is none; check the organisation."


class QuarterRunning(Conflict):
    code = "contribution-quarter-running"
    zh = "{period} 尚未结束。请在季度结束后办理。"
    en = "{period} is not over; come back when it is."


class QuarterClosed(Conflict):
    code = "contribution-quarter-closed"
    zh = "{period} 或其后的季度已经关账。遗漏的部分会计入下一季度。"
    en = "{period}, or a later quarter, is closed; what it left out counts in the next."


class NothingToClose(Conflict):
    code = "contribution-quarter-empty"
    zh = "截至 {period} 末没有未关账的贡献值，无需关账。"
    en = "No contribution is open up to the end of {period}, so there is nothing to close."


class RatedAlready(Conflict):
    code = "contribution-rated-already"
    zh = "该单位 {period} 的评价已经录入，不能更改。请刷新查看。"
    en = "Its rating for {period} has been entered and stays; reload and look."


class NotRanked(Invalid):
    code = "reward-not-ranked"
    zh = "该单位在 {period} 没有已关账的贡献值。请先关账，或核对单位。"
    en = "It has no contribution in a closed {period}; close the quarter first, or check the organisation."


class RewardNotFound(NotFound):
    code = "reward-not-found"
    zh = "没有找到该奖励，或您无权查看。请核对编号。"
    en = "There is no such reward, or it is not yours to see; check the number."


class OwnReward(Conflict):
    code = "reward-own-proposal"
    zh = "该奖励由您提出，须由另一人决定。"
    en = "You proposed this reward, so another person has to decide it."
