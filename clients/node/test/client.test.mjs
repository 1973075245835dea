import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Sandbox, SandboxError } from 'vneid-sandbox-client'
import { startPortal } from './portal.mjs'

const an = '038090000001'
let sandbox
before(async () => { sandbox = await Sandbox.start() })
after(() => sandbox.stop())

// Asks the portal where it would send a browser, and keeps its cookie.
async function begin(portal) {
  const response = await fetch(`${portal.url}/login`, { redirect: 'manual' })
  return { authorize: response.headers.get('location'), cookie: response.headers.get('set-cookie').split(';')[0] }
}
const open = async (address, cookie) => (await fetch(address, { headers: { cookie } })).text()

test('a person signs in to a portal, by password and by QR code', async (t) => {
  const world = await sandbox.world()
  const portal = await startPortal(world.issuer, { client_id: 'my-portal', client_secret: 'my-portal-secret' })
  t.after(() => portal.close())
  for (const method of ['otp', 'qr']) {
    const { authorize, cookie } = await begin(portal)
    const { callback, refused } = await world.login({ authorize, cccd: an, method })
    assert.equal(refused, undefined)
    assert.match(await open(callback, cookie), /Xin chào Nguyễn Văn An/)
  }
  assert.match(await world.lastOtp(an), /^\d{6}$/)
})

test('a refusal leads back to the portal and says why', async (t) => {
  const world = await sandbox.world()
  const portal = await startPortal(world.issuer, { client_id: 'my-portal', client_secret: 'my-portal-secret' })
  t.after(() => portal.close())
  const { authorize, cookie } = await begin(portal)
  const { callback, refused } = await world.login({ authorize, cccd: '038188000004' })
  assert.equal(refused.code, 'account_locked')
  assert.match(await open(callback, cookie), /Chưa đăng nhập: access_denied/)
})

test('worlds do not see each other, and their clocks differ', async () => {
  const [one, two] = await Promise.all([sandbox.world(), sandbox.world({ policy: { otp_lifetime: '10s' } })])
  assert.notEqual(one.issuer, two.issuer)
  const client = await one.register({ redirect_uris: ['http://localhost:3000/cb'], consent: 'never' })
  assert.ok(client.client_secret)
  await one.login({ client_id: client.client_id, cccd: an })
  assert.equal((await one.sms(an)).length, 1)
  assert.equal((await two.sms(an)).length, 0)
  const moved = await one.clock.advance('2h')
  assert.ok(moved - (await two.clock.now()) > 7_000_000)
  assert.ok((await one.clock.reset()) - (await two.clock.now()) < 60_000)
  await one.reset()
  assert.equal((await one.sms('0950000001')).length, 0)
  await sandbox.deleteWorld(two.id)
  await assert.rejects(two.personas(), (e) => e instanceof SandboxError && e.status === 404)
})

test('a mistake is told with every field', async () => {
  await assert.rejects(sandbox.register({ redirect_uris: ['http://evil.com/'], consent: 'maybe' }),
    (e) => e.status === 400 && e.problem.errors.length === 2 && /consent: .*redirect_uris|redirect_uris.*consent/.test(e.message))
  await assert.rejects(sandbox.phone(an).scan('XXXX-XXXX'), (e) => e.code === 'qr_unknown')
})

test('a program that does not start says why', async () => {
  await assert.rejects(Sandbox.start({ args: ['--issuer', 'https://vneid.gov.vn'] }), /ended with 2[^]*\.gov\.vn/)
  await assert.rejects(Sandbox.start({ bin: '/nowhere/vneid-sandbox' }), /cannot be started/)
})

test('a token is sent where one is asked for', async () => {
  const token = 'a token of sixteen or more'
  const guarded = await Sandbox.start({ env: { VNEID_SANDBOX_TOKEN: token } })
  try {
    assert.equal((await guarded.personas('nguyen van an'))[0].cccd, an)
    const { issuer, sandboxUrl } = guarded
    await assert.rejects(Sandbox.connect({ issuer, sandboxUrl }).personas(), (e) => e.status === 401)
    assert.ok((await Sandbox.connect({ issuer, sandboxUrl, token }).personas()).length > 10)
  } finally {
    await guarded.stop()
  }
})
