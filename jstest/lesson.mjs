// A class page without a browser: the real beats of templates/static/js/beat.mjs against a real server, in a time that
// passes as fast as both can count. Go tests run it:
//
//   node lesson.mjs SERVER CONTROL PATH COOKIE SECONDS AWAY_FROM AWAY_UNTIL
//
// CONTROL turns the server's clock (POST /clock?ms=) and takes its database away and brings it back (/away, /back).
// It prints what the page saw: {"owed": ms, "counted_s": s, "beats": n, "refused": n}.
import { js } from './scripts.mjs';

const { Beats } = await import(new URL('beat.mjs', js));
const [server, control, path, cookie, ...times] = process.argv.slice(2);
const [length, awayFrom, awayUntil] = times.map((s) => Number(s) * 1000);

let now = 0;
let away = false;
let timers = [];
const seen = { owed: 0, counted_s: 0, beats: 0, refused: 0 };
let sending = Promise.resolve();

const post = (url, options = {}) => fetch(url, { method: 'POST', ...options });

async function send(body) {
  await post(`${control}/clock?ms=${Math.round(now)}`);
  const response = await post(server + path, { headers: { Cookie: cookie }, body: JSON.stringify(body) });
  const reply = await response.json();
  if (response.status === 200) {
    seen.beats++;
    seen.counted_s = reply.counted_s;
  } else {
    seen.refused++;
  }
  return { status: response.status, body: reply };
}

const page = new Beats({
  send: (body) => (sending = send(body)),
  beacon: () => {},
  now: () => now,
  position: () => now,
  mediaTime: () => now / 1000,
  random: Math.random,
  setTimer: (f, ms) => {
    const timer = { f, at: now + ms };
    timers.push(timer);
    return timer;
  },
  clearTimer: (timer) => (timers = timers.filter((t) => t !== timer)),
  store: { load: () => null, save: () => {}, clear: () => {} },
  onReply: () => {},
  onStop: (status) => {
    throw new Error(`the server wants no more beats: ${status}`);
  },
  newView: () => 'node-page',
});

page.start('playing');
while (now < length) {
  if (!away && now >= awayFrom && now < awayUntil) away = (await post(`${control}/away`)).ok;
  if (away && now >= awayUntil) away = !(await post(`${control}/back`)).ok;
  await sending.catch(() => {});
  await new Promise(setImmediate); // the page hears its answer
  timers.sort((a, b) => a.at - b.at);
  const next = timers.shift();
  now = Math.min(Math.max(now, next.at), length);
  if (next.at <= length) next.f();
}
await sending;
await new Promise(setImmediate);
page.beat();
await sending;
await new Promise(setImmediate);
seen.owed = page.owed;
page.stop();
console.log(JSON.stringify(seen));
