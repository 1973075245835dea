// The pages as they are in life, under axe-core: the portal's all, and the provider's and the inbox on the way.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as walk from './walk.mjs';
import { wantNoBarrier } from './axe.mjs';

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

let turn = 0;
for (const [size, viewport] of Object.entries({ phone: walk.phone, desktop: walk.desktop })) {
  for (const colorScheme of ['light', 'dark']) {
    for (const lang of ['vi', 'en']) {
      const person = walk.people[turn++ % walk.people.length];
      test(`no barrier on the way: ${size}, ${colorScheme}, ${lang}`, async () => {
        const visitor = await walk.newVisitor(browser, { viewport, colorScheme });
        const { page } = visitor;
        const t = walk.words[lang];
        const seen = new Set();
        const look = async () => { seen.add(new URL(page.url()).pathname); await wantNoBarrier(page); };
        const visit = async (address) => { await page.goto(address); await look(); };
        try {
          await walk.rememberSMS(visitor);
          await page.goto(`${walk.PORTAL}/`);
          await walk.speak(page, lang);
          await look();
          // Every page of the portal that a link on its home page leads to, and its errors.
          const links = await page.evaluate(() => [...document.querySelectorAll('main a[href^="/"]')].map((a) => a.href));
          assert.ok(links.length > 0, 'the portal links to nothing');
          for (const link of new Set(links)) await visit(link);
          await visit(`${walk.PORTAL}/login/local`);
          await page.locator('form:has(#password) button, form:has([type=password]) button').first().click();
          await look();
          for (const path of ['/nothing-here', '/callback?error=access_denied&state=x', '/callback']) await visit(walk.PORTAL + path);
          for (const address of [`${walk.SANDBOX}/`, `${walk.SANDBOX}/sms`, `${walk.SANDBOX}/nothing-here`, `${walk.ISSUER}/`, `${walk.ISSUER}/authorize?client_id=nobody`, `${walk.ISSUER}/end_session`]) {
            await page.goto(address);
            await walk.speak(page, lang);
            await look();
          }

          await page.goto(`${walk.PORTAL}/`);
          await walk.control(page, t.signIn).click();
          await look();
          await walk.control(page, t.vneid).click();
          await page.waitForSelector('#username');
          await look();
          await walk.passwordStep(page, person, lang, 'Sai@2024');
          await look();
          await walk.passwordStep(page, person, lang);
          await page.waitForSelector('#otp');
          await look();
          const otp = await walk.readSMS(visitor);
          await walk.otpStep(page, otp === '000000' ? '111111' : '000000', lang);
          await look();
          await walk.otpStep(page, otp, lang);
          await page.waitForURL(`${walk.PORTAL}/**`);
          await look();
          await visit(`${walk.PORTAL}/profile`);
          for (const link of new Set(links)) await visit(link); // some look different to who is signed in
          const apply = page.getByRole('link', { name: lang === 'vi' ? 'Nộp hồ sơ' : /apply|submit/i }).first();
          if (await apply.count()) { await apply.click(); await look(); }
          await walk.control(page, t.signOut).click();
          await walk.control(page, t.signIn).waitFor();
          await look();
          assert.ok(seen.size >= 10, `only ${[...seen].join(' ')} were seen`);
        } finally {
          await visitor.context.close();
        }
      });
    }
  }
}
