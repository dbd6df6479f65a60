// What the class page and the studio show alike: lines of chat, the box to write in, polls. Everything that people
// wrote goes into the page as text, isolated from what stands around it.

import { deliver, tally, throttle } from './chat.mjs';
import { api, clock, data, main, setText, show, t } from './page.mjs';

const KEPT = 300; // lines in the page

/** el makes an element; strings among its children become text. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** words is text of people: its own direction, and no effect on its surroundings. */
export const words = (text, cls) => el('p', { dir: 'auto', class: cls }, text);
export const name = (text) => el('bdi', { class: 'line-name' }, text);
export const icon = (of) => main.querySelector(`template[data-icon="${of}"]`).content.cloneNode(true);
export const stamp = (at) => el('time', { class: 'line-at', datetime: at }, clock(at));

/** button is a small plain button; spoken is its name where the visible word alone is not enough. */
export function button(word, spoken, act, cls = 'plain') {
  const b = el('button', { type: 'button', class: cls, 'aria-label': spoken }, word);
  b.addEventListener('click', () => act(b));
  return b;
}

/** act posts to the lesson and says what was wrong in line, when something was. */
export async function act(path, body, line) {
  show(line, false);
  try {
    return await api('POST', `lessons/${data.lesson}/${path}`, body ?? {});
  } catch (error) {
    fail(line, error);
    return null;
  }
}

function fail(line, error) {
  setText(line, error.status ? error.message : t('panel.offline'));
  show(line, true);
}

// --- the log ---

/**
 * log keeps a list of messages up to date. It stays where the reader is: at its end it follows, further up it tells
 * how many came.
 * @param {HTMLElement} box with the list, and beside it the button that leads to the end
 * @param {import('./chat.mjs').Room} room
 * @param {(message: object) => Node|null} more  what stands under a line
 */
export function log(box, room, more = () => null) {
  const frame = box.querySelector('[data-log]');
  const list = frame.querySelector('ol');
  const down = box.querySelector('[data-newest]');
  const shown = new Map(); // id → [rev of what is drawn, its line]
  let until = Infinity;
  let missed = 0;

  const atEnd = () => frame.scrollHeight - frame.scrollTop - frame.clientHeight < 40;
  const toEnd = () => {
    frame.scrollTop = frame.scrollHeight;
    missed = 0;
    show(down, false);
  };
  const draw = () => {
    const follow = atEnd();
    const wanted = room.said(until).slice(-KEPT);
    const ids = new Set(wanted.map((m) => m.id));
    for (const [id, [, line]] of shown) {
      if (ids.has(id)) continue;
      line.remove();
      shown.delete(id);
    }
    let before = null;
    for (const message of wanted) {
      const key = `${message.rev} ${room.isMuted(message.user)}`;
      let [known, line] = shown.get(message.id) ?? [];
      if (known !== key) {
        const fresh = drawLine(message, more);
        if (line) line.replaceWith(fresh);
        else if (!follow) missed++;
        line = fresh;
        shown.set(message.id, [key, line]);
      }
      const next = before ? before.nextElementSibling : list.firstElementChild;
      if (next !== line) list.insertBefore(line, next);
      before = line;
    }
    show(box.querySelector('[data-none]'), wanted.length === 0);
    if (follow) {
      toEnd();
    } else if (missed) {
      setText(down, t('chat.newest', { N: missed }));
      show(down, true);
    }
  };
  const soon = throttle(draw, 1000);
  frame.addEventListener('scroll', () => atEnd() && toEnd(), { passive: true });
  down.addEventListener('click', toEnd);
  return {
    draw: soon,
    toEnd,
    /** at shows only what was said until a position of the programme; undefined: all. */
    at(posMS) {
      until = posMS ?? Infinity;
      soon();
    },
  };
}

