// The page: one state, drawn by `render` after every change.

import { listSpecs, makePhoto, ownAddress } from "./api.js";
import { currentChoice, millimetres, offerSpecs, renderChoices, watchChoices } from "./choices.js";
import { hasText, language, setLanguage, text, translatePage } from "./i18n.js";
import { watchIntake } from "./intake.js";
import { renderReport } from "./report.js";
import { askForKey, currentKey, renderKey, watchKey } from "./key.js";

const STEPS = ["upload", "queue", "prepare", "process"];
const STEP_OF_STATE = { 0: 1, 2: 2, 3: 2, 4: 3 };
const STEP_START = [4, 14, 24, 36]; // percent shown at least, so that the bar moves with every step

const at = (id) => document.getElementById(id);

const page = {
  file: null,
  address: "", // of the original, for its <img>
  unseen: false, // the browser cannot show the original
  work: null, // {step, percent, abort} while a photo is being made
  result: null, // {address, task, bytes, choice}
  stale: false, // the choices have changed since the result
  problem: null,
};

const stem = (name) => name.replace(/\.[^.]*$/, "") || "photo";

function renderOriginal() {
  at("intake").hidden = page.file !== null;
  at("before-under").hidden = page.file === null;
  at("original").hidden = page.file === null || page.unseen;
  at("unseen").hidden = page.file === null || !page.unseen;
  if (page.file) {
    at("original").alt = text("photo.original.alt", { name: page.file.name });
    at("unseen-name").textContent = page.file.name;
  }
}

function renderGhost(choice) {
  const ghost = at("ghost");
  const original = at("original");
  const [width, height] = choice.valid && choice.width ? [choice.width, choice.height] : [3, 4];
  const whole = choice.fields.spec || choice.fields.size || !original.naturalWidth;
  const ratio = whole ? width / height : original.naturalWidth / original.naturalHeight;
  ghost.style.setProperty("--ratio", String(ratio));
  ghost.style.backgroundColor = choice.fill ? `#${choice.fill}` : "";
  ghost.classList.toggle("checkered", choice.fill === null);
}

function renderResult() {
  const { result } = page;
  const choice = currentChoice();
  renderGhost(choice);
  const shown = result !== null && page.work === null;
  at("ghost").hidden = shown;
  at("ghost").classList.toggle("working", page.work !== null);
  at("result").hidden = !shown;
  at("download").hidden = !shown;
  renderReport(shown ? result.task.compliance : null);
  at("sheet-links").hidden = !shown || !result.task.layout;
  at("after-title").textContent = text(shown ? "photo.result" : "photo.preview");
  at("stage").classList.toggle("has-photo", page.file !== null);
  at("stage").classList.toggle("has-result", shown);
  const named = shown ? result.choice : choice;
  const [width, height] = shown ? [result.task.image_width, result.task.image_height] : [named.width, named.height];
  const sizes = [named.spec ? millimetres(named.spec) : "", width ? text("result.pixels", { width, height }) : ""];
  // On a narrow screen the line may break between the two sizes, not within one.
  at("after-size").textContent = sizes.filter(Boolean).map((size) => size.replaceAll(" ", "\u00a0")).join(" · ");
  if (!shown) return;
  at("result").alt = text("photo.result.alt", { size: sizes[1] });
  at("result").style.setProperty("--ratio", String(width / height));
  at("result").classList.toggle("checkered", result.choice.fill === null);
  const { layout } = result.task;
  if (layout) {
    at("sheet-count").textContent = text("sheet.count", { number: layout.photos });
    at("sheet-image").href = ownAddress(layout.image);
    at("sheet-pdf").href = ownAddress(layout.pdf);
  }
  at("download").href = result.address;
  at("download").download = `${stem(page.file.name)}-${result.choice.name}.${result.choice.extension}`;
  const kilobytes = Math.max(1, Math.round(result.bytes / 1024));
  at("download-kind").textContent = `${result.choice.extension.toUpperCase()} · ${kilobytes} KB`;
}

function renderNotices() {
  const codes = page.result && !page.work ? (page.result.task.warnings ?? []) : [];
  const sentences = codes.map((code) =>
    hasText(`warning.${code}`) ? text(`warning.${code}`) : text("warning.other", { code }),
  );
  at("notices").hidden = sentences.length === 0;
  at("notice-list").replaceChildren(
    ...sentences.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })),
  );
}

