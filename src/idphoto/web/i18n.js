// The language of the page: chosen by the browser's preference, switchable, remembered.

import { recall, remember } from "./memory.js";
import { TEXTS } from "./texts.js";

function preferred() {
  const remembered = recall("language");
  if (remembered in TEXTS) return remembered;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

let current = preferred();

export const language = () => current;

/** Look up a text; `{name}` in it is replaced by `values.name`. Entries that are lists come back as lists. */
export function text(key, values = {}) {
  const entry = TEXTS[current][key];
  const fill = (part) => part.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  return Array.isArray(entry) ? entry.map(fill) : fill(entry);
}

export const hasText = (key) => key in TEXTS[current];

/** Fill every element that names its text, or the text of an attribute. */
export function translatePage() {
  document.documentElement.lang = current === "zh" ? "zh-CN" : "en";
  document.title = text("title");
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.setAttribute("placeholder", text(element.dataset.placeholder));
  }
}

export function setLanguage(name) {
  current = name;
  remember("language", name);
}
