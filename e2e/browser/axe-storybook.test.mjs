// Every page state of provider and sandbox, served by a test of package templates, light and dark, phone and desktop.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { wantNoBarrier } from './axe.mjs';

const { STORYBOOK, PAGES } = process.env;
assert.ok(STORYBOOK && PAGES, 'started by: go test -tags browser ./templates');

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] });
});
after(async () => { await browser?.close(); });

for (const [size, viewport] of Object.entries({ phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } })) {
  for (const colorScheme of ['light', 'dark']) {
    test(`${size}, ${colorScheme}`, async (t) => {
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
      const page = await context.newPage();
      // Vietnamese in all four; English, whose words are other but whose markup is not, in two of them.
      // Of the console, whose states are many, each language in two: a walk in life sees it again (console.test.mjs).
      const english = (size === 'phone') === (colorScheme === 'dark');
      const shown = JSON.parse(PAGES).filter((path) => (path.startsWith('/vi/') ? !path.startsWith('/vi/console-') || !english : english));
      for (const path of shown.sort()) {
        await t.test(path, async () => {
          // A form_post page would send itself away at once.
          await page.route('**/assets/*.js', (route) => (path.includes('form-post') ? route.abort() : route.continue()));
          await page.goto(STORYBOOK + path);
          await wantNoBarrier(page, `${size} ${colorScheme}`);
          await page.unroute('**/assets/*.js');
        });
      }
      await context.close();
    });
  }
}
