import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { js } from './scripts.mjs';

const { clockOf, durationWords, translator } = await import(new URL('messages.mjs', js));
const locales = new URL('../../locales/', js);

test('placeholders are filled and numbers written as the language does', () => {
  const messages = { a: '{{.X}} of {{ .N }}', b: { one: '{{.N}} lesson', other: '{{.N}} lessons' } };
  const en = translator(messages, 'en');
  assert.equal(en('a', { X: 'x', N: 12345 }), 'x of 12,345');
  assert.equal(translator(messages, 'id')('a', { X: 'x', N: 12345 }), 'x of 12.345');
  assert.equal(en('b', { N: 1 }), '1 lesson');
  assert.equal(en('b', { N: 2 }), '2 lessons');
  assert.equal(en('nothing'), 'nothing');
  assert.equal(en('a', {}), ' of ');
});

test('what a placeholder holds is text and nothing else', () => {
  const t = translator({ a: '{{.X}}!' }, 'en');
  assert.equal(t('a', { X: '$& {{.Y}} <b>' }), '$& {{.Y}} <b>!');
});

test('lengths of time', () => {
  const t = translator({ 'duration.s': '{{.S}} s', 'duration.min': '{{.M}} min', 'duration.h': '{{.H}} h', 'duration.h_min': '{{.H}} h {{.M}} min' }, 'en');
  for (const [seconds, want] of [[-1, '0 s'], [59.9, '59 s'], [60, '1 min'], [3599, '59 min'], [3600, '1 h'], [3900, '1 h 5 min']]) {
    assert.equal(durationWords(t, seconds), want);
  }
  assert.equal(clockOf(0), '0:00');
  assert.equal(clockOf(245), '4:05');
  assert.equal(clockOf(3845), '1:04:05');
});

test('every message that a script asks for is in the catalogue', async () => {
  const en = {};
  for (const file of await readdir(new URL('en/', locales))) {
    Object.assign(en, JSON.parse(await readFile(new URL('en/' + file, locales))));
  }
  const missing = [];
  for (const file of await readdir(js)) {
    const source = await readFile(new URL(file, js), 'utf8');
    for (const [, key] of source.matchAll(/'((?:class|player|studio|obs|code|duration|state|panel|chat|ask|hand|poll|side)\.[a-z0-9_.]*[a-z0-9_])'/g)) {
      if (!(key in en)) missing.push(`${file}: ${key}`);
    }
  }
  assert.deepEqual(missing, []);
});
