// What the browser stories share: a real Chromium, a watchful page, and the steps a citizen takes.
// It knows the contract's addresses, ids and Vietnamese texts, and nothing of how the pages are made.
import assert from 'node:assert/strict';
import path from 'node:path';
import { chromium } from 'playwright-core';

const need = (name) => {
  assert.ok(process.env[name], `${name} is not set: these tests are started by "go test -tags browser ./e2e/..."`);
  return process.env[name];
};
export const ISSUER = need('ISSUER');
export const SANDBOX = need('SANDBOX');
export const PORTAL = need('PORTAL');
const SCREENSHOTS = need('SCREENSHOTS');

export const BANNER = 'MÔI TRƯỜNG THỬ NGHIỆM — KHÔNG NHẬP THÔNG TIN THẬT';
export const PASSWORD = 'Sandbox@2024';
export const people = [
  { cccd: '038090000001', name: 'Nguyễn Văn An' },
  { cccd: '038190000002', name: 'Lê Thị Bình' },
  { cccd: '038060000007', name: 'Vũ Văn Hải' },
  { cccd: '038198000008', name: 'Ngô Thị Khánh Linh' },
  { cccd: '038075000009', name: 'Bùi Văn Minh' },
  { cccd: '038093000013', name: 'Đặng Thế Sơn' },
  { cccd: '038065000014', name: 'Cao Văn Tâm' },
];

export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 800 };

// Buttons by language. Vietnamese is the contract's; of the English texts only the sense is known.
export const words = {
  vi: { signIn: 'Đăng nhập', vneid: 'Tài khoản VNeID Bộ Công an', signOut: 'Đăng xuất', confirm: 'Xác nhận', resend: 'Gửi lại mã' },
  en: { signIn: /^(sign|log) ?in$/i, vneid: /VNeID/, signOut: /^(sign|log) ?out$/i, confirm: /^(confirm|verify|continue|submit)/i, resend: /resend|send .*again|new code/i },
};

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync'],
  });
}

// newVisitor opens a fresh browser profile. Everything that goes wrong in its pages is kept in `complaints`;
// documents that answer 4xx on purpose are not, but what a page loads has to be there.
export async function newVisitor(browser, { viewport = desktop, colorScheme = 'light', script = true } = {}) {
  const context = await browser.newContext({ viewport, colorScheme, javaScriptEnabled: script, locale: 'vi-VN', reducedMotion: 'reduce' });
  context.setDefaultTimeout(10_000);
  const complaints = [];
  context.on('page', (page) => {
    page.on('console', (m) => {
      if (m.type() === 'error' || /content security policy|refused to/i.test(m.text())) {
        if (!/Failed to load resource: the server responded with a status of 4\d\d/.test(m.text())) complaints.push(`console on ${page.url()}: ${m.text()}`);
      }
    });
    page.on('pageerror', (e) => complaints.push(`script error on ${page.url()}: ${e.message}`));
    page.on('response', (r) => {
      const document = r.request().resourceType() === 'document';
      if (r.status() >= 500 || (r.status() >= 400 && !document)) complaints.push(`${r.status()} for ${r.url()}`);
    });
    page.on('request', (r) => {
      if (![ISSUER, SANDBOX, PORTAL].some((o) => r.url().startsWith(o)) && !/^(data|blob|about|chrome-error):/.test(r.url()) && new URL(r.url()).hostname !== '127.0.0.1') {
        complaints.push(`a request to a third party: ${r.url()}`);
      }
    });
  });
  return { context, complaints, page: await context.newPage(), viewport, colorScheme, script, seen: new Set() };
}

// inspect checks what holds for every page, and takes a picture if it is given a name.
export async function inspect(visitor, picture, page = visitor.page) {
  const where = `${picture ?? 'page'} ${page.url()} at ${visitor.viewport.width}px ${visitor.colorScheme}`;
  const found = await page.evaluate(examine);
  assert.ok(found.text.includes(BANNER), `the banner is missing: ${where}`);
  assert.ok(found.scrollWidth <= found.clientWidth, `it scrolls sideways (${found.scrollWidth} > ${found.clientWidth}, by ${found.widest}): ${where}`);
  assert.deepEqual(found.nameless, [], `controls without a name: ${where}`);
  assert.equal(found.headings, 1, `one h1 is expected: ${where}`);
  assert.deepEqual(found.faint, [], `text of too little contrast (WCAG 1.4.3): ${where}`);
  assert.deepEqual(found.small, [], `targets under 24 px (WCAG 2.5.8): ${where}`);
  if (picture) await page.screenshot({ path: path.join(SCREENSHOTS, `${picture}.png`), fullPage: true });
  assert.deepEqual(visitor.complaints, [], where);
}

