import type { PageResult } from './views.ts';

/** The answer as a page of its own, for those who open the link and do not click the button. */
export function resultPage(result: PageResult): string {
  const title = result.page === 'slow' ? 'Slow page' : 'Fast page';
  const link = result.traceUrl
    ? `<p><a href="${escapeHtml(result.traceUrl)}">See the trace of this request</a></p>`
    : '<p>This request was not traced.</p>';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · kind-e2e demo</title>
<link rel="icon" href="favicon.svg">
<link rel="stylesheet" href="style.css">
</head>
<body>
<header>
  <a class="brand" href="./"><img src="favicon.svg" alt="" width="28" height="28">kind-e2e <span>demo app</span></a>
  <nav aria-label="Observability">
    <a href="/">Console</a>
    <a href="/jaeger">Traces</a>
    <a href="/grafana">Dashboards</a>
    <a href="/kiali">Mesh</a>
  </nav>
</header>
<main class="result-page">
<p><a href="./">← Back</a></p>
<h1>${title}</h1>
<p class="figure ${result.status < 400 ? 'good' : 'bad'}">${result.durationMs.toLocaleString('en')} ms</p>
<pre>${escapeHtml(JSON.stringify(result.answer, null, 2) ?? '')}</pre>
${link}
</main>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
