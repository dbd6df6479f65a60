// The studio: the private preview, going live and ending, the health of the stream, and who is here.

import './copyfield.mjs';
import { listen } from './events.mjs';
import { sparkPoints } from './latency.mjs';
import { clockOf } from './messages.mjs';
import { chime } from './chime.mjs';
import { $, $$, api, clock, data, lang, main, now as serverNow, setText, show, t } from './page.mjs';
import { Player } from './player.mjs';
import { between } from './retry.mjs';
import { search } from './search.mjs';
import { staff } from './staff.mjs';

const lesson = 'lessons/' + data.lesson;
const video = $('video');
const decimal = new Intl.NumberFormat(lang, { maximumFractionDigits: 1 });
const now = {
  state: data.state,
  publishing: data.publishing,
  onAir: data.on_air,
  rehearsal: data.rehearsal,
  liveSince: Date.parse(data.live_since) || 0,
  health: data.health,
  offline: false,
};

const over = () => ['ended', 'closed', 'cancelled'].includes(now.state);

// --- the picture ---

const player = new Player({
  video,
  hls: data.hls,
  ask: () => api('GET', lesson + (now.onAir ? '/playback' : '/preview')),
});
player.addEventListener('state', ({ detail }) => {
  main.dataset.player = detail;
  show($('.unmute'), detail === 'playing' && video.muted);
  if (detail === 'ended' && now.publishing) player.open(); // the preview ends where the live picture begins
});
$('.unmute').addEventListener('click', () => {
  video.muted = false;
  show($('.unmute'), false);
});

function watch(before) {
  if (over()) {
    player.close();
  } else if (now.publishing && (!before.publishing || before.onAir !== now.onAir)) {
    player.open();
  }
}

// --- what is true, and what it looks like ---

function change(news) {
  const before = { ...now };
  Object.assign(now, news);
  now.offline = false;
  render();
  watch(before);
}

function onState(event) {
  const onAir = event.state === 'live';
  const news = { state: event.state, onAir: onAir && now.publishing };
  if (onAir) news.onAir = true;
  if (event.interrupted_at) news.lostAt = event.interrupted_at;
  if (event.end) setText($('[data-until]'), clock(event.end));
  if (event.live_since) news.liveSince = Date.parse(event.live_since) || now.liveSince;
  if (over() !== ['ended', 'closed', 'cancelled'].includes(event.state)) {
    location.reload();
    return;
  }
  change(news);
}

function onHealth(health) {
  const publishing = health.publishing ?? health.silence_ms < 10_000;
  change({ health, publishing, rehearsal: publishing && health.lesson !== data.lesson, onAir: publishing && (health.live ?? now.state === 'live') });
}

function render() {
  if (over()) return; // the page came as it stays
  const frame = $('.preview');
  frame.classList.toggle('preview-live', now.onAir);
  frame.classList.toggle('preview-private', now.publishing && !now.onAir);
  for (const word of $$('[data-word]')) {
    show(word, word.dataset.word === (now.onAir ? 'live' : now.publishing ? 'private' : 'off'));
  }
  show($('[data-off]'), !now.publishing);
  setText($('[data-off-title]'), t(now.state === 'interrupted' ? 'studio.lost' : 'studio.nothing_yet'));
  const lost = now.lostAt ? t('code.disconnected.studio', { At: clock(now.lostAt) }) : t('studio.lost_help');
  setText($('[data-off-text]'), now.state === 'interrupted' ? lost : t('studio.nothing_help'));
  const go = $('[data-go]');
  show(go, !now.onAir && now.state !== 'interrupted');
  if (go) go.querySelector('button').disabled = !now.publishing;
  show($('[data-end]'), now.state === 'live' || now.state === 'interrupted');
  show($('[data-extend]'), now.state === 'live' || now.state === 'interrupted');
  renderTitle();
  renderSentence();
  renderHealth();
  renderSteps();
}

