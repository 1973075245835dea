// What makes the pages good to use: keyboard alone, visible focus, the back button, live inbox, clear mistakes.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as walk from './walk.mjs';

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

async function withVisitor(options, story) {
  const visitor = await walk.newVisitor(browser, options);
  try {
    await story(visitor, visitor.page);
  } finally {
    await visitor.context.close();
  }
}

// focused describes what the keyboard is on, and whether a person can see that.
const focused = (page) => page.evaluate(() => {
  const e = document.activeElement;
  if (!e || e === document.body) return { none: true };
  const s = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  return {
    id: e.id, text: (e.innerText || e.value || e.getAttribute('aria-label') || '').trim(),
    visible: ((s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none') && box.width > 1 && box.height > 1,
    where: e.outerHTML.slice(0, 120),
  };
});

// tabTo presses Tab until the wanted control has the focus; every stop on the way must be visible.
async function tabTo(page, wanted) {
  const first = await focused(page);
  if (!first.none && wanted(first)) return;
  for (let i = 0; i < 60; i++) {
    await page.keyboard.press('Tab');
    const now = await focused(page);
    if (now.none) continue;
    assert.ok(now.visible, `the focus cannot be seen on ${now.where} at ${page.url()}`);
    if (wanted(now)) return;
  }
  assert.fail(`the keyboard does not get there on ${page.url()}`);
}

for (const colorScheme of ['light', 'dark']) {
  test(`the keyboard alone is enough, ${colorScheme}`, () => withVisitor({ colorScheme }, async (visitor, page) => {
    const [an] = walk.people;
    await walk.rememberSMS(visitor);
    await page.goto(`${walk.PORTAL}/`);
    await tabTo(page, (e) => e.text === 'Đăng nhập');
    await page.keyboard.press('Enter');
    await page.getByText('Tài khoản VNeID Bộ Công an').first().waitFor();
    await tabTo(page, (e) => e.text.includes('Tài khoản VNeID Bộ Công an'));
    await page.keyboard.press('Enter');
    await page.waitForSelector('#username');
    await tabTo(page, (e) => e.id === 'username');
    await page.keyboard.type(an.cccd);
    await tabTo(page, (e) => e.id === 'password');
    await page.keyboard.type(walk.PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForSelector('#otp');
    const otp = await walk.readSMS(visitor);
    await tabTo(page, (e) => e.id === 'otp');
    await page.keyboard.type(otp);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${walk.PORTAL}/**`);
    assert.ok((await page.locator('body').innerText()).includes(an.name));
    await tabTo(page, (e) => e.text === 'Đăng xuất');
    await page.keyboard.press('Enter');
    await walk.control(page, 'Đăng nhập').waitFor();
    assert.deepEqual(visitor.complaints, []);
  }));
}

for (const script of [true, false]) {
  test(`going back after the end does no harm, script ${script ? 'on' : 'off'}`, () => withVisitor({ viewport: walk.phone, script }, async (visitor, page) => {
    const person = walk.people[script ? 1 : 2];
    await walk.rememberSMS(visitor);
    await page.goto(`${walk.PORTAL}/`);
    await walk.control(page, 'Đăng nhập').click();
    await walk.control(page, 'Tài khoản VNeID Bộ Công an').click();
    await walk.passwordStep(page, person);
    await page.waitForSelector('#otp');
    await walk.otpStep(page, await walk.readSMS(visitor));
    await page.waitForURL(`${walk.PORTAL}/**`);
    for (let i = 0; i < 3; i++) {
      await page.goBack();
      assert.ok((await page.locator('body').innerText()).includes(walk.BANNER), `going back ${i + 1}: no banner at ${page.url()}`);
      if (i === 0) await walk.inspect(visitor, script ? 'back-after-done-360' : undefined);
    }
    await page.goto(`${walk.PORTAL}/`);
    assert.ok((await page.locator('body').innerText()).includes(person.name), 'the session is gone after going back');
    assert.deepEqual(visitor.complaints, []);
  }));
}

test('the inbox shows a new message by itself', () => withVisitor({}, async (visitor, page) => {
  const person = walk.people[3];
  const inbox = await visitor.context.newPage();
  await inbox.goto(`${walk.SANDBOX}/sms`);
  const before = await inbox.locator('body').innerText();
  await page.goto(`${walk.PORTAL}/`);
  await walk.control(page, 'Đăng nhập').click();
  await walk.control(page, 'Tài khoản VNeID Bộ Công an').click();
  await walk.passwordStep(page, person);
  await page.waitForSelector('#otp');
  await inbox.bringToFront();
  await inbox.waitForFunction((old) => document.body.innerText !== old && /(^|\D)\d{6}(\D|$)/.test(document.body.innerText), before, { timeout: 8000 });
  assert.deepEqual(visitor.complaints, []);
}));

test('mistakes are said where a screen reader hears them', () => withVisitor({ viewport: walk.phone }, async (visitor, page) => {
  const person = walk.people[4];
  await walk.rememberSMS(visitor);
  await page.goto(`${walk.PORTAL}/`);
  await walk.control(page, 'Đăng nhập').click();
  await walk.control(page, 'Tài khoản VNeID Bộ Công an').click();
  await page.waitForSelector('#username');
  // Either an alert, or the field itself is marked, described by the message, and has the focus.
  const announced = async (id) => {
    // The click does not wait for the answer: look again until the new page is there.
    const found = await page.waitForFunction((id) => {
      const alert = [...document.querySelectorAll('[role=alert]')].map((e) => e.textContent.trim()).join(' ');
      const field = document.getElementById(id);
      const marked = field?.getAttribute('aria-invalid') === 'true' && document.activeElement === field;
      const description = (field?.getAttribute('aria-describedby') ?? '').split(' ').map((d) => document.getElementById(d)?.textContent.trim() ?? '').join(' ');
      return field && (alert + (marked ? description : '')).trim() !== '';
    }, id, { timeout: 8000 }).catch(() => null);
    assert.ok(found, `nothing tells a screen reader what is wrong with #${id} on ${page.url()}`);
  };
  await walk.passwordStep(page, { cccd: '12345' });
  await announced('username');
  await walk.inspect(visitor, 'login-malformed-360');
  await Promise.all([
    page.waitForEvent('domcontentloaded'), // the page before says something about #username too
    walk.passwordStep(page, person, 'vi', 'Sai@2024'),
  ]);
  await announced('username');
  assert.equal(await page.locator('#password').inputValue(), '', 'the wrong password stands in the field again');
  await walk.inspect(visitor, 'login-wrong-360');
  await walk.passwordStep(page, person);
  await page.waitForSelector('#otp');
  const otp = await walk.readSMS(visitor);
  await walk.otpStep(page, otp === '000000' ? '111111' : '000000');
  await announced('otp');
  await walk.inspect(visitor, 'otp-wrong-360');
  await walk.otpStep(page, otp);
  await page.waitForURL(`${walk.PORTAL}/**`);
  assert.deepEqual(visitor.complaints, []);
}));

test('error pages look like the rest', () => withVisitor({ viewport: walk.phone, colorScheme: 'dark' }, async (visitor, page) => {
  for (const [name, address] of Object.entries({
    'error-client': `${walk.ISSUER}/authorize?client_id=nobody`,
    'error-not-found': `${walk.ISSUER}/nothing-here`,
    'error-portal-callback': `${walk.PORTAL}/callback?error=access_denied&state=x`,
    'error-portal-not-found': `${walk.PORTAL}/nothing-here`,
  })) {
    await page.goto(address);
    await walk.inspect(visitor, `${name}-360-dark`);
  }
}));
