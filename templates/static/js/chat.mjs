// What a page knows of its lesson's room: chat, questions, hands and polls. News is put in by id, so that an item
// that comes twice, late or from two sides changes nothing. No DOM.

import { Backoff } from './retry.mjs';

export class Room {
  /** rev is the last number of the room that this page saw, undefined before it knows anything. */
  rev;
  mode = 'all';
  slow = 0;
  muted = false;
  earlier = false;
  messages = new Map();
  questions = new Map();
  hands = new Map();
  polls = new Map();
  mutes = new Map();

  /** apply takes in what the server tells. */
  apply(news) {
    if (!news || !Number.isInteger(news.rev)) return;
    if (news.fresh) {
      for (const known of [this.messages, this.questions, this.hands, this.polls, this.mutes]) known.clear();
      this.muted = false;
      this.earlier = Boolean(news.earlier);
    }
    this.rev = news.fresh ? news.rev : Math.max(this.rev ?? 0, news.rev);
    if (news.room) {
      this.mode = news.room.mode;
      this.slow = news.room.slow_s;
    }
    this.muted = news.muted ?? this.muted;
    for (const message of news.messages ?? []) put(this.messages, message);
    for (const question of news.questions ?? []) {
      const mine = question.gone && this.questions.get(question.id);
      put(this.questions, mine?.mine ? { ...mine, rev: question.rev, pinned: false } : question);
    }
    for (const hand of news.hands ?? []) put(this.hands, hand);
    for (const poll of news.polls ?? []) put(this.polls, poll);
    for (const mute of news.mutes ?? []) put(this.mutes, { ...mute, id: mute.user });
  }

  /**
   * said lists the messages in their order; with a position only those said until then, for a replay.
   * @param {number} [posMS]
   */
  said(posMS = Infinity) {
    return [...this.messages.values()].filter((m) => !m.removed && (m.pos_ms ?? 0) <= posMS).sort((a, b) => a.rev - b.rev);
  }

  /** asked lists the questions: open ones first, the oldest on top. */
  asked() {
    const open = (q) => (q.answered ? 1 : 0);
    return [...this.questions.values()].filter((q) => !q.gone).sort((a, b) => open(a) - open(b) || Date.parse(a.at) - Date.parse(b.at) || a.rev - b.rev);
  }

  /** line lists the hands that are up, who is called first, then in the order of time. */
  line() {
    const waits = (h) => (h.called ? 0 : 1);
    return [...this.hands.values()].filter((h) => h.up).sort((a, b) => waits(a) - waits(b) || a.order - b.order);
  }

  /** hand is the reader's own: up or not, called or not, and its place in line from 1. */
  hand() {
    const mine = [...this.hands.values()].find((h) => h.up && h.mine);
    if (!mine) return { up: false, called: false, place: 0 };
    const before = this.line().filter((h) => !h.called && h.order < mine.order).length;
    return { up: true, called: Boolean(mine.called), place: before + 1 };
  }

  /** asks lists the polls, the open one first, then the newest. */
  asks() {
    return [...this.polls.values()].sort((a, b) => Number(Boolean(b.open)) - Number(Boolean(a.open)) || Date.parse(b.at) - Date.parse(a.at) || b.rev - a.rev);
  }

  isMuted(user) {
    return Boolean(this.mutes.get(user)?.muted);
  }
}

// put keeps the newer of two, and what only one reader was told once: that it is theirs, and what they chose.
function put(known, item) {
  const old = known.get(item.id);
  if (old && old.rev > item.rev) return;
  known.set(item.id, { ...item, mine: item.mine ?? old?.mine, vote: item.vote ?? old?.vote });
}

/** tally is what a poll's bars show: each option with its count and whole percent of the voters. */
export function tally(poll) {
  return poll.options.map((text, n) => {
    const count = poll.counts?.[n] ?? 0;
    return { text, n, count, pct: poll.voters ? Math.round((100 * count) / poll.voters) : 0, mine: Boolean(poll.vote?.includes(n)) };
  });
}

/**
 * deliver sends until there is an answer. No answer, a busy server and a room in which too many write pass; any other
 * refusal is one. post sends the same thing under the same name each time, so that it arrives once.
 * @param {() => Promise<any>} post  rejects with an Error that has status and code
 * @param {(ms: number) => Promise<void>} wait
 * @param {() => void} waiting  is told that it will be tried again
 */
export async function deliver(post, wait, waiting = () => {}, tries = 8) {
  const backoff = new Backoff(1000, 8000);
  for (let n = 1; ; n++) {
    try {
      return await post();
    } catch (error) {
      const passes = error.status === 0 || error.status >= 500 || error.code === 'chat.crowded';
      if (!passes || n >= tries) throw error;
      waiting();
      await wait(backoff.next());
    }
  }
}

/**
 * throttle returns a function that calls f at once, and again at most every ms: a log that grows line by line would
 * never let a screen reader finish.
 */
export function throttle(f, ms, { now = () => performance.now(), setTimer = setTimeout } = {}) {
  let last = -Infinity;
  let timer = null;
  const run = () => {
    timer = null;
    last = now();
    f();
  };
  return () => {
    if (timer !== null) return;
    const left = last + ms - now();
    if (left <= 0) run();
    else timer = setTimer(run, left);
  };
}