function drawLine(message, more) {
  const head = el('p', { class: 'line-head' }, name(message.by), ' ');
  if (message.role && message.role !== 'student') head.append(el('span', { class: 'line-role' }, t('role.' + message.role)), ' ');
  head.append(stamp(message.at));
  const line = el('li', { class: message.role === 'student' ? 'line' : 'line line-staff' }, head, words(message.text, 'line-text'));
  if (message.private) line.append(el('p', { class: 'line-private' }, icon('lock'), t(message.user ? 'chat.private_staff' : 'chat.private')));
  const under = more(message);
  if (under) line.append(under);
  return line;
}

// --- writing ---

const LONG = 500;

/**
 * writing makes a form send its text: Enter sends, what cannot go now is kept and tried again.
 * @param {HTMLFormElement} form
 * @param {string} path
 * @param {() => void} sent
 */
export function writing(form, path, sent = () => {}) {
  const box = form.querySelector('textarea');
  const go = form.querySelector('button');
  const note = form.querySelector('[data-note]');
  let busy = false;
  const grow = () => {
    box.style.blockSize = 'auto';
    box.style.blockSize = `${Math.min(box.scrollHeight + 2, 120)}px`;
    const left = LONG - [...box.value].length;
    show(note, left < 60);
    if (left < 60) setText(note, left < 0 ? t('field.too_long') : t('chat.left', { N: left }));
  };
  box.addEventListener('input', grow);
  box.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const text = box.value;
    if (busy || !text.trim()) return;
    busy = true;
    go.disabled = true;
    const nonce = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('');
    const wait = (ms) => new Promise((done) => setTimeout(done, ms));
    try {
      await deliver(() => api('POST', `lessons/${data.lesson}/${path}`, { text, nonce }), wait, () => {
        setText(note, t('chat.waits'));
        show(note, true);
      });
      if (box.value.trim() === text.trim()) box.value = ''; // unless they wrote on meanwhile
      grow();
      sent();
    } catch (error) {
      fail(note, error);
    } finally {
      busy = false;
      go.disabled = false;
    }
  });
}

// --- polls ---

/** ballot is an open poll that the reader votes in. */
export function ballot(poll) {
  const kind = poll.multiple ? 'checkbox' : 'radio';
  const choices = poll.options.map((text, n) => el('label', { class: 'choice' },
    el('input', { type: kind, name: 'p' + poll.id, value: n, checked: Boolean(poll.vote?.includes(n)) }), el('span', { dir: 'auto' }, text)));
  const note = el('p', { class: 'help', role: 'status', hidden: !poll.vote?.length }, t('poll.voted'));
  const form = el('form', { class: 'poll' },
    el('fieldset', {}, el('legend', { dir: 'auto' }, poll.text), el('p', { class: 'help' }, t(poll.multiple ? 'poll.many' : 'poll.one')), ...choices),
    el('button', { class: 'primary', type: 'submit' }, t('poll.vote')), note);
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const vote = [...form.querySelectorAll('input:checked')].map((input) => Number(input.value));
    if (!(await act(`polls/${poll.id}/vote`, { choices: vote }, note))) return;
    poll.vote = vote;
    setText(note, t('poll.voted'));
    show(note, true);
  });
  return form;
}

/** result is a poll with its bars. */
export function result(poll) {
  const bars = tally(poll).map((o) => el('li', { class: 'bar-row' },
    el('span', { dir: 'auto', class: 'bar-text' }, o.text, o.mine ? el('span', { class: 'bar-mine' }, icon('check'), t('poll.yours')) : ''),
    el('span', { class: 'figures bar-figure' }, t('poll.share', { Pct: o.pct, N: o.count })),
    el('progress', { max: 100, value: o.pct, 'aria-hidden': 'true' })));
  return el('section', { class: 'poll' },
    el('h3', { dir: 'auto' }, poll.text),
    el('p', { class: 'help' }, `${t(poll.open ? 'poll.is_open' : 'poll.is_closed')} · ${t('poll.voters', { N: poll.voters ?? 0 })}`),
    el('ul', { class: 'bars' }, ...bars));
}
