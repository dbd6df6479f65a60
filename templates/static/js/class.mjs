// The class page: which card stands on the screen, when the player runs, and the attendance beats.

import { Beats } from './beat.mjs';
import { chime } from './chime.mjs';
import { controls } from './controls.mjs';
import { listen } from './events.mjs';
import { minutesUntil } from './latency.mjs';
import { clockOf, durationWords } from './messages.mjs';
import { $, $$, api, clock, data, forget, keep, main, now, recall, setText, show, t, whenSeen } from './page.mjs';
import { panel } from './panel.mjs';
import { Player } from './player.mjs';
import { programmeAt } from './programme.mjs';
import { between } from './retry.mjs';

const lesson = 'lessons/' + data.lesson;
const stage = $('.stage');
const video = $('video');
const notice = $('[data-line]');
const place = 'chalkcast.at.' + data.lesson; // where a replay was left
let state = data.state;
let replaying = false;
let replayable = Boolean($('[data-replay-soon]')?.hidden);
let air = []; // when students could see it, as programmeAt wants it

const player = new Player({
  video,
  hls: data.hls,
  audioOnly: data.audio_only,
  place: (date) => programmeAt(date, air),
  ask: async () => {
    const playback = await askPlayback();
    show($('[data-notice]'), false);
    // What is over plays to its end, but a replay starts only when somebody asks for it.
    if (over() && !replaying) player.close();
    return { ...playback, latency_target_ms: playback.latency_target_ms || data.latency_target_ms };
  },
});
const bar = controls({ stage, video, player, t, seen: data.seen });
const talk = panel();

async function askPlayback() {
  const playback = await api('GET', lesson + '/playback');
  setState(playback.state, playback);
  air = playback.air ?? air;
  tellAttempts();
  return playback;
}

// --- what the page shows ---

const running = () => state === 'live' || state === 'interrupted';
const over = () => state === 'ended' || state === 'closed';

function setState(next, detail = {}) {
  if (!next || next === 'cancelled') {
    if (next && next !== state) location.reload();
    return;
  }
  if (detail.start && Date.parse(detail.start) !== Date.parse(data.start) && !running()) {
    setTimeout(() => location.reload(), between(0, 5000)); // it was moved, and everybody hears it at once
    return;
  }
  if (detail.notes) renderNotes(detail.notes);
  const before = state;
  state = next;
  if (next === 'interrupted' && before !== 'interrupted') {
    setText($('[data-lost-at]'), t('class.interrupted_at', { At: clock(detail.interrupted_at ?? now()) }));
  }
  render();
  if (next === before) return;
  talk.setState(next);
  document.title = t('class.title.' + next, { Title: data.title }) + ' · ' + document.title.split(' · ').pop();
  moved(before);
}

