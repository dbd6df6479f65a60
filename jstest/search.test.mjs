import assert from 'node:assert/strict';
import { test } from 'node:test';
import { js } from './scripts.mjs';

const { matches } = await import(new URL('search.mjs', js));

test('finding people by what one can type', () => {
  for (const [name, query, want] of [
    ['Søren Åke Müller', 'muller', true],
    ['Nguyễn Thị Minh Khai', 'nguyen minh', true],
    ['陈薇玲', '薇', true],
    ['ＡＢＣ', 'abc', true],
    ['Nur Aisyah', 'ais nur', true],
    ['Nur Aisyah', 'aisha', false],
    ['anybody', '', true],
    ['anybody', '  ', true],
  ]) {
    assert.equal(matches(name, query), want, `${query} in ${name}`);
  }
});
