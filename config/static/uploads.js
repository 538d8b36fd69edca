// Large files in parts (tus 1.0.0): each with its SHA-256, going on where it was cut off, also after the page was left.

const TUS = { "Tus-Resumable": "1.0.0" };
const LONGEST_WAIT = 30_000;
const LANGUAGE = document.documentElement.lang || "en";

/** A number in the reader's language and in a unit that suits it. */
function measured(value, units, step, suffix = "") {
  let at = 0;
  for (; value >= step && at < units.length - 1; at += 1) value /= step;
  const digits = value < 10 && at > 0 ? 1 : 0;
  return new Intl.NumberFormat(LANGUAGE, { style: "unit", unit: units[at] + suffix, unitDisplay: "short", maximumFractionDigits: digits }).format(value);
}
const BYTES = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
const bytes = (count) => measured(count, BYTES, 1024);
const rate = (count) => measured(count, BYTES, 1024, "-per-second");
const time = (seconds) => measured(Math.max(1, seconds), ["second", "minute", "hour"], 60);

/** What the server refused, in its own words. */
class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail ?? "");
    this.status = status;
    this.code = problem?.code ?? "";
  }
}

async function refused(response) {
  const problem = await response.json().catch(() => null);
  return new Refused(response.status, problem);
}

/** One request; `sent` hears how many bytes of its body are on their way. Rejects with a TypeError where the line is cut. */
function request(method, url, headers, body, { sent, signal } = {}) {
  return new Promise((resolve, reject) => {
    const line = new XMLHttpRequest();
    line.open(method, url);
    for (const [name, value] of Object.entries(headers)) line.setRequestHeader(name, value);
    line.upload.onprogress = (event) => sent?.(event.loaded);
    line.onload = () => resolve({
      status: line.status,
      ok: line.status >= 200 && line.status < 300,
      header: (name) => line.getResponseHeader(name),
      json: async () => JSON.parse(line.responseText),
    });
    line.onerror = line.ontimeout = () => reject(new TypeError("cut"));
    line.onabort = () => reject(new DOMException("", "AbortError"));
    signal?.addEventListener("abort", () => line.abort(), { once: true });
    if (signal?.aborted) line.abort();
    else line.send(body);
  });
}

async function checksum(part) {
  if (!window.crypto?.subtle) return {}; // only a safe context has it
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await part.arrayBuffer()));
  return { "Upload-Checksum": `sha256 ${btoa(String.fromCharCode(...digest))}` };
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** The files of what was dropped, folders and all, each with its path. */
async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, path: file.name }));
  const found = [];
  async function walk(entry, path) {
    if (entry.isFile) {
      found.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path });
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const each of some) await walk(each, `${path}/${each.name}`);
    }
  }
  for (const entry of entries) await walk(entry, entry.name);
  return found;
}

/** What others write beside the files of a folder is none of them: `_SUCCESS`, `.part-0.crc`. */
const isFile = ({ file, path }) => file.size > 0 && !path.split("/").some((part) => /^[._]/.test(part));

class Item {
  constructor(room, { file, path }) {
    Object.assign(this, { room, file, path, sent: 0, state: "waiting", url: null });
    this.memory = `upload:${room.root.dataset.uploads}:${path}:${file.size}:${file.lastModified}`;
    this.row = room.root.querySelector("template").content.firstElementChild.cloneNode(true);
    this.row.querySelector("[data-name]").textContent = path;
    this.row.querySelector("progress").setAttribute("aria-label", path);
    const cancel = this.row.querySelector("[data-cancel]");
    cancel.setAttribute("aria-label", `${cancel.textContent} ${path}`);
    cancel.addEventListener("click", () => room.cancel(this));
    room.root.querySelector("[data-rows]").append(this.row);
    this.show();
  }

  get isOver() { return this.state === "done" || this.state === "failed"; }

  become(state, note = "") {
    this.state = state;
    const text = this.row.querySelector("[data-note]");
    text.textContent = note;
    text.hidden = !note;
    text.classList.toggle("field-error", state === "failed");
    this.show();
  }

  show() {
    const { row, room, file } = this;
    row.dataset.state = this.state;
    row.querySelector("[data-state]").textContent = room.say(this.state);
    row.querySelector("progress").value = this.sent / file.size;
    row.querySelector("[data-sent]").textContent = room.say("progress", { sent: bytes(this.sent), size: bytes(file.size) });
    row.querySelector("[data-cancel]").hidden = this.isOver;
  }

