"use strict";

// Shows the OpenAPI document. All text goes in as text, never as markup.
const main = document.getElementById("operations");

function element(tag, text, ...children) {
  const e = document.createElement(tag);
  if (text) {
    e.textContent = text;
  }
  e.append(...children);
  return e;
}

function marked(tag, className, text) {
  const e = element(tag, text);
  e.className = className;
  return e;
}

// resolve follows a reference inside the document.
function resolve(api, node) {
  while (node && node.$ref) {
    node = node.$ref.slice(2).split("/").reduce((at, part) => at[part], api);
  }
  return node || {};
}

function limits(schema) {
  const words = { minLength: "at least", maxLength: "at most", minimum: "from", maximum: "to", minItems: "at least", maxItems: "at most" };
  const units = { minLength: " characters", maxLength: " characters", minItems: " items", maxItems: " items" };
  const parts = Object.keys(words).filter((k) => schema[k] !== undefined).map((k) => words[k] + " " + schema[k] + (units[k] || ""));
  if (schema.enum) {
    parts.push("one of " + schema.enum.filter((v) => v !== null).join(", "));
  }
  if (schema.pattern) {
    parts.push("matches " + schema.pattern);
  }
  return parts.join(", ");
}

function row(api, name, node, required, description) {
  const schema = resolve(api, node);
  const r = element("tr");
  r.append(element("td", "", element("code", name)), element("td", (schema.type || "") + (required ? ", required" : "")),
    element("td", [description || schema.description, limits(schema)].filter(Boolean).join(" — ")));
  return r;
}

function table(title, rows) {
  if (rows.length === 0) {
    return "";
  }
  return element("section", "", element("h3", title), element("table", "", ...rows));
}

function json(value) {
  return element("pre", typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

function members(api, node) {
  const schema = resolve(api, node);
  const required = new Set(schema.required || []);
  return Object.entries(schema.properties || {}).map(([name, p]) => row(api, name, p, required.has(name)));
}

function show(api, path, method, op) {
  const d = element("details");
  d.id = op.operationId;
  const head = element("summary", "", marked("span", "method", method.toUpperCase()), element("code", path), marked("span", "name", op.operationId));
  d.append(head);
  d.addEventListener("toggle", () => {
    if (!d.open || d.childNodes.length > 1) {
      return;
    }
    d.append(element("p", [op.summary, op.description].filter(Boolean).join(". ")));
    if (op["x-iam-action"]) {
      d.append(element("p", "Right: ", element("code", op["x-iam-action"])));
    }
    d.append(table("Parameters", (op.parameters || []).map((p) => resolve(api, p)).map((p) => row(api, p.name, p.schema, p.required, p.in + (p.description ? ": " + p.description : "")))));
    const body = resolve(api, op.requestBody).content;
    if (body) {
      d.append(table("Body", members(api, body["application/json"].schema)));
    }
    const example = op["x-example"];
    d.append(element("h3", "Example"), json(example.request), json(example.status + (example.answer ? "\n" + JSON.stringify(example.answer, null, 2) : "")));
  });
  return d;
}

// neighbour shows an operation of another API.
function neighbour(op) {
  const d = element("details", "", element("summary", "", marked("span", "method", op.method), element("code", op.path), marked("span", "name", op.name)));
  d.id = op.name;
  if (op.action) {
    d.append(element("p", "Right: ", element("code", op.action)));
  }
  if (op.example) {
    d.append(element("h3", "Example"), json(op.example.request), json(op.example.answer));
  }
  return d;
}

function renderNeighbours(apis) {
  for (const [api, list] of Object.entries(apis)) {
    main.append(element("section", "", element("h2", api), ...list.map(neighbour)));
  }
}

function render(api) {
  main.replaceChildren();
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const [method, op] of Object.entries(item)) {
      if (op && op.operationId) {
        const tag = (op.tags || ["Other"])[0];
        groups.set(tag, [...(groups.get(tag) || []), show(api, path, method, op)]);
      }
    }
  }
  for (const [tag, list] of groups) {
    main.append(element("section", "", element("h2", tag), ...list));
  }
}

function openWanted() {
  const wanted = document.getElementById(location.hash.slice(1));
  if (wanted instanceof HTMLDetailsElement) {
    wanted.open = true;
    wanted.scrollIntoView();
  }
}

document.getElementById("find").addEventListener("input", (event) => {
  const text = event.target.value.toLowerCase();
  for (const d of main.querySelectorAll("details")) {
    d.hidden = !d.firstChild.textContent.toLowerCase().includes(text);
  }
});

const read = (path) => fetch(path).then((r) => r.json());

Promise.all([read("/docs/openapi.json"), read("/docs/neighbours.json")]).then(([api, neighbours]) => {
  render(api);
  renderNeighbours(neighbours);
  openWanted();
}).catch((e) => {
  main.replaceChildren(element("p", "The document could not be read: " + e.message));
});
