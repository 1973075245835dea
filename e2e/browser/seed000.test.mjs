// Seed 000, bước 1–4, with real clicks, and what surrounds it: the old account, the page for the CCCD, Bỏ qua, the
// question of linking, dossiers, officers. Every page is inspected, shown to axe-core, and pictured.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import * as walk from './walk.mjs';
import { wantNoBarrier } from './axe.mjs';

let browser;
before(async () => { browser = await walk.launch(); });
after(async () => { await browser?.close(); });

const person = (name) => walk.people.find((p) => p.name === name);
const walks = [
  { size: 'phone', colorScheme: 'light', lang: 'vi', script: true, old: 'an.nguyen', who: person('Lê Thị Bình'), links: 'binh.le' },
  { size: 'desktop', colorScheme: 'dark', lang: 'en', script: true, old: 'an.cu', who: person('Vũ Văn Hải'), links: 'hai.vu' },
  { size: 'phone', colorScheme: 'dark', lang: 'en', script: false, old: 'an.nguyen', who: person('Ngô Thị Khánh Linh') },
  { size: 'desktop', colorScheme: 'light', lang: 'vi', script: true, old: 'an.cu', who: person('Ngô Thị Khánh Linh'), refused: true },
];
for (const { size, colorScheme, lang, script, old, who, links, refused } of walks) {
  const style = `${walk[size].width}-${colorScheme}-${lang}${script ? '' : '-noscript'}`;
  test(`${old} and ${who.name} walk through linking: ${style}`, async () => {
    const visitor = await walk.newVisitor(browser, { viewport: walk[size], colorScheme, script });
    const { page } = visitor;
    const look = async (name) => {
      await walk.inspect(visitor, `seed000-${name}-${style}`);
      if (script) await wantNoBarrier(page, name); // axe-core needs script in the page
    };
    const at = (path) => assert.equal(new URL(page.url()).pathname, path);
    const body = async () => (await page.locator('body').innerText()).normalize();
    const locally = async (username) => {
      await page.locator('#username').fill(username);
      await page.locator('#password').fill('Portal@2024');
      await page.locator('form:has(#password) button').click();
    };
    try {
      await walk.rememberSMS(visitor);
      await page.goto(`${walk.PORTAL}/language/${lang}`);

      // Bước 1–3: the old account, no CCCD, a mistyped number, Bỏ qua; the wanted page, signed in.
      await page.goto(`${walk.PORTAL}/procedures/9.000102`);
      await look('1-procedure');
      await page.locator('#apply').click();
      await page.locator('#login-local').click();
      await locally(old);
      at('/identity/cccd');
      await look('2-number');
      await page.locator('#cccd').fill('12345');
      await page.locator('button[value=update]').click();
      await look('3-number-wrong');
      await page.locator('button[value=skip]').click();
      at('/procedures/9.000102/apply');
      await look('4-apply');
      await page.locator('#subject').fill('Xin 01 bản sao');
      await page.locator('#phone').fill('12');
      await page.locator('form:has(#subject) button').click();
      await look('5-apply-wrong');
      await page.locator('#phone').fill('0950000001');
      await page.locator('form:has(#subject) button').click();
      assert.match(page.url(), /\/dossiers\/TH/);
      await look('6-filed');
      for (const path of ['/dossiers', '/profile', '/profile/identity', '/profile/sign-ins', '/profile/audit', '/procedures/9.000503/apply', '/linking-rules']) {
        await page.goto(walk.PORTAL + path);
        await look(`7${path.replaceAll('/', '-')}`);
      }
      await walk.control(page, walk.words[lang].signOut).click();

      // Bước 4: VNeID, the one question, the wanted page.
      await page.goto(`${walk.PORTAL}/login/vneid?next=%2Fdossiers`);
      await walk.passwordStep(page, who, lang);
      await page.waitForSelector('#otp');
      await walk.otpStep(page, await walk.readSMS(visitor), lang);
      await page.waitForURL(`${walk.PORTAL}/**`);
      if (refused) { // in the walk before: not asked again, still offered
        at('/dossiers');
        await page.goto(`${walk.PORTAL}/profile/identity`);
        await look('8-identity');
        await page.locator('form[action="/link/start"] button').click();
      }
      at('/link');
      await look('9-link');
      if (links) {
        assert.ok((await body()).includes(links));
        await page.locator('#password').fill('Sai@2024');
        await page.locator('button[value=update]').click();
        await look('9-link-wrong');
        await page.locator('#password').fill('Portal@2024');
        if (await page.locator('#confirm').count()) await page.locator('#confirm').check();
        await page.locator('button[value=update]').click();
        at('/dossiers');
        assert.equal(await page.locator('main h2 a').count(), 1, 'the dossiers are not there');
      } else {
        await page.locator('button[value=skip]').click();
      }
      await look('10-told');
      await page.goto(`${walk.PORTAL}/profile/identity`);
      await look('11-identity');
      if (links) {
        await page.goto(`${walk.PORTAL}/identity/unlink`);
        await look('12-unlink');
        await page.goto(`${walk.PORTAL}/profile`);
        await walk.control(page, walk.words[lang].signOut).click();
        await page.goto(`${walk.PORTAL}/login/local`);
        await locally(links);
        await look('13-use-vneid');
        assert.equal(await page.locator('#use-vneid').count(), 1, 'the old password still signs in');
      } else {
        await page.goto(`${walk.PORTAL}/profile`);
        await walk.control(page, walk.words[lang].signOut).click();
      }

      // Two people in one browser.
      if (refused) {
        await page.goto(`${walk.PORTAL}/login/local?next=%2Fprofile%2Fidentity`);
        await locally('gia.mao');
        await page.locator('form[action="/link/start"] button').click();
        await page.waitForSelector('#username');
        await walk.passwordStep(page, person('Đặng Thế Sơn'), lang);
        await page.waitForSelector('#otp');
        await walk.otpStep(page, await walk.readSMS(visitor), lang);
        await page.waitForURL(`${walk.PORTAL}/**`);
        at('/who');
        await look('13-who');
        await page.locator('button[value=stay]').click();
        assert.ok((await body()).includes('Phan Văn Giả'), 'did not stay');
        await walk.control(page, walk.words[lang].signOut).click();
      }

      // An officer.
      await page.goto(`${walk.PORTAL}/login/local?next=%2Fofficer`);
      await locally('minh.canbo');
      await page.locator('button[value=skip]').click();
      at('/officer');
      await look('14-officer');
      await page.locator('main h2 a').first().click();
      await look('15-officer-dossier');
      await page.goto(`${walk.PORTAL}/officer/audit`);
      await look('16-audit');
    } finally {
      await visitor.context.close();
    }
  });
}
