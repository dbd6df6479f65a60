// The player around <video>: hls.js where the browser has media source extensions, else the browser's own HLS.
// It comes back by itself from everything: a lost network, a restarted server, an expired ticket, an encoder that
// was gone, a decoder that choked. It never asks the viewer to reload.

import { secondsBehind, mustJump, stalled } from './latency.mjs';
import { Backoff, between, jitter, loadPolicy } from './retry.mjs';

const STALL_MS = 8000;

/**
 * Events: "state" (detail idle, loading, playing, stalled, paused, ended), "blocked" (needs a tap), "muted"
 * (started without sound), "refused" (detail: an Error with status and code), "unsupported", "levels", "tracks".
 */
export class Player extends EventTarget {
  #video;
  #ask;
  #hlsURL;
  #workerURL;
  #Hls = null;
  #hls = null;
  #info = null;
  #generation = 0; // of open(); what an older one awaited is not used
  #state = 'idle';
  #backoff = new Backoff(2000, 8000);
  #mediaErrors = 0;
  #movedAt = 0;
  #movedTo = 0;
  #rescues = 0;
  #renewing = false;
  #again = null;
  #watch = null;
  #following = true; // the viewer wants to be live
  #audioOnly = false;
  #audioURL = '';

  /**
   * @param {object} o
   * @param {HTMLVideoElement} o.video
   * @param {() => Promise<{url: string, live: boolean, latency_target_ms: number, state: string}>} o.ask
   * @param {string} o.hls  where hls.js is
   * @param {string} o.worker  where its worker is
   * @param {boolean} [o.audioOnly]
   */
  constructor({ video, ask, hls, worker, audioOnly = false }) {
    super();
    this.#video = video;
    this.#ask = ask;
    this.#hlsURL = hls;
    this.#workerURL = worker;
    this.#audioOnly = audioOnly;
    for (const name of ['playing', 'waiting', 'pause', 'play', 'ended', 'timeupdate', 'seeking', 'emptied']) {
      video.addEventListener(name, () => this.#look());
    }
    video.addEventListener('error', () => this.#nativeError());
  }

  get state() {
    return this.#state;
  }

  get live() {
    return Boolean(this.#info?.live);
  }

  get following() {
    return this.#following;
  }

  get audioOnly() {
    return this.#audioOnly;
  }

  get canAudioOnly() {
    return this.#audioURL !== '';
  }

  get levels() {
    return this.#hls?.levels ?? [];
  }

  get playback() {
    return this.#info;
  }

  /** open asks where to play and plays, again and again until close. Safe to call at any time. */
  async open() {
    const generation = ++this.#generation;
    clearTimeout(this.#again);
    this.#startWatch();
    if (this.#state === 'idle') this.#set('loading');
    let info;
    try {
      info = await this.#ask();
    } catch (error) {
      if (generation !== this.#generation) return;
      this.#refused(error);
      return;
    }
    if (generation !== this.#generation) return;
    if (!info.url) {
      this.#later(between(2000, 4000));
      return;
    }
    try {
      await this.#load(info, generation);
    } catch {
      if (generation === this.#generation) this.#later(this.#backoff.next());
    }
  }

  /** close stops and forgets the stream; the last picture stays where the browser keeps it. */
  close() {
    this.#generation++;
    clearTimeout(this.#again);
    clearInterval(this.#watch);
    this.#watch = null;
    this.#hls?.destroy();
    this.#hls = null;
    this.#info = null;
    this.#set('idle');
  }

  /** nudge makes a player that waits between two tries try at once; for when the page hears that media is back. */
  nudge() {
    if (!this.#info) return;
    this.#backoff.reset();
    if (this.#hls) this.#hls.startLoad();
    else this.open();
  }

  async play() {
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== 'NotAllowedError') return;
      await this.#playMuted();
    }
  }

  pause() {
    this.#video.pause();
    this.#follow(false);
  }

  toggle() {
    if (this.#video.paused) this.play();
    else this.pause();
  }

  /** seekBy moves by seconds, inside what can be played. */
  seekBy(seconds) {
    const range = this.range();
    if (!range) return;
    this.seekTo(this.#video.currentTime + seconds);
  }

  seekTo(time) {
    const range = this.range();
    if (!range) return;
    const to = Math.min(Math.max(time, range.start), range.end);
    if (this.live) this.#follow(to >= range.end - 0.5);
    this.#video.currentTime = to;
  }

  /** toLive jumps to where everybody else is. */
  toLive() {
    this.#follow(true);
    const to = this.#livePosition();
    if (to !== null) this.#video.currentTime = to;
    this.play();
  }

  /** range is what can be played, in seconds of the media element; null while nothing can. */
  range() {
    const s = this.#video.seekable;
    if (!s.length) return null;
    const end = this.live ? (this.#livePosition() ?? s.end(s.length - 1)) : s.end(s.length - 1);
    return { start: s.start(0), end };
  }

  /** behind is how many seconds the picture lies behind the teacher; NaN while that is not known. */
  get behind() {
    if (!this.live) return NaN;
    if (this.#hls) return this.#hls.latency || NaN;
    const range = this.range();
    return range ? range.end - this.#video.currentTime + this.#target : NaN;
  }

  /** away is behind for a viewer who is not with the others: 0 for one who is. */
  get away() {
    return secondsBehind(this.behind, 0, this.#target);
  }

  /**
   * position is where in the programme the viewer is, in milliseconds; NaN while that is not known. programmeAt turns
   * an instant of the live lesson into one of the programme.
   */
  position(programmeAt) {
    if (!this.live) return this.#video.currentTime * 1000;
    const date = this.#hls?.playingDate?.getTime() ?? this.#nativeDate();
    return date ? programmeAt(date) : NaN;
  }

  setLevel(index) {
    if (this.#hls) this.#hls.nextLevel = index;
  }

  async setAudioOnly(yes) {
    if (yes === this.#audioOnly) return;
    this.#audioOnly = yes;
    await this.open();
  }

  get #target() {
    return this.#hls?.targetLatency ?? (this.#info?.latency_target_ms || 3000) / 1000;
  }

  #livePosition() {
    if (this.#hls) return this.#hls.liveSyncPosition;
    const s = this.#video.seekable;
    return s.length ? Math.max(s.start(0), s.end(s.length - 1) - 1) : null;
  }

  #nativeDate() {
    const start = this.#video.getStartDate?.().getTime();
    return start ? start + this.#video.currentTime * 1000 : 0;
  }

  #follow(yes) {
    this.#following = yes;
    if (this.#hls) this.#hls.config.maxLiveSyncPlaybackRate = yes ? 1.25 : 1;
    if (!yes && this.live) this.#video.playbackRate = 1;
  }

  async #load(info, generation) {
    const resumeAt = !info.live && this.#info && !this.#info.live ? this.#video.currentTime : -1;
    const first = !this.#info;
    this.#info = info;
    const Hls = await this.#library();
    if (generation !== this.#generation) return;
    if (Hls?.isSupported()) {
      this.#attach(Hls, info, resumeAt);
    } else if (this.#video.canPlayType('application/vnd.apple.mpegurl')) {
      this.#video.src = info.url;
    } else {
      this.dispatchEvent(new Event('unsupported'));
      return;
    }
    this.#movedAt = performance.now();
    if (first || !this.#video.paused || this.#state !== 'paused') this.play();
  }

  async #library() {
    if (!this.#Hls) this.#Hls = (await import(this.#hlsURL)).default;
    return this.#Hls;
  }

  #attach(Hls, info, startPosition) {
    this.#hls?.destroy();
    const hls = new Hls({
      workerPath: this.#workerURL,
      lowLatencyMode: true,
      liveSyncDuration: info.latency_target_ms > 0 ? info.latency_target_ms / 1000 : undefined,
      maxLiveSyncPlaybackRate: this.#following ? 1.25 : 1,
      startPosition,
      backBufferLength: 90,
      maxBufferLength: 30,
      capLevelToPlayerSize: true,
      manifestLoadPolicy: loadPolicy(),
      playlistLoadPolicy: loadPolicy(),
      fragLoadPolicy: loadPolicy(),
    });
    this.#hls = hls;
    hls.on(Hls.Events.ERROR, (_, error) => this.#hlsError(Hls, hls, error));
    hls.on(Hls.Events.MANIFEST_LOADED, (_, loaded) => this.#manifest(loaded));
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.dispatchEvent(new Event('levels')));
    hls.on(Hls.Events.FRAG_BUFFERED, () => {
      this.#backoff.reset();
      this.#mediaErrors = 0;
    });
    this.#video.textTracks.onaddtrack = () => this.dispatchEvent(new Event('tracks'));
    hls.attachMedia(this.#video);
    hls.loadSource(this.#audioOnly && this.#audioURL ? this.#audioURL : info.url);
  }

  // #manifest looks for the rendition without pictures, which hls.js leaves out where there are pictures.
  #manifest(loaded) {
    if (loaded.url === this.#audioURL) return;
    const sound = loaded.levels.find((l) => l.audioCodec && !l.videoCodec && !l.width);
    this.#audioURL = sound && loaded.levels.length > 1 ? sound.url : '';
    this.dispatchEvent(new Event('levels'));
    if (this.#audioOnly && this.#audioURL) this.#hls.loadSource(this.#audioURL);
  }

  #hlsError(Hls, hls, error) {
    if (hls !== this.#hls) return;
    if ([401, 403, 404, 410].includes(error.response?.code)) {
      this.#renew();
      return;
    }
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR && this.#mediaErrors++ < 2) {
      hls.recoverMediaError();
      return;
    }
    this.#later(jitter(Math.min(this.#backoff.next(), 5000)));
  }

  // #renew gets a new ticket. What is in the buffer plays on meanwhile.
  #renew() {
    if (this.#renewing) return;
    this.#renewing = true;
    setTimeout(() => (this.#renewing = false), 5000);
    this.#later(between(0, 1000));
  }

  #nativeError() {
    if (this.#hls || !this.#info) return;
    this.#later(this.#backoff.next());
  }

  #refused(error) {
    this.dispatchEvent(new CustomEvent('refused', { detail: error }));
    const final = [401, 403, 404, 410].includes(error.status);
    this.#later(final ? between(20_000, 40_000) : this.#backoff.next());
  }

  #later(ms) {
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.open(), ms);
  }

  async #playMuted() {
    if (!this.#video.muted) {
      this.#video.muted = true;
      try {
        await this.#video.play();
        this.dispatchEvent(new Event('muted'));
        return;
      } catch {
        this.#video.muted = false;
      }
    }
    this.dispatchEvent(new Event('blocked'));
  }

  #set(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: state }));
  }

  // #look reads the state off the element.
  #look() {
    const v = this.#video;
    if (v.currentTime !== this.#movedTo) {
      this.#movedTo = v.currentTime;
      this.#movedAt = performance.now();
      if (!v.paused) this.#rescues = 0;
    }
    if (!this.#info) return;
    const finished = !this.live || this.#hls?.latestLevelDetails?.live === false;
    if (v.ended && finished) this.#set('ended');
    else if (v.paused && !v.ended) this.#set(v.readyState === 0 && this.#state === 'loading' ? 'loading' : 'paused');
    else if (v.readyState < 3 || v.ended || performance.now() - this.#movedAt > 1500) this.#set('stalled');
    else this.#set('playing');
  }

  #startWatch() {
    this.#movedAt = performance.now();
    this.#watch ??= setInterval(() => {
      this.#look();
      this.#keepLive();
      this.#rescue();
    }, 500);
  }

  // #keepLive brings a viewer who wants to be live back after the page was asleep or the network gone.
  #keepLive() {
    if (!this.live || !this.#following || this.#video.paused || !this.#hls) return;
    const details = this.#hls.latestLevelDetails;
    const to = this.#livePosition();
    if (!details?.live || to === null || to <= this.#video.currentTime) return;
    if (mustJump(this.#hls.latency, this.#target, details.targetduration)) this.#video.currentTime = to;
  }

  // #rescue asks the server anew when nothing has moved for long, ever less often.
  #rescue() {
    const waiting = this.#state === 'stalled' || this.#state === 'loading';
    if (!waiting || !this.#info || !stalled(this.#movedAt, performance.now(), STALL_MS * 2 ** Math.min(this.#rescues, 3))) return;
    this.#rescues++;
    this.#movedAt = performance.now();
    this.#later(between(0, 3000));
  }
}
