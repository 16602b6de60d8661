// The API documentation, drawn from /openapi.json without any library.

/** Make an element with text or children. */
function make(tag, content = [], className = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...(Array.isArray(content) ? content : [content]));
  return element;
}

function makeTable(heads, rows) {
  const toRow = (cells, tag) => make("tr", cells.map((cell) => make(tag, cell)));
  return make("table", [
    make("thead", toRow(heads, "th")),
    make("tbody", rows.map((cells) => toRow(cells, "td"))),
  ]);
}

function describeType(schema = {}) {
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.format === "binary") return "file";
  return schema.type ?? "";
}

function drawFields(operation) {
  const bodies = operation.requestBody?.content ?? {};
  const types = Object.keys(bodies);
  if (!types.length) return [];
  // The first type has every field; the others lack the file.
  const fields = Object.entries(bodies[types[0]].schema.properties ?? {});
  return [
    make("h3", "Fields"),
    make("p", `Body: ${types.join(", ")}`),
    makeTable(
      ["name", "values", "meaning"],
      fields.map(([name, schema]) => {
        const normally = schema.default === undefined ? "" : ` Normally ${schema.default}.`;
        return [make("code", name), describeType(schema), (schema.description ?? "") + normally];
      }),
    ),
  ];
}

function drawParameters(operation) {
  const parameters = operation.parameters ?? [];
  if (!parameters.length) return [];
  return [
    make("h3", "Parameters"),
    makeTable(
      ["name", "where", "meaning"],
      parameters.map((one) => [make("code", one.name), one.in, one.description ?? describeType(one.schema)]),
    ),
  ];
}

function drawReplies(operation) {
  const replies = Object.entries(operation.responses ?? {});
  const drawn = [
    make("h3", "Replies"),
    makeTable(["status", "meaning"], replies.map(([status, reply]) => [status, reply.description])),
  ];
  const example = operation.responses?.["200"]?.content?.["application/json"]?.example;
  if (example) drawn.push(make("pre", JSON.stringify(example, null, 2)));
  return drawn;
}

function drawCall(path, method, operation, schemes) {
  const keys = (operation.security ?? []).flatMap(Object.keys).map((name) => schemes[name]?.description ?? name);
  return make("section", [
    make("h2", [make("span", method.toUpperCase(), "method"), make("span", path, "path")]),
    make("p", [operation.summary ?? "", operation.description ?? ""].filter(Boolean).join(". ")),
    ...(keys.length ? [make("p", `Key: ${keys.join(" or ")}`)] : []),
    ...drawParameters(operation),
    ...drawFields(operation),
    ...drawReplies(operation),
  ]);
}

const calls = document.getElementById("calls");
const reply = await fetch("/openapi.json");
if (reply.ok) {
  const api = await reply.json();
  const schemes = api.components?.securitySchemes ?? {};
  const sections = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => drawCall(path, method, operation, schemes)),
  );
  calls.replaceChildren(...sections);
} else {
  calls.replaceChildren(make("p", `/openapi.json answered ${reply.status}.`));
}
