// Lists the findings of the page as they are looked at. Texts of servers only ever become text, never markup.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const findings = data.findings;
  const SEVERITIES = ["critical", "high", "medium", "low"];
  const KINDS = ["drifted", "unknown", "corrected", "waived"];
  const HEADINGS = { drifted: "What differs", unknown: "What cannot be said", corrected: "What was corrected", waived: "What is waived" };
  const UNUSUAL = /[\p{C}\p{Zl}\p{Zp}]|[^\S ]|^ +| +$| {2,}/gu;
  const PAGE = 50;
  const OPENED = 4;
  const list = document.querySelector("#findings .list");
  const hides = document.querySelector("#findings .hides");
  const controls = { q: document.getElementById("search"), severity: document.getElementById("severity"), place: document.getElementById("place") };

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  };

  // -- values ----------------------------------------------------------------------------------------------------

  // A text with everything that cannot be seen written out: blanks at the ends, tabs, and whatever has no picture.
  const visible = (text) => {
    const parts = [];
    let end = 0;
    for (const found of text.matchAll(UNUSUAL)) {
      parts.push(text.slice(end, found.index));
      end = found.index + found[0].length;
      const code = found[0].codePointAt(0);
      const shown = { 9: "⇥", 10: "↵", 32: "·".repeat(found[0].length) }[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
      parts.push(make("span", { class: "invisible", title: `U+${code.toString(16).toUpperCase().padStart(4, "0")}` }, shown));
      if (code === 10) parts.push("\n");
    }
    return [...parts, text.slice(end)].filter((part) => part !== "");
  };

  const described = (value) => {
    if (value === null || value === undefined) return "(not set)";
    if (value === "") return "(empty)";
    if (Array.isArray(value)) return value.length ? value.map(described).join(", ") : "(none)";
    return typeof value === "string" ? value : JSON.stringify(value);
  };
  const isEmpty = (value) => value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
  const isTexts = (value) => Array.isArray(value) && value.every((item) => typeof item === "string");

  // What two texts do not have in common, at one place: most changes of a setting are.
  const differing = (text, other) => {
    const [one, two] = [[...text], [...other]];
    let start = 0;
    while (start < one.length && start < two.length && one[start] === two[start]) start += 1;
    let end = 0;
    while (end < one.length - start && end < two.length - start && one.at(-1 - end) === two.at(-1 - end)) end += 1;
    return [one.slice(0, start), one.slice(start, one.length - end), one.slice(one.length - end)].map((part) => part.join(""));
  };

  const marked = (value, other) => {
    const text = described(value);
    if (isEmpty(value)) return make("dd", { class: "empty" }, text);
    if (isEmpty(other)) return make("dd", {}, ...visible(text));
    const [before, middle, after] = differing(text, described(other));
    // Of short words with little in common, such as true and false, the whole differs.
    if (3 * (before.length + after.length) < text.length + 2) return make("dd", {}, make("mark", {}, ...visible(text)));
    return make("dd", {}, ...visible(before), middle ? make("mark", {}, ...visible(middle)) : null, ...visible(after));
  };

  // Items of two lists: what came, what went, and what stands elsewhere among those that both have.
  const itemised = (current, desired) => {
    const left = [...desired];
    const added = current.filter((item) => {
      const at = left.indexOf(item);
      if (at >= 0) left.splice(at, 1);
      return at < 0;
    });
    const common = current.filter((item) => !added.includes(item));
    const sequence = desired.filter((item) => !left.includes(item));
    const moved = common.filter((item, at) => sequence[at] !== item);
    const items = [
      ...added.map((item) => ["added", "+ is there, and should not be:", item]),
      ...left.map((item) => ["removed", "− is missing:", item]),
      ...(added.length || left.length ? moved : []).map((item) => ["moved", "↕ stands elsewhere:", item]),
    ];
    return items.map(([name, sign, item]) => make("li", { class: name, "data-sign": sign }, ...visible(item || "(empty)")));
  };

  // Another playbook's finding may be a sentence alone.
  const isBare = (finding) => (finding.current ?? null) === null && (finding.desired ?? null) === null;

  const values = (finding) => {
    const { current, desired } = finding;
    const [now, wanted] = finding.count === "corrected" ? ["was", "is"] : ["now", "wanted"];
    const rows = [make("dt", {}, now), marked(current, desired), make("dt", {}, wanted), marked(desired, current)];
    if (isTexts(current) && isTexts(desired) && current.length + desired.length > 1) {
      const items = itemised(current, desired);
      const only = items.length ? make("ul", { class: "list-diff" }, ...items) : "the same items in another order";
      rows.push(make("dt", {}, "differ in"), make("dd", { class: items.length ? null : "words" }, only));
    }
    return rows;
  };

  // -- one finding, or several that are equal --------------------------------------------------------------------

  const day = (text) => (text || "").slice(0, 10);
  const age = (finding) => {
    if (finding.trend === "still") return `since ${day(finding.since)}, ${finding.runs} run${finding.runs === 1 ? "" : "s"}`;
    return finding.trend ? `${finding.trend} ${(finding.since || "").slice(5, 16).replace("T", " ")}` : "";
  };
  const ages = (group) => ["new", "returned", "still"].map((trend) => [group.filter((each) => each.trend === trend).length, trend]).filter(([number]) => number).map((pair) => pair.join(" ")).join(", ");
  const severityOf = (finding) => ({ unknown: "cannot say", corrected: "corrected", waived: "waived" }[finding.count] ?? finding.severity);
  const whereOf = (finding) => [data.several ? finding.deployment : null, finding.pool, finding.server === finding.identity ? null : finding.server].filter(Boolean).join(" › ");

  const line = (text, what) => {
    const button = make("button", { type: "button", class: "copy", "aria-label": `Copy: ${what}`, "data-line": text }, "copy");
    return make("div", { class: "line" }, make("code", {}, ...visible(text)), button);
  };

  const pairs = (finding) => {
    const rows = [];
    const add = (title, text) => text && rows.push(make("dt", {}, title), make("dd", { class: "words" }, ...visible(text)));
    for (const origin of finding.origins ?? []) add("asked for", origin);
    add("why", finding.reason);
    add("range", finding.range);
    add("also", finding.detail);
    add("changed", finding.label && `It was ${data.labels[finding.label]}.`);
    add("left alone", finding.held);
    if (finding.explained) add("by us", `Run ${finding.explained.run} (${finding.explained.module}) made it what it is.`);
    if (finding.waiver) add("waived", `until ${finding.waiver.expires} by ${finding.waiver.owner}: ${finding.waiver.justification} (${finding.waiver.place})`);
    return rows;
  };

  const waysOn = (finding) => {
    const parts = [];
    if (finding.command && finding.count === "drifted") parts.push(make("h4", {}, "Put it back in the Management Shell"), line(finding.command, "the Management Shell line"));
    if (finding.put_back) parts.push(make("h4", {}, "Put it back from here"), line(finding.put_back, "the line that puts it back"));
    if (finding.keep) parts.push(make("h4", {}, "Keep it"), line(finding.keep, "the line that keeps it"));
    return parts;
  };

  const evidence = (finding) => {
    const details = make("details", { class: "evidence" }, make("summary", {}, "As it was read"));
    details.addEventListener("toggle", () => {
      if (details.childElementCount === 1) details.append(make("pre", { tabindex: "0" }, JSON.stringify(finding, null, 1)));
    }, { once: true });
    return details;
  };

  const bodyOf = (group) => {
    const [first] = group;
    const rows = first.count === "unknown" || isBare(first) ? [] : values(first);
    const body = make("div", { class: "body" }, make("dl", { class: "pair" }, ...rows, ...pairs(first)));
    const link = make("p", { class: "permalink" }, make("a", { href: `#finding=${first.id}` }, "link to this finding"));
    if (group.length === 1) {
      body.append(make("div", { class: "ways" }, ...waysOn(first), evidence(first), link));
    } else {
      const members = make("div", { class: "ways" }, make("h4", {}, `The same at ${group.length} objects`));
      for (const each of group.slice(0, 100)) {
        const own = make("details", { class: "member", id: `finding-${each.id}` }, make("summary", {}, make("code", {}, ...visible([each.deployment, each.pool, each.identity].filter(Boolean).join(" › "))), ` ${age(each)}`));
        own.addEventListener("toggle", () => own.childElementCount === 1 && own.append(...waysOn(each), evidence(each)), { once: true });
        own.open = each === first;
        members.append(own);
      }
      if (group.length > 100) members.append(make("p", {}, `and ${group.length - 100} more, which a search narrows down.`));
      members.append(link);
      body.append(members);
    }
    return body;
  };

  const card = (group, open) => {
    const [first] = group;
    const where = group.length > 1 ? `${group.length} objects` : whereOf(first);
    const gist = first.count === "unknown" ? first.detail || first.reason || "" : isBare(first) ? first.reason || "" : first.count === "corrected" ? `was ${described(first.current)}, is ${described(first.desired)}` : `now ${described(first.current)}, wanted ${described(first.desired)}`;
    const name = make("span", { class: "name" }, ...visible(first.noun ?? ""), " ", group.length > 1 ? "" : make("span", {}, ...visible(first.identity ?? "")), " ", make("b", {}, ...visible(first.property ?? "")));
    const summary = make("summary", {},
      make("div", {}, make("span", { class: "severity" }, severityOf(first)), make("span", { class: "age" }, group.length > 1 ? ages(group) : age(first))),
      make("div", {}, name, " ", make("span", { class: "where" }, ...visible(where)), make("span", { class: "gist" }, ...visible(gist.slice(0, 240)))));
    const element = make("details", { class: `finding ${first.count}`, id: group.length > 1 ? null : `finding-${first.id}`, "data-id": first.id }, summary);
    const fill = () => element.childElementCount === 1 && element.append(bodyOf(group));
    element.fill = fill;
    element.addEventListener("toggle", () => element.open && fill());
    if (open) {
      fill();
      element.open = true;
    }
    return element;
  };

  // -- what is chosen, which is what the link says ---------------------------------------------------------------

  const usual = KINDS.filter((kind) => kind !== "waived");
  let chosen = {};
  let shown = PAGE;
  let opened = false;

  const read = () => {
    const found = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const known = ["status", "q", "severity", "trend", "place", "finding"];
    return Object.fromEntries(Object.entries(found).filter(([key, value]) => known.includes(key) && value));
  };
  const go = (change) => {
    const next = Object.fromEntries(Object.entries({ ...chosen, finding: "", ...change }).filter(([, value]) => value));
    const hash = new URLSearchParams(next).toString();
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
    chosen = next;
    shown = PAGE;
    show();
  };

  // What is searched is put together when somebody searches.
  let searched = null;
  const searchable = () => searched ?? (searched = findings.map((each) => [each.id, each.noun, each.identity, each.property, each.deployment, each.pool, each.server, described(each.current), described(each.desired), each.reason, each.detail, ...(each.origins ?? []), each.waiver?.owner].filter(Boolean).join("\u0000").toLowerCase()));
  const groupKeys = findings.map((each) => JSON.stringify([each.count, each.severity, each.noun, each.property, each.kind, each.current ?? null, each.desired ?? null, each.unknown ?? null, each.count === "unknown" ? each.detail : null, each.held ?? null]));

  const matching = () => {
    const statuses = chosen.status ? [chosen.status] : usual;
    const wordsWanted = (chosen.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const place = (chosen.place ?? "").split("/");
    return findings.map((_, at) => at).filter((at) => {
      const each = findings[at];
      return statuses.includes(each.count)
        && (!chosen.severity || each.severity === chosen.severity)
        && (!chosen.trend || (each.trend === chosen.trend && ["drifted", "unknown"].includes(each.count)))
        && (!place[0] || each.deployment === place[0])
        && (place.length < 2 || (each.pool ?? "") === place[1])
        && (place.length < 3 || each.server === place[2])
        && wordsWanted.every((word) => searchable()[at].includes(word));
    });
  };

  const grouped = (numbers) => {
    const groups = new Map();
    for (const at of numbers) {
      const key = groupKeys[at];
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(findings[at]);
    }
    return [...groups.values()];
  };

  const hiding = (number) => {
    if (!findings.length) return [""];
    const parts = [`${number} of ${findings.length} findings ${number === 1 ? "is" : "are"} shown`];
    const hidden = findings.length - number;
    const isUsual = !Object.keys(chosen).some((key) => key !== "finding");
    const waived = data.counts.waived;
    if (hidden && isUsual) parts.push(`; ${hidden} ${hidden === 1 ? "is" : "are"} waived`);
    else if (hidden) parts.push(`; the filter hides ${hidden}`);
    const text = [`${parts.join("")}. ${data.counts.as_wanted} of ${data.counts.total} rows are as wanted, and are counted only. `];
    if (hidden && !isUsual) {
      const button = make("button", { type: "button" }, "Show what is open");
      button.addEventListener("click", () => go({ status: "", q: "", severity: "", trend: "", place: "" }));
      text.push(button);
    } else if (hidden && waived) {
      const button = make("button", { type: "button" }, "Show the waived");
      button.addEventListener("click", () => go({ status: "waived" }));
      text.push(button);
    }
    return text;
  };

  const nothing = () => {
    if (chosen.status === "as_wanted") return `${data.counts.as_wanted} of ${data.counts.total} rows are as wanted.`;
    if (Object.keys(chosen).length) return "No finding is what you look for.";
    if (findings.length) return `Nothing is open: ${data.counts.waived} of ${data.counts.total} rows are waived.`;
    return data.counts.total ? `Nothing to do: ${data.counts.as_wanted} of ${data.counts.total} rows are as wanted.` : "Nothing was judged.";
  };

  const show = () => {
    const numbers = matching();
    const groups = grouped(numbers);
    // However many there are, the first screen says what to type of the worst one.
    const first = groups.find((group) => group[0].count === "drifted" && waysOn(group[0]).length);
    let left = shown;
    const parts = [];
    for (const kind of KINDS) {
      const own = groups.filter((group) => group[0].count === kind);
      if (!own.length) continue;
      const total = own.reduce((sum, group) => sum + group.length, 0);
      parts.push(make("h3", { class: kind }, `${HEADINGS[kind]} (${total})`));
      const listed = own.slice(0, Math.max(0, left));
      parts.push(...listed.map((group) => card(group, opened || group === first || (groups.length <= OPENED && kind !== "waived"))));
      left -= listed.length;
    }
    if (left < 0 || groups.length > shown) {
      const more = make("button", { type: "button", class: "more" }, `Show ${Math.min(PAGE, groups.length - shown)} more of ${groups.length - shown}`);
      more.addEventListener("click", () => {
        shown += PAGE;
        show();
        list.querySelectorAll(".finding")[shown - PAGE]?.querySelector("summary").focus();
      });
      parts.push(more);
    }
    if (!parts.length) parts.push(make("p", { class: "nothing" }, nothing()));
    list.replaceChildren(...parts);
    hides.replaceChildren(...hiding(numbers.length));
    for (const [name, control] of Object.entries(controls)) if (control.value !== (chosen[name] ?? "")) control.value = chosen[name] ?? "";
    for (const button of document.querySelectorAll(".count")) {
      const kind = button.dataset.count;
      button.setAttribute("aria-pressed", String(chosen.status ? chosen.status === kind : usual.includes(kind)));
    }
    for (const button of document.querySelectorAll("button.trend")) button.setAttribute("aria-pressed", String(chosen.trend === button.dataset.trend));
    document.getElementById("open-all").textContent = opened ? "Close all" : "Open all";
  };

  // A link to one finding shows it, whatever is filtered.
  const follow = () => {
    chosen = read();
    shown = PAGE;
    const wanted = findings.findIndex((each) => each.id === chosen.finding);
    if (wanted >= 0) {
      const numbers = matching();
      if (!numbers.includes(wanted)) chosen = { status: findings[wanted].count === "waived" ? "waived" : "", finding: chosen.finding };
      const groups = KINDS.flatMap((kind) => grouped(matching()).filter((group) => group[0].count === kind));
      shown = Math.max(PAGE, groups.findIndex((group) => group.includes(findings[wanted])) + 1);
    }
    show();
    if (wanted < 0) return;
    const elements = [...list.querySelectorAll(".finding")];
    let element = elements.find((each) => each.dataset.id === chosen.finding);
    if (!element) {
      const key = groupKeys[wanted];
      const first = findings[groupKeys.indexOf(key)];
      element = elements.find((each) => each.dataset.id === first.id);
    }
    if (!element) return;
    element.fill();
    element.open = true;
    element.classList.add("chosen");
    const member = element.querySelector(`#finding-${CSS.escape(chosen.finding)}`);
    if (member) member.open = true;
    (member ?? element).scrollIntoView({ block: "start" });
    (member ?? element).querySelector("summary").focus({ preventScroll: true });
  };

  // -- events ----------------------------------------------------------------------------------------------------

  const copy = async (button) => {
    const text = button.dataset.line;
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", { class: "hidden", "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      done = document.execCommand("copy");
      area.remove();
      button.focus();
    }
    button.textContent = done ? "copied" : "not allowed";
    setTimeout(() => { button.textContent = "copy"; }, 1600);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.line !== undefined) copy(button);
    else if (button.dataset.count) go({ status: chosen.status === button.dataset.count ? "" : button.dataset.count });
    else if (button.dataset.trend) go({ trend: chosen.trend === button.dataset.trend ? "" : button.dataset.trend });
    else if (button.dataset.run) {
      const run = data.history[Number(button.dataset.run)];
      const numbers = Object.entries(data.titles).map(([name, title]) => `${run.counts[name]} ${title}`);
      document.querySelector(".run-shown").textContent = `${run.time.slice(0, 16).replace("T", " ")}, ${run.mode}: ${numbers.join(", ")}; ${run.trends.new} new, ${run.trends.resolved} resolved.`;
    }
  });
  document.getElementById("open-all").addEventListener("click", () => {
    opened = !opened;
    show();
  });
  controls.q.addEventListener("input", () => go({ q: controls.q.value }));
  controls.severity.addEventListener("change", () => go({ severity: controls.severity.value }));
  controls.place.addEventListener("change", () => go({ place: controls.place.value }));
  window.addEventListener("hashchange", () => {
    // A section's own name is no filter.
    if (location.hash.includes("=") || location.hash.length < 2) follow();
  });
  // What matters is open on paper, without what was folded away.
  window.addEventListener("beforeprint", () => {
    for (const element of list.querySelectorAll(".finding")) {
      element.fill();
      element.open = true;
    }
  });

  const places = new Set(findings.flatMap((each) => [each.deployment, each.pool && `${each.deployment}/${each.pool}`, each.server && `${each.deployment}/${each.pool ?? ""}/${each.server}`].filter(Boolean)));
  controls.place.append(...[...places].sort().map((place) => make("option", { value: place }, place.split("/").filter(Boolean).join(" › "))));
  controls.place.parentElement.hidden = places.size < 2;
  document.querySelector(".filters").hidden = findings.length < 4;
  follow();
})();
