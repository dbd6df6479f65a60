import assert from 'node:assert/strict';
import { test } from 'node:test';
import { js } from './scripts.mjs';

const { Backoff, between, errorRetry, jitter, loadPolicy, worthRetrying } = await import(new URL('retry.mjs', js));

// As hls.js computes it from a policy.
const hlsDelay = (policy, count) => Math.min(2 ** count * policy.retryDelayMs, policy.maxRetryDelayMs);

test('chance is half to one and a half', () => {
  assert.equal(jitter(1000, () => 0), 500);
  assert.equal(jitter(1000, () => 0.5), 1000);
  assert.equal(between(1000, 8000, () => 0), 1000);
  assert.equal(between(1000, 8000, () => 1), 8000);
});

test('answers are final, troubles are not', () => {
  for (const status of [0, undefined, 408, 429, 500, 502, 503, 504]) assert.equal(worthRetrying(status), true, String(status));
  for (const status of [400, 401, 403, 404, 410, 416]) assert.equal(worthRetrying(status), false, String(status));
});

test('the policy tries 60 times and never an expired ticket', () => {
  const policy = errorRetry();
  assert.equal(policy.shouldRetry(policy, 59, false, { code: 503 }), true);
  assert.equal(policy.shouldRetry(policy, 60, false, { code: 503 }), false);
  assert.equal(policy.shouldRetry(policy, 0, false, { code: 0 }), true, 'a refused connection');
  assert.equal(policy.shouldRetry(policy, 0, true, undefined), true, 'a timeout');
  for (const code of [401, 403, 410]) assert.equal(policy.shouldRetry(policy, 0, false, { code }), false, String(code));
});

test('every try has a delay of its own, growing to about 8 s', () => {
  const { errorRetry: policy } = loadPolicy().default;
  const delays = Array.from({ length: 200 }, () => hlsDelay(policy, 2));
  assert.ok(new Set(delays).size > 150, 'delays differ from try to try');
  assert.ok(Math.min(...delays) >= 1000 && Math.max(...delays) <= 3000);
  const late = Array.from({ length: 200 }, () => hlsDelay(policy, 12));
  assert.ok(Math.min(...late) >= 4000 && Math.max(...late) <= 12_000);
});

test('a class that lost the server does not come back in one instant', () => {
  // 20,000 viewers after an outage of 20 s: how many return in the busiest 100 ms?
  const arrivals = new Map();
  for (let i = 0; i < 20_000; i++) {
    const policy = errorRetry();
    let at = 0;
    for (let n = 0; at < 20_000; n++) at += hlsDelay(policy, n);
    const slot = Math.floor(at / 100);
    arrivals.set(slot, (arrivals.get(slot) ?? 0) + 1);
  }
  const busiest = Math.max(...arrivals.values());
  assert.ok(busiest < 1000, `${busiest} came back in the same 100 ms`);
});

test('a backoff grows to its limit and starts again after a reset', () => {
  const b = new Backoff(2000, 8000, () => 0.5);
  assert.deepEqual([b.next(), b.next(), b.next(), b.next()], [2000, 4000, 8000, 8000]);
  b.reset();
  assert.equal(b.next(), 2000);
});
