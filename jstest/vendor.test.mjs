import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { brotliDecompressSync } from 'node:zlib';
import { vendor } from './scripts.mjs';

test('the packed hls.js is the plain one', async () => {
  const plain = await readFile(new URL('hls.js/hls.min.mjs', vendor));
  const packed = await readFile(new URL('hls.js/hls.min.mjs.br', vendor));
  assert.ok(brotliDecompressSync(packed, { maxOutputLength: 2 * plain.length }).equals(plain));
});
