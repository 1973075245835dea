// The pages as they are in life, under axe-core: the portal's all, and the provider's and the inbox on the way.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as walk from './walk.mjs';
import { wantNoBarrier } from './axe.mjs';

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

// Two of each three choices meet in one of these walks; the storybook has them all.
const walks = [['phone', 'light', 'vi'], ['phone', 'dark', 'en'], ['desktop', 'dark', 'vi'], ['desktop', 'light', 'en']];
for (const [turn, [size, colorScheme, lang]] of walks.entries()) {
  const person = walk.people[turn % walk.people.length];
  test(`no barrier on the way: ${size}, ${colorScheme}, ${lang}`, async () => {
    const visitor = await walk.newVisitor(browser, { viewport: walk[size], colorScheme });
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
      // The portal's pages without a sign-in, and its errors.
      const links = await page.evaluate(() => [...document.querySelectorAll('main a[href^="/procedures/"]')].map((a) => a.href));
      assert.ok(links.length > 0, 'the portal has no procedures');
      await visit(links[0]);
      await visit(`${walk.PORTAL}/login/local`);
      await page.locator('#username').fill('an.nguyen');
      await page.locator('#password').fill('Sai@2024');
      await page.locator('form:has(#password) button').click();
      await page.locator('#message').waitFor();
      await look();
      for (const path of ['/?q=zzzz', '/nothing-here', '/callback?error=access_denied&state=x', '/callback']) await visit(walk.PORTAL + path);
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
      await visit(links[0]);
      await page.locator('#apply').click();
      await page.waitForURL('**/apply');
      await look();
      await walk.control(page, t.signOut).click();
      await walk.control(page, t.signIn).waitFor();
      await look();
      assert.ok(seen.size >= 10, `only ${[...seen].join(' ')} were seen`);
    } finally {
      await visitor.context.close();
    }
  });
}
