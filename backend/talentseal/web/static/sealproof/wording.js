"use strict";
/** Plain words in two languages: what each named refusal means in Chinese. */

const CHINESE = {
  "proof-error": "校验未通过",
  malformed: "格式有误",
  truncated: "内容被截断",
  "trailing-bytes": "末尾有多余内容",
  "bad-syntax": "不符合语法",
  "duplicate-key": "JSON 中有重复的键",
  "not-canonical": "不是唯一的规范写法，内容可能被改动过",
  oversized: "超出长度上限",
  "too-deep": "嵌套层数过多",
  "unknown-field": "含有本格式没有的字段",
  "missing-field": "缺少必需的字段",
  "unknown-version": "格式或版本不受支持，请使用更新的 sealproof",
  "wrong-type": "值的类型不对",
  "out-of-range": "值超出允许的范围",
  "bad-length": "字节长度不对",
  "bad-encoding": "编码有误",
  "bad-text": "含有不允许的字符",
  "bad-number": "数字写法不允许",
  "bad-key": "公钥各部分互不相符",
  "unsupported-algorithm": "算法不受支持",
  false: "所述不实",
  "root-mismatch": "两个应当相等的树根不同",
  "inclusion-false": "路径不能从该条目走到该树根",
  "consistency-false": "不能证明后来的日志完整保留了先前的日志",
  "tree-shrank": "后来的日志比先前的短，日志被改写过",
  "signature-false": "签名与文本或公钥不符",
  "no-trusted-signature": "没有受信任公钥的签名",
  "origin-mismatch": "检查点属于另一个日志",
  "disclosure-false": "披露项不属于该条目",
  "chain-unreachable": "节点没有应答",
  "chain-answer-garbled": "节点的应答无法理解",
};

/**
 * A refusal in both languages: the error's own message, and in Chinese its meaning before that detail.
 * @param {import("./errors.js").ProofError} error
 * @returns {{en: string, zh: string}}
 */
export function said(error) {
  return { en: error.message, zh: `${CHINESE[error.code]}（${error.message}）` };
}
