// What the server tells the page while a lesson runs. One EventSource a tab, closed when the page goes away;
// while it is not open, and now and then in any case, the page asks instead: some school proxies swallow streams.
// A page that nobody sees asks nothing and opens nothing; a stream that is open stays, so that class can begin.

import { Backoff, between } from './retry.mjs';

const SLOW_MS = 60_000;
const FAST_MS = 6_000;

/**
 * @param {() => string} url of the event stream, asked for each time a new one is opened
 * @param {Record<string, (data: any) => void>} handlers by name of the event
 * @param {(open: boolean) => void} ask fetches the state another way; open tells whether the stream is
 * @returns {() => void} close
 */
export function listen(url, handlers, ask) {
  const backoff = new Backoff(2000, 30_000);
  let source = null;
  let reopen = null;
  let poll = null;

  const open = () => {
    clearTimeout(reopen);
    source = new EventSource(url());
    source.onopen = () => backoff.reset();
    source.onerror = () => {
      if (document.hidden) source.close();
      // A browser reopens a broken stream by itself, but never one that was refused.
      else if (source.readyState === EventSource.CLOSED) reopen = setTimeout(open, backoff.next());
    };
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        const data = parse(event.data);
        if (data) handle(data);
      });
    }
  };
  const isOpen = () => source?.readyState === EventSource.OPEN;
  const schedule = () => {
    const ms = isOpen() ? SLOW_MS : FAST_MS;
    poll = setTimeout(() => {
      if (!document.hidden) ask(isOpen());
      schedule();
    }, between(0.8 * ms, 1.2 * ms));
  };
  const close = () => {
    source?.close();
    clearTimeout(reopen);
    clearTimeout(poll);
    source = null;
  };
  const resume = (event) => {
    if (!event.persisted) return;
    open();
    schedule();
    ask(false);
  };
  const look = () => {
    clearTimeout(reopen);
    if (document.hidden) return;
    if (source?.readyState === EventSource.CLOSED) open();
    ask(isOpen());
  };

  open();
  schedule();
  addEventListener('pagehide', close);
  addEventListener('pageshow', resume);
  document.addEventListener('visibilitychange', look);
  return () => {
    close();
    removeEventListener('pagehide', close);
    removeEventListener('pageshow', resume);
    document.removeEventListener('visibilitychange', look);
  };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