// The title says the state, also in a tab that nobody looks at.
const school = document.title.split(' · ').pop();
function renderTitle() {
  let key = 'studio.title';
  if (now.onAir) key = 'studio.title_live';
  else if (now.state === 'interrupted') key = 'class.title.interrupted';
  else if (waiting() >= 2) key = 'studio.title_waiting';
  else if (now.publishing) key = 'studio.title_private';
  document.title = `${t(key, { Title: data.title })} · ${school}`;
}

// waiting is for how many minutes students have been waiting for a stream that is ready; 0 when they are not.
function waiting() {
  const minutes = Math.floor((serverNow() - Date.parse(data.start)) / 60_000);
  const ready = now.publishing && !now.onAir && !now.rehearsal && now.state !== 'interrupted';
  return ready && minutes < 180 ? Math.max(0, minutes) : 0;
}

// The one thing that makes itself heard: students wait, and the teacher believes to be live.
let reminded = false;
function remind() {
  if (reminded || waiting() < 2) return;
  reminded = true;
  chime();
}

function renderSentence() {
  const minutes = waiting();
  const line = $('[data-sentence]');
  line.classList.toggle('is-urgent', minutes > 0);
  if (now.offline) setText(line, t('studio.say_offline'));
  else if (minutes > 0) setText(line, t('studio.say_waiting', { N: minutes }));
  else if (now.rehearsal && now.publishing) setText(line, t('code.no_lesson.studio'));
  else if (now.onAir) setText(line, t('studio.say_live'));
  else if (now.state === 'interrupted') setText(line, t('studio.say_interrupted'));
  else setText(line, t(now.publishing ? 'studio.say_ready' : 'studio.say_connect'));
}

function renderHealth() {
  const h = now.publishing ? now.health : null;
  const picture = h?.tracks?.find((track) => track.kind === 'video');
  const sound = h?.tracks?.find((track) => track.kind === 'audio');
  const codes = new Set((h?.warnings ?? []).map((w) => w.code));
  const write = (key, text, bad) => {
    setText($(`[data-h="${key}"]`), text ?? '–');
    $(`[data-h="${key}"]`).closest('.stat').classList.toggle('stat-bad', Boolean(bad));
  };
  write('bitrate', h && t('studio.v_mbit', { V: decimal.format(h.bitrate_bps / 1e6) }), codes.has('starved') || codes.has('bitrate_high'));
  write('fps', h && t('studio.v_fps', { V: decimal.format(h.fps_milli / 1000) }));
  write('keyframe', h && t('studio.v_s', { V: decimal.format(h.keyframe_ms / 1000) }), codes.has('keyframe_long'));
  write('size', picture && `${picture.width}×${picture.height}`);
  write('sound', h && t(sound && !codes.has('audio_missing') ? 'studio.v_arrives' : 'studio.v_missing'), h && (!sound || codes.has('audio_missing')));
  write('silence', h && (h.silence_ms < 1500 ? t('studio.v_now') : t('studio.v_ago', { V: Math.round(h.silence_ms / 1000) })), h?.silence_ms > 3000);
  $('[data-spark]').setAttribute('points', sparkPoints(h?.spark_bps ?? []));
  renderWarnings(h?.warnings ?? []);
}

// A sentence that still holds stays where it is, so that it is read once.
function renderWarnings(warnings) {
  const list = $('[data-warnings]');
  const icon = $('[data-icon-warn]');
  const texts = warnings.map((w) => t(`code.${w.code}.studio`, { Detail: w.detail, At: w.since ? clock(w.since) : '' }));
  const shown = [...list.children].map((item) => item.textContent);
  if (shown.join('\n') === texts.join('\n')) return;
  list.replaceChildren(...texts.map((text) => {
    const item = document.createElement('li');
    const words = document.createElement('span');
    words.textContent = text;
    item.append(icon.content.cloneNode(true), words);
    return item;
  }));
}

