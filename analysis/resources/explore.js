// The screen of explore() and dashboard(): controls, counts, rows and a reading pane. The kernel does the work; every
// text in the HTML that it sends is escaped there, and every other text is set as text here.
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
  const { label, facets, hows, categories, dates, examples, has_rows } = model.get("controls");
  const ask = (change) => {
    model.set("query", { ...model.get("query"), page: 0, ...change });
    model.save_changes();
  };

  // Controls
  const search = make("input", { type: "search", placeholder: examples, spellcheck: false, size: 34 });
  const how = make("select", {}, ...hows.map(([value, text]) => make("option", { value }, text)));
  const category = make("select", {}, ...categories.map(([value, text]) => make("option", { value }, text)));
  const since = make("input", { type: "date", max: "9999-12-31" });
  const until = make("input", { type: "date", max: "9999-12-31" });
  let typing;
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => ask({ search: search.value }), 150);
  });
  how.addEventListener("change", () => ask({ how: how.value }));
  category.addEventListener("change", () => ask({ category: category.value }));
  since.addEventListener("change", () => ask({ since: since.value }));
  until.addEventListener("change", () => ask({ until: until.value }));

  const boxes = {};
  const numbers = {};
  const fields = facets.map(({ name, title, values, more }) => {
    boxes[name] = values.map(() => make("input", { type: "checkbox" }));
    numbers[name] = values.map(() => make("span", { className: "count" }));
    const options = values.map(({ text, ground, ink }, i) => {
      const word = make("bdi", {}, text);
      if (ground) word.style.cssText = `background:${ground};color:${ink};padding:0 .35em;border-radius:.25em`;
      return make("label", {}, boxes[name][i], " ", word, " ", numbers[name][i]);
    });
    const chosen = () => boxes[name].flatMap((box, i) => (box.checked ? [i] : []));
    // One stop of the Tab key for each filter, however many values it has; the arrow keys walk through them.
    boxes[name].forEach((box, i) => (box.tabIndex = i ? -1 : 0));
    const walked = { "aria-description": "Arrow keys move through the values" };
    const field = make("fieldset", walked, make("legend", {}, title), make("div", {}, ...options, more));
    field.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const from = boxes[name].indexOf(event.target);
      const to = boxes[name][from + step];
      if (!step || from < 0) return;
      event.preventDefault();
      if (!to) return;
      [boxes[name][from].tabIndex, to.tabIndex] = [-1, 0];
      to.focus();
    });
    field.addEventListener("change", () =>
      ask({ facets: { ...model.get("query").facets, [name]: chosen() } }),
    );
    return field;
  });

  const button = (text, act) => {
    const node = make("button", { type: "button" }, text);
    node.addEventListener("click", act);
    return node;
  };
  const clear = button("Clear filters", () => {
    clearTimeout(typing);
    ask({ search: "", how: hows[0]?.[0] ?? "", category: "", since: "", until: "", facets: {} });
  });
  const labelled = (text, control) => {
    control.id = `analysis-${Math.random().toString(36).slice(2)}`;
    return make("div", { className: "field" }, make("label", { htmlFor: control.id }, text), control);
  };
  const status = make("div", { role: "status", "aria-live": "polite", className: "status" });
  const problem = make("div", { role: "alert", className: "problem" });
  const controls = make("div", { role: "search", "aria-label": label, className: "controls" });
  if (hows.length) controls.append(labelled("Search", search), labelled("Search for", how));
  if (categories.length > 1) controls.append(labelled("Lexicon category", category));
  if (dates) controls.append(labelled("From", since), labelled("To", until));
  controls.append(clear);

  // Rows and reading pane
  const list = make("ol", { className: "rows", "aria-label": "Rows" });
  const pane = make("section", { className: "pane", tabIndex: 0, "aria-label": "Reading pane" });
  const place = make("span", {});
  const turn = (step) => () => ask({ page: model.get("query").page + step });
  const previous = button("Previous", turn(-1));
  const next = button("Next", turn(1));
  const ticks = (rows, on) => model.send({ do: "tick", rows, on });
  const all = button("Select all that match", () => model.send({ do: "all" }));
  const none = button("Clear selection", () => model.send({ do: "none" }));
  list.addEventListener("change", (event) => {
    const row = event.target.closest("[data-row]");
    if (row) ticks([Number(row.dataset.row)], event.target.checked);
  });
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (row && event.target.closest("button")) ask({ page: model.get("query").page, open: Number(row.dataset.row), more: 0 });
  });
  list.addEventListener("keydown", (event) => {
    const row = event.target.closest("[data-row]");
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (row && step) {
      event.preventDefault();
      row[step]?.querySelector("button").focus();
    } else if (row && event.key === "x" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      row.querySelector("input").click();
    }
  });
  pane.addEventListener("click", (event) => {
    const query = model.get("query");
    if (event.target.closest("[data-more]")) ask({ page: query.page, more: query.more + 1 });
  });

  // What the kernel says
  const draw = {
    query: () => {
      const query = model.get("query");
      const set = (control, value) => {
        if (control !== document.activeElement && control.value !== value) control.value = value;
      };
      set(search, query.search);
      set(how, query.how);
      set(category, query.category);
      set(since, query.since);
      set(until, query.until);
      for (const [name, of] of Object.entries(boxes))
        of.forEach((box, i) => (box.checked = (query.facets[name] ?? []).includes(i)));
    },
    counts: () => {
      for (const [name, of] of Object.entries(model.get("counts")))
        of.forEach((n, i) => (numbers[name][i].textContent = n.toLocaleString("en")));
    },
    status: () => (status.textContent = model.get("status")),
    problem: () => (problem.textContent = model.get("problem")),
    rows: () => {
      list.innerHTML = model.get("rows");
      list.scrollTop = 0;
      draw.ticked();
      draw.opened();
    },
    ticked: () => {
      const on = new Set(model.get("ticked"));
      for (const row of list.children) row.querySelector("input").checked = on.has(Number(row.dataset.row));
    },
    opened: () => {
      for (const row of list.children) row.classList.toggle("open", Number(row.dataset.row) === model.get("opened"));
    },
    place: () => {
      place.textContent = model.get("place");
      previous.disabled = model.get("query").page <= 0;
      next.disabled = model.get("query").page >= model.get("pages") - 1;
    },
    pane: () => {
      pane.innerHTML = model.get("pane");
      const current = pane.querySelector("[data-current]");
      pane.scrollTop = current ? current.offsetTop - 60 : 0;
    },
  };

  const board = make("div", { className: "analysis-board" });
  // JupyterLab's own shortcuts of one key must not see what is typed here: x on a button would cut the cell.
  board.addEventListener("keydown", (event) => {
    const isTheirs = event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key === "Enter");
    if (!isTheirs && event.key !== "Tab") event.stopPropagation();
  });
  board.append(controls);
  if (fields.length) board.append(make("div", { className: "facets" }, ...fields));
  board.append(problem, status);
  if (has_rows) {
    board.append(
      make("div", { className: "actions" }, all, none, make("span", { className: "pager" }, previous, place, next)),
      make("div", { className: "panes" }, list, pane),
    );
  } else {
    pane.classList.add("alone");
    board.append(pane);
  }
  el.append(board);
  const watched = Object.keys(draw).map((name) => [`change:${name}`, draw[name]]);
  for (const [event, act] of watched) model.on(event, act);
  model.on("change:pages change:query", draw.place);
  for (const act of Object.values(draw)) act();
  return () => {
    clearTimeout(typing);
    for (const [event, act] of watched) model.off(event, act);
    model.off("change:pages change:query", draw.place);
  };
}

export default { render };
