// The console in a real browser: every page in both sizes, schemes and languages, with and without script, under axe-core,
// and a tester's work with it.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as walk from './walk.mjs';
import { wantNoBarrier } from './axe.mjs';

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

const CONSOLE = `${walk.SANDBOX}/console`;
const an = walk.people[0];
const pages = {
  overview: '', people: '/personas', found: '/personas?q=binh', person: `/personas/${an.cccd}`, 'new-person': '/personas/new', transfer: '/personas/transfer', sms: '/sms', phones: '/phones',
  phone: `/phones/${walk.people[1].cccd}`, clients: '/clients', client: '/clients/my-portal', 'new-client': '/clients/new', sessions: '/sessions', keys: '/keys',
  clock: '/clock', worlds: '/worlds', config: '/config', health: '/health', lint: '/lint', report: '/lint/thanhhoa-portal', nothing: '/nothing-here',
};

// signIn makes the console worth looking at: somebody signed in at the portal.
async function signIn(visitor, person) {
  const { page } = visitor;
  await walk.rememberSMS(visitor);
  await page.goto(`${walk.PORTAL}/`);
  await walk.control(page, 'Đăng nhập').click();
  await walk.control(page, 'Tài khoản VNeID Bộ Công an').click();
  await page.waitForSelector('#username');
  await walk.passwordStep(page, person);
  await page.waitForSelector('#otp');
  await walk.otpStep(page, await walk.readSMS(visitor));
  await page.waitForURL(`${walk.PORTAL}/**`);
}

const looks = [['phone', 'light', 'vi', true], ['phone', 'dark', 'en', true], ['desktop', 'dark', 'vi', true], ['desktop', 'light', 'en', true],
  ['phone', 'light', 'en', false], ['desktop', 'light', 'vi', false]];
for (const [size, colorScheme, lang, script] of looks) {
  test(`every page: ${size}, ${colorScheme}, ${lang}${script ? '' : ', without script'}`, async () => {
    const visitor = await walk.newVisitor(browser, { viewport: walk[size], colorScheme, script });
    try {
      await visitor.page.goto(`${CONSOLE}?lang=${lang}`);
      for (const [name, path] of Object.entries(pages)) {
        await visitor.page.goto(CONSOLE + path);
        assert.equal(await visitor.page.getAttribute('html', 'lang'), lang, path);
        await walk.inspect(visitor, `console-${name}-${size}-${colorScheme}-${lang}${script ? '' : '-noscript'}`);
        if (script) await wantNoBarrier(visitor.page, path);
      }
    } finally {
      await visitor.context.close();
    }
  });
}

test('the navigation opens on a phone without script, and leads everywhere', async () => {
  for (const script of [true, false]) {
    const visitor = await walk.newVisitor(browser, { viewport: walk.phone, script });
    try {
      const { page } = visitor;
      await page.goto(CONSOLE);
      const nav = page.locator('#console-nav');
      assert.equal(await nav.isVisible(), false);
      await page.locator('button.menu').click();
      await nav.waitFor({ state: 'visible' });
      await walk.inspect(visitor, `console-menu${script ? '' : '-noscript'}`);
      if (script) await wantNoBarrier(page, 'the open navigation');
      await nav.getByRole('link', { name: 'Đồng hồ' }).click();
      await page.waitForURL('**/console/clock');
      await page.locator('button[value="5m"]').click();
      await page.getByText('Đã chỉnh đồng hồ.').waitFor();
      await page.getByRole('button', { name: 'Về giờ thật' }).click();
      await page.getByText('Đang chạy theo giờ thật.').waitFor();
    } finally {
      await visitor.context.close();
    }
  }
});

