// The two choices: size and background.

import { language, text } from "./i18n.js";

const SEARCH_FROM = 12; // sizes; fewer are seen at a glance
const LOWEST = 100;
const HIGHEST = 2000;

// Blue and red are the usual colours of Chinese photo shops.
const BACKGROUNDS = [
  { id: "document", colour: undefined },
  { id: "white", colour: "FFFFFF" },
  { id: "blue", colour: "438EDB" },
  { id: "red", colour: "D9001B" },
  { id: "grey", colour: "E3E5E8" },
  { id: "none", colour: null },
  { id: "custom", colour: "" },
];

const sizeForm = document.getElementById("sizes");
const sizeList = document.getElementById("size-list");
const otherSizes = document.getElementById("size-other");
const noSize = document.getElementById("size-none");
const search = document.getElementById("size-search");
const customSize = document.getElementById("custom-size");
const customWidth = document.getElementById("custom-width");
const customHeight = document.getElementById("custom-height");
const backgroundList = document.getElementById("background-list");
const customColour = document.getElementById("custom-colour");
const sheet = document.getElementById("sheet");

let specs = [];
let sizesFailed = false;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

function option(group, value, className, checked, ...children) {
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: group, value, checked });
  return make("label", className, input, ...children);
}

const selected = (group) => document.querySelector(`input[name="${group}"]:checked`)?.value;

const specName = (spec) => (language() === "zh" ? spec.name_zh : spec.name_en) || spec.name_en || spec.id;

const pixels = (width, height) => text("result.pixels", { width, height });

/** Millimetres where the spec has them. Long fractions come from inches: one decimal is enough for a label. */
export function millimetres({ width_mm: width, height_mm: height }) {
  if (!width || !height) return "";
  return text("result.millimetres", { width: Number(width.toFixed(1)), height: Number(height.toFixed(1)) });
}

function shape(width, height) {
  const outline = make("span", "shape");
  const scale = 26 / Math.max(width, height);
  outline.style.width = `${Math.max(8, width * scale)}px`;
  outline.style.height = `${Math.max(8, height * scale)}px`;
  return make("span", "shape-box", outline);
}

function card(value, checked, icon, name, ...lines) {
  const words = make("span", "card-words", make("strong", "", name));
  for (const line of lines.filter(Boolean)) words.append(make("small", "", line));
  return option("size", value, "card", checked, icon, words);
}

function renderSizes() {
  // Nothing is selected until the catalogue is there, so that its first entry can be.
  const kept = selected("size") ?? (specs.length ? `spec:${specs[0].id}` : sizesFailed && "custom");
  const focused = sizeForm.contains(document.activeElement) && document.activeElement.type === "radio";
  const wanted = search.value.trim().toLowerCase();
  search.hidden = specs.length < SEARCH_FROM;
  const cards = specs.map((spec) => {
    const value = `spec:${spec.id}`;
    const face = shape(spec.width, spec.height);
    const element = card(value, value === kept, face, specName(spec), millimetres(spec), pixels(spec.width, spec.height));
    const names = [spec.id, spec.name_en, spec.name_zh, `${spec.width}x${spec.height}`].join(" ").toLowerCase();
    element.hidden = !names.includes(wanted);
    return element;
  });
  sizeList.replaceChildren(...cards);
  noSize.textContent = text(sizesFailed ? "size.failed" : "size.none");
  noSize.hidden = !sizesFailed && (!wanted || cards.some((element) => !element.hidden));
  const custom = make("span", "shape-box custom-shape", "+");
  const original = make("span", "shape-box", make("span", "shape whole"));
  otherSizes.replaceChildren(
    card("custom", kept === "custom", custom, text("size.custom"), text("size.custom.hint")),
    card("original", kept === "original", original, text("size.original"), text("size.original.hint")),
  );
  if (focused) sizeForm.querySelector("input:checked")?.focus();
}

function renderBackgrounds() {
  const kept = selected("background") ?? "document";
  const swatches = BACKGROUNDS.map(({ id, colour }) => {
    const dot = make("span", `dot dot-${id}`);
    if (colour) dot.style.backgroundColor = `#${colour}`;
    if (id === "document") dot.textContent = "✓";
    if (id === "custom") dot.style.backgroundColor = customColour.value;
    return option("background", id, "swatch", id === kept, dot, make("span", "", text(`background.${id}`)));
  });
  backgroundList.replaceChildren(...swatches);
}

function renderExtras() {
  customSize.hidden = selected("size") !== "custom";
  customColour.parentElement.hidden = selected("background") !== "custom";
}

export function renderChoices() {
  renderSizes();
  renderBackgrounds();
  renderExtras();
}

/** Take the catalogue; null means that it could not be loaded. */
export function offerSpecs(list) {
  sizesFailed = list === null;
  specs = list ?? [];
  renderChoices();
}

/** Wire the controls; `onChange` is told of every new choice. */
export function watchChoices(onChange) {
  search.addEventListener("input", renderSizes);
  for (const form of [sizeForm, backgroundList.closest("form"), sheet.form]) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => {
      if (event.target === search) return;
      if (event.target === customColour) renderBackgrounds();
      renderExtras();
      onChange();
    });
  }
}

function sizeChoice() {
  const value = selected("size") ?? "custom";
  if (value === "original") return { fields: {}, width: 0, height: 0, valid: true, name: "original" };
  if (value === "custom") {
    const [width, height] = [customWidth, customHeight].map((input) => Number(input.value));
    const valid = [width, height].every((n) => Number.isInteger(n) && n >= LOWEST && n <= HIGHEST);
    return { fields: { size: `${width}x${height}` }, width, height, valid, name: `${width}x${height}` };
  }
  const spec = specs.find(({ id }) => `spec:${id}` === value);
  return { fields: { spec: spec.id }, width: spec.width, height: spec.height, valid: true, name: spec.id, spec };
}

/** What is chosen now: the request's fields, and what the page needs to show it. */
export function currentChoice() {
  const size = sizeChoice();
  const { id, colour } = BACKGROUNDS.find((background) => background.id === (selected("background") ?? "document"));
  const usual = size.spec?.backgrounds[0] ?? "FFFFFF";
  const fill = id === "custom" ? customColour.value.slice(1).toUpperCase() : id === "document" ? usual : colour;
  const file = fill === null ? { format: "png" } : { format: "jpg", ...(id === "document" ? {} : { bg_color: fill }) };
  // A sheet needs a size on paper.
  const layout = sheet.value && (size.fields.spec || size.fields.size) ? { layout: sheet.value } : {};
  return { ...size, fill, fields: { ...size.fields, ...file, ...layout }, extension: file.format };
}
