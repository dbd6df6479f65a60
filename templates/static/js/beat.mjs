// The attendance beat: the page's report of how long it was playing, stalled or paused. No DOM: the clock, the
// network and the timers are given, so that a test can be a day long.
//
// Time is kept per state since the last acknowledged beat, and every beat reports all of it: a beat that gets no
// answer costs nothing, because the next one covers its time too. The server credits at most the real time
// between two arrivals, so repeating never earns anything.
//
// What is reported is the time in class, and how much of it was playing; where both lie in unacknowledged time, the
// state that holds now is taken for the later. Pausing is reported when there was nothing else.

const MAX_MS = 90_000; // the server credits nothing for a longer silence
const TICK_MS = 1000;
const FINAL = new Set([400, 401, 403, 404, 405, 409, 410]); // answers that trying again does not change

/**
 * @typedef {'playing' | 'stalled' | 'paused'} State
 * @typedef {object} Options
 * @property {(body: object) => Promise<{status: number, body: any}>} send  rejects when there is no answer
 * @property {(body: object) => void} beacon  sends while the page goes away
 * @property {() => number} now  monotonic milliseconds
 * @property {() => number} position  programme position in milliseconds
 * @property {() => number} mediaTime  seconds of media that have played, jumps left out: tells sleep from a slow timer
 * @property {() => number} random
 * @property {(f: () => void, ms: number) => any} setTimer
 * @property {(id: any) => void} clearTimer
 * @property {{load(): any, save(v: any): void, clear(): void}} store  survives a reload of this tab
 * @property {(reply: any) => void} onReply
 * @property {(status: number) => void} onStop  the server wants no more beats
 * @property {() => string} newView
 */
export class Beats {
  #o;
  #state = /** @type {State} */ ('paused');
  #held = { playing: 0, stalled: 0, paused: 0 };
  #n = 0;
  #view;
  #last = 0; // when time was last added
  #media = 0;
  #inFlight = false;
  #again = false;
  #timer = null;
  #ticker = null;
  #running = false;
  #interval = 15_000;
  #failures = 0;
  #stallFrom = null;
  #finishing = false;

  /** @param {Options} options */
  constructor(options) {
    this.#o = options;
    this.#resume(options.store.load());
    options.store.clear();
  }

  get view() {
    return this.#view;
  }

  get state() {
    return this.#state;
  }

  /** unacknowledged milliseconds in class. */
  get owed() {
    return this.#held.playing + this.#held.stalled;
  }

  start(state = 'stalled') {
    if (this.#running) return;
    this.#running = true;
    this.#finishing = false;
    this.#state = state;
    this.#last = this.#o.now();
    this.#media = this.#o.mediaTime();
    this.#tick();
    this.beat();
  }

  stop() {
    if (!this.#running) return;
    this.#add();
    this.#running = false;
    this.#o.clearTimer(this.#timer);
    this.#o.clearTimer(this.#ticker);
  }

  /** finish reports what is left and stops when it is acknowledged: the viewer has come to the end. */
  finish() {
    this.set('paused');
    this.#finishing = true;
    this.beat();
  }

  /**
   * set says what holds from now on. Playing and pausing are reported at once, stalling once it has lasted 3 s.
   * @param {State} state
   */
  set(state) {
    if (!this.#running || state === this.#state) return;
    this.#add();
    this.#state = state;
    this.#stallFrom = state === 'stalled' ? this.#o.now() : null;
    if (state !== 'stalled') this.beat();
  }

  /** beat reports now; while a report is under way, right after it. */
  beat() {
    if (!this.#running) return;
    if (this.#inFlight) {
      this.#again = true;
      return;
    }
    this.#send();
  }

  /** leave reports what can still be reported while the page goes away, and keeps the rest for a reload. */
  leave() {
    if (!this.#running) return;
    this.#add();
    this.#o.store.save({ view: this.#view, n: this.#n + 1, owed: this.owed });
    const { body } = this.#report();
    this.#o.beacon(body);
  }

  /** back is leave taken back: the page was kept and shown again. Being away earned nothing. */
  back() {
    this.#o.store.clear();
    this.#last = this.#o.now();
    this.#media = this.#o.mediaTime();
    this.beat();
  }

  #resume(saved) {
    const good = saved && typeof saved.view === 'string' && Number.isInteger(saved.n) && saved.owed >= 0;
    this.#view = good ? saved.view : this.#o.newView();
    this.#n = good ? saved.n : 0;
    this.#held.stalled = good ? Math.min(saved.owed, MAX_MS) : 0;
  }

  #tick() {
    this.#ticker = this.#o.setTimer(() => {
      this.#add();
      if (this.#stallFrom !== null && this.#o.now() - this.#stallFrom > 3000) {
        this.#stallFrom = null;
        this.beat();
      }
      this.#tick();
    }, TICK_MS);
  }

  // #add books the time since the last booking under the state that held.
  #add() {
    const now = this.#o.now();
    const media = this.#o.mediaTime();
    this.#held[this.#state] += this.#awake(now - this.#last, (media - this.#media) * 1000);
    this.#last = now;
    this.#media = media;
  }

