// Where in the programme an instant of the lesson lies. The programme runs while the lesson is on air, and only then:
// it is what the recording shows, so that live and replay add up to one coverage. No DOM.

/**
 * @param {number} at Unix milliseconds
 * @param {[number, number][]} air intervals in order; 0 is an end that has not come
 * @returns {number} milliseconds of the programme, NaN while nothing is known
 */
export function programmeAt(at, air) {
  if (air.length === 0) return NaN;
  let before = 0;
  for (const [from, until] of air) {
    if (at < from) break;
    if (until === 0 || at < until) return before + at - from;
    before += until - from;
  }
  return before;
}