// examine runs inside the page.
function examine() {
  const visible = (e) => e.checkVisibility?.({ visibilityProperty: true, opacityProperty: true }) ?? e.offsetParent !== null;
  const name = (e) => `${e.tagName.toLowerCase()}${e.id ? '#' + e.id : ''} "${(e.textContent || e.value || '').trim().slice(0, 40)}"`;
  const rgba = (s) => {
    const n = (s.match(/[\d.]+/g) ?? []).map(Number);
    return { r: n[0], g: n[1], b: n[2], a: n[3] ?? 1 };
  };
  const light = ({ r, g, b }) => {
    const f = (c) => ((c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const s = getComputedStyle(e);
      if (s.backgroundImage !== 'none') return null; // a picture: not for this simple reader
      const c = rgba(s.backgroundColor);
      if (c.a === 1) return c;
      if (c.a > 0) return null;
    }
    return { r: 255, g: 255, b: 255 };
  };
  const faint = [], small = [], nameless = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (!visible(e)) continue;
    const box = e.getBoundingClientRect();
    const clipped = box.width <= 1 || box.height <= 1 || box.right < 0 || box.bottom < 0;
    if (!clipped && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) && !e.closest('[disabled],[aria-hidden=true],svg')) {
      const s = getComputedStyle(e), bg = behind(e), fg = rgba(s.color);
      if (bg && fg.a === 1 && s.color.startsWith('rgb')) {
        const [a, b] = [light(fg), light(bg)].sort((x, y) => y - x);
        const size = parseFloat(s.fontSize), large = size >= 24 || (size >= 18.66 && Number(s.fontWeight) >= 700);
        if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) faint.push(`${name(e)} ${s.color} on rgb(${bg.r}, ${bg.g}, ${bg.b})`);
      }
    }
    if (e.matches('button, input:not([type=hidden]), select, textarea')) {
      if (!clipped && !e.matches('[type=checkbox],[type=radio]') && (box.width < 24 || box.height < 24)) small.push(`${name(e)} ${box.width}×${box.height}`);
      const named = e.labels?.length || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || (e.matches('button') ? e.textContent.trim() : e.matches('[type=submit]') && e.value);
      if (!named) nameless.push(name(e));
    }
  }
  let widest = '';
  for (const e of document.body.querySelectorAll('*')) if (e.getBoundingClientRect().right > document.documentElement.clientWidth + 1) widest = name(e);
  return {
    text: document.body.innerText.replace(/\s+/g, ' '), headings: document.querySelectorAll('h1').length,
    scrollWidth: document.documentElement.scrollWidth, clientWidth: document.documentElement.clientWidth, widest, nameless, faint, small,
  };
}

// control is a link or button by its text, the first a person sees.
export const control = (page, name) => {
  const exact = typeof name === 'string';
  return page.getByRole('button', { name, exact }).or(page.getByRole('link', { name, exact })).first();
};

export async function speak(page, lang) {
  if ((await page.getAttribute('html', 'lang')) !== lang) {
    await control(page, lang === 'en' ? 'English' : 'Tiếng Việt').click();
    await page.waitForSelector(`html[lang="${lang}"]`, { state: 'attached' });
  }
}

const codes = (text) => text.match(/(?<![\d:.-])\d{6}(?![\d:.-])/g) ?? text.match(/(?<!\d)\d{6}(?!\d)/g) ?? [];

// readSMS opens the inbox in another tab, as a person without the phone at hand would, and reads the newest code.
export async function readSMS(visitor, picture) {
  const inbox = await visitor.context.newPage();
  try {
    for (let i = 0; i < 40; i++) {
      await inbox.goto(`${SANDBOX}/sms`);
      const fresh = codes(await inbox.locator('body').innerText()).filter((c) => !visitor.seen.has(c));
      if (fresh.length) {
        if (picture) await inspect(visitor, picture, inbox);
        for (const c of fresh) visitor.seen.add(c);
        return fresh[0];
      }
      await new Promise((r) => setTimeout(r, 250));
    }
    assert.fail('no SMS came within 10 s');
  } finally {
    await inbox.close();
  }
}

// rememberSMS marks what the inbox holds before a login, so that only newer codes count.
export async function rememberSMS(visitor) {
  const list = await (await fetch(`${SANDBOX}/api/v1/sms`)).json();
  for (const { otp } of list) visitor.seen.add(otp);
}

export async function passwordStep(page, person, lang = 'vi', pw = PASSWORD) {
  await page.locator('#username').click();
  await page.locator('#username').fill(person.cccd);
  await page.locator('#password').fill(pw);
  await page.locator('form:has(#password)').getByRole('button', { name: words[lang].signIn, exact: lang === 'vi' }).click();
}

export async function otpStep(page, otp, lang = 'vi') {
  await page.locator('#otp').fill(otp);
  await page.getByRole('button', { name: words[lang].confirm, exact: lang === 'vi' }).first().click();
}
