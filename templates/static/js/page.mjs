// What every script of a page needs: the data that came with it, its language, and the API.

import { translator } from './messages.mjs';

const main = document.getElementById('main');

/** data is what the server put into the page. */
export const data = JSON.parse(main.dataset.page ?? '{}');
export const lang = document.documentElement.lang;
export const t = translator(data.messages ?? {}, lang);
export { main };

export const $ = (selector, root = main) => root.querySelector(selector);
export const $$ = (selector, root = main) => [...root.querySelectorAll(selector)];

// The server's clock, by which everything here is told: that of the device may be wrong by years.
const clocks = { server: Date.parse(data.now) || Date.now(), device: performance.now() };

/** now returns the time by the server's clock, in Unix milliseconds. */
export const now = () => clocks.server + performance.now() - clocks.device;

// A lid that was closed stops the monotonic clock of some devices; every answer sets it right.
function setClock(response) {
  const server = Date.parse(response.headers.get('Date'));
  if (server && Math.abs(server - now()) > 2000) Object.assign(clocks, { server, device: performance.now() });
}

// Times of day are the school's, as the server writes them into pages, wherever the device is.
function wallClock(timeZone) {
  return new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone });
}
let wall;
try {
  wall = wallClock(document.body.dataset.zone);
} catch {
  wall = wallClock(); // a browser that does not know the zone
}

/** clock returns the time of day of an instant. */
export const clock = (instant) => wall.format(new Date(instant));

/** api asks the API. It resolves to the answer's body, or rejects with an Error that has a status; 0 is no answer. */
export async function api(method, path, body) {
  let response;
  try {
    response = await fetch('/api/v1/' + path, {
      method,
      headers: body ? { 'Content-Type': 'application/json' } : {},
      body: body && JSON.stringify(body),
      cache: 'no-store',
    });
  } catch {
    throw Object.assign(new Error('no answer'), { status: 0 });
  }
  setClock(response);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(answer.title ?? response.statusText), { status: response.status, code: answer.code, problem: answer });
  return answer;
}

/** whenSeen calls f when somebody looks at the page: now, or when they come back to it. */
export function whenSeen(f) {
  if (!document.hidden) f();
  else document.addEventListener('visibilitychange', () => whenSeen(f), { once: true });
}

/** keep remembers a text in this browser, and recall returns it, or null; where storage is switched off nothing is kept. */
export function keep(key, text) {
  try {
    localStorage.setItem(key, text);
  } catch {
    // It is a convenience.
  }
}

export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // As above.
  }
}

/** setText writes text only when it changed, so that screen readers stay quiet. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** show sets whether an element is there at all. */
export function show(element, yes) {
  if (element) element.hidden = !yes;
}
