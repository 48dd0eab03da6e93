// Draws openapi.json: a section for each tag, an entry for each route, and the schemas. Text is only ever set as text.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const types = [].concat(schema.type ?? []);
  const items = schema.items ? `of ${typeOf(schema.items)}` : "";
  if (schema.allOf) return schema.allOf.map(typeOf).filter(Boolean).join(" and ");
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return choices.map(typeOf).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(", ");
  return [types.join(" or "), items].filter(Boolean).join(" ");
}

function table(caption, head, rows) {
  const box = element("div", undefined, "table");
  const made = element("table");
  made.append(element("caption", caption));
  const line = made.createTHead().insertRow();
  for (const name of head) {
    const cell = element("th", name);
    cell.scope = "col";
    line.append(cell);
  }
  const body = made.createTBody();
  for (const row of rows) {
    const target = body.insertRow();
    for (const text of row) target.insertCell().textContent = text ?? "";
  }
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", caption);
  box.append(made);
  return box;
}

function members(caption, schema) {
  const required = schema.required ?? [];
  const rows = Object.entries(schema.properties ?? {}).map(([name, member]) =>
    [name, typeOf(member), required.includes(name) ? "yes" : "", member.description]);
  return table(caption, ["Member", "Type", "Required", "Meaning"], rows);
}

function content(part) {
  return Object.entries(part.content ?? {}).map(([type, media]) => `${type}: ${typeOf(media.schema)}`).join("; ");
}

function route(method, path, operation, answers) {
  const made = element("details");
  const summary = element("summary");
  summary.append(element("span", method.toUpperCase(), "method"), element("code", path));
  if (operation.summary) summary.append(` ${operation.summary}`);
  made.append(summary);
  if (operation.description) made.append(element("p", operation.description));
  if (operation["x-permission"]) made.append(element("p", `Permission: ${operation["x-permission"]}`, "quiet"));
  if (operation.parameters?.length) {
    made.append(table("Parameters", ["Name", "In", "Type", "Meaning"], operation.parameters.map((parameter) =>
      [parameter.name, parameter.in, typeOf(parameter.schema), parameter.description])));
  }
  if (operation.requestBody) made.append(element("p", `Body: ${content(operation.requestBody)}`));
  made.append(table("Answers", ["Status", "Meaning", "Body"], Object.entries(operation.responses ?? {}).map(
    ([status, said]) => {
      const answer = said.$ref ? answers[said.$ref.split("/").pop()] : said;
      return [status, answer.description, content(answer)];
    })));
  return made;
}

async function draw() {
  const target = document.getElementById("routes");
  const answer = await fetch("v1/openapi.json");
  if (!answer.ok) throw new Error(`openapi.json answered ${answer.status}`);
  const api = await answer.json();
  const tags = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      if (!item[method]) continue;
      const tag = item[method].tags?.[0] ?? "other";
      if (!tags.has(tag)) tags.set(tag, []);
      tags.get(tag).push(route(method, path, item[method], api.components.responses));
    }
  }
  const parts = [];
  for (const [tag, routes] of tags) parts.push(element("h2", tag), ...routes);
  parts.push(element("h2", "Schemas"));
  for (const [name, schema] of Object.entries(api.components?.schemas ?? {})) {
    const made = element("details");
    made.append(element("summary", name));
    if (schema.description) made.append(element("p", schema.description));
    made.append(schema.properties ? members(`Members of ${name}`, schema) : element("p", typeOf(schema)));
    parts.push(made);
  }
  target.replaceChildren(...parts);
}

draw().catch((error) => {
  document.getElementById("routes").replaceChildren(element("p", `The document cannot be drawn: ${error.message}`));
});
