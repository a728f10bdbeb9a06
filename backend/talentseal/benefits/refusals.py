"""Why the catalogue and its budgets refuse."""

from talentseal.errors import Conflict, Invalid, NotFound


class BenefitNotFound(NotFound):
    code = "benefit-not-found"
    zh = "没有找到该权益或版本，或您无权查看。请核对编号。"
    en = "This benefit or version does not exist or is not yours to see; check the identifiers."


class BenefitExists(Conflict):
    code = "benefit-exists"
    zh = "贵单位已有编号为 {number} 的权益，或另有人刚起草了新版本。请刷新核对。"
    en = "Your organisation has a benefit {number}, or someone has just drafted its next version; reload."


class VersionUnderway(Conflict):
    code = "benefit-version-underway"
    zh = "该权益的第 {number} 版尚未办结（{state}）。请先发布或撤回该版本。"
    en = "Version {number} is still {state}; have it published or withdraw it first."


class CategoryRefused(Invalid):
    code = "benefit-category-refused"
    zh = "{role} 不能提供 {category} 类权益（第八条）。请改选类别，或由有资格的单位提供。"
    en = "A {role} provides no {category} benefits (Article 8); choose another category or provider."


class OutletForeign(Invalid):
    code = "benefit-outlet-refused"
    zh = "所列网点不属于贵单位或已关闭。请重新选择网点。"
    en = "An outlet named is not your organisation's, or is closed; choose again."


class OwnBenefit(Conflict):
    code = "own-benefit"
    zh = "提出权益的人不能审核，请由另一账户办理。"
    en = "Whoever proposed a benefit cannot review it; another account must."


class NotReviewer(Conflict):
    code = "not-the-reviewer"
    zh = "合作单位的权益由运营机构审核，主管部门和运营机构的权益由人才办审核。"
    en = "The operator reviews the benefits of partners, the talent office those of bureaus and the operator."


class TermOver(Conflict):
    code = "benefit-term-over"
    zh = "权益期限已于 {ends_on} 届满，不能发布。请退回后改定期限。"
    en = "The term was over on {ends_on}; return it to have new dates set."


class MeasureMissing(Conflict):
    code = "benefit-measure-missing"
    zh = "政务权益须有经领导小组批准、由本单位承办的措施，现尚未批准（{state}）。请先办理报批（第十六条）。"
    en = (
        "A GOVERNMENT benefit stands on a measure of its own body that the leading group approved; "
        "this one is {state}."
    )


class BudgetMissing(Conflict):
    code = "benefit-budget-missing"
    zh = "该权益须先设定预算并列明承担单位，且预算期须包含权益的首日。"
    en = "It needs a budget with its owner that covers its first day; set one first."


class AccessMissing(Conflict):
    code = "benefit-access-missing"
    zh = "提供单位尚未接入 {module} 模块或已被暂停。请先办理接入（第十八条）。"
    en = "Its provider is not admitted to the {module} module, or paused; have it admitted first."


class RegulatedRefused(Conflict):
    code = "benefit-regulated"
    zh = "须持牌经营的金融服务只能由已接入的金融企业提供。"
    en = "What takes a financial licence comes from an admitted financial enterprise alone."


class AgreementMissing(Conflict):
    code = "benefit-agreement-missing"
    zh = "金融、消费权益须以提供单位为一方、已存证且正在生效的协议为依据，并列明其中一项约定（第二十条）。"
    en = (
        "A FINANCIAL or CONSUMPTION benefit stands on a stipulation of an evidenced agreement in force "
        "to which its provider is a party."
    )


class BudgetNotFound(NotFound):
    code = "budget-not-found"
    zh = "没有找到该预算，或您无权查看。请核对编号。"
    en = "This budget does not exist or is not yours to see; check the identifier."


class BudgetOverlaps(Conflict):
    code = "budget-overlaps"
    zh = "该权益已有期限重叠的预算。请调整原预算，或改定期限。"
    en = "The benefit has a budget for some of these days; change that one, or choose other days."


class BudgetBelowUse(Conflict):
    code = "budget-below-use"
    zh = "新的额度低于已使用的数量（{used_units} 份、{used_fen} 分），不能调低。"
    en = "The new limit is below what is used already ({used_units} units, {used_fen} fen)."


class BudgetOwnerRefused(Invalid):
    code = "budget-owner-refused"
    zh = "预算由承担单位自行设定；人才办可为政府部门设定。请改选承担单位。"
    en = "Its owner sets a budget, or the talent office for a body of government; choose another owner."
