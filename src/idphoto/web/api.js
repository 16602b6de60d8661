// The server as the page sees it: four calls, and one kind of error with a stable code.

const POLL_MS = 400;
const GIVE_UP_MS = 120_000;
const PATIENCE = 5; // unanswered polls in a row, before the server counts as gone
const UPLOAD_LIMIT = 15 * 1024 * 1024;

/** A call or a task that failed. `code` selects the sentence; `detail` is the server's own. */
export class Problem extends Error {
  constructor(code, { detail = "", seconds = 0 } = {}) {
    super(`${code} ${detail}`);
    this.code = code;
    this.detail = detail;
    this.seconds = seconds;
  }
}

const CODES = { 401: "unauthorised", 404: "gone", 413: "image_too_large", 429: "busy", 503: "busy" };

async function refusal(response) {
  const body = await response.json().catch(() => ({}));
  const seconds = Number.parseInt(response.headers.get("Retry-After"), 10) || 5;
  const code = CODES[response.status] ?? (response.status < 500 ? "bad_request" : "internal");
  return new Problem(body.error?.code === "unknown_image" ? "unknown_image" : code, { detail: body.message ?? "", seconds });
}

async function call(path, key, options = {}) {
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  let response;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("network");
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

const data = async (response) => (await response.json()).data;

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

export async function listSpecs(key) {
  return (await (await call("/specs", key)).json()).specs;
}

async function createTask(key, file, fields, signal) {
  const body = new FormData();
  // A photo that the server still knows need not be sent again.
  if (!fields.last_id) body.append("image_file", file, file.name || "photo");
  for (const [name, value] of Object.entries({ ...fields, sync: "0" })) body.append(name, value);
  try {
    return await data(await call("/task/pic/idphoto", key, { method: "POST", body, signal }));
  } catch (error) {
    // A server that refuses a large body early closes the connection before the browser reads the refusal.
    if (error.code === "network" && file.size > UPLOAD_LIMIT) throw new Problem("image_too_large");
    throw error;
  }
}

async function readTask(key, id, signal) {
  return data(await call(`/task/${encodeURIComponent(id)}`, key, { signal }));
}

function failure(task) {
  const [, code, detail] = /^(\w+): (.*)$/s.exec(task.err_info ?? "") ?? [];
  return new Problem(code ?? "internal", { detail: detail ?? task.state_detail ?? "" });
}

async function waitForEnd(key, first, { signal, onChange }) {
  const giveUpAt = Date.now() + GIVE_UP_MS;
  let task = first;
  let unanswered = 0;
  while (task.state !== 1) {
    if (task.state < 0) throw failure(task);
    if (Date.now() > giveUpAt) throw new Problem("timeout");
    onChange(task);
    await pause(POLL_MS);
    try {
      task = await readTask(key, task.task_id, signal);
      unanswered = 0;
    } catch (error) {
      unanswered += 1;
      if (!["network", "busy", "internal"].includes(error.code) || unanswered >= PATIENCE) throw error;
      if (error.seconds) await pause(error.seconds * 1000);
    }
  }
  return task;
}

/** Where this page finds a result that may be announced under another public name of the server. */
export function ownAddress(url) {
  const address = new URL(url, location.href);
  return address.pathname + address.search;
}

/** Make one photo. Returns the finished task and the file; `onChange` sees the task on the way. */
export async function makePhoto(key, file, fields, { signal, onChange }) {
  const task = await waitForEnd(key, await createTask(key, file, fields, signal), { signal, onChange });
  const response = await call(ownAddress(task.image), "", { signal });
  return { task, blob: await response.blob() };
}
