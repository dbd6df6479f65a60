// Arithmetic of being live. Times are seconds. No DOM.

/** A viewer who is further behind than this beyond the target is shown how far, and offered the way back. */
export const behindNotice = 4;

/**
 * secondsBehind returns how far position lies behind the newest moment anybody could see, which is itself target
 * behind the teacher. Whoever is within the notice is live: 0.
 */
export function secondsBehind(edge, position, target) {
  const behind = edge - position;
  if (!Number.isFinite(behind) || behind <= target + behindNotice) return 0;
  return Math.round(behind);
}

/**
 * mustJump decides whether a viewer who wants to be live is too far behind for playing a little faster, which
 * hls.js does within one segment of twice the target.
 */
export function mustJump(behind, target, segment) {
  return behind - target > target + segment;
}

/** sparkPoints returns the points of an SVG line over at most 60 values in a box of 60 × 20, newest right. */
export function sparkPoints(values) {
  const shown = values.slice(-60);
  const top = Math.max(1, ...shown);
  return shown.map((v, i) => `${60 - shown.length + i + 1},${(19 - (18 * v) / top).toFixed(1)}`).join(' ');
}

/** minutesUntil returns whole minutes until then, rounded up, and 0 for the past. */
export function minutesUntil(nowMs, thenMs) {
  return Math.max(0, Math.ceil((thenMs - nowMs) / 60_000));
}

/** addSeen adds an interval of seconds to a list of such in order, which do not touch each other. */
export function addSeen(seen, from, to) {
  const rest = seen.filter(([a, b]) => b < from || a > to);
  const same = seen.filter(([a, b]) => b >= from && a <= to);
  rest.push([Math.min(from, ...same.map(([a]) => a)), Math.max(to, ...same.map(([, b]) => b))]);
  return rest.sort(([a], [b]) => a - b);
}

/** seenPercent returns how much of a length was seen, in whole percent, rounded down. */
export function seenPercent(seen, length) {
  if (!(length > 0)) return 0;
  const sum = seen.reduce((total, [from, to]) => total + Math.max(0, Math.min(to, length) - Math.max(0, from)), 0);
  return Math.min(100, Math.floor((100 * sum) / length));
}

/** stalled decides whether a player that should move has stood still for too long. */
export function stalled(lastMovedMs, nowMs, limitMs = 8000) {
  return nowMs - lastMovedMs > limitMs;
}