// renderNotes says what is wrong with the lesson for everybody, so that nobody looks for it at home.
let told = [];
function renderNotes(notes) {
  const codes = [...notes];
  if (player.onlySound && !player.audioOnly) codes.push('video_codec');
  told = notes;
  const texts = codes.map((code) => t(`code.${code}.student`));
  const list = $('[data-notes]');
  if (texts.join('\n') === [...list.children].map((item) => item.textContent).join('\n')) return;
  list.replaceChildren(...texts.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
}

// render shows the card of the state; a player that still has something to show goes on under it.
function render() {
  main.dataset.state = state;
  const watching = player.state === 'playing' || replaying || (player.state === 'paused' && !over());
  for (const card of $$('.card-over[data-state]')) {
    const mine = card.dataset.state === (state === 'closed' ? 'ended' : state);
    const hidden = (state === 'interrupted' || over()) && watching;
    show(card, mine && !hidden);
  }
  for (const chip of $$('[data-chip]')) show(chip, chip.dataset.chip === state);
  show($('#after [data-replay]'), replayable);
  show($('[data-replay-soon]'), over() && !replayable);
  // Who still sees the last seconds of the lesson need not wait for their end.
  show($('[data-at-once]'), over() && watching && replayable && !replaying);
  bar.show(running() || replaying || watching);
}

function moved(before) {
  if (state === 'live' && before === 'interrupted') {
    // Everybody hears it at once; not everybody may ask at once.
    setTimeout(() => player.nudge(), between(0, 1000));
    air = []; // the programme stood still, and nobody knows yet how long
    setTimeout(() => askPlayback().catch(() => {}), between(0, 5000));
  } else if (running() && !player.playback) {
    beats?.start('stalled');
    setTimeout(() => player.open(), between(0, 5000));
  }
  if (over()) {
    replayable = true; // it is there at once; who taps before, waits on the page
    render();
    later(finish, between(0, 5000)); // the own result, which the server makes for each of them
  }
}

// later does what a page that nobody sees need not do.
function later(f, ms) {
  setTimeout(() => whenSeen(f), ms);
}

// finish brings the student's own result into the page; what is still playing plays on.
async function finish() {
  try {
    const html = await (await fetch(location.href, { cache: 'no-store' })).text();
    const fresh = new DOMParser().parseFromString(html, 'text/html').querySelector('#after');
    if (fresh) $('#after').replaceChildren(...document.importNode(fresh, true).childNodes);
    render();
  } catch {
    later(finish, between(3000, 8000));
    return;
  }
  await offerReplay();
  render();
}

async function offerReplay() {
  let playback;
  try {
    playback = await api('GET', lesson + '/playback');
  } catch {
    playback = { url: '' };
  }
  replayable = Boolean(playback.url);
  render();
  if (!playback.url && state === 'ended') later(offerReplay, between(4000, 8000));
}

main.addEventListener('click', (event) => {
  if (event.target.closest('[data-replay]')) watchReplay();
});
stage.addEventListener('click', (event) => {
  if (event.target.closest('.big-play')) {
    show($('.big-play'), false);
    player.play();
  } else if (event.target.closest('.unmute')) {
    video.muted = false;
    show($('.unmute'), false);
  } else if (event.target.closest('[data-test]')) {
    test(event.target.closest('.card-over'));
  } else if (event.target === video && player.playback) {
    player.toggle();
  }
});
video.addEventListener('volumechange', () => video.muted || show($('.unmute'), false));

function watchReplay() {
  const left = Number(recall(place)) || 0;
  replaying = true;
  beats?.finish(); // what is left of the lesson itself, while the player still knows where that is
  player.close();
  beats = data.beats ? attendance('.replay') : null; // a page of its own, so that nothing of it counts as live
  beats?.start('stalled');
  player.open(left);
  render();
  if (left <= 0) return;
  setText(notice, t('class.resumed', { Time: clockOf(left) }));
  show(notice, true);
}

// A replay is left where one stopped watching, but not at its very beginning or end.
const margin = 15;
function keepPlace() {
  if (!replaying || player.live || !(video.duration > 0)) return;
  if (video.currentTime > margin && video.duration - video.currentTime > margin) keep(place, String(Math.floor(video.currentTime)));
  else forget(place);
}

// test plays two notes and says whether this browser can show the class at all, before it begins.
function test(card) {
  const media = window.ManagedMediaSource ?? window.MediaSource;
  const plays = media?.isTypeSupported('video/mp4; codecs="avc1.64001f,mp4a.40.2"') || video.canPlayType('application/vnd.apple.mpegurl');
  chime();
  setText($('[data-tested]', card), t(plays ? 'class.test_good' : 'code.player_unsupported.student'));
}

// --- the player's own news ---

player.addEventListener('state', ({ detail }) => {
  show($('.buffering'), (detail === 'stalled' || detail === 'loading') && (state === 'live' || replaying));
  if (detail === 'playing') {
    show($('.big-play'), false);
    if (!replaying) show(notice, false);
  }
  stage.dataset.player = detail;
  if (detail === 'ended') atEnd();
  if (detail === 'playing' || detail === 'stalled' || detail === 'paused') beats?.set(detail);
  render();
});
// atEnd is reached by a viewer who has seen everything: the class is over, or the server will say what it is.
function atEnd() {
  if (!over()) {
    player.open();
    return;
  }
  replaying = false;
  forget(place);
  beats?.finish();
  later(finish, between(500, 2000)); // what was seen may have changed the result
}

player.addEventListener('levels', () => renderNotes(told));
player.addEventListener('blocked', () => show($('.big-play'), true));
player.addEventListener('muted', () => show($('.unmute'), true));
player.addEventListener('unsupported', () => {
  tell(t('class.unsupported_title'), t('code.player_unsupported.student'));
  noteAttempt('player_unsupported');
});
player.addEventListener('refused', ({ detail: error }) => {
  if (error.status === 401) say('class.signed_out');
  else if ([403, 404, 410].includes(error.status)) tell('', error.message);
  else if (error.status === 503 && !player.playback) {
    say('class.keeping_place');
    noteAttempt('server_busy', 'later');
  } else say('class.reconnecting');
});

function say(key) {
  setText(notice, t(key));
  show(notice, true);
}

function tell(title, text) {
  setText($('[data-notice-title]'), title);
  setText($('[data-notice-text]'), text);
  show($('[data-notice]'), true);
}

// --- attendance ---

// A try to join that failed stands beside the student's row. A server that is busy hears of it when it has time.
const attempts = new Set();

function noteAttempt(reason, when) {
  if (!data.beats) return;
  attempts.add(reason);
  if (when !== 'later') tellAttempts();
}

function tellAttempts() {
  for (const reason of attempts) {
    attempts.delete(reason);
    api('POST', lesson + '/attempts', { reason }).catch((error) => error.status === 503 && attempts.add(reason));
  }
}

let beats = data.beats ? attendance('') : null;

function attendance(kind) {
  const url = '/api/v1/' + lesson + '/beats';
  const key = 'chalkcast.beats.' + data.lesson + kind;
  const counter = new Beats({
    send: async (body) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
        keepalive: true,
        signal: AbortSignal.timeout(10_000),
      });
      return { status: response.status, body: await response.json().catch(() => null) };
    },
    beacon: (body) => navigator.sendBeacon(url, JSON.stringify(body)),
    now: () => performance.now(),
    position: () => player.position(),
    mediaTime: () => player.moved,
    random: Math.random,
    setTimer: (f, ms) => setTimeout(f, ms),
    clearTimer: (id) => clearTimeout(id),
    store: sessionStore(key),
    newView: () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('-'),
    onReply: (reply) => {
      if (reply.counted_s >= 0) setText($('[data-counted]'), t('class.counted', { Counted: durationWords(t, reply.counted_s) }));
    },
    onStop: (status) => status === 401 && say('class.signed_out'),
  });
  document.addEventListener('visibilitychange', () => counter.beat());
  addEventListener('pagehide', () => counter.leave());
  addEventListener('pageshow', (event) => event.persisted && counter.back());
  return counter;
}

