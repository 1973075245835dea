// Seeds 001 and 003, signing in by QR code, with a real Chromium: the web page in one window, the phone in another.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import * as walk from './walk.mjs';
import { wantNoBarrier } from './axe.mjs';

const PASSCODE = '123456';
const [an, binh] = walk.people;

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

// look holds a page against what holds for all, and takes its picture.
async function look(visitor, name, page = visitor.page) {
  await walk.inspect(visitor, `qr-${name}-${visitor.viewport.width}-${visitor.colorScheme}`, page);
  if (visitor.script) await wantNoBarrier(page, name); // axe waits for timers, which a page without script has not
}

// toLogin goes from the portal to the provider's page. Seed 003 bước 1–3.
async function toLogin(visitor) {
  const { page } = visitor;
  await page.goto(`${walk.PORTAL}/`);
  await walk.control(page, walk.words.vi.signIn).click();
  await walk.control(page, walk.words.vi.vneid).click();
  await page.locator('img#qr').waitFor();
}

// take holds a test person's ready phone, unlocked.
async function take(visitor, person, page = visitor.page) {
  await page.goto(`${walk.SANDBOX}/phone/people`);
  await page.locator('li', { hasText: person.cccd }).getByRole('button').click();
  // It is one phone, whoever holds it: a story before may have left it at a notice, or unlocked.
  const close = page.getByRole('button', { name: 'Đóng', exact: true });
  const scan = page.getByRole('link', { name: 'Quét QR' });
  await page.locator('#passcode').or(close).or(scan).first().waitFor();
  if (await close.count()) await close.click();
  await page.locator('#passcode').or(scan).first().waitFor();
  if (await page.locator('#passcode').count()) await unlock(page);
}

async function unlock(page) {
  await page.locator('#passcode').fill(PASSCODE);
  await page.locator('form:has(#passcode) button[type=submit]').click();
  await page.getByRole('link', { name: 'Quét QR' }).waitFor();
}

async function typeCode(page, code) {
  await page.getByRole('link', { name: 'Quét QR' }).click();
  await page.locator('#code').fill(code);
  await page.locator('form:has(#code) button[type=submit]').click();
}

// shortCode opens "Không quét được?" and reads the code there.
async function shortCode(page) {
  if (!(await page.locator('code#qr-code').isVisible())) await page.getByText('Không quét được?').click();
  return (await page.locator('code#qr-code').innerText()).trim();
}

const signedIn = async (page, person) => {
  await page.waitForURL(`${walk.PORTAL}/**`);
  assert.ok((await page.locator('body').innerText()).includes(person.name), `the portal does not greet ${person.name}`);
};

// y4m makes a film of one frame out of a screenshot: what a camera before the screen sees.
async function y4m(page, png, file) {
  const { width, height, data } = await page.evaluate(async (base64) => {
    const blob = await (await fetch(`data:image/png;base64,${base64}`)).blob();
    const picture = await createImageBitmap(blob);
    const width = 1280, height = 720;
    const canvas = new OffscreenCanvas(width, height);
    const pen = canvas.getContext('2d');
    pen.fillStyle = '#8a8f94';
    pen.fillRect(0, 0, width, height);
    pen.translate(width / 2, height / 2);
    pen.rotate(0.05); // nobody holds a phone straight
    const scale = Math.min((width - 80) / picture.width, (height - 80) / picture.height);
    pen.drawImage(picture, (-picture.width * scale) / 2, (-picture.height * scale) / 2, picture.width * scale, picture.height * scale);
    const { data } = pen.getImageData(0, 0, width, height);
    let text = '';
    for (let i = 0; i < data.length; i += 0x8000) text += String.fromCharCode(...data.subarray(i, i + 0x8000));
    return { width, height, data: btoa(text) };
  }, png.toString('base64'));
  const rgba = Buffer.from(data, 'base64');
  const luma = Buffer.alloc(width * height);
  for (let i = 0; i < luma.length; i++) luma[i] = 16 + (65.7 * rgba[4 * i] + 129.1 * rgba[4 * i + 1] + 25.1 * rgba[4 * i + 2]) / 256;
  const chroma = Buffer.alloc((width * height) / 2, 128);
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, chroma]);
  await writeFile(file, Buffer.concat([Buffer.from(`YUV4MPEG2 W${width} H${height} F10:1 Ip A1:1 C420\n`), frame, frame]));
}

