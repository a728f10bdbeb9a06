"""Refusals that cases and terminations share."""

from talentseal.errors import Conflict


class HearingOpen(Conflict):
    code = "hearing-open"
    zh = "持有人尚未陈述，陈述期至 {closes_on} 届满，在此之前不能作出不利决定。"
    en = "The holder has not been heard and has until {closes_on}; nothing is decided against him before."


class StatementTooLate(Conflict):
    code = "statement-too-late"
    zh = "陈述期已于 {closes_on} 届满。对决定不服的，可以申诉。"
    en = "The term for a statement ended on {closes_on}; you can appeal against the decision."


class AppealTooLate(Conflict):
    code = "appeal-too-late"
    zh = "申诉期已于 {closes_on} 届满，不能再申诉。请联系人才办。"
    en = "The term for an appeal ended on {closes_on}; call the talent office."


class OwnDecision(Conflict):
    code = "own-decision"
    zh = "须由另一人办理：作出原决定的人不能再次决定，也不能审理申诉。"
    en = "Another person has to: whoever decided cannot decide again, nor hear the appeal."
