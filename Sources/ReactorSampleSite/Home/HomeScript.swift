/// The home page's script: live charts, and the forms' answers beside the forms.
enum HomeScript {
    static let js = #"""
// The page is whole without this file. With it, the charts are live and a form's answer is shown beside the form.

const kept = 120;
const shown = 10;
const find = (selector, root = document) => root.querySelector(selector);

// Quantities

function count(value) {
  if (value >= 1e6) return (value / 1e6).toFixed(2) + " M";
  if (value >= 1e4) return (value / 1e3).toFixed(1) + " k";
  return String(Math.round(value));
}

// Milliseconds, as [number, unit].
function time(value) {
  if (value === null || value === undefined) return ["–", ""];
  if (value < 1) return [String(Math.round(value * 1000)), "µs"];
  if (value < 1000) return [value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0), "ms"];
  return [(value / 1000).toFixed(2), "s"];
}

function bytes(value) {
  for (const [size, unit] of [[2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]]) {
    if (value >= size) return (value / size).toFixed(1) + " " + unit;
  }
  return Math.round(value) + (Math.round(value) === 1 ? " byte" : " bytes");
}

const timeText = value => time(value).join(" ").trim();
const clock = seconds => new Date(seconds * 1000).toISOString().slice(11, 19);

function duration(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"]].filter(([size]) => seconds >= size);
  if (!parts.length) return `${seconds} s`;
  return parts.slice(0, 2).map(([size, unit]) => {
    const whole = Math.floor(seconds / size);
    seconds -= whole * size;
    return `${whole} ${unit}`;
  }).join(" ");
}

// Charts

const highest = values => values.reduce((most, value) => Math.max(most, value ?? 0), 0);
const mean = values => {
  const known = values.filter(value => value !== null);
  return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null;
};

// A scale whose top is 1, 2 or 5 times a power of ten.
function roundTop(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * power).find(step => step >= value) ?? 10 * power;
}

// A line through the values, newest at the right edge; seconds without a value leave a gap.
function line(values, top) {
  const step = 240 / (kept - 1);
  let path = "", down = false;
  values.forEach((value, index) => {
    if (value === null) { down = false; return; }
    const x = (240 - (values.length - 1 - index) * step).toFixed(1), y = (63.5 - 62 * value / top).toFixed(1);
    path += down ? `L${x} ${y}` : `M${x} ${y}h.01`;
    down = true;
  });
  return path;
}

function area(values, top) {
  const step = 240 / (kept - 1);
  let path = "", run = [];
  const close = end => {
    if (run.length > 1) {
      path += `M${run[0][0]} 64` + run.map(([x, y]) => `L${x} ${y}`).join("") + `L${run[run.length - 1][0]} 64Z`;
    }
    run = [];
  };
  values.forEach((value, index) => {
    if (value === null) return close();
    run.push([(240 - (values.length - 1 - index) * step).toFixed(1), (63.5 - 62 * value / top).toFixed(1)]);
  });
  close();
  return path;
}

const charts = {
  requests: samples => {
    const values = samples.map(sample => sample.requests);
    const text = `highest ${count(highest(values))}, mean ${count(mean(values) ?? 0)}`;
    return { lines: [values], scale: count, value: [count(values.at(-1)), "per second"], note: text,
      label: `Requests per second: ${text}` };
  },
  latency: samples => {
    const median = samples.map(sample => sample.median), slow = samples.map(sample => sample.slow);
    const text = `99 % within ${timeText(slow.at(-1))}, highest ${timeText(slow.some(v => v !== null) ? highest(slow) : null)}`;
    return { lines: [median, slow], scale: timeText, value: time(median.at(-1)), median: true, note: text,
      label: `Latency: median ${timeText(median.at(-1))}, ${text}` };
  },
  connections: samples => {
    const values = samples.map(sample => sample.connections);
    const text = `highest ${count(highest(values))}`;
    return { lines: [values], scale: count, value: [count(values.at(-1)), "open"], note: text, label: `Open connections: ${text}` };
  },
  lag: samples => {
    const values = samples.map(sample => sample.lag);
    if (values.every(value => value === null)) return null;
    const text = `a timer's lateness, highest ${timeText(highest(values))}`;
    return { lines: [values], scale: timeText, value: time(values.at(-1)), note: text, label: `Loop lag: ${text}` };
  },
};