function renderWork() {
  const { work } = page;
  at("progress").hidden = work === null;
  at("make").setAttribute("aria-disabled", String(work !== null || page.file === null));
  const label = work ? "busy" : !page.file ? "waiting" : !page.result ? "first" : page.stale ? "update" : "again";
  at("make").textContent = text(`make.${label}`);
  at("make").classList.toggle("calm", label === "again");
  let status = "";
  if (work) {
    at("bar").setAttribute("aria-valuenow", String(work.percent));
    at("bar-fill").style.transform = `scaleX(${work.percent / 100})`;
    [...at("steps").children].forEach((item, index) => {
      item.className = index < work.step ? "past" : index === work.step ? "now" : "";
    });
    status = text(`step.${STEPS[work.step]}`);
  } else if (page.result) {
    status = text("result.ready");
  }
  // Set only when it changes: every write is read aloud.
  if (at("status").textContent !== status) at("status").textContent = status;
}

function renderProblem() {
  const { problem } = page;
  at("alert").hidden = problem === null;
  if (!problem) return;
  const key = hasText(`error.${problem.code}`) ? `error.${problem.code}` : "error.internal";
  const [what, next] = text(key, { detail: problem.detail, seconds: problem.seconds });
  at("alert-what").textContent = what;
  at("alert-next").textContent = next;
  at("alert-action").hidden = !hasText(`${key}.action`);
  if (hasText(`${key}.action`)) at("alert-action").textContent = text(`${key}.action`);
}

function render() {
  renderOriginal();
  renderResult();
  renderNotices();
  renderWork();
  renderProblem();
}

function fail(problem) {
  page.problem = problem;
  if (problem.code === "unauthorised") {
    page.problem = null;
    askForKey();
  }
}

function dropResult() {
  if (page.result) URL.revokeObjectURL(page.result.address);
  page.result = null;
}

function takeFile(file) {
  if (page.work) page.work.abort.abort();
  page.problem = null;
  if (file.type && !file.type.startsWith("image/")) {
    fail({ code: "not_an_image" });
    return render();
  }
  dropResult();
  URL.revokeObjectURL(page.address);
  Object.assign(page, { file, address: URL.createObjectURL(file), unseen: false, work: null });
  at("original").src = page.address;
  render();
}

function follow(work, task) {
  work.step = Math.max(work.step, STEP_OF_STATE[task.state] ?? 1);
  work.percent = Math.max(work.percent, STEP_START[work.step], Math.min(99, task.progress ?? 0));
  render();
}

/** Make the photo, of the server's own cut-out if it still has one. */
async function makeOrRemake(fields, watch) {
  const known = page.result?.task.image_id;
  if (known) {
    try {
      return await makePhoto(currentKey(), page.file, { ...fields, last_id: known }, watch);
    } catch (error) {
      if (!["unknown_image", "cutout_unreadable"].includes(error.code)) throw error;
    }
  }
  return makePhoto(currentKey(), page.file, fields, watch);
}

async function start(extra = {}) {
  if (page.work || !page.file) return;
  const choice = currentChoice();
  page.problem = null;
  if (!choice.valid) {
    fail({ code: "bad_size" });
    return render();
  }
  const work = { step: 0, percent: STEP_START[0], abort: new AbortController(), overtaken: false };
  page.work = work;
  render();
  at("stage").scrollIntoView({ block: "nearest" });
  try {
    const { task, blob } = await makeOrRemake({ ...choice.fields, ...extra }, {
      signal: work.abort.signal,
      onChange: (seen) => page.work === work && follow(work, seen),
    });
    if (page.work !== work) return;
    dropResult();
    page.result = { address: URL.createObjectURL(blob), task, bytes: blob.size, choice };
    page.stale = work.overtaken;
    at("result").src = page.result.address;
  } catch (error) {
    if (page.work !== work) return;
    if (error.name !== "AbortError") fail(error.code ? error : { code: "internal", detail: error.message });
  }
  page.work = null;
  render();
  if (page.problem) at("alert").scrollIntoView({ block: "nearest" });
}

async function loadSpecs() {
  try {
    offerSpecs(await listSpecs(currentKey()));
  } catch (error) {
    offerSpecs(null);
    if (error.code === "unauthorised" && currentKey()) askForKey();
  }
  render();
}

at("original").addEventListener("error", () => {
  page.unseen = page.file !== null;
  render();
});
at("original").addEventListener("load", render);
at("make").addEventListener("click", () => (page.file ? start() : at("file").click()));
at("alert-action").addEventListener("click", () => start({ faces: "largest" }));
at("cancel").addEventListener("click", () => page.work?.abort.abort());
at("language").addEventListener("click", () => {
  setLanguage(language() === "zh" ? "en" : "zh");
  translatePage();
  renderChoices();
  renderKey();
  render();
});
watchIntake(takeFile);
watchKey(loadSpecs);
watchChoices(() => {
  page.stale = true;
  if (page.work) page.work.overtaken = true;
  if (page.problem?.code === "bad_size") page.problem = null;
  render();
});
translatePage();
renderChoices();
render();
loadSpecs();