  /** Where its bytes go: where they went before this page was left, if that is there still. */
  async begin() {
    this.url ??= localStorage.getItem(this.memory);
    if (this.url) {
      const known = await this.ask("HEAD", this.url, TUS);
      if (known.ok) {
        this.sent = Number(known.header("Upload-Offset"));
        return this.sent > 0;
      }
      this.forget();
      if (![404, 410].includes(known.status)) throw await refused(known);
    }
    const said = [`filename ${base64(this.file.name)}`];
    if (this.room.isAnnounced(this) || this.path.includes("/")) said.push(`path ${base64(this.path)}`);
    const headers = { ...TUS, "Upload-Length": String(this.file.size), "Upload-Metadata": said.join(",") };
    const begun = await this.ask("POST", this.room.root.dataset.create, headers);
    if (!begun.ok) throw await refused(begun);
    this.url = begun.header("Location");
    this.sent = 0;
    localStorage.setItem(this.memory, this.url);
    return false;
  }

  async part() {
    const piece = this.file.slice(this.sent, this.sent + Number(this.room.root.dataset.part));
    const headers = {
      ...TUS, "Upload-Offset": String(this.sent), "Content-Type": "application/offset+octet-stream", ...(await checksum(piece)),
    };
    const start = this.sent;
    const answer = await this.ask("PATCH", this.url, headers, piece, (count) => {
      this.sent = start + Math.min(count, piece.size);
      this.room.tick(this);
    });
    if (!answer.ok) {
      this.sent = start;
      throw await refused(answer);
    }
    this.sent = Number(answer.header("Upload-Offset"));
  }

  ask(method, url, headers, body = null, sent = undefined) {
    const word = { "X-CSRFToken": this.room.word };
    return request(method, url, { ...headers, ...word }, body, { sent, signal: this.room.stop.signal });
  }

  forget() {
    localStorage.removeItem(this.memory);
    this.url = null;
  }
}

/** The area of one declaration: its files are sent one after the other. */
class Room {
  constructor(root) {
    Object.assign(this, { root, items: [], announced: new Set(), paused: false, busy: false, stop: new AbortController(), marks: [] });
    this.word = root.querySelector("[name=csrfmiddlewaretoken]").value;
    this.part = (name) => root.querySelector(`[data-${name}]`);
    root.hidden = false;
    root.parentElement.querySelector("[data-plain]").hidden = true;
    for (const input of root.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => {
        const chosen = [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
        input.value = "";
        this.take(chosen);
      });
    }
    const zone = root.querySelector(".drop");
    zone.addEventListener("dragover", (event) => event.preventDefault());
    zone.addEventListener("drop", async (event) => {
      event.preventDefault();
      zone.classList.remove("is-over");
      this.take(await dropped(event.dataTransfer));
    });
    this.part("pause").addEventListener("click", () => this.pause(!this.paused));
    window.addEventListener("online", () => this.wake?.());
    window.addEventListener("beforeunload", (event) => { if (this.busy) event.preventDefault(); });
    // A page that loads anew would lose the files that it sends.
    document.addEventListener("htmx:beforeRequest", (event) => { if (this.busy && event.target.id === "progress") event.preventDefault(); });
  }

  say(word, values = {}) {
    const text = this.root.dataset[`say${word[0].toUpperCase()}${word.slice(1)}`];
    return text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
  }

  get waiting() { return this.items.filter((item) => !item.isOver); }

  isAnnounced(item) { return this.announced.has(item.path); }

  problem(text) {
    this.part("problem").textContent = text;
    this.part("problem").hidden = !text;
  }

  async take(chosen) {
    const known = new Set(this.waiting.map((item) => item.path));
    const files = chosen.filter(isFile).filter(({ path }) => !known.has(path));
    this.problem(files.length ? "" : this.say("none"));
    if (!files.length) return;
    const items = files.map((each) => new Item(this, each));
    this.items.push(...items);
    try {
      await this.announce(items);
    } catch (error) {
      this.problem(error.message || this.say("failure"));
      for (const item of items) item.row.remove();
      this.items = this.items.filter((item) => !items.includes(item));
      return;
    }
    this.run();
  }

  /** Several files are announced, so that the declaration is processed once, when all are here. Others stay awaited. */
  async announce(items) {
    const { missing } = await this.manifest();
    const awaited = new Set(missing.map((file) => `${file.bytes}:${file.path}`));
    this.announced = new Set(missing.map((file) => file.path));
    if (items.every(({ path, file }) => awaited.has(`${file.size}:${path}`))) return;
    if (this.waiting.length < 2 && !missing.length) return;
    await this.expect(missing, this.waiting);
  }

  async expect(others, items) {
    const own = new Set(items.map((item) => item.path));
    const files = others.filter((file) => !own.has(file.path));
    files.push(...items.map(({ path, file }) => ({ path, bytes: file.size })));
    await this.manifest(files);
    this.announced = new Set(files.map((file) => file.path));
  }

  /** What is announced; with `files`, they are from now on. */
  async manifest(files) {
    const options = { headers: { Accept: "application/json" } };
    if (files) {
      Object.assign(options, { method: "POST", body: JSON.stringify({ files }) });
      Object.assign(options.headers, { "Content-Type": "application/json", "X-CSRFToken": this.word });
    }
    const answer = await fetch(this.root.dataset.manifest, options);
    if (!answer.ok) throw await refused(answer);
    return answer.json();
  }