function draw(samples) {
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const chart = charts[figure.dataset.chart](samples);
    // What is not measured here says so already.
    if (!chart) continue;
    const top = roundTop(highest(chart.lines.flat()));
    find(".top", figure).textContent = chart.scale(top);
    find(".area", figure).setAttribute("d", area(chart.lines[0], top));
    figure.querySelectorAll(".line").forEach((path, index) => path.setAttribute("d", line(chart.lines[index], top)));
    find(".value b", figure).textContent = chart.value[0];
    find(".unit", figure).textContent = chart.value[1] + (chart.median && chart.value[1] ? " median" : "");
    find(".note", figure).textContent = chart.note;
    find("svg", figure).setAttribute("aria-label", chart.label);
  }
  if (!find("details.table").open) return;
  find("#samples").replaceChildren(...samples.slice(-shown).reverse().map(sample => {
    const row = document.createElement("tr");
    const cells = [clock(sample.time), count(sample.requests), timeText(sample.median), timeText(sample.slow),
      count(sample.connections), timeText(sample.lag), bytes(sample.sent)];
    cells.forEach(text => row.append(Object.assign(document.createElement("td"), { textContent: text })));
    return row;
  }));
}

// The live part

const live = {
  samples: [], source: null, timer: null, isOpen: false, wasLost: false, paused: false,

  say(state, text) {
    const place = find("#live");
    // A status that is told again would be read out again.
    if (place.dataset.state === state && place.textContent === text) return;
    place.dataset.state = state;
    place.textContent = text;
  },

  async open() {
    if (this.isOpen || this.paused || document.hidden) return;
    this.isOpen = true;
    if (document.body.dataset.live === "stream") this.listen();
    else this.timer = setInterval(() => this.ask(), 1000);
    await this.ask();
  },

  // All that the server has kept.
  async ask() {
    try {
      const answer = await fetch("/samples", { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const samples = await answer.json();
      if (this.isOpen) this.show(samples);
    } catch {
      if (this.isOpen) this.say("waiting", "no connection, trying again");
    }
  },

  // Each second's as it comes.
  listen() {
    this.source = new EventSource("/live");
    this.source.addEventListener("sample", event => this.show([...this.samples, JSON.parse(event.data)]));
    this.source.addEventListener("open", () => { if (this.wasLost) { this.wasLost = false; this.ask(); } });
    this.source.addEventListener("error", () => {
      this.wasLost = true;
      this.say("waiting", "no connection, trying again");
      if (this.source?.readyState !== EventSource.CLOSED) return;
      // The browser has given up.
      this.close();
      this.timer = setTimeout(() => { this.timer = null; this.open(); }, 5000);
    });
  },

  close() {
    clearInterval(this.timer);
    this.source?.close();
    this.source = null;
    this.isOpen = false;
  },

  show(samples) {
    // What was asked for and what was told may overlap.
    this.samples = samples.filter((sample, index) => !index || sample.uptime > samples[index - 1].uptime).slice(-kept);
    const last = this.samples.at(-1);
    if (!last || this.paused) return;
    this.say("live", "live");
    draw(this.samples);
    find("#uptime").textContent = duration(last.uptime);
    find("#total-requests").textContent = count(last.total.requests);
    find("#total-connections").textContent = count(last.total.connections);
    find("#total-bytes").textContent = bytes(last.total.sent);
    document.body.dataset.second = last.uptime;
  },

  toggle(button) {
    this.paused = !this.paused;
    button.setAttribute("aria-pressed", String(this.paused));
    if (this.paused) { this.close(); this.say("paused", "paused"); } else { this.say("waiting", "connecting"); this.open(); }
  },
};

const pause = find("#pause");
pause.hidden = false;
pause.addEventListener("click", () => live.toggle(pause));
document.addEventListener("visibilitychange", () => document.hidden ? live.close() : live.open());
// A page that waits in the cache of pages must hold no connection.
addEventListener("pagehide", () => live.close());
addEventListener("pageshow", () => live.open());
find("details.table").addEventListener("toggle", () => live.samples.length && draw(live.samples));

// The forms

const most = 20000;

function request(form, submitter) {
  const method = (submitter?.getAttribute("formmethod") ?? form.method).toUpperCase();
  const data = new FormData(form);
  let target = form.getAttribute("action");
  if (form.dataset.path) return { method, target: `${target}/${encodeURIComponent(data.get(form.dataset.path))}` };
  if (method === "GET") {
    const query = submitter && "bare" in submitter.dataset ? "" : new URLSearchParams(data).toString();
    return { method, target: query ? `${target}?${query}` : target };
  }
  if (form.dataset.raw) return { method, target, body: data.get(form.dataset.raw), type: "text/plain; charset=utf-8" };
  return { method, target, body: form.enctype === "multipart/form-data" ? data : new URLSearchParams(data) };
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Where a form's answer is shown; the status line alone is read out.
function resultOf(form) {
  let place = find(".result", form);
  if (!place) {
    place = element("div", { className: "result" }, element("p", {}), element("details", { hidden: true },
      element("summary", { textContent: "Fields" }), element("pre", { tabIndex: 0 })), element("pre", { tabIndex: 0, hidden: true }));
    find("p", place).setAttribute("role", "status");
    find("details pre", place).setAttribute("aria-label", "Fields of the answer");
    find(":scope > pre", place).setAttribute("aria-label", "Body of the answer");
    form.append(place);
  }
  return { status: find("p", place), details: find("details", place), fields: find("details pre", place),
    body: find(":scope > pre", place) };
}

const part = (text, className = "") => element("span", { textContent: text, className });

async function send(form, submitter) {
  const { method, target, body, type } = request(form, submitter);
  const place = resultOf(form);
  const stopping = new AbortController();
  form.stopping?.abort();
  form.stopping = stopping;
  const stop = element("button", { type: "button", className: "stop", textContent: "Stop" });
  stop.addEventListener("click", () => stopping.abort());
  place.status.replaceChildren(part("waiting"));
  place.details.hidden = place.body.hidden = true;
  const patience = setTimeout(() => find(".fields", form).append(stop), 400);
  const start = performance.now();
  let size = 0, text = "", status;
  const line = (...more) => place.status.replaceChildren(status, part(timeText(performance.now() - start)), part(bytes(size)), ...more);
  try {
    const answer = await fetch(target, { method, body, signal: stopping.signal, redirect: "follow", cache: "no-store",
      headers: type ? { "Content-Type": type } : {} });
    status = part(`${answer.status} ${answer.statusText}`.trim(), answer.ok ? "ok" : answer.status < 500 ? "odd" : "fail");
    place.fields.textContent = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    place.details.hidden = false;
    const decoder = new TextDecoder();
    const reader = answer.body?.getReader();
    for (let piece; reader && !(piece = await reader.read()).done;) {
      size += piece.value.length;
      if (text.length < most) {
        text += decoder.decode(piece.value, { stream: true });
        place.body.hidden = false;
        place.body.textContent = text.slice(0, most);
      }
    }
    line(...(text.length > most || size > 2 * most ? [part("the body's beginning is shown")] : []));
    const isJSON = answer.headers.get("Content-Type")?.match(/[/+]json/);
    if (isJSON && size <= most) place.body.textContent = JSON.stringify(JSON.parse(text), null, 2);
  } catch (error) {
    const word = part(stopping.signal.aborted ? "stopped" : "no answer", stopping.signal.aborted ? "odd" : "fail");
    if (status) line(word); else place.status.replaceChildren(word, part(stopping.signal.aborted ? "" : error.message));
  } finally {
    clearTimeout(patience);
    stop.remove();
    if (form.stopping === stopping) form.stopping = null;
  }
}

for (const form of document.querySelectorAll("form.try:not([data-plain])")) {
  form.addEventListener("submit", event => {
    event.preventDefault();
    send(form, event.submitter);
  });
}

live.open();
"""#
}
