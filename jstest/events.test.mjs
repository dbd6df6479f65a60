import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { js } from './scripts.mjs';

const { listen } = await import(new URL('events.mjs', js));

// As much of a browser as the module sees.
class Source extends EventTarget {
  static CLOSED = 2;
  static OPEN = 1;
  static all = [];
  readyState = Source.OPEN;
  constructor(url) {
    super();
    this.url = url;
    Source.all.push(this);
  }

  close() {
    this.readyState = Source.CLOSED;
  }

  breaks() {
    this.readyState = Source.CLOSED;
    this.onerror();
  }
}

let page;
let asked;
let close;

beforeEach(() => {
  Source.all = [];
  asked = 0;
  page = Object.assign(new EventTarget(), { hidden: false });
  const frame = new EventTarget();
  Object.assign(globalThis, {
    EventSource: Source,
    document: page,
    addEventListener: frame.addEventListener.bind(frame),
    removeEventListener: frame.removeEventListener.bind(frame),
  });
  mock.timers.enable({ apis: ['setTimeout'] });
  close = listen(() => '/events', {}, () => asked++);
});
afterEach(() => {
  close();
  mock.timers.reset();
});

// Timers made by timers are taken from the moment they are made at.
const pass = (ms) => {
  for (let t = 0; t < ms; t += 1000) mock.timers.tick(1000);
};

const hide = (hidden) => {
  page.hidden = hidden;
  page.dispatchEvent(new Event('visibilitychange'));
};

test('a page asks now and then, and more often without a stream', () => {
  pass(3 * 72_000);
  assert.ok(asked >= 3, `${asked} with a stream`);
  Source.all[0].readyState = 0;
  pass(72_000);
  const before = asked;
  pass(36_000);
  assert.ok(asked - before >= 5, `${asked - before} without one`);
});

test('a refused stream is opened again', () => {
  Source.all[0].breaks();
  pass(3000);
  assert.equal(Source.all.length, 2);
});

test('a page that nobody sees asks nothing and opens nothing, and asks at once when it is seen', () => {
  hide(true);
  pass(600_000);
  Source.all[0].breaks();
  pass(600_000);
  assert.equal(asked, 0);
  assert.equal(Source.all.length, 1);
  hide(false);
  assert.equal(asked, 1);
  assert.equal(Source.all.length, 2);
});

test('a stream that is open stays open in the background, so that class can begin', () => {
  hide(true);
  assert.equal(Source.all[0].readyState, Source.OPEN);
});
