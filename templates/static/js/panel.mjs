// The class page's panel: chat, questions to the teacher, polls, and the raised hand. Beside the video on wide
// screens, a sheet below it on phones.

import { Room } from './chat.mjs';
import { $, $$, api, data, main, setText, show, t } from './page.mjs';
import { tabs } from './tabs.mjs';
import { act, ballot, el, icon, log, result, words, writing } from './talk.mjs';

const CLOSED = 'chalkcast.panel';
const wide = matchMedia('(min-width: 1000px), (min-width: 600px) and (max-height: 480px)');

/** panel brings the panel to life. state tells what the lesson is in. */
export function panel() {
  const box = $('[data-panel]');
  const room = new Room();
  const drawnPolls = new Map();
  let state = data.state;
  let seen = -1; // the last message that the reader had before them
  let replaying = false;
  let whole = false; // every message was read

  const lines = log($('#tab-chat'), room);
  const chosen = tabs($('[role="tablist"]', box), () => {
    read();
    if (tab() === 'chat') lines.toEnd();
  });
  const tab = () => chosen.current();

  // --- open and closed ---

  const isOpen = () => (wide.matches ? box.dataset.open !== 'no' : box.dataset.open === 'yes');
  function open(yes, byHand) {
    box.dataset.open = yes ? 'yes' : 'no';
    if (byHand && wide.matches) remember(yes);
    show($('[data-panel-open]'), !isOpen());
    place();
    read();
    if (yes && byHand) {
      lines.toEnd();
      box.querySelector('[aria-selected="true"]').focus();
    } else if (byHand) {
      $('[data-panel-open]').focus();
    }
  }
  // A sheet begins where the player ends, so that it never covers it.
  function place() {
    if (!wide.matches && isOpen()) scrollTo(0, 0);
    main.style.setProperty('--stage-end', `${Math.round($('.stage').getBoundingClientRect().bottom)}px`);
  }
  $('[data-panel-open]').addEventListener('click', () => open(true, true));
  $('[data-panel-close]').addEventListener('click', () => open(false, true));
  box.addEventListener('keydown', (event) => event.key === 'Escape' && !wide.matches && open(false, true));
  wide.addEventListener('change', () => open(wide.matches && !wasClosed()));
  new ResizeObserver(place).observe($('.stage'));
  addEventListener('scroll', place, { passive: true });

  // --- what is new ---

  function read() {
    if (isOpen() && tab() === 'chat' && !document.hidden) seen = room.rev ?? seen;
    const messages = room.said().filter((m) => m.rev > seen).length;
    const vote = room.asks().some((p) => p.open && !p.vote?.length) && data.student ? 1 : 0;
    badge($('[data-tab="chat"] [data-new]'), messages);
    badge($('[data-tab="polls"] [data-new]'), tab() === 'polls' && isOpen() ? 0 : vote);
    badge($('[data-panel-open] [data-new]'), messages + vote);
  }
  function badge(place, n) {
    show(place, n > 0);
    setText(place.querySelector('[aria-hidden]'), n > 99 ? '99+' : String(n));
    setText(place.querySelector('.quiet'), t('panel.new', { N: n }));
  }
  document.addEventListener('visibilitychange', read);

  // --- drawing ---

  const running = () => ['open', 'live', 'interrupted'].includes(state);
  const writable = () => running() || state === 'ended';

  function draw() {
    lines.draw();
    drawChat();
    drawAsk();
    drawPolls();
    drawHand();
    read();
  }

  function drawChat() {
    const staff = data.staff;
    const why = !data.writes ? 'read' : state === 'planned' ? 'planned' : state === 'closed' ? 'closed'
      : staff ? '' : room.muted ? 'muted' : room.mode === 'off' ? 'off' : '';
    show($('[data-say]'), !why);
    const notes = [];
    if (why) notes.push(t(`chat.${why}_note`));
    else if (!staff && room.mode === 'teacher') notes.push(t('chat.teacher_note'));
    if (!why && !staff && room.slow) notes.push(t('chat.slow_note', { N: room.slow }));
    if (replaying) notes.unshift(t('chat.replay_note'));
    setText($('[data-chat-note]'), notes.join(' '));
    show($('[data-chat-note]'), notes.length > 0);
    const label = t(!staff && room.mode === 'teacher' ? 'chat.write_teacher' : 'chat.write');
    $('[data-say] textarea').placeholder = label;
    setText($('[data-say] .quiet'), label);
  }

  function drawAsk() {
    show($('[data-ask]'), data.student && writable() && !room.muted);
    const list = $('[data-asked]');
    const all = room.asked();
    list.replaceChildren(...all.map((q) => el('li', { class: 'asked' },
      el('p', { class: 'line-head' }, q.mine ? t('ask.mine') : '', q.pinned ? el('span', { class: 'line-role' }, icon('pin'), t('ask.shown')) : ''),
      words(q.text, 'line-text'),
      q.answer ? el('div', { class: 'answer' }, el('p', { class: 'line-head' }, t('ask.answer')), words(q.answer, 'line-text'))
        : el('p', { class: 'help' }, t(q.answered ? 'ask.aloud' : 'ask.waiting')))));
    show($('#tab-ask [data-none]'), all.length === 0);
  }

  // An open poll is drawn once, so that nothing that is being chosen is lost.
  function drawPolls() {
    const all = room.asks();
    const list = $('[data-polls]');
    for (const id of drawnPolls.keys()) if (!room.polls.has(id)) drawnPolls.delete(id);
    list.replaceChildren(...all.map((poll) => {
      const votes = poll.open && data.student && writable();
      const key = votes ? 'ballot' : `${poll.rev} ${poll.vote}`;
      const known = drawnPolls.get(poll.id);
      if (known?.key === key) return known.item;
      const item = el('li', {}, votes ? ballot(poll) : result(poll));
      drawnPolls.set(poll.id, { key, item });
      return item;
    }));
    show($('#tab-polls [data-none]'), all.length === 0);
  }

  function drawHand() {
    const hand = room.hand();
    for (const button of $$('[data-hand]')) {
      show(button, data.student && running());
      button.setAttribute('aria-pressed', String(hand.up));
      setText(button.querySelector('[data-word]'), t(hand.up ? 'hand.lower' : 'hand.raise'));
    }
    const where = !hand.up || !running() ? '' : hand.called ? t('hand.called') : hand.place === 1 ? t('hand.next') : t('hand.place', { N: hand.place });
    for (const line of $$('[data-place]')) {
      setText(line, where);
      line.classList.toggle('is-called', hand.called);
      show(line, Boolean(where));
    }
  }

  // --- doing ---

  for (const button of $$('[data-hand]')) {
    button.addEventListener('click', async () => {
      button.disabled = true;
      await act('hand', { up: !room.hand().up }, $('[data-trouble]'));
      button.disabled = false;
    });
  }
  writing($('[data-say]'), 'chat', lines.toEnd);
  writing($('[data-ask]'), 'questions');

  // --- what was missed, and the replay ---

  async function catchUp() {
    try {
      apply(await api('GET', `lessons/${data.lesson}/chat` + (room.rev === undefined ? '' : `?after=${room.rev}`)));
    } catch {
      // The stream or the next question tells.
    }
  }

  // A replay shows all that was said, from the first message on.
  async function readAll() {
    if (whole || !room.earlier) return;
    whole = true;
    try {
      for (let after = 0, more = true; more; ) {
        const news = await api('GET', `lessons/${data.lesson}/chat?after=${after}`);
        room.apply(news);
        after = news.rev;
        more = news.more;
      }
      draw();
    } catch {
      whole = false;
    }
  }

  function apply(news) {
    room.apply(news);
    draw();
  }

  open(wide.matches ? !wasClosed() : false);
  draw();
  return {
    apply,
    catchUp,
    seen: () => room.rev,
    setState(next) {
      state = next;
      draw();
    },
    /** at says where in a replay the viewer is; undefined: there is none. */
    at(posMS) {
      const now = posMS !== undefined;
      if (now) readAll();
      lines.at(posMS);
      if (now === replaying) return;
      replaying = now;
      drawChat();
    },
  };
}

function remember(open) {
  try {
    localStorage.setItem(CLOSED, open ? '' : 'closed');
  } catch {
    // It is open the next time.
  }
}

function wasClosed() {
  try {
    return localStorage.getItem(CLOSED) === 'closed';
  } catch {
    return false;
  }
}
