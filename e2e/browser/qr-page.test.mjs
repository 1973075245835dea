// The login page while a phone scans, confirms and refuses. The phone is moved by the Go test that starts this (CONTROL);
// what is looked at here is the page: it changes by itself, wipes nothing, and works without script.
import assert from 'node:assert/strict';
import test from 'node:test';
import { chromium } from 'playwright-core';

const control = async (path, members = {}) => {
  const answer = await fetch(`${process.env.CONTROL}${path}?${new URLSearchParams(members)}`);
  assert.equal(answer.status, 200, path);
  return answer.text();
};
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--no-first-run'],
});
test.after(() => browser.close());

// begun opens a new login in a fresh browser profile.
async function begun(options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'vi-VN', ...options });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (e) => complaints.push(String(e)));
  page.on('console', (m) => m.type() === 'error' && !/status of 4\d\d/.test(m.text()) && complaints.push(m.text()));
  await page.goto(await control('/authorize'));
  return { page, context, complaints, login: new URL(page.url()).pathname.split('/')[2] };
}
const atPortal = (page, want) => page.waitForURL((u) => u.pathname === '/callback').then(() => assert.match(page.url(), want));

test('a scan shows by itself, wipes nothing, and the confirmation leads on', async () => {
  const { page, login, complaints } = await begun({ colorScheme: 'dark' });
  await page.waitForFunction(() => document.querySelector('#qr').naturalWidth > 0);
  await page.fill('#username', '0380900');
  const number = await control('/scan', { login });
  await page.getByText('Đã quét, chờ xác nhận trên điện thoại').waitFor();
  assert.equal(await page.inputValue('#username'), '0380900');
  assert.equal(await page.locator('.qr-digits').innerText(), number);
  assert.equal(await page.locator('#qr').count(), 0, 'a code that is taken is not shown');
  await control('/confirm', { login, number });
  await atPortal(page, /[?&]code=/);
  assert.deepEqual(complaints, []);
});

test('a refusal is said, with the way back', async () => {
  const { page, login } = await begun();
  await control('/scan', { login });
  await page.getByText('Đã quét').waitFor();
  await control('/refuse', { login });
  await page.getByRole('heading', { name: 'Bạn đã từ chối đăng nhập trên điện thoại' }).waitFor();
  await page.getByRole('link', { name: /^Quay lại/ }).click();
  await atPortal(page, /error=access_denied/);
});

test('a new code in one tab is told in the other', async () => {
  const { page, context, login } = await begun();
  const other = await context.newPage();
  await other.goto(page.url());
  await page.bringToFront();
  await page.evaluate((to) => fetch(to, { method: 'POST' }), `/login/${login}/qr`);
  await page.getByText('đang hiện ở một thẻ hoặc trình duyệt khác').waitFor();
  assert.equal(await page.locator('#qr').count(), 0);
  await page.getByRole('button', { name: 'Tải lại' }).click();
  await page.locator('#qr').waitFor();
});

test('the end of its time shows the button for a new one', async () => {
  const { page } = await begun();
  assert.equal(await page.getByRole('button', { name: 'Tải lại' }).count(), 0);
  await control('/clock', { seconds: 121 });
  await page.getByRole('button', { name: 'Tải lại' }).click();
  await page.locator('#qr').waitFor();
  await control('/clock', { seconds: 0 });
});

test('without script a page of its own waits', async () => {
  const { page, login } = await begun({ javaScriptEnabled: false });
  await page.getByText('Không quét được?').click();
  assert.match(await page.locator('code#qr-code').innerText(), /^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  await page.getByRole('link', { name: 'Tôi đã quét mã' }).click();
  await page.getByText('Chưa thấy điện thoại nào quét mã').waitFor();
  const number = await control('/scan', { login });
  await page.getByText('Đã quét, chờ xác nhận trên điện thoại').waitFor();
  await control('/confirm', { login, number });
  await atPortal(page, /[?&]code=/);
});
