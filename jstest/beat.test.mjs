import assert from 'node:assert/strict';
import { test } from 'node:test';
import { js } from './scripts.mjs';

const { Beats } = await import(new URL('beat.mjs', js));

// A page in a world where time passes when the test says so. The server credits as the real one does.
class World {
  now = 1000;
  media = 0; // seconds of the video
  rate = 0; // how the video moves
  timers = new Map();
  sent = [];
  beacons = [];
  saved = null;
  stopped = [];
  server = { up: true, status: 200, n: 0, last: null, credit: 0, reply: {} };
  #id = 0;

  page(options = {}) {
    return new Beats({
      send: (body) => this.receive(body),
      beacon: (body) => {
        this.beacons.push(body);
        this.receive(body).catch(() => {});
      },
      now: () => this.now,
      position: () => this.media * 1000,
      mediaTime: () => this.media,
      random: () => 0.5,
      setTimer: (f, ms) => {
        this.timers.set(++this.#id, { f, at: this.now + ms });
        return this.#id;
      },
      clearTimer: (id) => this.timers.delete(id),
      store: { load: () => this.saved, save: (v) => (this.saved = v), clear: () => (this.saved = null) },
      onReply: () => {},
      onStop: (status) => this.stopped.push(status),
      newView: () => 'view-' + ++this.#id,
      ...options,
    });
  }

  async receive(body) {
    this.sent.push({ ...body, at: this.now });
    const s = this.server;
    if (!s.up) throw new Error('no answer');
    if (s.status !== 200) return { status: s.status, body: null };
    if (body.n > s.n) {
      const real = s.last === null ? 0 : this.now - s.last;
      if (body.state !== 'paused' && body.d_ms <= 90_000) s.credit += Math.min(body.d_ms, real);
      s.n = body.n;
      s.last = this.now;
    }
    return { status: 200, body: { n: s.n, interval_ms: 15_000, ...s.reply } };
  }

  // pass lets time go by, a timer at a time.
  async pass(ms) {
    const until = this.now + ms;
    for (;;) {
      const next = [...this.timers].filter(([, t]) => t.at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (!next) break;
      this.timers.delete(next[0]);
      this.#advance(next[1].at);
      next[1].f();
      await settle();
    }
    this.#advance(until);
    await settle();
  }

  // sleep is a closed lid: time passes, no timer runs, the video stands.
  sleep(ms) {
    this.now += ms;
    for (const t of this.timers.values()) t.at = Math.max(t.at, this.now);
  }

  #advance(to) {
    if (to <= this.now) return;
    this.media += (this.rate * (to - this.now)) / 1000;
    this.now = to;
  }
}

const settle = async () => {
  for (let i = 0; i < 10; i++) await null;
};

async function playing(world, options) {
  const page = world.page(options);
  page.start('stalled');
  await settle();
  world.rate = 1;
  page.set('playing');
  await settle();
  return page;
}

test('a quiet hour is a beat every 15 s and an hour of credit', async () => {
  const w = new World();
  await playing(w);
  const first = w.sent.length;
  await w.pass(3_600_000);
  assert.equal(w.sent.length - first, 240);
  assert.ok(Math.abs(w.server.credit - 3_600_000) < 16_000, `credited ${w.server.credit}`);
  assert.deepEqual(w.sent.map((b) => b.n), w.sent.map((_, i) => i + 1), 'numbers count up by one');
});

test('the interval has 20 % of chance to either side', async () => {
  for (const [random, want] of [[0, 12_000], [0.999999, 18_000]]) {
    const w = new World();
    await playing(w, { random: () => random });
    const before = w.sent.at(-1).at;
    await w.pass(20_000);
    const gap = w.sent.find((b) => b.at > before).at - before;
    assert.ok(Math.abs(gap - want) < 5, `random ${random}: after ${gap} ms, want ${want}`);
  }
});

test('the server can stretch the interval, but not past what it credits', async () => {
  const w = new World();
  w.server.reply = { interval_ms: 600_000 };
  await playing(w);
  const before = w.sent.length;
  await w.pass(60_500);
  assert.equal(w.sent.length - before, 1);
});

test('play and pause are reported at once, a stall after 3 s', async () => {
  const w = new World();
  const page = await playing(w);
  await w.pass(4000);
  page.set('paused');
  w.rate = 0;
  await settle();
  assert.deepEqual(pick(w.sent.at(-1)), { state: 'playing', d_ms: 4000 });
  await w.pass(2000);
  page.set('playing');
  await settle();
  assert.deepEqual(pick(w.sent.at(-1)), { state: 'paused', d_ms: 2000 });
  const before = w.sent.length;
  w.rate = 1;
  await w.pass(1000);
  w.rate = 0;
  page.set('stalled');
  await w.pass(2900);
  assert.equal(w.sent.length, before, 'no beat within the first 3 s of a stall');
  await w.pass(1200);
  assert.equal(w.sent.length, before + 1);
});

test('time without an answer is kept and comes with the next beat', async () => {
  const w = new World();
  const page = await playing(w);
  await w.pass(30_000);
  const credit = w.server.credit + page.owed;
  w.server.up = false;
  await w.pass(40_000);
  assert.ok(page.owed >= 39_000, `owed ${page.owed}`);
  w.server.up = true;
  await w.pass(16_000);
  assert.ok(page.owed < 16_000, `still owed ${page.owed}`);
  const kept = w.server.credit + page.owed - credit;
  assert.ok(Math.abs(kept - 56_000) <= 1000, `kept ${kept} of 56000`);
});

test('a lost answer counts once', async () => {
  const w = new World();
  const page = await playing(w);
  await w.pass(15_000);
  const real = w.receive.bind(w);
  w.receive = async (body) => {
    await real(body);
    throw new Error('the answer got lost');
  };
  await w.pass(15_000);
  w.receive = real;
  await w.pass(30_000);
  assert.ok(w.server.credit <= 60_000, `credited ${w.server.credit} in 60 s`);
  assert.ok(w.server.credit > 43_000, `credited ${w.server.credit} in 60 s`);
  assert.ok(page.owed < 16_000);
});

test('after a long silence no more is claimed than the server credits', async () => {
  const w = new World();
  await playing(w);
  w.server.up = false;
  await w.pass(600_000);
  assert.ok(Math.max(...w.sent.map((b) => b.d_ms)) <= 90_000);
  w.server.up = true;
  const credit = w.server.credit;
  await w.pass(20_000);
  assert.ok(w.server.credit - credit >= 90_000, 'the last 90 s are credited');
});

test('a closed lid earns nothing, a slow timer in the background does', async () => {
  const asleep = new World();
  const page = await playing(asleep);
  await asleep.pass(15_500);
  const owed = page.owed;
  asleep.sleep(60_000);
  await asleep.pass(10);
  assert.ok(page.owed - owed <= 2100, `asleep for 60 s: ${page.owed - owed} ms`);

  const background = new World();
  const slow = await playing(background);
  await background.pass(15_500);
  const before = background.server.credit + slow.owed;
  background.media += 46;
  background.sleep(46_000);
  await background.pass(1000);
  assert.ok(background.server.credit + slow.owed - before >= 46_000, 'the media moved on, so the student was there');
});

test('a reload carries on under the same name and owes the same', async () => {
  const w = new World();
  const page = await playing(w);
  await w.pass(15_000);
  w.server.up = false;
  await w.pass(10_000);
  page.leave();
  await settle();
  assert.equal(w.beacons.length, 1);
  page.stop();
  w.timers.clear();
  const { view } = page;
  const owed = page.owed;
  assert.ok(owed >= 10_000);

  w.server.up = true;
  w.now = 50; // a new page has a new clock
  w.server.last -= 40_000 + w.server.last; // on the server 40 s have passed
  const again = w.page();
  assert.equal(again.view, view);
  assert.equal(again.owed, owed);
  assert.equal(w.saved, null, 'a copy of this tab does not find the name');
  again.start('stalled');
  await settle();
  assert.equal(w.sent.at(-1).n, w.beacons[0].n + 1);
  assert.ok(w.sent.at(-1).d_ms >= owed);
});

test('a page kept and shown again earned nothing while it was away', async () => {
  const w = new World();
  const page = await playing(w);
  await w.pass(5000);
  page.leave();
  await settle();
  w.sleep(300_000);
  const owed = page.owed;
  page.back();
  await settle();
  assert.ok(page.owed <= owed);
  assert.ok(w.server.credit < 12_000, `credited ${w.server.credit}`);
});

test('nonsense in the store is a new view', () => {
  for (const saved of ['x', 7, {}, { view: 1, n: 1, owed: 1 }, { view: 'a', n: 'b', owed: 1 }, { view: 'a', n: 1, owed: -1 }]) {
    const w = new World();
    w.saved = saved;
    assert.match(w.page().view, /^view-/, JSON.stringify(saved));
  }
});

test('playing and pausing in one unacknowledged stretch reports the time in class', async () => {
  const w = new World();
  const page = await playing(w);
  w.server.up = false;
  await w.pass(20_000);
  page.set('paused');
  w.rate = 0;
  await w.pass(30_000);
  const last = w.sent.at(-1);
  assert.equal(last.state, 'playing');
  assert.ok(Math.abs(last.d_ms - 20_000) <= 1000, `${last.d_ms}`);
});

test('an answer that is final stops the beats, a busy server does not', async () => {
  for (const [status, stops] of [[401, true], [403, true], [404, true], [410, true], [429, false], [500, false], [503, false], [0, false]]) {
    const w = new World();
    w.server.status = status;
    const page = w.page();
    page.start('playing');
    await settle();
    await w.pass(30_000);
    assert.equal(w.stopped.length, stops ? 1 : 0, `status ${status}`);
    if (stops) assert.equal(w.sent.length, 1, `status ${status}`);
    else assert.ok(w.sent.length > 2, `status ${status}: tried ${w.sent.length} times`);
  }
});

test('one report is under way at a time', async () => {
  const w = new World();
  let release;
  let under = 0;
  let most = 0;
  const page = w.page({
    send: async (body) => {
      most = Math.max(most, ++under);
      await new Promise((resolve) => (release = resolve));
      under--;
      return { status: 200, body: { n: body.n } };
    },
  });
  page.start('playing');
  page.beat();
  page.set('paused');
  page.set('playing');
  await settle();
  release();
  await settle();
  release();
  await settle();
  assert.equal(most, 1);
  assert.equal(under, 0);
});

const pick = ({ state, d_ms }) => ({ state, d_ms });

test('what stalled and what played of one beat are told apart', async () => {
  for (const [first, then, want] of [
    ['stalled', 'playing', { state: 'playing', d_ms: 7000, before_ms: 2000 }],
    ['playing', 'stalled', { state: 'stalled', d_ms: 7000, before_ms: 2000 }],
  ]) {
    const w = new World();
    const page = await playing(w);
    await w.pass(4000);
    page.beat();
    await settle();
    let answer;
    const receive = w.receive.bind(w);
    w.receive = (body) => new Promise((resolve) => (answer = () => resolve(receive(body))));
    page.set('paused'); // a beat that is long under way
    await settle();
    w.receive = receive;
    page.set(first);
    w.rate = first === 'playing' ? 1 : 0;
    await w.pass(2000);
    page.set(then);
    w.rate = then === 'playing' ? 1 : 0;
    await w.pass(5000);
    const before = w.sent.length;
    answer();
    await settle();
    const { state, d_ms, before_ms } = w.sent.slice(before).at(-1);
    assert.deepEqual({ state, d_ms, before_ms }, want);
  }
});

test('of too much the oldest is left out', async () => {
  const w = new World();
  w.server.up = false;
  const page = await playing(w);
  await w.pass(1500);
  page.set('stalled');
  w.rate = 0;
  for (let i = 0; i < 85; i++) await w.pass(1000);
  page.set('playing');
  w.rate = 1;
  for (let i = 0; i < 10; i++) await w.pass(1000);
  page.beat();
  await settle();
  const { state, d_ms, before_ms } = w.sent.at(-1);
  assert.equal(state, 'playing');
  assert.equal(d_ms, 90_000);
  assert.ok(before_ms > 75_000 && before_ms < 80_000, `before_ms ${before_ms}`);
});

test('who comes to the end has reported all of it before the beats stop', async () => {
  const world = new World();
  const page = world.page();
  page.start('playing');
  world.rate = 1;
  await world.pass(20_000);
  world.server.up = false;
  page.finish();
  await world.pass(3000);
  assert.ok(page.owed > 0, 'what nobody acknowledged is kept');
  world.server.up = true;
  await world.pass(20_000);
  assert.equal(page.owed, 0);
  assert.ok(world.server.credit >= 19_900 && world.server.credit <= 20_100, `credited ${world.server.credit}`);
  const sent = world.sent.length;
  await world.pass(120_000);
  assert.equal(world.sent.length, sent, 'nothing is sent any more');
});
