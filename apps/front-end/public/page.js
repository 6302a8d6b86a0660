// Asks a page and shows what came back, newest first, with a link to the trace of that very request.
const results = document.getElementById('results');
const template = document.getElementById('result');
const NAMES = { 'slow-page': 'Slow page', 'fast-page': 'Fast page' };

for (const button of document.querySelectorAll('button[data-page]')) {
  button.addEventListener('click', () => ask(button, button.dataset.page));
}

async function ask(button, page) {
  document.getElementById('empty').hidden = true;
  const card = template.content.firstElementChild.cloneNode(true);
  const output = card.querySelector('output');
  card.querySelector('h2').textContent = NAMES[page];
  results.prepend(card);
  button.setAttribute('aria-busy', 'true');
  card.classList.add('waiting');
  const started = performance.now();
  const timer = setInterval(() => {
    output.textContent = milliseconds(performance.now() - started);
  }, 100);
  try {
    const response = await fetch(page, { headers: { accept: 'application/json' } });
    const text = await response.text();
    clearInterval(timer);
    output.textContent = milliseconds(performance.now() - started);
    show(card, response, text);
  } catch (error) {
    clearInterval(timer);
    card.classList.add('bad');
    card.querySelector('.say').textContent = `The request failed: ${error.message}. Is the lab still running?`;
  } finally {
    card.classList.remove('waiting');
    button.removeAttribute('aria-busy');
  }
}

function show(card, response, text) {
  let result;
  try {
    result = JSON.parse(text);
  } catch {
    result = undefined;
  }
  card.classList.add(response.ok ? 'good' : 'bad');
  card.querySelector('.say').textContent =
    result?.answer?.message ??
    result?.answer?.error ??
    (response.ok ? 'An answer came back.' : `${response.status} ${text || response.statusText}`);
  if (result?.traceUrl) {
    const link = card.querySelector('.trace');
    link.href = result.traceUrl;
    link.hidden = false;
    card.querySelector('.id').textContent = result.traceId;
  }
  card.querySelector('details').hidden = false;
  card.querySelector('pre').textContent = result ? JSON.stringify(result, null, 2) : text;
}

function milliseconds(value) {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${Math.round(value)} ms`;
}
