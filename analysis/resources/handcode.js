// The screen of hand_code(): shows one sentence and sends keys to the kernel, which answers once the decision is on disk.
// Everything that comes from the kernel is set as text.
const SPOKEN = 500; // characters of a sentence that a screen reader is given unasked
const PATIENCE = 4000; // milliseconds without an answer before the coder is told that nothing is being saved

const make = (name, properties = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
};

function render({ model, el }) {
  const number = Math.random().toString(36).slice(2); // ids of this view alone
  const progress = make("div", { className: "count" });
  const bar = make("progress", { "aria-label": "Sentences coded" });
  const torn = make("p", { className: "torn" });
  const text = make("div", { className: "text", role: "region", "aria-label": "Sentence to code" });
  const variables = make("div", { className: "variables" });
  const options = make("div", { className: "options" });
  const commands = make("div", { className: "commands" });
  const keys = make(
    "div",
    { className: "keys", tabIndex: 0, role: "application", "aria-label": "Coding keys", "aria-describedby": `${number}-how` },
    variables,
    options,
    commands,
  );
  const how = make(
    "p",
    { className: "unseen", id: `${number}-how` },
    "Press the key of a value. Backspace takes the last one back, right arrow sets the sentence aside, Enter writes a note, " +
      "page up and page down move a long sentence. Tab leaves.",
  );
  const input = make("input", { type: "text", id: `${number}-note`, autocomplete: "off" });
  const note = make(
    "div",
    { className: "note", hidden: true },
    make("label", { htmlFor: input.id }, "Note (Enter saves, Escape leaves it as it was)"),
    input,
  );
  const written = make("p", { className: "written" });
  const say = make("p", { className: "say" });
  const spoken = make("div", { className: "unseen", role: "status", "aria-live": "polite", "aria-atomic": "true" });
  const failed = make("p", { className: "failed", role: "alert" });
  el.classList.add("analysis-handcode");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", "Hand-coding");
  el.append(progress, bar, torn, text, written, failed, say, keys, note, how, spoken);

  // To the kernel
  let waiting;
  const ask = (asked) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      failed.textContent =
        "Not saved: the kernel does not answer. If it has stopped, restart it and run this cell again; " +
        "all that was shown as saved is in the file.";
    }, PATIENCE);
    model.send({ turn: model.get("shown").turn, ...asked });
  };
  const open = () => {
    if (!model.get("unit").text) return;
    note.hidden = false;
    input.value = model.get("shown").note;
    input.focus();
  };
  const press = (key) => {
    if (key === "Enter") open();
    else ask(model.get("unit").text || key === "Backspace" ? { key } : {});
  };

  // JupyterLab's own shortcuts of one key (delete the cell, restart) must not see what is typed here; those with a
  // modifier still do.
  const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key === "Enter"));
  el.addEventListener("keydown", (event) => {
    if (isPlain(event) && event.key !== "Tab") event.stopPropagation();
  });
  keys.addEventListener("keydown", (event) => {
    if (!isPlain(event) || event.isComposing) return;
    const isOurs = event.key.length === 1 || ["Backspace", "ArrowRight", "Enter"].includes(event.key);
    if (isOurs) {
      event.preventDefault();
      if (!event.repeat) press(event.key); // a key held down is one decision
    } else if (event.key === "PageDown" || event.key === "PageUp") {
      event.preventDefault();
      text.scrollBy(0, (event.key === "PageDown" ? 0.9 : -0.9) * text.clientHeight);
    }
  });
  keys.addEventListener("focus", () => ask({}));
  input.addEventListener("keydown", (event) => {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    if (event.key === "Enter") ask({ note: input.value });
    note.hidden = true;
    keys.focus();
  });
  const button = (key, name, label, more = "") => {
    const node = make("button", { type: "button", tabIndex: -1, "aria-keyshortcuts": key }, make("kbd", {}, name), " ", make("b", {}, label));
    if (more) node.append(make("span", { className: "more" }, more));
    node.addEventListener("click", () => {
      keys.focus();
      press(key);
    });
    return node;
  };
  const undo = button("Backspace", "⌫", "undo");
  const others = [button("ArrowRight", "→", "set aside"), button("Enter", "↵", "note")];

  // From the kernel
  const table = (rows) =>
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...["Variable", "alpha", "95% interval", "units", "verdict"].map((name) => make("th", { scope: "col" }, name)))),
      make(
        "tbody",
        {},
        ...rows.map((row) =>
          make("tr", {}, make("th", { scope: "row" }, row.title), ...[row.alpha, row.interval, row.n, row.verdict].map((cell) => make("td", {}, String(cell)))),
        ),
      ),
    );
  let turn = null;
  const show = () => {
    clearTimeout(waiting);
    const shown = model.get("shown");
    const unit = model.get("unit").text ? model.get("unit") : null;
    progress.textContent = `${shown.coder}: ${shown.progress}`;
    bar.max = shown.n;
    bar.value = shown.coded;
    torn.textContent = shown.torn;
    say.textContent = shown.say;
    failed.textContent = shown.failed;
    let next = "";
    if (shown.turn !== turn || !unit) {
      turn = shown.turn;
      if (unit) {
        const parts = [make("span", {}, unit.before), make("mark", {}, unit.text), make("span", {}, unit.after)];
        text.replaceChildren(make("p", {}, ...parts.filter((part) => part.textContent)));
        next = `Sentence ${unit.number}: ${unit.text.slice(0, SPOKEN)}. `;
      } else {
        text.replaceChildren(make("p", {}, `All ${shown.n} sentences are coded.`));
        if (shown.verdict) text.append(make("p", {}, shown.verdict));
        if (shown.verdicts.length) text.append(table(shown.verdicts));
        next = text.textContent;
      }
      text.scrollTop = 0;
      requestAnimationFrame(() => {
        if (text.scrollHeight > text.clientHeight + 1) text.tabIndex = 0;
        else text.removeAttribute("tabindex");
      });
    }
    written.textContent = shown.note ? `Note: ${shown.note}` : "";
    variables.replaceChildren(
      ...(shown.variables || []).map(({ title, value, is_active }) =>
        make("span", { className: is_active ? "active" : "" }, is_active ? `${title}?` : value ? `${title}: ${value}` : title),
      ),
    );
    options.replaceChildren(...(shown.options || []).map(({ key, label, definition }) => button(key, key, label, definition)));
    commands.replaceChildren(undo, ...(unit ? others : []));
    const active = (shown.variables || []).find((variable) => variable.is_active);
    const choices = (shown.options || []).map(({ key, label }) => `${key} ${label}`).join(", ");
    spoken.textContent = `${shown.say} ${next}${active ? `${active.title}? ${choices}.` : ""}`;
  };
  model.on("change:shown", show);
  show();
  return () => {
    clearTimeout(waiting);
    model.off("change:shown", show);
  };
}

export default { render };
