"use strict";
// The page of /docs. Everything that comes from the server is put in as text, never as markup.
const at = (id) => document.getElementById(id);
const made = (tag, text) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; return e; };

async function ask(path, method, body) {
  const headers = {};
  const token = at("token").value.trim();
  if (token) headers.Authorization = "Bearer " + token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const reply = await fetch(path, { method, headers, body });
  return { status: reply.status, text: await reply.text() };
}

function columns(schema) {
  const table = made("table");
  const head = table.appendChild(made("tr"));
  for (const name of ["column", "type", "what it takes"]) head.append(made("th", name));
  for (const [name, told] of Object.entries(schema.properties)) {
    const row = table.appendChild(made("tr"));
    const needed = (schema.required || []).includes(name) ? "" : " (may be absent)";
    row.append(made("td", name), made("td", [].concat(told.type).join(" or ")), made("td", (told.description || "") + needed));
  }
  return table;
}

function operation(path, method, told) {
  const box = made("details");
  const line = box.appendChild(made("summary"));
  line.append(made("b", method.toUpperCase()), made("code", path), made("span", told.summary));
  const json = told.requestBody && told.requestBody.content["application/json"];
  const one = json && (json.schema.oneOf || [json.schema])[0];
  if (one && one.properties && one.properties.row) box.append(columns(one.properties.row));
  const area = json ? box.appendChild(made("textarea")) : null;
  if (area) area.value = JSON.stringify(json.example || {}, null, 1);
  const button = box.appendChild(made("button", "Ask"));
  const answer = box.appendChild(made("pre"));
  button.addEventListener("click", async () => {
    try {
      const found = await ask(path, method.toUpperCase(), area ? area.value : undefined);
      let text = found.text;
      try { text = JSON.stringify(JSON.parse(text), null, 1); } catch { /* not JSON: as it is */ }
      answer.textContent = found.status + "\n" + text;
    } catch (fault) { answer.textContent = String(fault); }
  });
  return box;
}

async function show() {
  at("paths").replaceChildren();
  const found = await ask("/openapi.json", "GET");
  if (found.status !== 200) { at("said").textContent = JSON.parse(found.text).error; return; }
  const told = JSON.parse(found.text);
  at("said").textContent = told.info.description;
  for (const [path, methods] of Object.entries(told.paths))
    for (const [method, what] of Object.entries(methods)) at("paths").append(operation(path, method, what));
}

at("enter").addEventListener("submit", (event) => { event.preventDefault(); show(); });
show();