test('a citizen activates the phone, and its camera reads the code on the page', async () => {
  const web = await walk.newVisitor(browser, { viewport: walk.desktop, colorScheme: 'dark' });
  const dir = await mkdtemp(path.join(os.tmpdir(), 'camera-'));
  let phoneBrowser;
  try {
    await toLogin(web);
    await look(web, '1-page');
    const blank = await web.context.newPage();
    await y4m(blank, await web.page.screenshot(), path.join(dir, 'camera.y4m')); // the page as it is, at 1×, on a dark ground
    await blank.close();
    phoneBrowser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
        '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${path.join(dir, 'camera.y4m')}`],
    });
    const hand = await walk.newVisitor(phoneBrowser, { viewport: walk.phone });
    const { page } = hand;
    await walk.rememberSMS(hand);

    // Seed 003 bước 4: mở ứng dụng trên điện thoại, đăng nhập. The first time it is activated.
    await page.goto(`${walk.SANDBOX}/phone`);
    await look(hand, '2-activate');
    await page.locator('#username').fill(an.cccd);
    await page.locator('#password').fill(walk.PASSWORD);
    await page.locator('form:has(#password) button[type=submit]').click();
    await page.locator('#otp').waitFor();
    await look(hand, '3-otp');
    await page.locator('#otp').fill(await walk.readSMS(hand));
    await page.locator('form:has(#otp) button[type=submit]').click();
    await page.locator('#passcode').waitFor();
    await look(hand, '4-passcode');
    await page.locator('#passcode').fill(PASSCODE);
    await page.locator('form:has(#passcode) button[type=submit]').click();

    // Bước 5: chọn biểu tượng quét QR
    await page.getByRole('link', { name: 'Quét QR' }).waitFor();
    await look(hand, '5-home');
    await page.getByRole('link', { name: 'Quét QR' }).click();
    await look(hand, '6-scan');

    // Bước 6: hướng khung quét về phía mã, rồi bấm [ Xác nhận ]
    await page.getByRole('button', { name: 'Mở camera' }).click();
    await page.getByRole('button', { name: 'Xác nhận', exact: true }).waitFor({ timeout: 30_000 });
    await look(hand, '7-confirm');
    const screen = await page.locator('main').innerText();
    for (const told of [new URL(walk.PORTAL).host, '127.0.0.1', 'Chrome']) assert.ok(screen.includes(told), `the confirm screen does not say ${told}: ${screen}`);
    await web.page.getByText('Đã quét, chờ xác nhận trên điện thoại').waitFor();
    assert.ok((await web.page.locator('main').innerText()).includes('Nguyễn V** A**'), 'the page does not say who scanned');
    assert.ok(!(await web.page.locator('main').innerText()).includes(an.name), 'the page tells a stranger the whole name');
    await look(web, '8-scanned');
    await page.getByRole('button', { name: 'Xác nhận', exact: true }).click();

    // Bước 7: trang thông báo, bấm [ Đóng ]. Seed 001: the app has signed itself out.
    const close = walk.control(page, 'Đóng');
    await close.waitFor();
    await look(hand, '9-notice');
    await close.click();
    await page.locator('#passcode').waitFor();
    await look(hand, '10-signed-out');

    // Bước 8: the page went on by itself.
    await signedIn(web.page, an);
    await look(web, '11-signed-in');
  } finally {
    await phoneBrowser?.close();
    await web.context.close();
    await rm(dir, { recursive: true, force: true });
  }
});

test('the permission is off: the seed\'s message, Cập nhật, the switch, the passcode, and the same scan goes on', async () => {
  const web = await walk.newVisitor(browser, { viewport: walk.desktop });
  const hand = await walk.newVisitor(browser, { viewport: walk.phone, colorScheme: 'dark' });
  try {
    await toLogin(web);
    await take(hand, binh);
    await hand.page.getByRole('link', { name: 'Quét QR' }).click();
    // A picture of the screen instead of the camera.
    await hand.page.locator('#picture').setInputFiles({ name: 'screen.png', mimeType: 'image/png', buffer: await web.page.screenshot() });
    await hand.page.getByText('Tài khoản của bạn không có quyền đăng nhập trên cổng thông tin định danh điện tử. Vui lòng cập nhật lại quyền trên thiết bị').waitFor();
    await look(hand, 'permission-1');
    await hand.page.getByRole('button', { name: 'Cập nhật', exact: true }).click();
    await hand.page.getByLabel('Đăng nhập trên website').check();
    await look(hand, 'permission-2-switch');
    await hand.page.getByRole('button', { name: 'Xác nhận', exact: true }).click();
    await hand.page.locator('#passcode').fill(PASSCODE);
    await look(hand, 'permission-3-passcode');
    await hand.page.locator('form:has(#passcode) button[type=submit]').click();
    await hand.page.getByText(new URL(walk.PORTAL).host).waitFor();
    await look(hand, 'permission-4-confirm');
    await hand.page.getByRole('button', { name: 'Xác nhận', exact: true }).click();
    await walk.control(hand.page, 'Đóng').waitFor();
    await signedIn(web.page, binh);
  } finally {
    await web.context.close();
    await hand.context.close();
  }
});

