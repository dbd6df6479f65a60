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

export const clock = (instant) =>
  new Intl.DateTimeFormat(lang, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(instant));

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
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(answer.title ?? response.statusText), { status: response.status, code: answer.code, problem: answer });
  return answer;
}

/** setText writes text only when it changed, so that screen readers stay quiet. */
export function setText(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** show sets whether an element is there at all. */
export function show(element, yes) {
  if (element) element.hidden = !yes;
}
