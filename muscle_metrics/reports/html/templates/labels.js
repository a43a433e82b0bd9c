"use strict";
// Labels of a sheet: by keys and clicks, kept where the browser keeps them, and written as the CSV
// that was drawn. All texts are untrusted: they are read and compared, and never written as markup.
{
  const find = (id) => document.getElementById(id);
  const { file, sheet, columns, words } = find("main").dataset;
  const names = JSON.parse(columns);
  const known = new Map(Object.entries(JSON.parse(words)));
  const place = `muscle-metrics sheet ${sheet}`;
  const keys = { 1: ["yes", "no"], 2: ["no", "yes"], 3: ["yes", "yes"], 4: ["no", "no"], 0: ["?", "?"] };
  let at = 0;
  let unsaved = false;
  let keeps = true;

  const rows = [...document.querySelectorAll(".row")].map((element) => {
    const sides = [..."ab"].map((side) => [...element.querySelectorAll(`input[name^="${side}-"]`)]);
    // Two equal answers have one label.
    if (!sides[1].length) sides[1] = sides[0];
    return {
      element,
      sides,
      cells: JSON.parse(element.dataset.cells),
      note: element.querySelector("input[type=text]"),
    };
  });

  const say = (text) => (find("status").textContent = text);
  const word = (side) => side.find((input) => input.checked)?.value ?? "";
  const labels = ({ sides }) => sides.map(word);
  const isDone = (row) => labels(row).every(Boolean);
  const set = (side, value) => side.forEach((input) => (input.checked = input.value === value));

  function show(index, focus = true) {
    at = Math.min(Math.max(index, 0), rows.length - 1);
    rows.forEach(({ element }, other) => (element.hidden = other !== at));
    find("previous").disabled = at === 0;
    find("next").disabled = at === rows.length - 1;
    if (focus) rows[at].element.querySelector("h2").focus();
  }

  function count() {
    const done = rows.filter(isDone).length;
    find("progress").value = done;
    find("done").textContent = `${done} of ${rows.length} labelled`;
    find("open-row").disabled = done === rows.length;
    return done;
  }

  function step() {
    const after = [...rows.keys()].map((index) => (at + 1 + index) % rows.length);
    const open = after.find((index) => !isDone(rows[index]));
    if (open === undefined) say("All rows are labelled: export the sheet.");
    else show(open);
  }

  function changed() {
    unsaved = true;
    count();
    keep();
  }

  // Pages that were opened as files may have no storage: what counts is the exported sheet.
  function keep() {
    try {
      localStorage.setItem(place, JSON.stringify(rows.map((row) => [...labels(row), row.note.value])));
    } catch {
      keeps = false;
    }
    find("kept").textContent = keeps
      ? "This browser keeps them until then."
      : "This browser keeps none: export before you leave.";
  }

  function restore() {
    try {
      const held = JSON.parse(localStorage.getItem(place) ?? "[]");
      rows.forEach((row, index) => held[index] && fill(row, held[index].map(String)));
    } catch {
      keeps = false;
    }
  }

  // Whether a sheet with these labels is accepted: both or none, and one for two equal answers.
  function fits({ sides }, [first, second]) {
    const told = [first, second].map((one) => one === "yes" || one === "no");
    return told[0] === told[1] && (sides[0] !== sides[1] || !told[0] || first === second);
  }

  function fill(row, [first, second, note]) {
    const isOpen = [first, second].includes("?");
    if (fits(row, [first, second]) && (isOpen || first)) {
      set(row.sides[0], isOpen ? "?" : first);
      set(row.sides[1], isOpen ? "?" : second);
    }
    if (note) row.note.value = note;
  }

  function choose(row, input) {
    const other = row.sides.find((side) => !side.includes(input));
    if (!other) return;
    // Nobody can tell: of both answers, or of none.
    if (input.value === "?") set(other, "?");
    else if (word(other) === "?") set(other, "");
  }

  function press(key) {
    const pair = keys[key];
    const row = rows[at];
    if (row.sides[0] === row.sides[1] && pair[0] !== pair[1]) {
      say("These answers are equal: both are right (3), or both are wrong (4).");
      return;
    }
    say("");
    row.sides.forEach((side, index) => set(side, pair[index]));
    changed();
    step();
  }

  const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  // Spreadsheets compute a note that starts as a formula does.
  const safe = (note) => (/^[=+\-@]/.test(note.trimStart().normalize("NFKC")) ? `'${note}` : note);

  function text() {
    const lines = rows.map((row) => {
      const said = isDone(row) ? labels(row) : ["", ""];
      const cells = new Map(names.map((name, index) => [name, row.cells[index]]));
      cells.set("right_a", said[0]).set("right_b", said[1]).set("note", safe(row.note.value));
      return [...cells.values()];
    });
    return [names, ...lines].map((line) => `${line.map(quoted).join(",")}\n`);
  }

  function save() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(text(), { type: "text/csv" }));
    link.download = file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    unsaved = false;
    const halves = rows.filter((row) => !isDone(row) && labels(row).some(Boolean)).length;
    const left = halves ? `; ${halves} with a label of one answer alone went without` : "";
    say(`${count()} of ${rows.length} rows are labelled in ${file}${left}.`);
  }

  // Cells of a CSV file, by line; quoted cells may hold commas, quotes and ends of lines.
  function parse(content) {
    const lines = [[]];
    for (const [, bare, inner, end] of content.matchAll(/(?:([^",\r\n]*)|"((?:[^"]|"")*)")(,|\r?\n|$)/g)) {
      lines.at(-1).push(inner === undefined ? bare : inner.replaceAll('""', '"'));
      if (end !== ",") lines.push([]);
    }
    return lines.filter((line) => line.some(Boolean));
  }

  // Labels of a file, by row; nothing is taken from a file of which any row is another one.
  function read(content) {
    const [head, ...lines] = parse(content.replace(/^\ufeff/, ""));
    if (!head || names.some((name) => name !== "note" && !head.includes(name))) {
      throw new Error("expected a sheet with the columns of this one: choose one that this page exported");
    }
    const seen = new Set();
    return lines.map((line, index) => {
      const cells = new Map(head.map((name, column) => [name, line[column] ?? ""]));
      const row = rows.find((one) => one.cells[0] === cells.get("row").trim().replace(/\.0$/, ""));
      const kept = ["item", "prompt", "answer_a", "answer_b", "sheet"];
      if (seen.size === seen.add(row).size || !row || kept.some((name) => cells.get(name) !== row.cells[names.indexOf(name)])) {
        throw new Error(`line ${index + 2} is no row of this sheet, or one again, or its texts were changed: nothing was read`);
      }
      const said = ["right_a", "right_b"].map((name) => known.get(cells.get(name).trim().toLowerCase()));
      if (said.includes(undefined) || !fits(row, said)) {
        throw new Error(`line ${index + 2}: expected yes or no of both answers, or ?: nothing was read`);
      }
      return { row, said, note: (cells.get("note") ?? "").replace(/^'/, "") };
    });
  }

  async function load({ target }) {
    const [chosen] = target.files;
    if (!chosen) return;
    try {
      const found = read(await chosen.text());
      for (const { row, said, note } of found) fill(row, [...said, note]);
      changed();
      const told = found.filter(({ said }) => said.every(Boolean)).length;
      say(`Labels of ${told} ${told === 1 ? "row was" : "rows were"} read.`);
      step();
    } catch (error) {
      say(`${chosen.name}: ${error.message}`);
    }
    target.value = "";
  }

  addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (ctrlKey || metaKey || altKey || target.matches("input[type=text]")) return;
    if (key in keys) press(key);
    else if (key === "j") show(at + 1);
    else if (key === "k") show(at - 1);
  });
  rows.forEach((row) => {
    row.element.addEventListener("change", ({ target }) => {
      if (target.type === "radio") choose(row, target);
      changed();
    });
  });
  find("previous").addEventListener("click", () => show(at - 1));
  find("next").addEventListener("click", () => show(at + 1));
  find("open-row").addEventListener("click", step);
  find("export").addEventListener("click", save);
  find("import").addEventListener("change", load);
  addEventListener("beforeunload", (event) => unsaved && !keeps && event.preventDefault());
  document.documentElement.classList.add("scripted");
  restore();
  keep();
  count();
  const first = rows.findIndex((row) => !isDone(row));
  show(first < 0 ? 0 : first, false);
}
