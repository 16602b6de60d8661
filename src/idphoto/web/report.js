// The report on a finished photo: what was checked, in words.

import { hasText, text } from "./i18n.js";

const ORDER = ["fail", "warn", "pass"];
const MARKS = { pass: "✓", warn: "!", fail: "✕" };

const at = (id) => document.getElementById(id);

const name = (id) => (hasText(`check.${id}`) ? text(`check.${id}`) : id);

function share(value, unit) {
  if (typeof value !== "number") return value ?? "";
  if (unit.startsWith("of the") || unit.startsWith("share")) return `${(value * 100).toFixed(1)} %`;
  return String(Number(value.toFixed(2)));
}

function limits({ limit, unit }) {
  if (limit === null || typeof limit === "string") return limit ?? "";
  if (Array.isArray(limit)) return limit.join(", ");
  const [low, high] = [limit.min, limit.max].map((end) => (end === null ? "" : share(end, unit)));
  return low && high ? `${low} – ${high}` : low ? `≥ ${low}` : `≤ ${high}`;
}

function line(check) {
  const item = document.createElement("li");
  item.className = check.status;
  const mark = Object.assign(document.createElement("span"), { className: "mark", textContent: MARKS[check.status] });
  mark.setAttribute("aria-label", text(`report.${check.status}`));
  mark.setAttribute("role", "img");
  const words = [share(check.value, check.unit), limits(check) && `(${limits(check)})`].filter(Boolean).join(" ");
  item.append(mark, ` ${name(check.id)}`, Object.assign(document.createElement("small"), { textContent: words }));
  return item;
}

/** Show a report; null hides it. */
export function renderReport(report) {
  at("report").hidden = !report;
  if (!report) return;
  const made = report.checks.filter(({ status }) => status in MARKS);
  made.sort((one, other) => ORDER.indexOf(one.status) - ORDER.indexOf(other.status));
  at("report").className = `report ${report.verdict}`;
  at("report-mark").textContent = MARKS[report.verdict];
  at("report-title").textContent = text(`report.verdict.${report.verdict}`, {
    number: made.filter(({ status }) => status === report.verdict).length,
  });
  at("report-list").replaceChildren(...made.map(line));
  const rest = report.checks.filter(({ status }) => status === "not_assessed").map(({ id }) => name(id));
  at("report-rest").textContent = text("report.rest", { names: rest.join(text("report.comma")) });
}