test('a person is made, mended, locked and deleted', async () => {
  const visitor = await walk.newVisitor(browser);
  try {
    const { page } = visitor;
    await page.goto(`${CONSOLE}/personas/new`);
    await page.locator('#f-name').fill('Trịnh Thị Ước');
    await page.locator('#f-cccd').fill('38190000077');
    await page.locator('#f-birthdate').fill('1/2/1990');
    await page.getByRole('button', { name: 'Tạo người này' }).click();
    await page.locator('#f-cccd-error').waitFor();
    assert.equal(await page.locator('#f-name').inputValue(), 'Trịnh Thị Ước');
    assert.equal(await page.locator('#f-birthdate').inputValue(), '1/2/1990');
    await walk.inspect(visitor, 'console-person-wrong');
    await wantNoBarrier(page, 'a form that came back');
    await page.locator('#f-cccd').fill('038190000077');
    await page.locator('#f-birthdate').fill('1990-02-01');
    await page.locator('.pill', { hasText: 'Nữ' }).click();
    await page.getByRole('button', { name: 'Tạo người này' }).click();
    await page.waitForURL('**/console/personas/038190000077?said=person-created');
    await page.getByRole('button', { name: 'Khóa tài khoản' }).click();
    await page.getByText('Đã khóa tài khoản.').waitFor();
    await page.getByRole('button', { name: 'Mở khóa' }).click();
    await page.getByText('Tài khoản đang hoạt động.').waitFor();
    await page.getByText('Xóa người này').click();
    await page.getByRole('button', { name: 'Xóa hẳn Trịnh Thị Ước' }).click();
    await page.getByText('Đã xóa người đó.').waitFor();
    assert.deepEqual(visitor.complaints, []);
  } finally {
    await visitor.context.close();
  }
});

test('a client is registered, its secret shown once and its snippet copied', async () => {
  const visitor = await walk.newVisitor(browser);
  try {
    const { page } = visitor;
    await visitor.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: walk.SANDBOX });
    await page.goto(`${CONSOLE}/clients/new`);
    await page.locator('#f-client_id').fill('from-console');
    await page.locator('#f-redirect_uris').fill('http://localhost:3000/cb\nhttps://dichvucong.gov.vn/cb');
    await page.getByRole('button', { name: 'Đăng ký', exact: true }).click();
    assert.match(await page.locator('#f-redirect_uris-error').innerText(), /Dòng 2.*\.gov\.vn/);
    await page.locator('#f-redirect_uris').fill('http://localhost:3000/cb');
    await page.getByRole('button', { name: 'Đăng ký', exact: true }).click();
    const secret = await page.locator('.secret code').innerText();
    assert.ok(secret.length >= 40);
    await page.getByText('Go (go-oidc)').click();
    await walk.inspect(visitor, 'console-client-secret');
    await wantNoBarrier(page, 'a client just made');
    await page.locator('#snippet-go .copy').click();
    await page.getByText('Đã chép').waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    assert.ok(copied.includes('from-console') && copied.includes(walk.ISSUER) && copied.includes('http://localhost:3000/cb') && !copied.includes(secret), copied);
    await page.goto(`${CONSOLE}/clients/from-console`);
    assert.ok(!(await page.content()).includes(secret));
    assert.deepEqual(visitor.complaints, []);
  } finally {
    await visitor.context.close();
  }
});

test('messages and sessions come by themselves, and a session is ended', async () => {
  const watcher = await walk.newVisitor(browser);
  const citizen = await walk.newVisitor(browser);
  try {
    const sms = watcher.page;
    await sms.goto(`${CONSOLE}/sms`);
    const before = await sms.locator('#sms-list > li:not(.empty)').count();
    const sessions = await watcher.context.newPage();
    await sessions.goto(`${CONSOLE}/sessions`);
    const row = sessions.locator('#sessions tr', { hasText: walk.people[3].name });
    assert.equal(await row.count(), 0);
    await signIn(citizen, walk.people[3]);
    await row.waitFor();
    await sms.bringToFront();
    await sms.waitForFunction((n) => document.querySelectorAll('#sms-list > li:not(.empty)').length > n, before);
    await sessions.bringToFront();
    await walk.inspect(watcher, 'console-sessions-live', sessions);
    await row.getByRole('button', { name: 'Kết thúc phiên' }).click();
    await sessions.getByText('Đã kết thúc phiên').waitFor();
    assert.equal(await row.count(), 0);
    assert.deepEqual(watcher.complaints, []);
  } finally {
    await watcher.context.close();
    await citizen.context.close();
  }
});