  // #awake returns how much of a gap between two bookings was not sleep. A tab in the background has a timer a
  // minute, but its media moves on; a closed lid stops both.
  #awake(gap, moved) {
    if (gap <= 2 * TICK_MS) return Math.max(gap, 0);
    if (this.#state === 'playing') return moved >= gap / 4 ? gap : 2 * TICK_MS;
    return gap <= MAX_MS ? gap : 0;
  }

  #report() {
    const held = { ...this.#held };
    this.#n++;
    const pos = Math.max(0, Math.round(this.#o.position()));
    return { held, body: { view: this.#view, n: this.#n, ...report(held, this.#state), pos } };
  }

  async #send() {
    this.#add();
    this.#o.clearTimer(this.#timer);
    const { held, body } = this.#report();
    this.#inFlight = true;
    let reply;
    try {
      reply = await this.#o.send(body);
    } catch {
      reply = { status: 0 };
    }
    this.#inFlight = false;
    if (this.#running || reply.status === 200) this.#settle(reply, held, body);
  }

  #settle(reply, held, body) {
    if (FINAL.has(reply.status)) {
      this.stop();
      this.#o.onStop(reply.status);
      return;
    }
    const acknowledged = reply.status === 200 && !(reply.body?.n < body.n);
    if (acknowledged) {
      this.#failures = 0;
      for (const state of Object.keys(held)) this.#held[state] = Math.max(0, this.#held[state] - held[state]);
      if (reply.body?.interval_ms >= 1000) this.#interval = Math.min(reply.body.interval_ms, 60_000);
      this.#o.onReply(reply.body ?? {});
    } else {
      this.#failures++;
    }
    if (this.#finishing && acknowledged && this.owed === 0) this.stop();
    if (!this.#running) return;
    if (this.#again && acknowledged) {
      this.#again = false;
      this.#send();
      return;
    }
    this.#again = false;
    this.#timer = this.#o.setTimer(() => this.beat(), this.#wait());
  }

  // #wait is the interval ± 20 %. After a failure it is shorter, so that little is owed when the server is back.
  #wait() {
    const base = this.#failures > 0 ? Math.min(4000 * 2 ** (this.#failures - 1), this.#interval) : this.#interval;
    return base * (0.8 + 0.4 * this.#o.random());
  }
}

// report puts what was held into one beat. The oldest of what is too long is left out.
function report(held, now) {
  if (held.playing + held.stalled === 0) return { state: 'paused', d_ms: Math.round(Math.min(held.paused, MAX_MS)) };
  const [last, first] = held.playing === 0 || (now === 'stalled' && held.stalled > 0) ? ['stalled', 'playing'] : ['playing', 'stalled'];
  const after = Math.round(Math.min(held[last], MAX_MS));
  const before = Math.min(Math.round(held[first]), MAX_MS - after);
  return { state: last, d_ms: after + before, ...(before > 0 && { before_ms: before }) };
}
