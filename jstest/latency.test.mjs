import assert from 'node:assert/strict';
import { test } from 'node:test';
import { js } from './scripts.mjs';

const { addSeen, minutesUntil, mustJump, secondsBehind, seenPercent, sparkPoints, stalled } = await import(new URL('latency.mjs', js));

test('who is within a few seconds of the target is live', () => {
  assert.equal(secondsBehind(100, 97, 3), 0);
  assert.equal(secondsBehind(100, 93, 3), 0);
  assert.equal(secondsBehind(100, 92, 3), 8);
  assert.equal(secondsBehind(100, 66.4, 3), 34);
  assert.equal(secondsBehind(NaN, 0, 3), 0);
});

test('a jump only where playing faster would not help', () => {
  assert.equal(mustJump(3, 3, 2), false);
  assert.equal(mustJump(8, 3, 2), false);
  assert.equal(mustJump(8.1, 3, 2), true);
  assert.equal(mustJump(NaN, 3, 2), false);
});

test('sparklines keep the last 60 values inside their box', () => {
  assert.equal(sparkPoints([]), '');
  assert.equal(sparkPoints([5, 10]), '59,10.0 60,1.0');
  assert.equal(sparkPoints([0, 0]), '59,19.0 60,19.0');
  assert.equal(sparkPoints(Array(90).fill(1)).split(' ').length, 60);
});

test('minutes until the start are rounded up', () => {
  assert.equal(minutesUntil(0, 60_000), 1);
  assert.equal(minutesUntil(0, 60_001), 2);
  assert.equal(minutesUntil(5, 0), 0);
});

test('a player has stood still after 8 s', () => {
  assert.equal(stalled(0, 8000), false);
  assert.equal(stalled(0, 8001), true);
});

test('what was seen is kept as intervals that do not touch', () => {
  let seen = addSeen([], 10, 20);
  seen = addSeen(seen, 30, 40);
  assert.deepEqual(seen, [[10, 20], [30, 40]]);
  assert.deepEqual(addSeen(seen, 0, 5), [[0, 5], [10, 20], [30, 40]]);
  assert.deepEqual(addSeen(seen, 20, 30), [[10, 40]]);
  assert.deepEqual(addSeen(seen, 12, 15), seen);
  assert.equal(seenPercent(seen, 40), 50);
  assert.equal(seenPercent([[0, 100]], 45), 100);
  assert.equal(seenPercent(seen, 0), 0);
  assert.equal(seenPercent([], 10), 0);
});