function sessionStore(key) {
  return {
    load: () => {
      try {
        return JSON.parse(sessionStorage.getItem(key));
      } catch {
        return null;
      }
    },
    save: (value) => {
      try {
        sessionStorage.setItem(key, JSON.stringify(value));
      } catch {
        // Storage is switched off: a reload then loses what was not acknowledged.
      }
    },
    clear: () => {
      try {
        sessionStorage.removeItem(key);
      } catch {
        // As above.
      }
    },
  };
}

// --- time passes ---

function countdown() {
  if (state !== 'planned') return;
  const minutes = minutesUntil(now(), Date.parse(data.start));
  if (minutes >= 60) return;
  setText($('[data-countdown]'), minutes > 0 ? t('class.starts_in', { N: minutes }) : t('class.starts_now'));
}

setInterval(countdown, 5000);
setInterval(keepPlace, 5000);
addEventListener('pagehide', keepPlace);
for (const button of $$('[data-test]')) show(button, true);
setInterval(() => talk.at(replaying ? video.currentTime * 1000 : undefined), 1000);
listen(() => `/api/v1/${lesson}/events?after=${talk.seen() ?? ''}`, {
  state: (event) => setState(event.state, event),
  notes: (event) => renderNotes(event.notes),
  chat: talk.apply,
}, async (open) => {
  if (!open) talk.catchUp();
  try {
    await askPlayback();
  } catch {
    // The stream or the next question tells.
  }
});

render();
if (running()) {
  beats?.start('stalled');
  player.open();
} else if (over()) {
  offerReplay();
}
