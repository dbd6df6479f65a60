import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { css } from './scripts.mjs';

const source = await readFile(new URL('tokens.css', css), 'utf8');
const colors = (text) => Object.fromEntries([...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6});/g)].map(([, name, value]) => [name, value]));
const split = source.indexOf('@media (prefers-color-scheme: dark)');
const light = colors(source.slice(0, split));
const schemes = { light, dark: { ...light, ...colors(source.slice(split)) } };

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

// foreground, background: every pair that the style sheets make.
const text = [
  ['ink', 'paper'], ['ink', 'paper-deep'], ['ink-soft', 'paper'], ['ink-soft', 'paper-deep'], ['accent', 'paper'], ['accent', 'paper-deep'],
  ['on-accent', 'accent'], ['on-accent', 'accent-deep'], ['hand-ink', 'paper'], ['hand-ink', 'paper-deep'], ['ink', 'hand-paper'],
  ['live-ink', 'paper'], ['live-ink', 'paper-deep'], ['live-ink', 'live-paper'], ['on-live', 'live'], ['good-ink', 'paper'], ['good', 'paper'],
  ['paper', 'info'], ['chalk', 'board'], ['chalk', 'board-deep'], ['chalk', 'board-line'], ['chalk-soft', 'board'], ['chalk-soft', 'board-deep'],
  ['board-deep', 'chalk'], ['chalk-hand', 'board'], ['chalk-hand', 'board-deep'],
];
const edges = [
  ['edge', 'paper'], ['edge', 'paper-deep'], ['board-edge', 'board'], ['board-edge', 'board-deep'], ['accent', 'paper'], ['live-ink', 'paper'],
  ['info', 'paper'], ['live', 'paper'], ['chalk-live', 'board-deep'], ['present', 'paper'], ['chalk-hand', 'board-deep'],
];

for (const [name, scheme] of Object.entries(schemes)) {
  test(`${name}: text has 4.5:1`, () => {
    for (const [a, b] of text) {
      const got = contrast(scheme[a], scheme[b]);
      assert.ok(got >= 4.5, `${a} on ${b}: ${got.toFixed(2)}`);
    }
  });
  test(`${name}: edges of controls have 3:1`, () => {
    for (const [a, b] of edges) {
      const got = contrast(scheme[a], scheme[b]);
      assert.ok(got >= 3, `${a} on ${b}: ${got.toFixed(2)}`);
    }
  });
}

test('both schemes have the same names', () => {
  const dark = Object.keys(colors(source.slice(split)));
  assert.deepEqual(dark.filter((name) => !(name in light)), []);
});
