import assert from 'node:assert/strict';
import { test } from 'node:test';
import { js } from './scripts.mjs';

const { deliver, Room, tally, throttle } = await import(new URL('chat.mjs', js));

const message = (rev, more = {}) => ({ id: 'm' + rev, rev, at: '2026-09-07T09:00:00Z', by: 'Sue', text: 't' + rev, role: 'student', ...more });
const texts = (room, pos) => room.said(pos).map((m) => m.text).join(' ');

test('news is put in by id, whatever comes twice or late', () => {
  const room = new Room();
  room.apply({ rev: 2, fresh: true, room: { mode: 'all', slow_s: 0 }, messages: [message(1), message(2)] });
  room.apply({ rev: 4, messages: [message(4), message(3)] });
  room.apply({ rev: 3, messages: [message(3)] });
  assert.equal(texts(room), 't1 t2 t3 t4');
  assert.equal(room.rev, 4);
  room.apply({ rev: 5, messages: [{ id: 'm2', rev: 5, removed: true }] });
  room.apply({ rev: 2, messages: [message(2)] }); // said again after it was removed
  assert.equal(texts(room), 't1 t3 t4');
  room.apply(null);
  room.apply({ rev: 'x' });
  assert.equal(room.rev, 5);
  room.apply({ rev: 1, fresh: true, earlier: true, messages: [message(1)] }); // the school was restored
  assert.equal(texts(room), 't1');
  assert.equal(room.rev, 1);
  assert.equal(room.earlier, true);
});

test('a replay shows what was said until then', () => {
  const room = new Room();
  room.apply({ rev: 3, messages: [message(1), message(2, { pos_ms: 60_000 }), message(3, { pos_ms: 61_000 })] });
  assert.equal(texts(room, 0), 't1');
  assert.equal(texts(room, 60_000), 't1 t2');
  assert.equal(texts(room), 't1 t2 t3');
});

test('the place in line counts who waits before', () => {
  const room = new Room();
  const hand = (id, rev, order, more = {}) => ({ id, rev, order, up: true, ...more });
  room.apply({ rev: 3, hands: [hand('a', 1, 1), hand('c', 3, 3), hand('b', 2, 2, { mine: true })] });
  assert.deepEqual(room.hand(), { up: true, called: false, place: 2 });
  room.apply({ rev: 4, hands: [hand('a', 4, 1, { called: true })] });
  assert.equal(room.hand().place, 1);
  assert.deepEqual(room.line().map((h) => h.id), ['a', 'b', 'c']);
  room.apply({ rev: 5, hands: [{ id: 'b', rev: 5, order: 2, up: true, called: true }] }); // as everybody is told
  assert.deepEqual(room.hand(), { up: true, called: true, place: 1 });
  room.apply({ rev: 6, hands: [{ id: 'b', rev: 6, order: 2, up: false }] });
  assert.deepEqual(room.hand(), { up: false, called: false, place: 0 });
});

test('a question that is taken back stays with who asked it', () => {
  const room = new Room();
  const question = { id: 'q', rev: 1, at: '2026-09-07T09:00:00Z', text: 'Why?', mine: true };
  room.apply({ rev: 1, questions: [question] });
  room.apply({ rev: 2, questions: [{ ...question, rev: 2, mine: undefined, answered: true, pinned: true }] });
  assert.equal(room.asked()[0].mine, true);
  room.apply({ rev: 3, questions: [{ id: 'q', rev: 3, gone: true }] });
  assert.deepEqual(room.asked().map((q) => [q.text, q.pinned]), [['Why?', false]]);
  const other = new Room();
  other.apply({ rev: 3, questions: [{ ...question, rev: 2, mine: undefined, pinned: true }, { id: 'q', rev: 3, gone: true }] });
  assert.equal(other.asked().length, 0);
});

test('open questions and the open poll come first', () => {
  const room = new Room();
  const at = (m) => `2026-09-07T09:0${m}:00Z`;
  room.apply({
    rev: 9,
    questions: [{ id: 'a', rev: 1, at: at(0), answered: true }, { id: 'c', rev: 3, at: at(2) }, { id: 'b', rev: 2, at: at(1) }],
    polls: [{ id: 'x', rev: 4, at: at(3), options: [], vote: [1] }, { id: 'y', rev: 5, at: at(4), options: [] }, { id: 'z', rev: 6, at: at(2), options: [], open: true }],
  });
  assert.deepEqual(room.asked().map((q) => q.id), ['b', 'c', 'a']);
  assert.deepEqual(room.asks().map((p) => p.id), ['z', 'y', 'x']);
  room.apply({ rev: 10, polls: [{ id: 'x', rev: 10, at: at(3), options: [] }] });
  assert.deepEqual(room.polls.get('x').vote, [1]);
});

test('bars of a poll', () => {
  const poll = { options: ['a', 'b', 'c'], counts: [1, 2, 0], voters: 3, vote: [1] };
  assert.deepEqual(tally(poll).map((o) => [o.text, o.count, o.pct, o.mine]), [['a', 1, 33, false], ['b', 2, 67, true], ['c', 0, 0, false]]);
  assert.equal(tally({ options: ['a'], voters: 0 })[0].pct, 0);
});

test('what cannot be sent now is sent again under the same name, and a refusal is an answer', async () => {
  const failures = [{ status: 0 }, { status: 503 }, { status: 429, code: 'chat.crowded' }];
  let waited = 0;
  let told = 0;
  const post = async () => {
    const failure = failures.shift();
    if (failure) throw failure;
    return 'sent';
  };
  assert.equal(await deliver(post, async (ms) => (waited += ms), () => told++), 'sent');
  assert.equal(told, 3);
  assert.ok(waited > 0);
  for (const refusal of [{ status: 429, code: 'chat.slow' }, { status: 403, code: 'chat.muted' }, { status: 400 }]) {
    let tries = 0;
    await assert.rejects(deliver(async () => { tries++; throw refusal; }, async () => {}), (e) => e === refusal);
    assert.equal(tries, 1);
  }
  let tries = 0;
  await assert.rejects(deliver(async () => { tries++; throw { status: 0 }; }, async () => {}, () => {}, 3));
  assert.equal(tries, 3);
});

test('a busy log is drawn at once and then once a second', () => {
  let now = 0;
  let timer = null;
  let drawn = 0;
  const draw = throttle(() => drawn++, 1000, { now: () => now, setTimer: (f, ms) => ((timer = { f, ms }), 1) });
  draw();
  assert.equal(drawn, 1);
  now = 300;
  draw();
  draw();
  assert.equal(drawn, 1);
  assert.equal(timer.ms, 700);
  now = 1000;
  timer.f();
  assert.equal(drawn, 2);
  now = 2500;
  draw();
  assert.equal(drawn, 3);
});
