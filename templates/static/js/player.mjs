// The player around <video>: hls.js where the browser has media source extensions, else the browser's own HLS.
// It comes back by itself from everything: a lost network, a restarted server, an expired ticket, an encoder that
// was gone, a decoder that choked. It never asks the viewer to reload.

import { secondsBehind, mustJump, stalled } from './latency.mjs';
import { Backoff, between, jitter, loadPolicy } from './retry.mjs';

const STALL_MS = 8000;

// steady is hls.js's reader of captions in the stream, mended. 1.7.4 takes every part of a segment for a jump, and forgets
// the caption that is being sent; and it shows none where sound and picture share a buffer, as ours do.
const steady = (Captions) => class extends Captions {
  onFragLoading(event, data) {
    const { frag, part } = data;
    if (part && frag.type === 'main' && frag.sn === this.lastSn && part.index === this.lastPartIndex + 1 && frag.cc === this.lastCc) {
      this.lastPartIndex = part.index;
      return;
    }
    super.onFragLoading(event, data);
  }

  onBufferAppended(event, data) {
    const both = data.type === 'audiovideo';
    super.onBufferAppended(event, both ? { ...data, type: 'video', timeRanges: { video: data.timeRanges.audiovideo } } : data);
  }
};

/**
 * Events: "state" (detail idle, loading, playing, stalled, paused, ended), "blocked" (needs a tap), "muted"
 * (started without sound), "refused" (detail: an Error with status and code), "unsupported", "levels", "tracks".
 */
export class Player extends EventTarget {
  #video;
  #ask;
  #place;
  #hlsURL;
  #Hls = null;
  #captions; // what reads them out of the stream
  #hls = null;
  #info = null;
  #generation = 0; // of open(); what an older one awaited is not used
  #state = 'idle';
  #backoff = new Backoff(2000, 8000);
  #soon = new Backoff(400, 4000); // while there is nothing to play yet
  #mediaErrors = 0;
  #movedAt = 0;
  #movedTo = 0;
  #moved = 0;
  #movedFrom = 0;
  #rescues = 0;
  #renewing = false;
  #again = null;
  #watch = null;
  #following = true; // the viewer wants to be live
  #audioOnly = false;
  #audioURL = '';
  #wanted = false; // the viewer wants it to play
  #pictures = false; // the lesson has some
  #rewound = false; // plays the lesson from its start instead of its last minutes
  #startAt = -1; // seconds of the programme, for the next source; -1 is the usual place

