// One Chromium for all the tests, told what to do in JSON lines on stdin:
//
//   {"id": 1, "do": "open", "page": "p", "script": "...", "module": false, "origin": null}
//   {"id": 2, "do": "evaluate", "page": "p", "expression": "..."}
//   {"id": 3, "do": "wait", "page": "p", "expression": "..."}   until it is true
//   {"id": 4, "do": "click", "page": "p", "text": "..."}        the button with that text
//   {"id": 5, "do": "close", "page": "p"}
//
// Each is answered with {"reply": id, "value": ...} or {"reply": id, "failed": "..."}.
// Pages report {"page": "p", "log": [...]}, "error" (console.error) or "uncaught".
//
// A page with an "origin" is one of the server's own, into which the script is
// put: so the example may use addresses relative to the server. All others come
// from a little site of their own, as a customer's page would.
'use strict';

const http = require('node:http');
const readline = require('node:readline');
const { chromium } = require('playwright-core');

const LIMIT = 15000; // milliseconds for one step
const pages = new Map();
const served = new Map();

const say = (object) => process.stdout.write(JSON.stringify(object) + '\n');

const html = (name, module) => `<!doctype html><html><head><meta charset="utf-8"><title>${name}</title></head>
<body><div id="root"></div><script ${module ? 'type="module" ' : ''}src="/${name}.js"></script></body></html>`;

// What the example prints is reported; its values cross as JSON, as far as they can.
const report = () => {
  const plain = (value) => {
    if (value instanceof Event) return { event: value.type };
    try {
      return JSON.parse(JSON.stringify(value) ?? 'null');
    } catch {
      return String(value);
    }
  };
  for (const kind of ['log', 'error']) {
    console[kind] = (...values) => {
      globalThis.__report(kind, values.map(plain));
    };
  }
};

async function open({ page: name, script, module, origin }, browser, site) {
  // The server's pages allow no scripts but their own; a certificate that the
  // server has signed itself is one that a user has clicked through.
  const context = await browser.newContext({ bypassCSP: Boolean(origin), ignoreHTTPSErrors: true });
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT);
  pages.set(name, page);
  await page.exposeFunction('__report', (kind, values) => say({ page: name, [kind]: values }));
  page.on('pageerror', (error) => say({ page: name, uncaught: String(error) }));
  await page.addInitScript(report);
  if (origin) {
    await page.goto(`${origin}/api/status`);
    await page.addScriptTag({ content: script, type: module ? 'module' : 'text/javascript' });
  } else {
    served.set(`/${name}.html`, { contentType: 'text/html', body: html(name, module) });
    served.set(`/${name}.js`, { contentType: 'text/javascript', body: script });
    await page.goto(`${site}/${name}.html`);
  }
  return null;
}

async function step(order, browser, site) {
  if (order.do === 'open') return open(order, browser, site);
  const page = pages.get(order.page);
  switch (order.do) {
    case 'evaluate':
      return (await page.evaluate(order.expression)) ?? null;
    case 'wait':
      await page.waitForFunction(order.expression, null, { timeout: LIMIT });
      return null;
    case 'click':
      await page.getByRole('button', { name: order.text }).click();
      return null;
    case 'close':
      await page.context().close();
      pages.delete(order.page);
      return null;
    default:
      throw new Error(`cannot ${order.do}`);
  }
}

async function main() {
  const server = http.createServer((request, response) => {
    const file = served.get(request.url);
    response.writeHead(file ? 200 : 404, { 'Content-Type': file?.contentType ?? 'text/plain' });
    response.end(file?.body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const site = `http://127.0.0.1:${server.address().port}`;
  const browser = await chromium.launch({
    executablePath: process.argv[2],
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
  say({ ready: browser.version() });
  const lines = readline.createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const order = JSON.parse(line);
    try {
      say({ reply: order.id, value: await step(order, browser, site) });
    } catch (error) {
      say({ reply: order.id, failed: String(error) });
    }
  });
  lines.on('close', () => browser.close().then(() => process.exit(0)));
}

main().catch((error) => {
  say({ failed: String(error) });
  process.exit(1);
});
