/// The script of the queue's page: puts what the server tells where it belongs.
enum QueueScript {
    static let js = #"""
// The page is whole without this file. With it, the page follows the queue.

const find = selector => document.querySelector(selector);

const live = {
  source: null, timer: null, isOpen: false, wasLost: false, paused: false,

  say(state, text) {
    const place = find("#live");
    // A status that is told again would be read out again.
    if (place.dataset.state === state && place.textContent === text) return;
    place.dataset.state = state;
    place.textContent = text;
  },

  open() {
    if (this.isOpen || this.paused || document.hidden) return;
    this.isOpen = true;
    if (document.body.dataset.live === "stream") this.listen();
    else this.timer = setInterval(() => this.ask(), 2000);
    this.ask();
  },

  async ask() {
    try {
      const answer = await fetch("/queue/parts", { cache: "no-store" });
      const update = await answer.json();
      if (this.isOpen) this.show(update);
    } catch {
      if (this.isOpen) this.say("waiting", "no connection, trying again");
    }
  },

  listen() {
    this.source = new EventSource("/queue/live");
    this.source.addEventListener("queue", event => this.show(JSON.parse(event.data)));
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

  show(update) {
    if (this.paused) return;
    this.say("live", "live");
    document.body.dataset.second = update.time;
    const problem = update.problem ?? "";
    if (find("#problem").textContent !== problem) find("#problem").textContent = problem;
    if (problem) return;
    for (const place of document.querySelectorAll("[data-part]")) {
      const markup = update.parts[place.dataset.part];
      // Only what has changed: a selection elsewhere stays. The server has escaped what peers sent.
      if (place.shown === markup) continue;
      place.shown = markup;
      place.innerHTML = markup;
    }
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

live.open();
"""#
}
