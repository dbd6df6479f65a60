import assert from 'node:assert/strict';
import { test } from 'node:test';
import { js } from './scripts.mjs';

const { programmeAt } = await import(new URL('programme.mjs', js));

test('the programme stands still while the lesson is not on air', () => {
  const air = [[1000, 3000], [10_000, 0]];
  for (const [at, want] of [[0, 0], [1000, 0], [2500, 1500], [3000, 2000], [9999, 2000], [10_000, 2000], [12_000, 4000]]) {
    assert.equal(programmeAt(at, air), want, `at ${at}`);
  }
});

test('after the end nothing is added', () => {
  assert.equal(programmeAt(99_000, [[1000, 3000]]), 2000);
});

test('without air there is no position', () => {
  assert.ok(Number.isNaN(programmeAt(5, [])));
});
