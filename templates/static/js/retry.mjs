// When to try again. A class of hundreds loses the server at the same instant; without chance they would all
// come back at the same instant too. No DOM.

/** jitter returns ms times a random factor between 0.5 and 1.5. */
export function jitter(ms, random = Math.random) {
  return ms * (0.5 + random());
}

/** between returns a random length of time from min to max. */
export function between(min, max, random = Math.random) {
  return min + (max - min) * random();
}

/**
 * worthRetrying decides by HTTP status. 0 is a refused or broken connection. 401, 403 and 410 are answers: the
 * ticket is no longer good, and only asking for a new one helps.
 */
export function worthRetrying(status) {
  return status === 0 || status === undefined || status === 408 || status === 429 || status >= 500;
}

/**
 * errorRetry is the part of an hls.js load policy that says when to try again. hls.js itself would give up after
 * two tries, never retry a refused connection, and has no chance in its delays; it reads both delays anew for
 * every try, of playlists and segments alike, so chance can live inside the numbers.
 */
export function errorRetry(random = Math.random) {
  return {
    maxNumRetry: 60,
    backoff: 'exponential',
    get retryDelayMs() {
      return jitter(500, random);
    },
    get maxRetryDelayMs() {
      return jitter(8000, random);
    },
    shouldRetry(config, count, isTimeout, response) {
      return count < config.maxNumRetry && (isTimeout || worthRetrying(response?.code));
    },
  };
}

/** loadPolicy is an hls.js load policy. A blocking reload is held for up to 8 s, so the first byte has 10. */
export function loadPolicy(random = Math.random) {
  return {
    default: {
      maxTimeToFirstByteMs: 10_000,
      maxLoadTimeMs: 20_000,
      timeoutRetry: errorRetry(random),
      errorRetry: errorRetry(random),
    },
  };
}

/** Backoff gives growing delays with chance in them, until reset. */
export class Backoff {
  #tries = 0;
  constructor(firstMs, maxMs, random = Math.random) {
    Object.assign(this, { firstMs, maxMs, random });
  }

  next() {
    const ms = Math.min(this.firstMs * 2 ** this.#tries, this.maxMs);
    this.#tries++;
    return jitter(ms, this.random);
  }

  reset() {
    this.#tries = 0;
  }
}