  /**
   * @param {object} o
   * @param {HTMLVideoElement} o.video
   * @param {() => Promise<{url: string, live: boolean, latency_target_ms: number, state: string}>} o.ask
   * @param {string} o.hls  where hls.js is
   * @param {boolean} [o.audioOnly]
   * @param {(date: number) => number} [o.place]  where in the programme something lies that was sent then, both in milliseconds
   */
  constructor({ video, ask, hls, audioOnly = false, place = () => 0 }) {
    super();
    this.#video = video;
    this.#ask = ask;
    this.#hlsURL = hls;
    this.#audioOnly = audioOnly;
    this.#place = place;
    for (const name of ['playing', 'waiting', 'pause', 'play', 'ended', 'timeupdate', 'seeking', 'emptied']) {
      video.addEventListener(name, () => {
        this.#count(name === 'seeking' || name === 'emptied');
        this.#look();
      });
    }
    video.addEventListener('error', () => this.#nativeError());
    for (const name of ['addtrack', 'removetrack']) video.textTracks.addEventListener(name, () => this.dispatchEvent(new Event('tracks')));
    addEventListener('online', () => this.wake());
    // A browser that freezes a page pauses what plays in it, and leaves it so.
    document.addEventListener('resume', () => this.#wanted && this.play());
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

  /** rewound is whether all of a lesson that goes on can be reached, instead of its last minutes. */
  get rewound() {
    return this.#rewound;
  }

  get levels() {
    return this.#hls?.levels ?? [];
  }

  /** onlySound is whether of a lesson with pictures this device can play none. */
  get onlySound() {
    return this.levels.length > 0 && this.#pictures && this.levels.every((level) => !level.videoCodec && !level.width);
  }

  get playback() {
    return this.#info;
  }

  /**
   * open asks where to play and plays, again and again until close. Safe to call at any time.
   * @param {number} [startAt]  seconds of the programme; without it live is live, and a replay goes on where it was
   */
  async open(startAt = -1) {
    const generation = ++this.#generation;
    if (startAt >= 0) this.#startAt = startAt;
    clearTimeout(this.#again);
    this.#startWatch();
    if (this.#state === 'idle') this.#set('loading');
    this.#library().catch(() => {}); // while the server is asked; who needs it asks again
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
      this.#later(this.#soon.next());
      return;
    }
    this.#soon.reset();
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
    this.#rewound = false;
    this.#audioURL = '';
    this.#wanted = false;
    this.#addTracks({});
    this.#set('idle');
  }

  /** nudge makes a player that waits between two tries try at once; for when the page hears that media is back. */
  nudge() {
    if (!this.#info) return;
    this.#backoff.reset();
    if (this.#hls) this.#hls.startLoad();
    else this.open();
  }

  /**
   * wake is for when the page hears that there is a network again: a player that waits tries at once, but not all do.
   * hls.js may be the first to notice, and what plays by then is left alone.
   */
  wake() {
    if (!this.#info || this.#state !== 'stalled') return;
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#state === 'stalled' && this.nudge(), between(0, 1500));
  }

  async play() {
    this.#wanted = true;
    try {
      await this.#video.play();
    } catch (error) {
      if (error.name !== 'NotAllowedError') return;
      await this.#playMuted();
    }
  }

  pause() {
    this.#wanted = false;
    this.#video.pause();
    this.#follow(false);
  }

  toggle() {
    if (this.#video.paused) this.play();
    else this.pause();
  }

  /** seekBy moves by seconds, inside what can be played. Before the last minutes of a live lesson lies the rest of it. */
  seekBy(seconds) {
    const range = this.range();
    if (!range) return;
    const to = this.#video.currentTime + seconds;
    if (seconds < 0 && to < range.start && this.canRewind) this.rewind(Math.max(0, (this.position() || 0) / 1000 + seconds));
    else this.seekTo(to);
  }

  seekTo(time) {
    const range = this.range();
    if (!range) return;
    const to = Math.min(Math.max(time, range.start), range.end);
    if (this.live) this.#follow(to >= range.end - 0.5);
    this.#video.currentTime = to;
  }

  get canRewind() {
    return this.live && !this.#rewound;
  }

  /** rewind goes back in a live lesson: to its start, or so many seconds into it. */
  rewind(seconds = 0) {
    if (!this.#info) return;
    if (!this.canRewind) {
      this.seekTo(seconds);
      return;
    }
    this.#follow(false);
    this.#reload(true, seconds);
  }

  /** speed plays faster or slower. Who plays a live lesson faster ends where everybody else is. */
  speed(rate) {
    if (this.live) this.#follow(false);
    this.#video.playbackRate = rate;
  }

  /** toLive jumps to where everybody else is. */
  toLive() {
    this.#follow(true);
    if (this.#rewound) {
      this.#reload(false);
      return;
    }
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

  /** position is where in the programme the viewer is, in milliseconds; NaN while that is not known. */
  position() {
    if (!this.live || this.#rewound) return this.#video.currentTime * 1000;
    return this.date ? this.#place(this.date) : NaN;
  }

  /** moved is how much has played, in seconds of media; a jump to another place is none of it. */
  get moved() {
    this.#count(this.#video.seeking);
    return this.#moved;
  }

  #count(jumped) {
    const to = this.#video.currentTime;
    if (!jumped && to > this.#movedFrom) this.#moved += to - this.#movedFrom;
    this.#movedFrom = to;
  }

  /** date is when what is shown was sent, in Unix milliseconds by the server's clock; 0 while that is not known. */
  get date() {
    return this.#hls?.playingDate?.getTime() ?? this.#nativeDate();
  }

  setLevel(index) {
    if (this.#hls) this.#hls.nextLevel = index;
  }

  async setAudioOnly(yes) {
    if (yes === this.#audioOnly) return;
    this.#audioOnly = yes;
    await this.open();
  }

  // #reload plays the same lesson from another playlist.
  #reload(rewound, startAt = -1) {
    this.#rewound = rewound;
    this.#audioURL = '';
    this.#startAt = startAt;
    this.#generation++;
    clearTimeout(this.#again);
    this.#start(this.#info, this.#generation).then(
      () => this.play(),
      () => this.#later(this.#backoff.next()),
    );
  }

  get #source() {
    if (this.#audioOnly && this.#audioURL) return this.#audioURL;
    return this.#rewound ? this.#info.url.replace('/index.m3u8', '/dvr.m3u8') : this.#info.url;
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
    if (this.live) this.#video.playbackRate = 1;
  }

  async #load(info, generation) {
    const stays = this.#info && info.live === this.#info.live && (this.#rewound || !info.live);
    if (this.#startAt < 0 && stays) this.#startAt = this.#video.currentTime;
    if (!info.live) this.#rewound = false;
    const plays = !this.#info || this.#state !== 'paused';
    this.#info = info;
    await this.#start(info, generation);
    if (plays && generation === this.#generation) this.play();
  }

  // #start gives the element something to play.
  async #start(info, generation) {
    const Hls = await this.#library();
    if (generation !== this.#generation) return;
    if (Hls?.isSupported()) {
      this.#attach(Hls, info, this.#startAt);
    } else if (this.#video.canPlayType('application/vnd.apple.mpegurl')) {
      this.#playNatively(this.#startAt);
    } else {
      this.dispatchEvent(new Event('unsupported'));
      return;
    }
    this.#startAt = -1;
    this.#movedAt = performance.now();
  }

  #playNatively(startAt) {
    this.#video.src = this.#source;
    this.#addTracks(this.#info);
    if (startAt > 0) this.#video.addEventListener('loadedmetadata', () => (this.#video.currentTime = startAt), { once: true });
  }

  async #library() {
    if (!this.#Hls) {
      const library = await import(this.#hlsURL);
      this.#Hls = library.default;
      this.#captions = steady(library.TimelineController);
    }
    return this.#Hls;
  }

  #attach(Hls, info, startPosition) {
    this.#hls?.destroy();
    const hls = new Hls({
      enableWorker: false, // fragments of MP4 are handed on as they are; a worker is for what must be taken apart
      lowLatencyMode: true,
      liveSyncDuration: info.latency_target_ms > 0 ? info.latency_target_ms / 1000 : undefined,
      maxLiveSyncPlaybackRate: this.#following ? 1.25 : 1,
      startPosition,
      backBufferLength: 90,
      maxBufferLength: 30,
      capLevelToPlayerSize: true,
      timelineController: this.#captions,
      captionsTextTrack1LanguageCode: '', // nobody knows the language of what the encoder adds
      captionsTextTrack2LanguageCode: '',
      manifestLoadPolicy: loadPolicy(),
      playlistLoadPolicy: loadPolicy(),
      fragLoadPolicy: loadPolicy(),
    });
    this.#hls = hls;
    hls.on(Hls.Events.ERROR, (_, error) => this.#hlsError(Hls, hls, error));
    hls.on(Hls.Events.MANIFEST_LOADED, (_, loaded) => this.#manifest(loaded));
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      this.#addTracks(info); // hls.js empties those that were there before
      this.dispatchEvent(new Event('levels'));
    });
    hls.on(Hls.Events.FRAG_BUFFERED, () => {
      this.#backoff.reset();
      this.#mediaErrors = 0;
    });
    hls.attachMedia(this.#video);
    hls.loadSource(this.#source);
  }

  // #addTracks puts the captions of a replay beside it, in place of those of what played before.
  #addTracks(info) {
    for (const track of this.#video.querySelectorAll('track[data-file]')) track.remove();
    for (const { lang, name, url } of info.captions ?? []) {
      const track = Object.assign(document.createElement('track'), { kind: 'captions', srclang: lang, label: name, src: url });
      track.dataset.file = lang;
      this.#video.append(track);
    }
  }

  // #manifest looks for the rendition without pictures, which hls.js leaves out where there are pictures.
  #manifest(loaded) {
    if (loaded.url === this.#audioURL) return;
    this.#pictures = loaded.levels.some((l) => l.videoCodec || l.width);
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
    this.#wanted = false; // until the viewer taps
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
    else if (v.paused && !v.ended) this.#set(v.readyState === 0 && (this.#wanted || this.#state === 'loading') ? 'loading' : 'paused');
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
    if (!this.live || this.#video.paused || !this.#hls) return;
    if (!this.#following && this.#video.playbackRate > 1 && this.behind <= this.#target) this.toLive();
    if (!this.#following) return;
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
