// Notes what the tests ask for, from outside the page's own modules.
(() => {
  const watched = { errors: [], moved: [], frames: 0, counted: 0, reported: 0, beats: 0, since: Date.now() };
  window.watched = watched;

  addEventListener('error', (event) => watched.errors.push(String(event.message)));
  addEventListener('unhandledrejection', (event) => watched.errors.push(String(event.reason)));
  addEventListener('securitypolicyviolation', (event) => watched.errors.push(`${event.violatedDirective} forbids ${event.blockedURI}`));

  // Acknowledged beats.
  const fetch = window.fetch;
  window.fetch = async (...args) => {
    const response = await fetch(...args);
    const url = String(args[0]?.url ?? args[0]);
    if (response.ok && url.endsWith('/beats')) {
      response.clone().json().then((reply) => {
        watched.beats++;
        watched.reported += JSON.parse(args[1].body).d_ms;
        watched.counted = reply.counted_s;
      }, () => {}); // the network went away in the middle
    }
    return response;
  };

  // When the picture moved. The picture stands when the same moment is shown for a quarter of a second.
  let at = -1;
  let last = 0;
  let decoded = 0; // as the element says, which begins anew with other media
  setInterval(() => {
    const video = document.querySelector('video');
    if (!video) return;
    const now = Date.now();
    const frames = video.getVideoPlaybackQuality().totalVideoFrames;
    watched.frames += frames >= decoded ? frames - decoded : frames;
    decoded = frames;
    if (video.currentTime === at || video.paused) return;
    at = video.currentTime;
    const current = watched.moved.at(-1);
    if (current && now - last <= 250) current[1] = now;
    else watched.moved.push([now, now]);
    last = now;
  }, 40);

  addEventListener('DOMContentLoaded', () => {
    const timer = setInterval(() => {
      const player = window.chalkcast?.player;
      if (!player) return;
      clearInterval(timer);
      player.addEventListener('unsupported', () => watched.errors.push('player: unsupported'));
    }, 50);
  });
})();
