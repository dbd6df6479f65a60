// The studio's side: hands in order, questions, chat and its moderation, polls. An admin from outside looks on.

import { Room } from './chat.mjs';
import { $, api, data, setText, show, t } from './page.mjs';
import { tabs } from './tabs.mjs';
import { act, button, el, icon, log, name, result, stamp, words, writing } from './talk.mjs';

const SLOW = [0, 5, 10, 30, 60, 120];

/** staff brings the side to life. */
export function staff() {
  const room = new Room();
  const may = !data.read_only;
  const trouble = $('[data-trouble]');
  const asked = new Map(); // id → [what is drawn, item]: an answer that is being written stays
  let seen = -1;

  const lines = log($('#side-chat'), room, may ? moderation : undefined);
  const steps = $('.obs details');
  const chosen = tabs($('.studio-side [role="tablist"]'), () => {
    // Who turns to the class needs the room that the steps of OBS take; a press opens them again.
    if (steps) steps.open = false;
    read();
    if (chosen.current() === 'chat') lines.toEnd();
  });

  function read() {
    if (chosen.current() === 'chat' && !document.hidden) seen = room.rev ?? seen;
    badge('hands', room.line().filter((h) => !h.called).length);
    badge('questions', room.asked().filter((q) => !q.answered).length);
    badge('chat', room.said().filter((m) => m.rev > seen).length);
    badge('polls', room.asks().filter((p) => p.open).length);
  }
  function badge(tab, n) {
    const place = $(`[data-tab="${tab}"] [data-new]`);
    show(place, n > 0);
    setText(place.querySelector('[aria-hidden]'), n > 99 ? '99+' : String(n));
    setText(place.querySelector('.quiet'), t('panel.new', { N: n }));
  }
  document.addEventListener('visibilitychange', read);

  function draw() {
    lines.draw();
    drawHands();
    drawQuestions();
    drawSettings();
    drawPolls();
    read();
  }

  // --- hands ---

  function drawHands() {
    const line = room.line();
    const list = $('[data-line-of-hands]');
    const focus = document.activeElement?.closest('[data-hand-id]')?.dataset.handId;
    list.replaceChildren(...line.map((hand) => el('li', { class: hand.called ? 'hand is-called' : 'hand', 'data-hand-id': hand.id },
      el('span', { class: 'hand-who' }, name(hand.by), ' ', hand.called ? el('span', { class: 'line-role' }, t('hand.called_one')) : stamp(hand.at)),
      may && !hand.called && button(t('hand.call'), t('hand.call_of', { Name: hand.by }), () => act(`hands/${hand.id}/call`, null, trouble)),
      may && button(t('hand.lower_one'), t('hand.lower_of', { Name: hand.by }), () => act(`hands/${hand.id}/lower`, null, trouble)))));
    if (focus) list.querySelector(`[data-hand-id="${focus}"] button`)?.focus();
    show($('#side-hands [data-none]'), line.length === 0);
    show($('[data-lower-all]'), may && line.length > 1);
  }
  $('[data-lower-all]').addEventListener('click', () => act('hands/lower', null, trouble));

  // --- questions ---

  function drawQuestions() {
    const all = room.asked();
    for (const id of asked.keys()) if (!room.questions.has(id)) asked.delete(id);
    const list = $('[data-questions]');
    all.forEach((question, i) => {
      const [rev, known] = asked.get(question.id) ?? [];
      let item = known;
      if (rev !== question.rev) {
        item = drawQuestion(question);
        known?.replaceWith(item);
        asked.set(question.id, [question.rev, item]);
      }
      if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
    });
    while (list.children.length > all.length) list.lastElementChild.remove();
    show($('#side-questions [data-none]'), all.length === 0);
  }

  function drawQuestion(q) {
    const path = `questions/${q.id}/`;
    const item = el('li', { class: 'asked' },
      el('p', { class: 'line-head' }, name(q.by), ' ', stamp(q.at), q.pinned && el('span', { class: 'line-role' }, icon('pin'), t('ask.shown'))),
      words(q.text, 'line-text'));
    if (q.answer) item.append(el('div', { class: 'answer' }, el('p', { class: 'line-head' }, t('ask.answer')), words(q.answer, 'line-text')));
    else if (q.answered) item.append(el('p', { class: 'help' }, t('ask.aloud')));
    if (!may) return item;
    const box = el('input', { type: 'text', maxlength: 500, autocomplete: 'off', 'aria-label': t('ask.answer_to', { Name: q.by }), value: q.answer ?? '' });
    const form = el('form', { class: 'answer-form', hidden: Boolean(q.answered) }, box, el('button', { class: 'plain', type: 'submit' }, t('ask.answer_do')));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (box.value.trim()) act(path + 'answer', { text: box.value }, trouble);
    });
    item.append(form, el('p', { class: 'asked-do' },
      !q.answered && button(t('ask.mark_aloud'), undefined, () => act(path + 'answer', { text: '' }, trouble), 'link'),
      q.answered && button(t(q.pinned ? 'ask.unpin' : 'ask.pin'), undefined, () => act(path + 'pin', { pinned: !q.pinned }, trouble), 'link')));
    return item;
  }

  // --- chat ---

  function moderation(message) {
    const by = { Name: message.by };
    const muted = room.isMuted(message.user);
    return el('details', { class: 'line-more' }, el('summary', {}, icon('more'), el('span', { class: 'quiet' }, t('chat.more_of', by))),
      button(t('chat.remove'), t('chat.remove_of', by), () => act(`chat/${message.id}/remove`, null, trouble)),
      message.role === 'student' && button(t(muted ? 'chat.unmute' : 'chat.mute'), t(muted ? 'chat.unmute_of' : 'chat.mute_of', by),
        () => act('mutes', { user_id: message.user, muted: !muted }, trouble)));
  }

  const mode = $('[data-mode]');
  const slow = $('[data-slow]');
  slow.replaceChildren(...SLOW.map((s) => new Option(s ? t('chat.slow_every', { S: s }) : t('chat.slow_none'), String(s))));
  function drawSettings() {
    mode.disabled = slow.disabled = !may;
    if (document.activeElement !== mode) mode.value = room.mode;
    if (document.activeElement === slow) return;
    if (![...slow.options].some((o) => o.value === String(room.slow))) slow.append(new Option(t('chat.slow_every', { S: room.slow }), String(room.slow)));
    slow.value = String(room.slow);
  }
  const set = () => act('chat/settings', { mode: mode.value, slow_s: Number(slow.value) }, trouble);
  mode.addEventListener('change', set);
  slow.addEventListener('change', set);
  if (may) writing($('[data-say]'), 'chat', lines.toEnd);
  show($('[data-say]'), may);

  // --- polls ---

  const form = $('[data-new-poll]');
  const options = form.querySelector('[data-options]');
  function addOption() {
    const label = t('poll.option', { I: options.children.length + 1 });
    const input = el('input', { type: 'text', maxlength: 100, autocomplete: 'off', 'aria-label': label, placeholder: label });
    options.append(input);
    show(form.querySelector('[data-add]'), options.children.length < 8);
    return input;
  }
  addOption();
  addOption();
  form.querySelector('[data-add]').addEventListener('click', () => addOption().focus());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const made = await act('polls', {
      text: form.elements.text.value,
      multiple: form.elements.multiple.checked,
      options: [...options.children].map((input) => input.value).filter((text) => text.trim()),
    }, trouble);
    if (!made) return;
    form.reset();
    options.replaceChildren();
    addOption();
    addOption();
    form.closest('details').open = false;
  });

  function drawPolls() {
    const all = room.asks();
    $('[data-polls]').replaceChildren(...all.map((poll) => {
      const item = el('li', {}, result(poll));
      if (poll.open && may) item.append(button(t('poll.close_do'), undefined, () => act(`polls/${poll.id}/close`, null, trouble), 'primary'));
      return item;
    }));
    show($('#side-polls [data-none]'), all.length === 0);
    show(form.closest('details'), may && !all.some((poll) => poll.open));
  }

  draw();
  return {
    apply(news) {
      room.apply(news);
      draw();
    },
    async catchUp() {
      try {
        this.apply(await api('GET', `lessons/${data.lesson}/chat` + (room.rev === undefined ? '' : `?after=${room.rev}`)));
      } catch {
        // The stream or the next question tells.
      }
    },
    seen: () => room.rev,
  };
}