  async run() {
    if (this.busy) return;
    this.busy = true;
    this.part("overall").hidden = false;
    for (let item; (item = this.items.find((each) => each.state === "waiting" || each.state === "paused"));) {
      await this.send(item);
      if (this.paused) await new Promise((resolve) => { this.goOn = resolve; });
    }
    this.busy = false;
    this.tick();
    this.tell();
    if (this.items.length && this.items.every((item) => item.state === "done")) window.location.reload();
  }

  async send(item) {
    item.become("sending");
    this.tell();
    for (let tries = 0; !item.isOver;) {
      try {
        const resumed = await item.begin();
        if (resumed && !tries) item.become("sending", this.say("resumed"));
        while (item.sent < item.file.size) {
          await item.part();
          if (tries) item.become("sending");
          tries = 0;
          this.tick(item);
        }
        await this.finish(item);
      } catch (error) {
        if (error.name === "AbortError") {
          if (!item.isOver) item.become("paused");
          return;
        }
        if (!this.mayRetry(error, item)) return item.become("failed", error.message || this.say("failure"));
        item.become("sending", error.status === 507 ? this.say("full") : this.say("cut"));
        tries += 1;
        await this.rest(Math.min(LONGEST_WAIT, 500 * 2 ** tries));
        if (this.stop.signal.aborted) return item.become("paused");
      }
    }
  }

  /** A cut line, a busy server, a part that came damaged or twice: `begin` asks where to go on. */
  mayRetry(error, item) {
    if (error instanceof TypeError) return true;
    if (!(error instanceof Refused)) return false;
    if (error.status === 404 || error.status === 410) item.forget();
    return [404, 410, 429, 507].includes(error.status) || ["wrong_offset", "checksum_mismatch"].includes(error.code) ||
      (error.status >= 500 && error.status !== 501);
  }

  async finish(item) {
    const state = await (await item.ask("GET", item.url, {})).json();
    localStorage.removeItem(item.memory);
    if (state.status === "failed") item.become("failed", state.problem);
    else item.become("done", state.status === "open" ? this.say("joining") : "");
    this.tell();
  }

  rest(milliseconds) {
    return new Promise((resolve) => {
      this.wake = resolve;
      setTimeout(resolve, milliseconds);
    });
  }

  pause(paused) {
    this.paused = paused;
    this.part("pause").textContent = this.say(paused ? "resume" : "pause");
    if (paused) {
      this.stop.abort();
      this.wake?.();
    } else {
      this.stop = new AbortController();
      this.marks = [];
      this.goOn?.();
    }
    this.tell();
  }

  async cancel(item) {
    const { url } = item;
    item.become("failed");
    item.row.remove();
    this.items = this.items.filter((each) => each !== item);
    if (!this.paused) { // ends what is being sent; the next one goes on
      this.stop.abort();
      this.stop = new AbortController();
      this.wake?.();
    }
    item.forget();
    if (url) await request("DELETE", url, { ...TUS, "X-CSRFToken": this.word }, null).catch(() => {});
    if (this.announced.delete(item.path)) await this.doWithout(item).catch((error) => this.problem(error.message));
    this.tick();
    if (!this.items.length) this.part("overall").hidden = true;
  }

  async doWithout(item) {
    const { missing } = await this.manifest();
    await this.manifest(missing.filter((file) => file.path !== item.path));
  }

  /** Bars and figures as they are now; the voice speaks more rarely. */
  tick(item) {
    item?.show();
    const size = this.items.reduce((sum, each) => sum + each.file.size, 0);
    const sent = this.items.reduce((sum, each) => sum + each.sent, 0);
    const now = performance.now();
    this.marks = [...this.marks.filter(([at]) => now - at < 8000), [now, sent]];
    const [[since, before]] = this.marks;
    const speed = now - since > 500 ? Math.max(0, sent - before) / ((now - since) / 1000) : 0;
    this.figures = speed && sent < size ? this.say("rate", { rate: rate(speed), time: time((size - sent) / speed) }) : "";
    this.part("overall").querySelector("progress").value = size ? sent / size : 0;
    this.part("rate").textContent = this.busy ? this.figures : "";
    const done = this.items.filter((each) => each.state === "done").length;
    this.part("all").textContent = this.say("all", { done, files: this.items.length });
    if (now - (this.told ?? 0) > 10_000) this.tell();
  }

  tell() {
    this.told = performance.now();
    const said = [this.part("all").textContent, this.paused ? this.say("paused") : this.figures].filter(Boolean).join(" ");
    this.part("said").textContent = said;
  }
}

function start() {
  for (const root of document.querySelectorAll("[data-uploads][hidden]")) new Room(root);
}
start();
document.addEventListener("htmx:load", start);
