// The buttons and keys of the player.

import { clockOf } from './messages.mjs';
import { setText, show } from './page.mjs';

const LETTERS = 'chalkcast.letters';

/**
 * @param {object} o
 * @param {HTMLElement} o.stage  the screen and its controls; what goes full screen
 * @param {HTMLVideoElement} o.video
 * @param {import('./player.mjs').Player} o.player
 * @param {(key: string, data?: object) => string} o.t
 */
export function controls({ stage, video, player, t }) {
  const bar = stage.querySelector('.controls');
  const dialog = stage.querySelector('.keys-dialog');
  const at = (name) => stage.querySelector(`[data-do="${name}"]`);
  const captions = () => [...video.textTracks].filter((track) => track.kind === 'captions' || track.kind === 'subtitles');

  const actions = {
    play: () => player.toggle(),
    back: () => player.seekBy(-10),
    live: () => player.toLive(),
    mute: () => setMuted(!video.muted),
    captions: () => setCaptions(!captions().some((track) => track.mode === 'showing')),
    audio: () => player.setAudioOnly(!player.audioOnly),
    keys: () => dialog.showModal(),
    pip: () => (document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture()).catch(() => {}),
    full: () => fullScreen(stage, video),
  };

  function setMuted(yes) {
    video.muted = yes;
    if (!yes && video.volume === 0) video.volume = 0.5;
  }

  function setCaptions(yes) {
    for (const track of captions()) track.mode = 'hidden';
    if (yes && captions()[0]) captions()[0].mode = 'showing';
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
    show(at('captions'), captions().length > 0);
    at('captions').setAttribute('aria-pressed', String(captions().some((track) => track.mode === 'showing')));
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
    const liveButton = at('live');
    show(liveButton, live);
    show(stage.querySelector('.seek'), !live && Boolean(player.playback));
    show(stage.querySelector('.ctl-speed'), !live && Boolean(player.playback));
    if (live) {
      liveButton.classList.toggle('is-away', away > 0);
      const seconds = Math.round(behind);
      const words = away > 0 ? t('player.away', { S: away }) : Number.isFinite(behind) && player.state === 'playing' ? t('player.live_s', { S: seconds }) : t('player.live');
      setText(liveButton.querySelector('[data-live-text]'), words);
      return;
    }
    const range = player.range();
    if (!range) return;
    const seek = at('seek');
    seek.max = String(Math.max(1, Math.round(range.end)));
    if (document.activeElement !== seek || !seek.matches(':active')) seek.value = String(Math.round(video.currentTime));
    const words = `${clockOf(video.currentTime)} / ${clockOf(range.end)}`;
    seek.setAttribute('aria-valuetext', words);
    setText(stage.querySelector('[data-seek-time]'), words);
  }

  function refreshLevels() {
    const select = at('quality');
    const heights = player.levels.map((level) => level.height).filter(Boolean);
    show(stage.querySelector('.ctl-quality'), heights.length > 1 && !player.audioOnly);
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
  at('speed').addEventListener('change', (event) => (video.playbackRate = Number(event.target.value)));
  at('quality').addEventListener('change', (event) => player.setLevel(Number(event.target.value)));
  at('volume').addEventListener('input', (event) => {
    video.volume = Number(event.target.value);
    video.muted = video.volume === 0;
  });
  for (const name of ['play', 'pause', 'volumechange', 'loadedmetadata']) video.addEventListener(name, refresh);
  video.addEventListener('timeupdate', refreshTime);
  player.addEventListener('levels', refreshLevels);
  player.addEventListener('tracks', refresh);
  player.addEventListener('state', refresh);
  setInterval(refreshTime, 1000);

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
  letters.checked = localStorage.getItem(LETTERS) !== 'off';
  letters.addEventListener('change', () => localStorage.setItem(LETTERS, letters.checked ? 'on' : 'off'));

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
    const target = event.target;
    if (target.closest?.('input, select, textarea, [contenteditable]')) return;
    const onPage = target === document.body || stage.contains(target);
    if (event.key in byName && (!onPage || (event.key === ' ' && target.closest?.('button, summary, a')))) return;
    const action = byName[event.key] ?? (letters.checked || event.key === '?' ? byLetter[event.key.toLowerCase()] : undefined);
    if (!action) return;
    event.preventDefault();
    action();
  });
}
