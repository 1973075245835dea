// A portal's test with Playwright: once through the provider's pages, once past them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { password, Sandbox } from 'vneid-sandbox-client'
import { startPortal } from './portal.mjs'

const an = '038090000001'
let sandbox, browser
before(async () => {
  sandbox = await Sandbox.start()
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] })
})
after(async () => {
  await browser?.close()
  await sandbox?.stop()
})

async function portalOf(t) {
  const world = await sandbox.world() // nobody else's sign-ins, messages and clock
  const portal = await startPortal(world.issuer, { client_id: 'my-portal', client_secret: 'my-portal-secret' })
  const context = await browser.newContext()
  t.after(async () => { await context.close(); await portal.close() })
  return { world, portal, page: await context.newPage() }
}

test('the citizen types password and one-time password', async (t) => {
  const { world, portal, page } = await portalOf(t)
  await page.goto(`${portal.url}/login`)
  await page.fill('#username', an)
  await page.fill('#password', password)
  await page.getByRole('button', { name: 'Đăng nhập', exact: true }).click()
  await page.fill('#otp', await world.lastOtp(an))
  await page.getByRole('button', { name: 'Xác nhận' }).click()
  await page.getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Xác nhận chia sẻ' }).click()
  await page.getByText('Xin chào Nguyễn Văn An').waitFor()
})

test('the citizen scans the code with the phone', async (t) => {
  const { world, portal, page } = await portalOf(t)
  await page.goto(`${portal.url}/login`)
  const phone = world.phone(an)
  const { login, host } = await phone.scan(await page.locator('#qr-code').textContent())
  assert.equal(host, new URL(portal.url).host)
  await phone.confirm(login)
  await page.getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Xác nhận chia sẻ' }).click()
  await page.getByText('Xin chào Nguyễn Văn An').waitFor()
})

test('a test of what comes after signing in skips the provider', async (t) => {
  const { world, portal, page } = await portalOf(t)
  const answer = await page.request.get(`${portal.url}/login`, { maxRedirects: 0 }) // in the browser's cookie jar
  const { callback } = await world.login({ authorize: answer.headers().location, cccd: an })
  await page.goto(callback)
  await page.getByText('Xin chào Nguyễn Văn An').waitFor()
})
