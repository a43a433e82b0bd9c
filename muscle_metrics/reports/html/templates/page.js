
"use strict";
// Search, order, steps, marks and the file of marked ids. All texts of the page are untrusted: they
// are read and compared here, and nothing is ever written as markup.
{
  const find = (id) => document.getElementById(id);
  const section = find("items");
  const lists = [...section.querySelectorAll(".list")];
  const items = [...section.querySelectorAll(".item")];
  const views = [...section.querySelectorAll("input[name=view]")];
  const natural = new Intl.Collator("en", { numeric: true }).compare;
  const orders = new Map();
  const marked = new Set();
  let texts = null;
  let current = null;

  const normal = (text) => text.normalize("NFKC").toLowerCase();
  const list = () => lists[views.findIndex((view) => view.checked)];
  const shown = () => [...list().children].filter((item) => !item.hidden);
  const read = () => (texts ??= items.map((item) => normal(item.textContent)));
  // Browsers work on an element that is told again what it is.
  const hide = (one, on) => one.hidden === on || (one.hidden = on);
  const say = (text) => (find("status").textContent = text);

  // Show what the chosen view, slice and words leave. Lists that are not shown stay as they are.
  function update() {
    const now = list();
    const part = find("label")?.selectedIndex ? `in-${find("label").selectedIndex - 1}` : "in-all";
    const words = normal(find("search").value).split(/\s+/).filter(Boolean);
    if (words.length) read();
    lists.forEach((one) => hide(one, one !== now));
    section.querySelectorAll(".about").forEach((one, index) => hide(one, lists[index] !== now));
    section.querySelectorAll(".share").forEach((one) => hide(one, !one.classList.contains(part)));
    let here = 0;
    let everywhere = 0;
    items.forEach((item, index) => {
      const matches = words.every((word) => texts[index].includes(word));
      everywhere += matches;
      if (item.parentNode !== now) return;
      hide(item, !matches || (part !== "in-all" && !item.classList.contains(part)));
      here += !item.hidden;
    });
    order(now, find("order").value);
    say(words.length ? `${here} found here, ${everywhere} in all lists` : "");
  }

  function order(one, selector) {
    if ((orders.get(one) ?? "") === selector) return;
    orders.set(one, selector);
    const rows = items.filter((item) => item.parentNode === one);
    const text = (item) => item.querySelector(selector)?.textContent ?? "";
    const keys = new Map(rows.map((item) => [item, selector ? text(item) : ""]));
    if (selector === ".id") rows.sort((first, second) => first.dataset.at - second.dataset.at);
    else rows.sort((first, second) => natural(keys.get(first), keys.get(second)));
    one.append(...rows);
  }

  function open(item) {
    if (current && current !== item) current.open = false;
    current = item;
    item.open = true;
    item.querySelector("summary").focus({ preventScroll: true });
    item.scrollIntoView({ block: "center" });
  }

  function step(by) {
    const rows = shown();
    const at = rows.indexOf(current);
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by];
    if (next) open(next);
    else say(rows.length ? "No more items in this list." : "No items in this list.");
  }

  function mark(ids, on) {
    for (const id of ids) on ? marked.add(id) : marked.delete(id);
    for (const item of items) {
      if (ids.has(item.dataset.id)) item.classList.toggle("marked", on);
    }
    find("export").disabled = !marked.size;
    find("export").textContent = marked.size ? `Export ${marked.size} marked ids` : "Export marked ids";
    if (current) press(current);
  }

  const press = (item) =>
    item.querySelector("button")?.setAttribute("aria-pressed", marked.has(item.dataset.id));
  const toggle = ({ dataset: { id } }) => mark(new Set([id]), !marked.has(id));

  function markShown() {
    const rows = shown();
    const held = rows.filter((item) => item.dataset.id);
    mark(new Set(held.map((item) => item.dataset.id)), true);
    const left = rows.length - held.length;
    say(left ? `${left} of ${rows.length} items are not marked: no file of ids can hold theirs` : "");
  }

  // The form that --pinned reads: one id per line, in the order of ids.
  function save() {
    const rows = items.filter((item) => marked.has(item.dataset.id));
    rows.sort((first, second) => first.dataset.at - second.dataset.at);
    const ids = new Set(rows.map((item) => JSON.parse(item.dataset.id)));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([...ids].map((id) => `${id}\n`)));
    link.download = "pinned.txt";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    say(`${ids.size} ids in pinned.txt: gate with --pinned pinned.txt`);
  }

  // A link to an item shows it, whatever was chosen before.
  function follow() {
    const item = find(location.hash.slice(1));
    if (!item?.matches(".item")) return;
    find("search").value = "";
    if (find("label")) find("label").selectedIndex = 0;
    views[lists.indexOf(item.parentNode)].checked = true;
    update();
    open(item);
  }

  section.addEventListener("keydown", ({ key, target, ctrlKey, metaKey, altKey }) => {
    if (ctrlKey || metaKey || altKey || target.matches("input, select")) return;
    if (key === "j") step(1);
    if (key === "k") step(-1);
    if (key === "m" && current?.dataset.id) toggle(current);
  });
  section.addEventListener("toggle", ({ target }) => {
    if (!target.open || !target.matches(".item")) return;
    current = target;
    press(target);
  }, true);
  section.addEventListener("click", ({ target }) => {
    if (target.matches(".own button")) toggle(target.closest(".item"));
  });
  section.addEventListener("change", update);
  find("search").addEventListener("focus", read);
  find("search").addEventListener("input", update);
  find("previous").addEventListener("click", () => step(-1));
  find("next").addEventListener("click", () => step(1));
  find("mark-shown").addEventListener("click", markShown);
  find("export").addEventListener("click", save);
  addEventListener("hashchange", follow);
  // Browsers restore what was chosen when a reader comes back to the page.
  addEventListener("pageshow", update);
  section.classList.remove("unscripted");
  document.documentElement.classList.add("scripted");
  update();
  follow();
}
