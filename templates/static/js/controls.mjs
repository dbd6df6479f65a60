// The buttons and keys of the player.

import { addSeen, seenPercent } from './latency.mjs';
import { clockOf } from './messages.mjs';
import { forget, keep, recall, setText, show } from './page.mjs';

const LETTERS = 'chalkcast.letters';
const CAPTIONS = 'chalkcast.captions'; // the language of those shown last

/**
 * @param {object} o
 * @param {HTMLElement} o.stage  the screen and its controls; what goes full screen
 * @param {HTMLVideoElement} o.video
 * @param {import('./player.mjs').Player} o.player
 * @param {(key: string, data?: object) => string} o.t
 * @param {number[][]} [o.seen]  what of the lesson its viewer has seen, as [from, to] in seconds
 */
export function controls({ stage, video, player, t, seen = [] }) {
  const bar = stage.querySelector('.controls');
  const dialog = stage.querySelector('.keys-dialog');
  const at = (name) => stage.querySelector(`[data-do="${name}"]`);
  const captions = () => [...video.textTracks].filter((track) => track.kind === 'captions' || track.kind === 'subtitles');

  const actions = {
    play: () => player.toggle(),
    start: () => player.rewind(0),
    back: () => player.seekBy(-10),
    live: () => player.toLive(),
    mute: () => setMuted(!video.muted),
    captions: () => setCaptions(shown() ? -1 : wished()),
    audio: () => player.setAudioOnly(!player.audioOnly),
    keys: () => dialog.showModal(),
    pip: () => (document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture()).catch(() => {}),
    full: () => fullScreen(stage, video),
  };

  function setMuted(yes) {
    video.muted = yes;
    if (!yes && video.volume === 0) video.volume = 0.5;
  }

  const shown = () => captions().find((track) => track.mode === 'showing');
  const called = (track) => track.language || 'stream';
  const wished = () => Math.max(0, captions().findIndex((track) => called(track) === recall(CAPTIONS)));

  // setCaptions shows one of the tracks, or none, and remembers it for the next lesson.
  function setCaptions(index) {
    for (const track of captions()) track.mode = 'disabled';
    const track = captions()[index];
    if (track) track.mode = 'showing';
    if (track) keep(CAPTIONS, called(track));
    else forget(CAPTIONS);
    refresh();
  }

  // refreshTracks offers what there is, and shows what its viewer had before.
  function refreshTracks() {
    const wanted = captions().findIndex((track) => called(track) === recall(CAPTIONS));
    if (wanted >= 0 && !shown()) captions()[wanted].mode = 'showing';
    at('language').replaceChildren(
      new Option(t('player.captions_off'), '-1'),
      ...captions().map((track, i) => new Option(track.language ? track.label : t('player.captions_in'), String(i))),
    );
    refresh();
  }

  function refresh() {
    const paused = video.paused;
    stage.classList.toggle('is-paused', paused);
    stage.classList.toggle('is-muted', video.muted || video.volume === 0);
    stage.classList.toggle('is-audio', player.audioOnly);
    setText(at('play').querySelector('[data-name]'), t(paused ? 'player.play' : 'player.pause'));
    at('mute').setAttribute('aria-pressed', String(video.muted));
    at('volume').value = video.muted ? 0 : video.volume;
    const tracks = captions();
    show(at('captions'), tracks.length === 1);
    show(stage.querySelector('.ctl-captions'), tracks.length > 1);
    at('captions').setAttribute('aria-pressed', String(Boolean(shown())));
    at('language').value = String(tracks.indexOf(shown()));
    show(at('audio'), player.canAudioOnly || player.audioOnly);
    at('audio').setAttribute('aria-pressed', String(player.audioOnly));
    show(stage.querySelector('.audio-card'), player.audioOnly);
    refreshTime();
  }

  function refreshTime() {
    const live = player.live;
    // Who waits with everybody else is not behind.
    const away = player.following && player.state !== 'playing' ? 0 : player.away;
    const behind = player.behind;
    stage.dataset.behind = Number.isFinite(behind) ? behind.toFixed(1) : '';
    const liveButton = at('live');
    const whole = Boolean(player.playback) && (!live || player.rewound);
    show(liveButton, live);
    show(at('start'), Boolean(player.playback));
    show(stage.querySelector('.seek'), whole);
    show(stage.querySelector('.ctl-speed'), whole || away > 0);
    at('speed').value = String(video.playbackRate);
    if (live) {
      liveButton.classList.toggle('is-away', away > 0);
      setText(liveButton.querySelector('[data-live-text]'), liveWords(away, behind));
    }
    if (whole) refreshSeek();
  }

  function liveWords(away, behind) {
    if (away >= 60) return t('player.away_long', { Time: clockOf(away) });
    if (away > 0) return t('player.away', { S: away });
    if (Number.isFinite(behind) && player.state === 'playing') return t('player.live_s', { S: Math.round(behind) });
    return t('player.live');
  }

  function refreshSeek() {
    const range = player.range();
    if (!range) return;
    const seek = at('seek');
    seek.max = String(Math.max(1, Math.round(range.end)));
    if (!seek.matches(':active')) seek.value = String(Math.round(video.currentTime));
    const time = `${clockOf(video.currentTime)} / ${clockOf(range.end)}`;
    const percent = player.live ? '' : t('player.seen', { P: seenPercent(seen, range.end) });
    seek.setAttribute('aria-valuetext', percent ? `${time}, ${percent}` : time);
    setText(stage.querySelector('[data-seek-time]'), time);
    setText(stage.querySelector('[data-seen-text]'), percent);
    stage.querySelector('[data-seen]').replaceChildren(...seen.map(([from, to]) => {
      const part = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
      part.setAttribute('x', `${(100 * from) / range.end}%`);
      part.setAttribute('width', `${(100 * Math.max(0, Math.min(to, range.end) - from)) / range.end}%`);
      part.setAttribute('height', '100%');
      return part;
    }));
  }

  // What plays is seen; a jump is not.
  let last = -1;
  function see() {
    const now = player.position() / 1000;
    if (!video.paused && last >= 0 && now > last && now - last < 3) seen = addSeen(seen, last, now);
    last = now;
  }

  function refreshLevels() {
    const select = at('quality');
    const heights = player.levels.map((level) => level.height).filter(Boolean);
    show(at('quality').closest('label'), heights.length > 1 && !player.audioOnly);
    select.replaceChildren(
      new Option(t('player.quality_auto'), '-1'),
      ...player.levels.map((level, i) => new Option(`${level.height}p`, String(i))).reverse(),
    );
    refresh();
  }

  bar.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-do]');
    if (button) actions[button.dataset.do]?.();
  });
  at('seek').addEventListener('input', (event) => player.seekTo(Number(event.target.value)));
  at('speed').addEventListener('change', (event) => player.speed(Number(event.target.value)));
  at('quality').addEventListener('change', (event) => player.setLevel(Number(event.target.value)));
  at('language').addEventListener('change', (event) => setCaptions(Number(event.target.value)));
  at('volume').addEventListener('input', (event) => {
    video.volume = Number(event.target.value);
    video.muted = video.volume === 0;
  });
  for (const name of ['play', 'pause', 'volumechange', 'loadedmetadata']) video.addEventListener(name, refresh);
  video.addEventListener('timeupdate', see);
  video.addEventListener('timeupdate', refreshTime);
  player.addEventListener('levels', refreshLevels);
  player.addEventListener('tracks', refreshTracks);
  player.addEventListener('state', refresh);
  setInterval(refreshTime, 1000);
  stage.addEventListener('fullscreenchange', () => at('full').setAttribute('aria-pressed', String(document.fullscreenElement === stage)));
  for (const name of ['enterpictureinpicture', 'leavepictureinpicture']) {
    video.addEventListener(name, () => at('pip').setAttribute('aria-pressed', String(name.startsWith('enter'))));
  }

  show(at('pip'), Boolean(document.pictureInPictureEnabled) && !video.disablePictureInPicture);
  show(at('full'), Boolean(stage.requestFullscreen || video.webkitEnterFullscreen));
  keys({ stage, video, player, actions, dialog });
  idle(stage);
  refresh();
  return { show: (yes) => show(bar, yes) };
}