test('everything works without script, by a typed code', async () => {
  const web = await walk.newVisitor(browser, { viewport: walk.phone, script: false });
  const hand = await walk.newVisitor(browser, { viewport: walk.desktop, script: false });
  try {
    await toLogin(web);
    const code = await shortCode(web.page);
    await web.page.locator('#username').fill('0380'); // a half-typed number
    await take(hand, an);
    await typeCode(hand.page, code);
    await hand.page.getByRole('button', { name: 'Xác nhận', exact: true }).waitFor();
    await look(hand, 'noscript-confirm');
    await web.page.getByRole('link', { name: 'Tôi đã quét mã' }).click();
    await look(web, 'noscript-waiting');
    await hand.page.getByRole('button', { name: 'Xác nhận', exact: true }).click();
    await walk.control(hand.page, 'Đóng').waitFor();
    await signedIn(web.page, an); // by the page's own refresh
  } finally {
    await web.context.close();
    await hand.context.close();
  }
});

test('refusing on the phone ends the login, and the way back is open', async () => {
  const web = await walk.newVisitor(browser);
  const hand = await walk.newVisitor(browser, { viewport: walk.phone });
  try {
    await toLogin(web);
    await take(hand, an);
    await typeCode(hand.page, await shortCode(web.page));
    await hand.page.getByRole('button', { name: 'Từ chối', exact: true }).click();
    await walk.control(hand.page, 'Đóng').waitFor();
    await look(hand, 'refused-phone');
    await web.page.getByRole('heading', { name: /từ chối/i }).waitFor();
    await look(web, 'refused-page');
    await web.page.locator('main a.primary').click();
    await web.page.waitForURL(`${walk.PORTAL}/**`);
  } finally {
    await web.context.close();
    await hand.context.close();
  }
});

test('Tải lại makes the code that somebody photographed worthless', async () => {
  const web = await walk.newVisitor(browser);
  const hand = await walk.newVisitor(browser, { viewport: walk.phone });
  try {
    await toLogin(web);
    const photograph = await web.page.screenshot();
    await take(hand, an);
    const response = await fetch(`${walk.SANDBOX}/api/v1/clock`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"advance":"125s"}' });
    assert.ok(response.ok);
    const again = web.page.getByRole('button', { name: 'Tải lại' });
    await again.waitFor({ timeout: 20_000 }); // the page hears that the code is over, whatever its own clock says
    await look(web, 'expired');
    await again.click();
    await web.page.locator('img#qr').waitFor();
    await hand.page.getByRole('link', { name: 'Quét QR' }).click();
    await hand.page.locator('#picture').setInputFiles({ name: 'old.png', mimeType: 'image/png', buffer: photograph });
    await walk.control(hand.page, 'Đóng').waitFor();
    await look(hand, 'replaced');
    assert.match(await hand.page.locator('main').innerText(), /mã mới|thay/i);
  } finally {
    await fetch(`${walk.SANDBOX}/api/v1/clock`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"reset":true}' });
    await web.context.close();
    await hand.context.close();
  }
});

test('of two phones the second is told, and "Không phải tôi" ends what was signed in', async () => {
  const web = await walk.newVisitor(browser);
  const first = await walk.newVisitor(browser, { viewport: walk.phone });
  const second = await walk.newVisitor(browser, { viewport: walk.phone, colorScheme: 'dark' });
  try {
    await toLogin(web);
    const code = await shortCode(web.page);
    await take(first, an);
    await take(second, walk.people[4]);
    await typeCode(first.page, code);
    await first.page.getByRole('button', { name: 'Xác nhận', exact: true }).waitFor();
    await typeCode(second.page, code);
    await second.page.getByRole('heading').first().waitFor();
    await look(second, 'taken');
    assert.equal(await second.page.getByRole('button', { name: 'Xác nhận', exact: true }).count(), 0);
    await first.page.getByRole('button', { name: 'Xác nhận', exact: true }).click();
    await walk.control(first.page, 'Đóng').click();
    await signedIn(web.page, an);

    await unlock(first.page);
    await look(first, 'home-recent');
    await first.page.getByRole('link', { name: /Không phải tôi/ }).first().click();
    await look(first, 'not-me');
    await first.page.locator('form:has(input[name=login]) button').click();
    await first.page.getByRole('heading').first().waitFor();
    await look(first, 'not-me-done');
    // The provider's session is over: signing in again asks who one is.
    await web.context.clearCookies({ domain: '127.0.0.1' });
    await toLogin(web);
  } finally {
    await web.context.close();
    await first.context.close();
    await second.context.close();
  }
});