function renderSteps() {
  const steps = $('.obs');
  if (!steps) return;
  const h = now.publishing ? now.health : null;
  const picture = h?.tracks?.find((track) => track.kind === 'video');
  const sound = h?.tracks?.find((track) => track.kind === 'audio');
  const done = {
    server: now.publishing,
    key: now.publishing,
    output: Boolean(picture?.words?.startsWith('H.264') && sound?.words?.startsWith('AAC') && h.keyframe_ms <= 4000),
    start: now.publishing,
  };
  for (const [name, yes] of Object.entries(done)) $(`[data-step="${name}"]`).classList.toggle('is-done', Boolean(yes));
  if (!h) return;
  const what = [
    picture?.width && `${picture.width}×${picture.height}`,
    h.fps_milli > 0 && t('studio.v_fps', { V: decimal.format(h.fps_milli / 1000) }),
    picture?.words,
    sound?.words,
  ];
  setText($('[data-seen]'), t(now.onAir ? 'obs.seen_live' : 'obs.seen', { What: what.filter(Boolean).join(', ') }));
}

// --- what the teacher does ---

async function act(what) {
  const buttons = $$('[data-go] button, [data-end] button, [data-extend] button');
  for (const button of buttons) button.disabled = true;
  try {
    const { state } = await api('POST', `${lesson}/${what}`);
    onState({ state, live_since: state === 'live' && !now.liveSince ? new Date(serverNow()).toISOString() : undefined });
  } catch (error) {
    setText($('[data-sentence]'), error.status ? error.message || t('studio.say_failed') : t('studio.say_offline'));
  } finally {
    for (const button of buttons) button.disabled = false;
    const go = $('[data-go] button');
    if (go) go.disabled = !now.publishing;
  }
}

$('[data-go]')?.addEventListener('submit', (event) => {
  event.preventDefault();
  act('live');
});

$('[data-extend]')?.addEventListener('submit', (event) => {
  event.preventDefault();
  act('extend');
});

const confirm = $('[data-confirm]');
$('[data-end]')?.addEventListener('submit', (event) => {
  event.preventDefault();
  confirm.returnValue = '';
  confirm.showModal();
});
confirm.addEventListener('close', () => confirm.returnValue === 'yes' && act('end'));

// --- people ---

const find = search($('.studio-side [data-search]'), () => $$('#people .person'));

// onHere tells how many students are here, and how the pages are doing on which they watch.
function onHere({ here, enrolled, playing = 0, stalled = 0, behind_ms: behind = 0 }) {
  setText($('[data-here]'), t('studio.here', { Here: here, N: enrolled }));
  const all = playing + stalled;
  const parts = [t('studio.viewers_fine', { Fine: playing, N: all })];
  if (stalled > 0) parts.push(t('studio.viewers_stalled', { N: stalled }));
  if (behind > 0) parts.push(t('studio.viewers_behind', { S: decimal.format(behind / 1000) }));
  setText($('[data-viewers]'), parts.join(t('list.comma')));
  show($('[data-viewers]'), now.onAir && all > 0);
}

async function refreshPeople() {
  try {
    if (document.hidden) return;
    const html = await (await fetch(location.href, { cache: 'no-store' })).text();
    const fresh = new DOMParser().parseFromString(html, 'text/html').querySelector('#people');
    if (!fresh) return;
    $('#people').replaceChildren(...document.importNode(fresh, true).childNodes);
    find();
  } catch {
    // The next round comes.
  } finally {
    setTimeout(refreshPeople, between(15_000, 25_000));
  }
}

// --- start ---

const side = now.state === 'cancelled' ? null : staff();
if (over()) {
  side?.catchUp();
} else {
  listen(() => `/api/v1/${lesson}/events?after=${side.seen() ?? ''}`, {
    chat: (news) => side.apply(news),
    state: onState,
    health: onHealth,
    here: onHere,
  }, async (open) => {
    if (!open) side.catchUp();
    try {
      onHealth(await api('GET', lesson + '/health'));
    } catch (error) {
      now.offline = error.status === 0 || error.status >= 500;
      renderSentence();
    }
  });
  setTimeout(refreshPeople, between(15_000, 25_000));
  setInterval(() => {
    if (now.liveSince) setText($('[data-live-clock]'), clockOf((serverNow() - now.liveSince) / 1000));
    renderSentence();
    renderTitle();
    remind();
  }, 1000);
  if (now.publishing) player.open();
  render();
}