function fullScreen(stage, video) {
  if (document.fullscreenElement) document.exitFullscreen();
  else if (stage.requestFullscreen) stage.requestFullscreen().catch(() => {});
  else video.webkitEnterFullscreen?.(); // iPhones know it for video alone
}

// In full screen the controls go away while nothing moves, but never while the keyboard is in them.
function idle(stage) {
  let timer;
  const wake = () => {
    stage.classList.remove('is-idle');
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (document.fullscreenElement === stage && !stage.querySelector('.controls :focus-visible')) stage.classList.add('is-idle');
    }, 3000);
  };
  for (const name of ['pointermove', 'pointerdown', 'keydown', 'fullscreenchange']) stage.addEventListener(name, wake);
}

function keys({ stage, video, player, actions, dialog }) {
  const letters = dialog.querySelector('[data-do="letters"]');
  letters.checked = recall(LETTERS) !== 'off';
  letters.addEventListener('change', () => keep(LETTERS, letters.checked ? 'on' : 'off'));

  const louder = (by) => {
    video.volume = Math.min(1, Math.max(0, video.volume + by));
    video.muted = video.volume === 0;
  };
  const byLetter = {
    k: actions.play,
    j: () => player.seekBy(-10),
    l: () => player.seekBy(10),
    m: actions.mute,
    f: actions.full,
    c: actions.captions,
    '?': actions.keys,
  };
  const byName = {
    ' ': actions.play,
    ArrowLeft: () => player.seekBy(-5),
    ArrowRight: () => player.seekBy(5),
    ArrowUp: () => louder(0.05),
    ArrowDown: () => louder(-0.05),
  };
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || !player.playback) return;
    // What was in the list keeps the focus for a moment after it has closed.
    const target = dialog.contains(event.target) ? document.body : event.target;
    if (target.closest?.('input, select, textarea, [contenteditable]')) return;
    const onPage = target === document.body || stage.contains(target);
    if (event.key in byName && (!onPage || (event.key === ' ' && target.closest?.('button, summary, a')))) return;
    const action = byName[event.key] ?? (letters.checked || event.key === '?' ? byLetter[event.key.toLowerCase()] : undefined);
    if (!action) return;
    event.preventDefault();
    action();
  });
}
