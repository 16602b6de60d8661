// The API key: from the address (#key=…), from an earlier visit, or typed into a small panel.

import { text } from "./i18n.js";
import { recall, remember } from "./memory.js";

const panel = document.getElementById("key-panel");
const field = document.getElementById("key-field");
const message = document.getElementById("key-message");
const toggle = document.getElementById("key-toggle");

let key = recall("key");
let refused = false;

export const currentKey = () => key;

function use(value) {
  key = value.trim();
  refused = false;
  remember("key", key);
}

/** Take the key out of the address, so that it is not left in the history or on a screenshot. */
function takeFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!given) return false;
  use(given);
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

export function renderKey() {
  message.textContent = refused ? text("error.unauthorised").join(" ") : "";
  message.hidden = !refused;
  field.setAttribute("aria-invalid", String(refused));
  toggle.setAttribute("aria-expanded", String(!panel.hidden));
}

function show(visible) {
  panel.hidden = !visible;
  renderKey();
}

/** Ask for a key because a call was refused. */
export function askForKey() {
  refused = true;
  field.value = key;
  show(true);
  field.focus();
  field.select();
}

/** Wire the panel; `onKey` is told when there is a new key to try. */
export function watchKey(onKey) {
  takeFromAddress();
  show(!key);
  toggle.addEventListener("click", () => {
    field.value = key;
    show(panel.hidden);
    if (!panel.hidden) field.focus();
  });
  panel.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!field.value.trim()) return field.focus();
    use(field.value);
    show(false);
    toggle.focus();
    onKey();
  });
  window.addEventListener("hashchange", () => {
    if (!takeFromAddress()) return;
    show(false);
    onKey();
  });
}
