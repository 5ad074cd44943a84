// Everything works without this script. It adds: refreshing in place, local and relative times, keys.
'use strict';
(() => {
  const doc = document;
  const find = (selector, root = doc) => root.querySelector(selector);
  const all = selector => [...doc.querySelectorAll(selector)];
  const make = (tag, properties) => Object.assign(doc.createElement(tag), properties);

  // Times. The server's clock counts: the page says when it was made, and each answer has a Date.
  const asof = () => find('.asof time');
  let skew = asof() ? Date.parse(asof().dateTime) - Date.now() : 0;
  const now = () => Date.now() + skew;
  const format = options => new Intl.DateTimeFormat('en-GB', options);
  const clock = format({ hour: '2-digit', minute: '2-digit' }), day = format({ day: 'numeric', month: 'short' });

  function ago(ms) {
    const s = Math.abs(now() - ms) / 1000;
    const [n, unit] = s < 60 ? [s, 's'] : s < 3600 ? [s / 60, 'min'] : s < 172800 ? [s / 3600, 'h'] : [s / 86400, 'days'];
    return ms > now() ? `in ${Math.floor(n)} ${unit}` : `${Math.floor(n)} ${unit} ago`;
  }

  function local(ms) {
    const date = new Date(ms), today = new Date(now());
    if (!date.getTimezoneOffset()) return '';
    return `${date.toDateString() === today.toDateString() ? '' : day.format(date) + ' '}${clock.format(date)} local`;
  }

  function tellTimes() {
    for (const time of all('time')) {
      const ms = Date.parse(time.dateTime), here = local(ms);
      if (here) time.title = here;
      if (!time.classList.contains('ts')) continue;
      const words = ('local' in time.dataset && here ? here + ', ' : '') + ago(ms);
      const span = find('.ago', time) || time.appendChild(make('span', { className: 'ago' }));
      if (span.textContent !== words) span.textContent = words;
    }
  }

  // Refreshing. `old` becomes like `fresh` while its nodes stay: so focus, scroll, typed text and open details stay, too.
  function become(old, fresh) {
    if (old.isEqualNode(fresh) || (old.localName === 'time' && old.dateTime === fresh.dateTime)) return;
    for (const { name, value } of fresh.attributes)
      if (name !== 'open' && old.getAttribute(name) !== value) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) if (name !== 'open' && !fresh.hasAttribute(name)) old.removeAttribute(name);
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const id = wanted.id || '';
      if (id && at?.id !== id) {
        const moved = [...old.children].find(child => child.id === id);
        if (moved) at = old.insertBefore(moved, at);
      }
      if (at && at.nodeName === wanted.nodeName && (at.id || '') === id) {
        if (at.nodeType === 1) become(at, wanted);
        else if (at.nodeValue !== wanted.nodeValue) at.nodeValue = wanted.nodeValue;
        at = at.nextSibling;
      } else old.insertBefore(doc.importNode(wanted, true), at);
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  function show(page) {
    const focused = doc.activeElement;
    const used = find('script[src]', page)?.src;
    if (used && used !== find('script[src]').src) return location.reload();
    for (const part of ['header', 'main']) if (find(part) && find(part, page)) become(find(part), find(part, page));
    if (focused !== doc.activeElement) (focused.isConnected ? focused : find('main')).focus({ preventScroll: true });
    find('link[rel=icon]').href = find('link[rel=icon]', page).href;
    if (doc.title !== page.title) news.textContent = doc.title = page.title;
  }

  const news = doc.body.appendChild(make('p', { className: 'sr', role: 'status' }));
  const period = () => doc.hidden ? 60000 : 15000;
  let tag, timer, good = Date.now(), goodAt = now(), due = good + period();

  // A page that is a period overdue says so, whether the server refuses or says nothing.
  function warn() {
    if (find('#stale') || Date.now() < due + 14000) return;
    const banner = make('div', { id: 'stale', className: 'banner down', role: 'alert' });
    doc.body.prepend(banner);
    const at = new Date(goodAt).toISOString().slice(11, 16);
    banner.textContent = `This page could not be refreshed since ${at} UTC. What it shows may be old.`;
  }

  async function refresh() {
    clearTimeout(timer);
    timer = 0;
    try {
      const headers = { Accept: 'text/html' };
      if (tag) headers['If-None-Match'] = tag;
      const answer = await fetch(location.href, { headers, cache: 'no-store', signal: AbortSignal.timeout(10000) });
      const { ok, status } = answer;
      if (!ok && status !== 304 && status !== 404) throw status;
      skew = (Date.parse(answer.headers.get('Date')) || now()) - Date.now();
      if (status !== 304) {
        show(new DOMParser().parseFromString(await answer.text(), 'text/html'));
        tag = answer.headers.get('ETag');
      }
      good = Date.now();
      goodAt = now();
      due = good + period();
      asof().dateTime = new Date(goodAt).toISOString();
      asof().textContent = asof().dateTime.slice(11, 19) + ' UTC';
      find('#stale')?.remove();
    } catch {
      warn();
    }
    tellTimes();
    timer = setTimeout(refresh, period());
  }

  tellTimes();
  if (!find('meta[http-equiv=refresh]')) {
    timer = setTimeout(refresh, period());
    setInterval(warn, 5000);
    doc.addEventListener('visibilitychange', () => {
      if (!timer) return;
      clearTimeout(timer);
      const wait = Math.max(0, period() - (Date.now() - good));
      due = Date.now() + wait;
      timer = setTimeout(refresh, wait);
    });
    addEventListener('pageshow', event => event.persisted && timer && refresh());
  }

  // Keys. They can be turned off in the dialog.
  const off = () => localStorage.keys === 'off';

  function keys() {
    const rows = ['j k', 'next row, row before', 'Enter', 'open the row', '/', 'search', '?', 'these keys', 'Esc', 'leave'];
    const box = find('dialog') || doc.body.appendChild(make('dialog', {
      innerHTML: '<h2 id="keys">Keys</h2><dl class="facts">'
        + rows.map((word, i) => i % 2 ? `<dd>${word}</dd>` : `<dt><kbd>${word}</kbd></dt>`).join('')
        + '</dl><form method="dialog"><p><label><input type="checkbox"> Use j, k and /</label></p><button>Close</button></form>',
    }));
    box.setAttribute('aria-labelledby', 'keys');
    const use = find('input', box);
    use.checked = !off();
    use.onchange = () => { localStorage.keys = use.checked ? 'on' : 'off'; };
    box.showModal();
  }

  addEventListener('keydown', event => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || find('dialog[open]')) return;
    if (target.closest('input, select, textarea')) {
      if (key === 'Escape') target.blur();
      return;
    }
    if (key === '?') keys();
    else if (off()) return;
    else if (key === '/') (find('main [type=search]') || find('[type=search]'))?.focus();
    else if (key === 'j' || key === 'k') {
      const rows = all('main .go').filter(row => row.getClientRects().length);
      const at = rows.findIndex(row => row === doc.activeElement || row.closest('tr')?.contains(doc.activeElement));
      rows.at(at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + (key === 'j' ? 1 : -1))))?.focus();
    } else return;
    event.preventDefault();
  });
  find('.foot')?.append(make('span', { textContent: 'Press ? for the keys.' }));
})();
