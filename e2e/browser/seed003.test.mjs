// Seed 003, bước 1–5, with real clicks: phone and desktop, light and dark, Vietnamese and English, with script and without.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as walk from './walk.mjs';

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

// By default every combination; with ONCE one on the phone and one on the desktop, without pictures.
const once = Boolean(process.env.ONCE);
let turn = 0;
for (const [size, viewport] of Object.entries({ '360': walk.phone, '1280': walk.desktop })) {
  for (const colorScheme of once ? ['light'] : ['light', 'dark']) {
    for (const lang of once ? ['vi'] : ['vi', 'en']) {
      for (const script of once ? [true] : [true, false]) {
        const person = walk.people[turn++ % walk.people.length];
        const style = `${size}-${colorScheme}-${lang}${script ? '' : '-noscript'}`;
        test(`${person.name} signs in and out: ${style}`, async () => {
          const visitor = await walk.newVisitor(browser, { viewport, colorScheme, script });
          const { page } = visitor;
          // A picture costs half a second: not of every combination.
          const pictured = once ? false : script ? lang === 'vi' || colorScheme === 'light' : lang === 'vi' && colorScheme === 'light';
          const picture = (step) => (pictured ? `seed003-${step}-${style}` : undefined);
          const t = walk.words[lang];
          try {
            await walk.rememberSMS(visitor);

            // Bước 1: truy cập và nhấn [Đăng nhập]
            await page.goto(`${walk.PORTAL}/`);
            await walk.speak(page, lang);
            await walk.inspect(visitor, picture('1-portal'));
            await walk.control(page, t.signIn).click();

            // Bước 2: chọn [Tài khoản VNeID Bộ Công an]
            await walk.inspect(visitor, picture('2-choice'));
            await walk.control(page, t.vneid).click();

            // Bước 3: số định danh và mật khẩu
            await page.waitForSelector('#username');
            assert.ok(page.url().startsWith(walk.ISSUER), `the login page is at ${page.url()}`);
            await walk.speak(page, lang);
            await walk.inspect(visitor, picture('3-login'));
            await walk.passwordStep(page, person, lang);

            // Bước 4: mã OTP
            await page.waitForSelector('#otp');
            await walk.inspect(visitor, picture('4-otp'));
            const otp = await walk.readSMS(visitor, picture('4-sms'));
            await walk.otpStep(page, otp, lang);

            // Bước 5: trở về, đã đăng nhập
            await page.waitForURL(`${walk.PORTAL}/**`);
            assert.ok((await page.locator('body').innerText()).includes(person.name), `the portal does not greet ${person.name}`);
            await walk.inspect(visitor, picture('5-signed-in'));

            await walk.control(page, t.signOut).click();
            await page.waitForURL(`${walk.PORTAL}/**`);
            await walk.control(page, t.signIn).waitFor();
            assert.ok(!(await page.locator('body').innerText()).includes(person.name), 'the name is still shown after signing out');
            await walk.inspect(visitor, picture('6-signed-out'));
          } finally {
            await visitor.context.close();
          }
        });
      }
    }
  }
}
